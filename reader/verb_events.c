/* SPDX-License-Identifier: MIT */
/*
 * verb_events.c - the verb `events`: the calls that are kept, oldest first, as JSON lines.
 *
 * A call gives its attempt and, when it has returned, its outcome. A filter by outcome
 * gives the outcomes alone. Ranges that the rings have lost come first.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "events.h"
#include "source.h"
#include "verbs.h"

static const char help[] =
	"usage: invreg events [OPTIONS] [SESSION | FILE.seg | FILE.jsonl]\n\n"
	"The calls that are kept, oldest first, as JSON lines: invoke_attempt, invoke_success,\n"
	"invoke_failure; what was lost as events_lost lines.\n\n"
	"  --artifact ID    only calls of this artifact\n"
	"  --invoker ID     only calls by this invoker\n"
	"  --method NAME    only calls of this method\n"
	"  --failed         only failures\n"
	"  --succeeded      only successes\n"
	"  --since TIME     begun at or after TIME: seconds ago (30, 5m, 2h) or RFC 3339\n"
	"  -n N             only the last N calls\n"
	"  --dir DIR        where the sessions are\n\n"
	"examples:\n"
	"  invreg events --failed -n 20\n"
	"  invreg events run.jsonl --artifact market_escrow | jq .duration_ms\n";

struct options {
	struct inv_query query;
	size_t last; /* 0: all */
	const char *dir;
};

enum {
	OPT_ARTIFACT = 256,
	OPT_INVOKER,
	OPT_METHOD,
	OPT_FAILED,
	OPT_SUCCEEDED,
	OPT_SINCE,
	OPT_DIR,
	OPT_HELP
};

static const struct option long_options[] = {
	{"artifact", required_argument, NULL, OPT_ARTIFACT},
	{"invoker", required_argument, NULL, OPT_INVOKER},
	{"method", required_argument, NULL, OPT_METHOD},
	{"failed", no_argument, NULL, OPT_FAILED},
	{"succeeded", no_argument, NULL, OPT_SUCCEEDED},
	{"since", required_argument, NULL, OPT_SINCE},
	{"dir", required_argument, NULL, OPT_DIR},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static bool ago(const char *text, int64_t *ns)
{
	char *end;
	double value = strtod(text, &end), unit = 1;
	if (end == text || value < 0)
		return false;
	if (*end == 's' || *end == 'm' || *end == 'h')
		unit = *end == 'm' ? 60 : (*end == 'h' ? 3600 : 1), end++;
	if (*end)
		return false;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	*ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - (int64_t)(value * unit * 1e9);
	return true;
}

static bool instant(const char *text, int64_t *ns)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	double fraction = 0;
	char *end;
	if (!rest)
		return false;
	if (*rest == '.') {
		fraction = strtod(rest, &end);
		rest = end;
	}
	if (strcmp(rest, "Z") != 0)
		return false;
	*ns = (int64_t)timegm(&tm) * 1000000000 + (int64_t)(fraction * 1e9);
	return true;
}

static bool count_of(const char *text, size_t *out)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-')
		return false;
	*out = (size_t)value;
	return true;
}

static int bad(const char *option, const char *value, const char *wanted)
{
	fprintf(stderr, "invreg events: %s %s: expected %s\n", option, value, wanted);
	return INV_EXIT_USAGE;
}

/* Returns: -1 to go on, else an exit code. */
static int take_option(int option, struct options *o)
{
	switch (option) {
	case OPT_ARTIFACT:
		o->query.artifact = optarg;
		return -1;
	case OPT_INVOKER:
		o->query.invoker = optarg;
		return -1;
	case OPT_METHOD:
		o->query.method = optarg;
		return -1;
	case OPT_FAILED:
		o->query.failed = true;
		return -1;
	case OPT_SUCCEEDED:
		o->query.succeeded = true;
		return -1;
	case OPT_DIR:
		o->dir = optarg;
		return -1;
	case OPT_SINCE:
		if (instant(optarg, &o->query.since_ns) || ago(optarg, &o->query.since_ns))
			return -1;
		return bad("--since", optarg, "30, 5m, 2h, or 2026-11-23T10:00:00Z");
	case 'n':
		return count_of(optarg, &o->last) ? -1 : bad("-n", optarg, "a whole number");
	case OPT_HELP:
		fputs(help, stdout);
		return INV_EXIT_OK;
	default:
		fprintf(stderr, "invreg events: --help tells the options\n");
		return INV_EXIT_USAGE;
	}
}

static void put_calls(const struct inv_src *src, const struct options *o, struct inv_buf *out)
{
	struct inv_events events = {.out = out};
	bool outcomes_only = o->query.failed || o->query.succeeded;
	size_t matching = 0, skip = 0;
	for (size_t i = 0; i < src->call_count; i++)
		matching += inv_query_matches(&o->query, &src->calls[i]);
	if (o->last && matching > o->last)
		skip = matching - o->last;
	for (size_t i = 0; i < src->lost_count; i++)
		inv_events_lost(&events, src->lost[i].lane, src->lost[i].first, src->lost[i].last,
				"lapped");
	for (size_t i = 0; i < src->call_count && !out->error; i++) {
		const struct inv_call *call = &src->calls[i];
		if (!inv_query_matches(&o->query, call) || (skip && skip--))
			continue;
		if (!outcomes_only)
			inv_events_attempt(&events, call);
		if (call->state == INV_CALL_DONE)
			inv_events_outcome(&events, call);
	}
}

int inv_verb_events(int argc, char **argv)
{
	struct options o = {.last = 0};
	struct inv_src src;
	struct inv_buf out;
	int option;
	optind = 1;
	while ((option = getopt_long(argc, argv, "n:h", long_options, NULL)) != -1) {
		int code = take_option(option == 'h' ? OPT_HELP : option, &o);
		if (code >= 0)
			return code;
	}
	if (argc - optind > 1) {
		fprintf(stderr, "invreg events: one session or file at a time\n");
		return INV_EXIT_USAGE;
	}
	int code = inv_src_open(&src, o.dir, optind < argc ? argv[optind] : NULL);
	if (code)
		return code;
	int r = inv_src_load(&src);
	if (!r)
		r = inv_buf_init(&out, STDOUT_FILENO);
	if (!r) {
		put_calls(&src, &o, &out);
		r = inv_buf_flush(&out);
		inv_buf_free(&out);
	}
	inv_src_close(&src);
	if (!r || r == -EPIPE)
		return INV_EXIT_OK;
	fprintf(stderr, "invreg events: %s\n", strerror(-r));
	return r == -EFAULT ? INV_EXIT_REFUSED : INV_EXIT_RUNTIME;
}
