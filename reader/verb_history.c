/* SPDX-License-Identifier: MIT */
/*
 * verb_history.c - the verb `history`: the calls of one invoker, newest first.
 *
 * One JSON object a line, each call merged with its outcome, with the keys that the HTTP
 * interface of such registries has; null where a call has no such thing.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cut.h"
#include "help.h"
#include "json.h"
#include "options.h"
#include "output.h"
#include "registry.h"
#include "say.h"
#include "setting.h"
#include "source.h"
#include "verbs.h"

#define LIMIT_DEFAULT 100

static void put_null(struct inv_json *json, const char *key)
{
	inv_json_key(json, key);
	inv_json_put_null(json);
}

static void put_word(struct inv_json *json, const char *key, const struct inv_word *word)
{
	inv_json_key(json, key);
	inv_json_put_text(json, word->text, word->length);
}

static void put_outcome(struct inv_json *json, const struct inv_call *call)
{
	bool failed = inv_call_failed(call);
	inv_json_key(json, "success");
	inv_json_put_bool(json, !failed);
	inv_json_key(json, "duration_ms");
	inv_json_put_ms(json, (double)call->duration_ns);
	if (failed) {
		put_word(json, "error_type", call->type);
		inv_json_key(json, "error_message");
		inv_json_put_text(json, call->message, call->message_length);
		put_null(json, "result_type");
	} else {
		put_null(json, "error_type");
		put_null(json, "error_message");
		put_word(json, "result_type", call->type);
	}
}

struct history {
	struct inv_buf out;
	uint64_t count;
};

static void put_call(void *arg, const struct inv_call *call)
{
	static const char *const unknown[] = {"success", "duration_ms", "error_type",
					      "error_message", "result_type"};
	struct history *history = arg;
	struct inv_json json = {.out = &history->out};
	history->count++;
	inv_json_open(&json, '{');
	inv_json_key(&json, "tick");
	inv_json_put_i64(&json, call->tick);
	inv_json_key(&json, "timestamp");
	inv_json_put_time(&json, inv_call_end_ns(call));
	put_word(&json, "invoker_id", call->invoker);
	put_word(&json, "artifact_id", call->artifact);
	put_word(&json, "method", call->method);
	if (call->state == INV_CALL_DONE)
		put_outcome(&json, call);
	else
		for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
			put_null(&json, unknown[i]);
	inv_json_close(&json, '}');
	inv_buf_line_end(json.out);
}

/* `events` has lines for what was lapped. */
static void say_lapped(struct inv_src *src)
{
	struct inv_cut cut;
	if (inv_cut_take(&cut, src) < 0)
		return;
	if (cut.events_lapped)
		inv_say("invreg: lost %llu: lapped\n", (unsigned long long)cut.events_lapped);
	inv_cut_free(&cut);
}

static int by_end(const void *a, const void *b)
{
	const struct inv_call *x = a, *y = b;
	int64_t at = inv_call_end_ns(x), other = inv_call_end_ns(y);
	if (at != other)
		return at < other ? -1 : 1;
	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

/* Fills a registry with the calls that are kept, and asks it. */
static int print_history(struct inv_src *src, const struct inv_query *query)
{
	struct history history = {.count = 0};
	int r = inv_src_load(src);
	struct inv_registry *registry = r ? NULL : inv_registry_new(src->call_count + 1);
	if (!r && !registry)
		r = -ENOMEM;
	if (!r && src->call_count)
		qsort(src->calls, src->call_count, sizeof(*src->calls), by_end);
	for (size_t i = 0; !r && i < src->call_count; i++)
		r = inv_registry_keep(registry, &src->calls[i]);
	if (!r)
		r = inv_buf_init(&history.out, STDOUT_FILENO);
	if (!r) {
		inv_registry_history(registry, query, put_call, &history);
		r = inv_buf_flush(&history.out);
		inv_buf_free(&history.out);
	}
	if (!r && !history.count)
		inv_say("invreg: no call that is kept is by '%s'; `invreg stats --by invoker` "
			"lists invokers\n",
			query->invoker);
	if (registry)
		inv_registry_free(registry);
	return r;
}

int inv_verb_history(int argc, char **argv)
{
	static const struct option long_options[] = {{"dir", required_argument, NULL, 'd'},
						     {"help", no_argument, NULL, 'h'},
						     {NULL, 0, NULL, 0}};
	struct inv_query query = {.limit = LIMIT_DEFAULT};
	struct inv_src src;
	const char *dir = NULL;
	char *end;
	int option;
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, "n:h", long_options, NULL)) != -1) {
		if (option == 'h')
			return inv_help(argv[0]);
		if (option == 'd') {
			if (inv_options_dir(argv[0], optarg, &dir) >= 0)
				return INV_EXIT_USAGE;
		} else if (option == 'n') {
			query.limit = strtoul(optarg, &end, 10);
			if (end == optarg || *end || optarg[0] == '-') {
				inv_say("invreg history: -n %s: expected a whole number\n", optarg);
				return INV_EXIT_USAGE;
			}
		} else {
			inv_say("invreg history: --help tells the options\n");
			return INV_EXIT_USAGE;
		}
	}
	if (argc - optind < 1 || argc - optind > 2) {
		inv_say("invreg history: name one invoker, then perhaps a session; "
			"invreg stats --by invoker lists them\n");
		return INV_EXIT_USAGE;
	}
	query.invoker = argv[optind];
	int code = inv_src_open(&src, dir, optind + 1 < argc ? argv[optind + 1] : NULL);
	if (code)
		return code;
	int r = print_history(&src, &query);
	if (!r) {
		say_lapped(&src);
		inv_setting_caveats(&src);
	}
	code = inv_output_done(&src, r);
	inv_src_close(&src);
	return code;
}
