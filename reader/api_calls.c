/* SPDX-License-Identifier: MIT */
/*
 * api_calls.c - calls that have returned, newest first, and calls that have not.
 */
#include "api.h"

#include <string.h>
#include <time.h>

#include "shm/session.h"

/* ---- that have returned ---------------------------------------------------------------- */

static void put(void *arg, const struct inv_call *call)
{
	inv_api_put_invocation(arg, call);
}

static void answer_window(struct inv_request *request, struct inv_reply *reply,
			  struct inv_window *window)
{
	struct inv_json json = {.out = &reply->body};
	uint64_t total;
	enum inv_maybe success = inv_params_bool(&request->params, "success");
	struct inv_paging paging = inv_api_paging(request);
	if (inv_reply_wrong(reply, request))
		return;
	window->succeeded = success != INV_MAYBE_NO;
	window->failed = success != INV_MAYBE_YES;
	window->limit = paging.limit;
	window->offset = paging.offset;
	inv_json_open(&json, '[');
	inv_registry_window(request->board->history, window, put, &json, &total);
	inv_json_close(&json, ']');
	inv_api_page_headers(request, reply, paging, total);
}

void inv_api_invocations(struct inv_request *request, struct inv_reply *reply)
{
	struct inv_window window = {
		.artifact = inv_params_text(&request->params, "artifact_id"),
		.invoker = inv_params_text(&request->params, "invoker_id"),
	};
	answer_window(request, reply, &window);
}

void inv_api_invoker_history(struct inv_request *request, struct inv_reply *reply)
{
	struct inv_window window = {
		.artifact = inv_params_text(&request->params, "artifact_id"),
		.invoker = request->id,
	};
	answer_window(request, reply, &window);
}

/* ---- that have not ------------------------------------------------------------------------ */

static bool is_named(const struct inv_word *word, struct inv_text text)
{
	return !text.text ||
	       (word->length == text.length && !memcmp(word->text, text.text, text.length));
}

/* While the program runs calls get older, whenever the board was made. */
static uint64_t age_of(const struct inv_board *board, const struct inv_open_call *call)
{
	struct timespec t;
	if (board->state != INV_BOARD_LIVE)
		return call->age_ns;
	clock_gettime(CLOCK_REALTIME, &t);
	int64_t now = t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
	uint64_t age = (uint64_t)now - (uint64_t)call->start_ns;
	return now > call->start_ns && age > call->age_ns ? age : call->age_ns;
}

static struct inv_text text_of(const struct inv_word *word)
{
	return (struct inv_text){word->text, word->length};
}

static void put_open(struct inv_json *json, const struct inv_board *board,
		     const struct inv_open_call *c)
{
	static const char *const LIVENESS[] = {"dead", "alive", "unknown"};
	inv_json_open(json, '{');
	inv_api_put_text(json, "invoker_id", text_of(c->invoker));
	inv_api_put_text(json, "artifact_id", text_of(c->artifact));
	inv_api_put_text(json, "method", text_of(c->method));
	inv_json_key(json, "tick");
	inv_json_put_i64(json, c->tick);
	inv_json_key(json, "started");
	inv_json_put_time(json, c->start_ns);
	inv_api_put_ms(json, "age_ms", (double)age_of(board, c));
	inv_api_put_u64(json, "call", c->id);
	inv_api_put_u64(json, "pid", c->pid);
	inv_api_put_u64(json, "tid", c->tid);
	inv_api_put_u64(json, "depth", c->depth);
	inv_api_put_text(json, "probe", text_of(c->probe));
	inv_api_put_str(json, "process",
			LIVENESS[c->liveness <= INV_LIVENESS_UNKNOWN ? c->liveness : 2]);
	inv_json_close(json, '}');
}

/* Oldest first: what is stuck stands at the top. */
void inv_api_inflight(struct inv_request *request, struct inv_reply *reply)
{
	struct inv_json json = {.out = &reply->body};
	struct inv_text artifact = inv_params_text(&request->params, "artifact_id");
	struct inv_text invoker = inv_params_text(&request->params, "invoker_id");
	struct inv_paging paging = inv_api_paging(request);
	const struct inv_open_list *list = &request->board->cut.in_flight;
	size_t total = 0;
	if (inv_reply_wrong(reply, request))
		return;
	inv_json_open(&json, '[');
	for (size_t i = 0; i < list->count; i++) {
		const struct inv_open_call *c = &list->calls[i];
		if (!is_named(c->artifact, artifact) || !is_named(c->invoker, invoker))
			continue;
		if (total >= paging.offset && total - paging.offset < paging.limit)
			put_open(&json, request->board, c);
		total++;
	}
	inv_json_close(&json, ']');
	inv_api_page_headers(request, reply, paging, total);
}
