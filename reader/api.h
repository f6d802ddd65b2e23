/* SPDX-License-Identifier: MIT */
/*
 * api.h - the routes: each makes the body of one answer from a request and its board.
 *
 * Called by the threads of the server, inside the hub: texts of the board's registries and
 * of its cut last until the answer is made, not longer. None blocks or touches the segment.
 * Captured names and messages are bytes of anyone: they only leave through json.h, or
 * escaped as the text format of Prometheus wants it.
 */
#ifndef INV_READER_API_H
#define INV_READER_API_H

#include "http.h"

/* A route takes the request whose path it matches. */
void inv_api_artifact(struct inv_request *request, struct inv_reply *reply);
void inv_api_artifacts(struct inv_request *request, struct inv_reply *reply);
void inv_api_invokers(struct inv_request *request, struct inv_reply *reply);
void inv_api_methods(struct inv_request *request, struct inv_reply *reply);
void inv_api_errors(struct inv_request *request, struct inv_reply *reply);
void inv_api_invocations(struct inv_request *request, struct inv_reply *reply);
void inv_api_invoker_history(struct inv_request *request, struct inv_reply *reply);
void inv_api_inflight(struct inv_request *request, struct inv_reply *reply);
void inv_api_graph(struct inv_request *request, struct inv_reply *reply);
void inv_api_series(struct inv_request *request, struct inv_reply *reply);
void inv_api_status(struct inv_request *request, struct inv_reply *reply);
void inv_api_health(struct inv_request *request, struct inv_reply *reply);
void inv_metrics_answer(struct inv_request *request, struct inv_reply *reply);
void inv_sse_answer(struct inv_request *request, struct inv_reply *reply);

/* ---- what several of them say alike ------------------------------------------------ */

/* limit and offset, checked; both in range when they are wrong. */
struct inv_paging {
	size_t limit, offset;
};
struct inv_paging inv_api_paging(struct inv_request *request);

/*
 * X-Total-Count, and Link (RFC 8288) with first, prev, next and last, which repeat the
 * request's other parameters.
 */
void inv_api_page_headers(const struct inv_request *request, struct inv_reply *reply,
			  struct inv_paging paging, uint64_t total);

/* The ten keys of a call; timestamp: when it returned, as in the event line of its outcome. */
void inv_api_put_invocation(struct inv_json *json, const struct inv_call *call);

/* How many calls of an artifact are open. Texts are compared. */
uint64_t inv_api_in_flight(const struct inv_board *board, struct inv_text artifact);

/* All that are open, those without a name, too. */
uint64_t inv_api_all_in_flight(const struct inv_board *board);

void inv_api_put_u64(struct inv_json *json, const char *key, uint64_t value);
void inv_api_put_str(struct inv_json *json, const char *key, const char *text);
void inv_api_put_text(struct inv_json *json, const char *key, struct inv_text text);
void inv_api_put_ms(struct inv_json *json, const char *key, double ns);
void inv_api_put_null(struct inv_json *json, const char *key);

/* The status object's members that an event of the stream repeats. */
void inv_api_put_totals(struct inv_json *json, const struct inv_board *board);

#endif
