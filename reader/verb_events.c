/* SPDX-License-Identifier: MIT */
/*
 * verb_events.c - the verb `events`: the calls that are kept, oldest first, as JSON lines.
 *
 * A call gives its attempt and, when it has returned, its outcome. A filter by outcome
 * gives the outcomes alone. Ranges that the rings have lost come first. With -f it is
 * inv_tail_run that does it, by a follower instead of a loaded source.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "events.h"
#include "follow.h"
#include "options.h"
#include "output.h"
#include "say.h"
#include "setting.h"
#include "source.h"
#include "tail.h"
#include "verbs.h"

struct options {
	struct inv_query query;
	uint64_t last; /* INV_FOLLOW_ALL: all; 0: all, too, but none before what -f follows */
	bool follow;
	const char *dir;
	const char *name; /* session or file, or NULL */
};

static int bad(const char *option, const char *value, const char *wanted)
{
	inv_say("invreg events: %s %s: expected %s\n", option, value, wanted);
	return INV_EXIT_USAGE;
}

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Returns: -1 to go on, else an exit code. */
static int parse(int argc, char **argv, struct options *o)
{
	const char *since = NULL, *last = NULL;
	const struct inv_option options[] = {{"artifact", 0, &o->query.artifact, NULL},
					     {"invoker", 0, &o->query.invoker, NULL},
					     {"method", 0, &o->query.method, NULL},
					     {"failed", 0, NULL, &o->query.failed},
					     {"succeeded", 0, NULL, &o->query.succeeded},
					     {"since", 0, &since, NULL},
					     {"last", 'n', &last, NULL},
					     {"follow", 'f', NULL, &o->follow},
					     {0}};
	size_t words;
	int code = inv_options_parse(argc, argv, options, &o->dir, &o->name, 1, &words);
	if (code >= 0)
		return code;
	if (since && !inv_options_since(since, now_ns(), &o->query.since_ns))
		return bad("--since", since, "30, 5m, 2h, or 2026-11-23T10:00:00Z");
	if (last && !inv_options_count(last, &o->last))
		return bad("-n", last, "a whole number");
	return -1;
}

/* A slip of the pen would look like a program that calls nothing. */
static void say_none(const struct inv_query *query)
{
	if (query->artifact || query->invoker || query->method)
		inv_say("invreg: no call that is kept matches; `invreg stats` has all names\n");
}

/* Returns: how many calls match. */
static uint64_t put_calls(const struct inv_src *src, const struct options *o, struct inv_buf *out)
{
	struct inv_events events = {.out = out};
	bool outcomes_only = o->query.failed || o->query.succeeded;
	uint64_t matching = 0, skip = 0;
	for (size_t i = 0; i < src->call_count; i++)
		matching += inv_query_matches(&o->query, &src->calls[i]);
	if (o->last && matching > o->last)
		skip = matching - o->last;
	inv_events_lost_of(&events, src);
	for (size_t i = 0; i < src->call_count && !out->error; i++) {
		const struct inv_call *call = &src->calls[i];
		if (!inv_query_matches(&o->query, call) || (skip && skip--))
			continue;
		if (!outcomes_only)
			inv_events_attempt(&events, call);
		if (call->state == INV_CALL_DONE)
			inv_events_outcome(&events, call);
	}
	return matching;
}

static int print(const struct options *o)
{
	struct inv_src src;
	struct inv_buf out;
	uint64_t matching = 0;
	int code = inv_src_open(&src, o->dir, o->name);
	if (code)
		return code;
	int r = inv_src_load(&src);
	if (!r)
		r = inv_buf_init(&out, STDOUT_FILENO);
	if (!r) {
		matching = put_calls(&src, o, &out);
		r = inv_buf_flush(&out);
		inv_buf_free(&out);
	}
	if (!r && !matching)
		say_none(&o->query);
	if (!r)
		inv_setting_caveats(&src);
	code = inv_output_done(&src, r);
	inv_src_close(&src);
	return code;
}

static int follow(const struct options *o)
{
	struct inv_tail tail = {.query = o->query, .last = o->last, .dir = o->dir, .name = o->name};
	return inv_tail_run(&tail);
}

int inv_verb_events(int argc, char **argv)
{
	struct options o = {.last = INV_FOLLOW_ALL};
	int code = parse(argc, argv, &o);
	if (code >= 0)
		return code;
	return o.follow ? follow(&o) : print(&o);
}
