/* SPDX-License-Identifier: MIT */
/*
 * api_status.c - the session as a whole: how it is, who invokes what; and /healthz.
 */
#include "api.h"

#include <errno.h>
#include <stdlib.h>

#include "cost.h"
#include "report.h"

/* ---- status --------------------------------------------------------------------------- */

static void put_processes(struct inv_json *json, const struct inv_cut *cut)
{
	inv_json_key(json, "processes");
	inv_json_open(json, '{');
	inv_api_put_u64(json, "alive", cut->procs_alive);
	inv_api_put_u64(json, "ended", cut->procs_dead);
	inv_api_put_u64(json, "unknown", cut->procs_unknown);
	inv_json_close(json, '}');
}

/*
 * written: into rings; kept: still there, or in a file; missed: overwritten before they were
 * read; served: what /api/invocations has.
 */
static void put_events(struct inv_json *json, const struct inv_request *request)
{
	const struct inv_cut *cut = &request->board->cut;
	struct inv_window window = {.succeeded = true, .failed = true};
	uint64_t served;
	inv_registry_window(request->board->history, &window, NULL, NULL, &served);
	inv_json_key(json, "events");
	inv_json_open(json, '{');
	inv_api_put_u64(json, "written", cut->events_kept + cut->events_lapped);
	inv_api_put_u64(json, "kept", cut->events_kept);
	inv_api_put_u64(json, "missed", request->board->missed);
	inv_api_put_u64(json, "served", served);
	inv_api_put_u64(json, "served_at_most", inv_hub_keep(request->hub));
	inv_json_close(json, '}');
}

static void put_lost(struct inv_json *json, const struct inv_cut *cut)
{
	inv_json_key(json, "lost");
	inv_json_open(json, '[');
	for (size_t i = 0; i < cut->lost_count; i++) {
		inv_json_open(json, '{');
		inv_api_put_str(json, "reason", cut->lost[i].name);
		inv_api_put_u64(json, "count", cut->lost[i].count);
		inv_json_key(json, "events");
		inv_json_put_bool(json, cut->lost[i].events);
		inv_api_put_str(json, "text", cut->lost[i].text);
		inv_json_close(json, '}');
	}
	inv_json_close(json, ']');
}

/* Zeros: nobody measured it, the session was not made by `run`. */
static void put_cost(struct inv_json *json, const struct inv_board *board)
{
	inv_json_key(json, "shim");
	inv_json_open(json, '{');
	inv_cost_put(&board->cut, board->successful + board->failed, json);
	inv_api_put_u64(json, "reserved_bytes", board->cut.reserved_bytes);
	inv_api_put_u64(json, "budget_bytes", board->cut.budget_bytes);
	inv_json_close(json, '}');
}

static void put_calls(struct inv_json *json, const struct inv_cut *cut)
{
	inv_api_put_u64(json, "begun", cut->begun);
	inv_api_put_u64(json, "abandoned", cut->abandoned);
	inv_api_put_u64(json, "inherited", cut->inherited);
	inv_api_put_u64(json, "never_returned", cut->never.count + cut->never.unnamed);
	inv_api_put_u64(json, "lanes", cut->lanes);
	inv_api_put_u64(json, "names", cut->names);
	inv_api_put_u64(json, "clock_steps", cut->time_steps);
}

void inv_api_status(struct inv_request *request, struct inv_reply *reply)
{
	struct inv_json json = {.out = &reply->body};
	const struct inv_board *board = request->board;
	inv_json_open(&json, '{');
	inv_api_put_totals(&json, board);
	inv_api_put_str(&json, "source", board->source);
	inv_api_put_str(&json, "command", board->cut.command);
	inv_json_key(&json, "created");
	inv_json_put_time(&json, board->cut.created_ns);
	put_processes(&json, &board->cut);
	put_calls(&json, &board->cut);
	put_events(&json, request);
	put_lost(&json, &board->cut);
	put_cost(&json, board);
	inv_report_control(&json, &board->cut);
	inv_report_probes(&json, &board->cut);
	inv_report_notes(&json, &board->cut);
	inv_api_put_str(&json, "from",
			inv_registry_from_events(board->totals) ? "events" : "tallies");
	inv_json_key(&json, "bucket_width_percent");
	inv_json_put_real(&json, INV_HIST_WIDTH_PERCENT, 1);
	inv_json_close(&json, '}');
}

void inv_api_health(struct inv_request *request, struct inv_reply *reply)
{
	struct inv_json json = {.out = &reply->body};
	inv_json_open(&json, '{');
	inv_api_put_str(&json, "status", "ok");
	inv_api_put_str(&json, "state", inv_board_state_name(request->board->state));
	inv_json_close(&json, '}');
}

/* ---- graph -------------------------------------------------------------------------------- */

static void put_edge(struct inv_json *json, const struct inv_edge *e, double unit)
{
	inv_json_open(json, '{');
	inv_api_put_text(json, "from", (struct inv_text){e->from->text, e->from->length});
	inv_api_put_text(json, "to", (struct inv_text){e->to->text, e->to->length});
	inv_api_put_str(json, "kind", e->from_artifact ? "artifact" : "invoker");
	inv_api_put_u64(json, "calls", e->calls);
	inv_api_put_u64(json, "failures", e->failures);
	inv_api_put_ms(json, "avg_duration_ms",
		       e->calls ? (double)e->sum / (double)e->calls * unit : 0.0);
	inv_json_close(json, '}');
}

static void put_nested(struct inv_json *json, const struct inv_edge *e)
{
	inv_json_open(json, '{');
	inv_api_put_text(json, "from", (struct inv_text){e->from->text, e->from->length});
	inv_api_put_text(json, "to", (struct inv_text){e->to->text, e->to->length});
	inv_api_put_u64(json, "calls", e->calls);
	inv_json_close(json, '}');
}

/*
 * edges: who is named as the invoker, exact. nested: what was running when the call began,
 * by the calls that were read.
 */
static void put_graph(struct inv_json *json, const struct inv_board *board,
		      const struct inv_edges *edges, const struct inv_edges *nested,
		      struct inv_paging paging)
{
	double unit = inv_registry_ns_per_unit(board->totals);
	inv_json_open(json, '{');
	inv_json_key(json, "edges");
	inv_json_open(json, '[');
	for (size_t i = paging.offset; i < edges->count && i - paging.offset < paging.limit; i++)
		put_edge(json, &edges->rows[i], unit);
	inv_json_close(json, ']');
	inv_json_key(json, "nested");
	inv_json_open(json, '{');
	inv_json_key(json, "edges");
	inv_json_open(json, '[');
	for (size_t i = 0; i < nested->count && i < paging.limit; i++)
		put_nested(json, &nested->rows[i]);
	inv_json_close(json, ']');
	inv_api_put_str(json, "from", "events");
	inv_json_close(json, '}');
	if (inv_registry_from_events(board->totals))
		inv_api_put_str(json, "from", "events");
	inv_json_close(json, '}');
}

void inv_api_graph(struct inv_request *request, struct inv_reply *reply)
{
	struct inv_json json = {.out = &reply->body};
	struct inv_edges edges = {0}, nested = {0};
	struct inv_paging paging = inv_api_paging(request);
	if (inv_reply_wrong(reply, request))
		return;
	if (inv_registry_edges(request->board->totals, &edges) == 0 &&
	    inv_registry_nested(request->board->history, &nested) == 0) {
		put_graph(&json, request->board, &edges, &nested, paging);
		inv_api_page_headers(request, reply, paging, edges.count);
	} else {
		reply->body.error = -ENOMEM;
	}
	free(edges.rows);
	free(nested.rows);
}
