/* SPDX-License-Identifier: MIT */
/*
 * verb_events.c - `invreg events`: kept events as lines, in order of time.
 *
 * Attempts and outcomes are lines of their own, so each call gives two keys to sort by:
 * its start and its end. Lost ranges come first: they are older than what is kept.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "events.h"
#include "options.h"
#include "output.h"
#include "verbs.h"

static const char HELP[] =
	"usage: invreg events [SESSION] [options]\n"
	"Kept events as JSONL, oldest first. SESSION: a name, a .seg or a .jsonl file;\n"
	"without: the one live session, else the newest.\n"
	"      --artifact NAME  only calls of this artifact\n"
	"      --invoker NAME   only calls by this invoker\n"
	"      --method NAME    only calls of this method\n"
	"      --failed         only calls that failed\n"
	"      --succeeded      only calls that succeeded\n"
	"      --since TIME     2026-11-23T10:00:00Z, or 90s, 5m, 2h, 1d ago\n"
	"  -n, --limit N        only the newest N calls\n"
	"      --dir DIR        where sessions are\n"
	"examples:\n"
	"  invreg events --failed -n 20\n"
	"  invreg events run.jsonl --artifact wheat | jq .duration_ms\n";

struct entry {
	int64_t at_ns;
	const struct inv_call *call;
	bool outcome;
};

static int by_time(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	/* Of one instant: attempts from the outside in, outcomes from the inside out. */
	if (x->outcome != y->outcome)
		return x->call == y->call || x->call->depth < y->call->depth
			       ? x->outcome - y->outcome
			       : y->outcome - x->outcome;
	int order = (x->call > y->call) - (x->call < y->call);
	return x->outcome ? -order : order;
}

/* The newest `limit` that match; calls are in order of start. */
static size_t pick(const struct inv_src *src, const struct inv_query *query, struct entry *to)
{
	size_t n = 0, found = 0;
	for (size_t i = src->call_count; i-- > 0 && (!query->limit || found < query->limit);) {
		const struct inv_call *call = &src->calls[i];
		if (!inv_query_matches(query, call))
			continue;
		found++;
		to[n++] = (struct entry){call->start_ns, call, false};
		if (call->state == INV_CALL_DONE)
			to[n++] = (struct entry){call->start_ns + (int64_t)call->duration_ns, call,
						 true};
	}
	qsort(to, n, sizeof(*to), by_time);
	return n;
}

static void put_all(const struct inv_src *src, const struct entry *entries, size_t count,
		    struct inv_buf *out)
{
	struct inv_events events = {.out = out};
	for (size_t i = 0; i < src->lost_count; i++)
		inv_events_lost(&events, src->lost[i].lane, src->lost[i].first, src->lost[i].last,
				"lapped");
	for (size_t i = 0; i < count && !out->error; i++)
		if (entries[i].outcome)
			inv_events_outcome(&events, entries[i].call);
		else
			inv_events_attempt(&events, entries[i].call);
}

static int show(const struct inv_src *src, const struct inv_query *query)
{
	struct inv_buf out;
	struct entry *entries = calloc(src->call_count * 2 + 1, sizeof(*entries));
	int code = entries ? inv_output_open(&out) : inv_output_source_error(src, -ENOMEM);
	if (code == 0) {
		put_all(src, entries, pick(src, query, entries), &out);
		code = inv_output_close(&out);
	}
	free(entries);
	return code;
}

static int run(const char *dir, const char *session, const struct inv_query *query)
{
	struct inv_src src;
	int code = inv_src_open(&src, dir, session);
	if (code)
		return code;
	int result = inv_src_load(&src);
	code = result < 0 ? inv_output_source_error(&src, result) : show(&src, query);
	inv_src_close(&src);
	return code;
}

static int bad_value(const char *option, const char *text)
{
	fprintf(stderr, "invreg: events: bad value of %s: '%s'; see `invreg events --help`\n",
		option, text);
	return INV_EXIT_USAGE;
}

int inv_verb_events(int argc, char **argv)
{
	struct inv_query query = {0};
	const char *limit = NULL, *since = NULL, *dir = NULL, *session = NULL;
	const struct inv_option options[] = {
		{"artifact", 0, &query.artifact, NULL},	  {"invoker", 0, &query.invoker, NULL},
		{"method", 0, &query.method, NULL},	  {"failed", 0, NULL, &query.failed},
		{"succeeded", 0, NULL, &query.succeeded}, {"since", 0, &since, NULL},
		{"limit", 'n', &limit, NULL},		  {0}};
	size_t words;
	uint64_t count = 0;
	int code = inv_options_parse(argc, argv, options, HELP, &dir, &session, 1, &words);
	if (code >= 0)
		return code;
	if (limit && !inv_options_count(limit, &count))
		return bad_value("-n", limit);
	int64_t now = (int64_t)time(NULL) * INT64_C(1000000000);
	if (since && !inv_options_since(since, now, &query.since_ns))
		return bad_value("--since", since);
	if (limit && count == 0)
		return INV_EXIT_OK;
	query.limit = count;
	if (query.failed && query.succeeded)
		query.failed = query.succeeded = false;
	return run(dir, session, &query);
}
