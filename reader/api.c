/* SPDX-License-Identifier: MIT */
/*
 * api.c - what several routes say alike.
 */
#include "api.h"

#include <string.h>

#include "shm/layout.h"

#define LIMIT_MOST    1000
#define LIMIT_DEFAULT 100

void inv_api_put_u64(struct inv_json *json, const char *key, uint64_t value)
{
	inv_json_key(json, key);
	inv_json_put_u64(json, value);
}

void inv_api_put_str(struct inv_json *json, const char *key, const char *text)
{
	inv_json_key(json, key);
	inv_json_put_str(json, text);
}

void inv_api_put_text(struct inv_json *json, const char *key, struct inv_text text)
{
	inv_json_key(json, key);
	inv_json_put_text(json, text.text, text.length);
}

void inv_api_put_ms(struct inv_json *json, const char *key, double ns)
{
	inv_json_key(json, key);
	inv_json_put_ms(json, ns);
}

void inv_api_put_null(struct inv_json *json, const char *key)
{
	inv_json_key(json, key);
	inv_buf_puts(json->out, "null");
	json->comma = true;
}

/* ---- pages ------------------------------------------------------------------------- */

struct inv_paging inv_api_paging(struct inv_request *request)
{
	struct inv_paging paging;
	paging.limit =
		(size_t)inv_params_int(&request->params, "limit", 1, LIMIT_MOST, LIMIT_DEFAULT);
	paging.offset = (size_t)inv_params_int(&request->params, "offset", 0, INT64_MAX, 0);
	return paging;
}

static bool is_paging(struct inv_text key)
{
	return (key.length == 5 && !memcmp(key.text, "limit", 5)) ||
	       (key.length == 6 && !memcmp(key.text, "offset", 6));
}

static void put_link(struct inv_buf *out, const struct inv_request *request, size_t limit,
		     uint64_t offset, const char *rel)
{
	if (out->length)
		inv_buf_puts(out, ", ");
	inv_buf_puts(out, "<");
	inv_buf_puts(out, request->path);
	inv_buf_puts(out, "?");
	for (size_t i = 0; i < request->params.count; i++) {
		const struct inv_query_param *p = &request->params.items[i];
		if (is_paging(p->key))
			continue;
		inv_percent_encode(out, p->key);
		inv_buf_puts(out, "=");
		inv_percent_encode(out, p->value);
		inv_buf_puts(out, "&");
	}
	inv_buf_printf(out, "limit=%zu&offset=%llu>; rel=\"%s\"", limit, (unsigned long long)offset,
		       rel);
}

void inv_api_page_headers(const struct inv_request *request, struct inv_reply *reply,
			  struct inv_paging paging, uint64_t total)
{
	struct inv_buf value;
	if (inv_buf_init(&value, -1))
		return;
	inv_buf_printf(&value, "%llu", (unsigned long long)total);
	inv_reply_header(reply, "X-Total-Count", &value);
	uint64_t limit = paging.limit, offset = paging.offset;
	uint64_t last = total ? (total - 1) / limit * limit : 0;
	put_link(&value, request, limit, 0, "first");
	if (offset > 0)
		put_link(&value, request, limit,
			 offset > total	  ? last
			 : offset > limit ? offset - limit
					  : 0,
			 "prev");
	if (offset < total && total - offset > limit)
		put_link(&value, request, limit, offset + limit, "next");
	put_link(&value, request, limit, last, "last");
	inv_reply_header(reply, "Link", &value);
	inv_buf_free(&value);
}

/* ---- calls ---------------------------------------------------------------------------- */

static void put_word(struct inv_json *json, const char *key, const struct inv_word *word)
{
	inv_json_key(json, key);
	inv_json_put_text(json, word->text, word->length);
}

void inv_api_put_invocation(struct inv_json *json, const struct inv_call *call)
{
	bool failed = inv_call_failed(call);
	inv_json_open(json, '{');
	inv_json_key(json, "tick");
	inv_json_put_i64(json, call->tick);
	inv_json_key(json, "timestamp");
	inv_json_put_time(json, inv_call_end_ns(call));
	put_word(json, "invoker_id", call->invoker);
	put_word(json, "artifact_id", call->artifact);
	put_word(json, "method", call->method);
	inv_json_key(json, "success");
	inv_json_put_bool(json, !failed);
	inv_api_put_ms(json, "duration_ms", (double)call->duration_ns);
	if (failed) {
		put_word(json, "error_type", call->type);
		inv_api_put_text(json, "error_message",
				 (struct inv_text){call->message, call->message_length});
		inv_api_put_null(json, "result_type");
	} else {
		inv_api_put_null(json, "error_type");
		inv_api_put_null(json, "error_message");
		put_word(json, "result_type", call->type);
	}
	inv_json_close(json, '}');
}

uint64_t inv_api_in_flight(const struct inv_board *board, struct inv_text artifact)
{
	const struct inv_open_list *list = &board->cut.in_flight;
	uint64_t count = 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct inv_word *word = list->calls[i].artifact;
		count += word->length == artifact.length &&
			 !memcmp(word->text, artifact.text, artifact.length);
	}
	return count;
}

uint64_t inv_api_all_in_flight(const struct inv_board *board)
{
	return board->cut.in_flight.count + board->cut.in_flight.unnamed;
}

static uint64_t events_lost(const struct inv_cut *cut)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < cut->lost_count; i++)
		sum += cut->lost[i].events ? cut->lost[i].count : 0;
	return sum;
}

void inv_api_put_totals(struct inv_json *json, const struct inv_board *board)
{
	uint64_t total = board->successful + board->failed;
	inv_api_put_str(json, "state", inv_board_state_name(board->state));
	inv_api_put_text(json, "session",
			 board->cut.session ? (struct inv_text){board->cut.session->text,
								board->cut.session->length}
					    : (struct inv_text){"", 0});
	inv_api_put_u64(json, "total_invocations", total);
	inv_api_put_u64(json, "successful", board->successful);
	inv_api_put_u64(json, "failed", board->failed);
	inv_json_key(json, "success_rate");
	inv_json_put_real(json, total ? (double)board->successful / (double)total : 0.0, 6);
	inv_api_put_u64(json, "in_flight", inv_api_all_in_flight(board));
	inv_api_put_u64(json, "events_lost", events_lost(&board->cut));
	inv_json_key(json, "taken");
	inv_json_put_time(json, board->cut.taken_ns);
}
