/* SPDX-License-Identifier: MIT */
/*
 * verb_history.c - `invreg history INVOKER`: what it called, newest first.
 */
#include <errno.h>
#include <stdio.h>

#include "json.h"
#include "options.h"
#include "output.h"
#include "registry.h"
#include "table.h"
#include "verbs.h"

#define LIMIT 100u

static const char HELP[] =
	"usage: invreg history INVOKER [SESSION] [options]\n"
	"Kept calls of one invoker, newest first.\n"
	"  -n, --limit N        at most N (100)\n"
	"      --artifact NAME  only calls of this artifact\n"
	"      --failed         only calls that failed\n"
	"      --succeeded      only calls that succeeded\n"
	"      --json           JSON objects, one a line\n"
	"      --dir DIR        where sessions are\n"
	"examples:\n"
	"  invreg history agent_7\n"
	"  invreg history agent_7 run.jsonl -n 5 --failed\n";

struct showing {
	struct inv_table table;
	struct inv_buf out;
	bool json;
};

static void show_row(struct inv_table *table, const struct inv_call *call)
{
	struct inv_json_clock clock = {0};
	char time[INV_JSON_TIME_ROOM];
	char *end = inv_json_time(&clock, time, call->start_ns);
	inv_table_text(table, time, (size_t)(end - time));
	inv_table_printf(table, "%lld", (long long)call->tick);
	inv_table_text(table, call->artifact->text, call->artifact->length);
	inv_table_text(table, call->method->text, call->method->length);
	if (call->state != INV_CALL_DONE) {
		inv_table_str(table, "");
		inv_table_str(table, "open");
		inv_table_str(table, "");
		return;
	}
	inv_table_duration(table, (double)call->duration_ns);
	inv_table_text(table, inv_call_failed(call) ? call->type->text : "ok",
		       inv_call_failed(call) ? call->type->length : 2);
	inv_table_text(table, call->message, call->message_length);
}

static void put(struct inv_json *j, const char *key, const struct inv_word *word)
{
	inv_json_key(j, key);
	inv_json_put_text(j, word->text, word->length);
}

static void put_outcome(struct inv_json *j, const struct inv_call *call)
{
	bool failed = inv_call_failed(call);
	inv_json_key(j, "success");
	inv_json_put_bool(j, !failed);
	inv_json_key(j, "duration_ms");
	inv_json_put_ms(j, (double)call->duration_ns);
	put(j, failed ? "error_type" : "result_type", call->type);
	if (!failed)
		return;
	inv_json_key(j, "error_message");
	inv_json_put_text(j, call->message, call->message_length);
}

static void show_line(struct inv_buf *out, const struct inv_call *call)
{
	struct inv_json j = {.out = out};
	inv_json_open(&j, '{');
	inv_json_key(&j, "tick");
	inv_json_put_i64(&j, call->tick);
	put(&j, "invoker_id", call->invoker);
	put(&j, "artifact_id", call->artifact);
	put(&j, "method", call->method);
	if (call->state == INV_CALL_DONE)
		put_outcome(&j, call);
	inv_json_key(&j, "timestamp");
	inv_json_put_time(&j, call->start_ns);
	inv_json_key(&j, "call");
	inv_json_put_u64(&j, call->id);
	inv_json_close(&j, '}');
	inv_buf_line_end(out);
}

static void visit(void *arg, const struct inv_call *call)
{
	struct showing *s = arg;
	if (s->json)
		show_line(&s->out, call);
	else
		show_row(&s->table, call);
}

static struct inv_registry *fill(const struct inv_src *src)
{
	struct inv_registry *registry = inv_registry_new(src->call_count + 1);
	for (size_t i = 0; registry && i < src->call_count; i++)
		if (inv_registry_keep(registry, &src->calls[i]) < 0) {
			inv_registry_free(registry);
			return NULL;
		}
	return registry;
}

static int show(const struct inv_src *src, const struct inv_query *query, bool json)
{
	static const char *const HEAD[] = {"STARTED",	">TICK",   "ARTIFACT", "METHOD",
					   ">DURATION", "OUTCOME", "MESSAGE",  NULL};
	struct showing s = {.json = json};
	struct inv_registry *registry = fill(src);
	int code = registry ? inv_output_open(&s.out) : inv_output_source_error(src, -ENOMEM);
	if (code) {
		inv_registry_free(registry);
		return code;
	}
	inv_table_init(&s.table, HEAD);
	size_t found = inv_registry_history(registry, query, visit, &s);
	if (!json && found)
		inv_table_print(&s.table, stdout, inv_table_width(stdout), inv_table_color(stdout));
	if (!found)
		fprintf(stderr, "invreg: no kept call of invoker '%s' matches\n", query->invoker);
	inv_table_free(&s.table);
	inv_registry_free(registry);
	code = inv_output_close(&s.out);
	return code ? code : inv_output_stdout_done();
}

static int run(const char *dir, const char *session, const struct inv_query *query, bool json)
{
	struct inv_src src;
	int code = inv_src_open(&src, dir, session);
	if (code)
		return code;
	int result = inv_src_load(&src);
	code = result < 0 ? inv_output_source_error(&src, result) : show(&src, query, json);
	inv_src_close(&src);
	return code;
}

int inv_verb_history(int argc, char **argv)
{
	struct inv_query query = {.limit = LIMIT};
	const char *limit = NULL, *dir = NULL, *words[2] = {NULL, NULL};
	bool json = false;
	const struct inv_option options[] = {{"artifact", 0, &query.artifact, NULL},
					     {"failed", 0, NULL, &query.failed},
					     {"succeeded", 0, NULL, &query.succeeded},
					     {"limit", 'n', &limit, NULL},
					     {"json", 0, NULL, &json},
					     {0}};
	size_t count;
	uint64_t n = LIMIT;
	int code = inv_options_parse(argc, argv, options, HELP, &dir, words, 2, &count);
	if (code >= 0)
		return code;
	if (count == 0 || (limit && (!inv_options_count(limit, &n) || n == 0))) {
		fprintf(stderr, "invreg: history: %s; see `invreg history --help`\n",
			count ? "-n wants a count from 1" : "which INVOKER?");
		return INV_EXIT_USAGE;
	}
	query.limit = n;
	query.invoker = words[0];
	if (query.failed && query.succeeded)
		query.failed = query.succeeded = false;
	return run(dir, words[1], &query, json);
}
