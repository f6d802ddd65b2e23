/* SPDX-License-Identifier: MIT */
/*
 * api_totals.c - artifacts, methods, errors and invokers: their totals, one or a page.
 */
#include "api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define SAMPLE_MOST 1000 /* of an invoker's kept calls, for its percentiles */

/* ---- members --------------------------------------------------------------------------- */

static void put_percentiles(struct inv_json *json, const struct inv_hist *h, double unit)
{
	inv_api_put_ms(json, "p50_ms", inv_hist_percentile(h, 0.5) * unit);
	inv_api_put_ms(json, "p90_ms", inv_hist_percentile(h, 0.9) * unit);
	inv_api_put_ms(json, "p99_ms", inv_hist_percentile(h, 0.99) * unit);
	inv_api_put_ms(json, "p999_ms", inv_hist_percentile(h, 0.999) * unit);
	inv_api_put_ms(json, "max_ms", (double)h->max * unit);
}

static void put_from(struct inv_json *json, const struct inv_board *board)
{
	if (inv_registry_from_events(board->totals))
		inv_api_put_str(json, "from", "events");
}

static void put_artifact(struct inv_json *json, const struct inv_board *board,
			 const struct inv_stats *s)
{
	double unit = inv_registry_ns_per_unit(board->totals);
	const struct inv_text id = {s->name, s->length};
	inv_json_open(json, '{');
	inv_api_put_text(json, "artifact_id", id);
	inv_report_totals(json, s, unit);
	put_percentiles(json, &s->hist, unit);
	inv_api_put_ms(json, "self_ms", (double)s->hist.self * unit);
	inv_api_put_u64(json, "in_flight", inv_api_in_flight(board, id));
	inv_api_put_u64(json, "unique_invokers", s->unique);
	inv_json_key(json, "last_tick");
	inv_json_put_i64(json, s->hist.last_tick);
	put_from(json, board);
	inv_json_close(json, '}');
}

static void put_method(struct inv_json *json, const struct inv_board *board,
		       const struct inv_stats *s)
{
	double unit = inv_registry_ns_per_unit(board->totals);
	inv_json_open(json, '{');
	inv_api_put_text(json, "artifact_id", (struct inv_text){s->artifact, s->artifact_length});
	inv_api_put_text(json, "method", (struct inv_text){s->name, s->length});
	inv_report_totals(json, s, unit);
	put_percentiles(json, &s->hist, unit);
	inv_api_put_ms(json, "self_ms", (double)s->hist.self * unit);
	inv_json_key(json, "last_tick");
	inv_json_put_i64(json, s->hist.last_tick);
	put_from(json, board);
	inv_json_close(json, '}');
}

static void sample(void *arg, const struct inv_call *call)
{
	inv_hist_record(arg, call->duration_ns, 0, 0, 0);
}

/* Tallies of invokers have no histograms: percentiles are of the newest calls kept. */
static void put_invoker(struct inv_json *json, const struct inv_board *board,
			const struct inv_stats *s)
{
	struct inv_hist hist = {0};
	struct inv_window window = {.invoker = {s->name, s->length},
				    .succeeded = true,
				    .failed = true,
				    .limit = SAMPLE_MOST};
	uint64_t kept;
	inv_registry_window(board->history, &window, sample, &hist, &kept);
	inv_json_open(json, '{');
	inv_api_put_text(json, "invoker_id", window.invoker);
	inv_report_counts(json, s, inv_registry_ns_per_unit(board->totals));
	inv_api_put_u64(json, "unique_artifacts", s->unique);
	struct inv_sample percentiles = inv_sample_of(&hist);
	inv_report_sample(json, &percentiles);
	put_from(json, board);
	inv_json_close(json, '}');
}

static void put_error(struct inv_json *json, const struct inv_board *board,
		      const struct inv_stats *s)
{
	double unit = inv_registry_ns_per_unit(board->totals);
	inv_json_open(json, '{');
	inv_api_put_text(json, "error_type", (struct inv_text){s->name, s->length});
	inv_api_put_u64(json, "count", s->failed);
	inv_api_put_ms(json, "avg_duration_ms", inv_stats_mean(s) * unit);
	put_percentiles(json, &s->hist, unit);
	put_from(json, board);
	inv_json_close(json, '}');
}

/* ---- one artifact ------------------------------------------------------------------------ */

void inv_api_artifact(struct inv_request *request, struct inv_reply *reply)
{
	struct inv_json json = {.out = &reply->body};
	struct inv_stats stats;
	int result = inv_registry_lookup(request->board->totals, request->id, &stats);
	if (result == -ENOMEM) {
		reply->body.error = result;
		return;
	}
	stats.name = request->id.text; /* one that is unknown has zeros */
	stats.length = request->id.length;
	put_artifact(&json, request->board, &stats);
	inv_stats_clear(&stats);
}

/* ---- pages -------------------------------------------------------------------------------- */

static const char *const ORDERS[] = {"total", "failed", "rate", "mean", "p50", "p90",
				     "p99",   "max",	"self", "name", NULL};
static const char *const INVOKER_ORDERS[] = {"total", "failed", "rate", "mean", "name", NULL};
static const char *const DIRECTIONS[] = {"desc", "asc", NULL};

/* Names go from a to z, all else from large to small; the other way round when it is asked. */
static bool is_reverse(struct inv_request *request, enum inv_sort sort)
{
	size_t way = inv_params_choice(&request->params, "order", DIRECTIONS);
	if (sort == INV_SORT_NAME)
		return way == 0 && inv_params_text(&request->params, "order").text;
	return way == 1;
}

static enum inv_sort sort_of(struct inv_request *request, const char *const *orders)
{
	enum inv_sort sort = INV_SORT_TOTAL;
	inv_sort_of(orders[inv_params_choice(&request->params, "sort", orders)], &sort);
	return sort;
}

static void put_rows(struct inv_request *request, struct inv_reply *reply,
		     const struct inv_stats *rows, size_t count,
		     void (*put)(struct inv_json *json, const struct inv_board *board,
				 const struct inv_stats *s))
{
	struct inv_json json = {.out = &reply->body};
	inv_json_open(&json, '[');
	for (size_t i = 0; i < count; i++)
		put(&json, request->board, &rows[i]);
	inv_json_close(&json, ']');
}

static void page(struct inv_request *request, struct inv_reply *reply, enum inv_group by,
		 void (*put)(struct inv_json *json, const struct inv_board *board,
			     const struct inv_stats *s))
{
	struct inv_stats_list list;
	uint64_t total;
	struct inv_page_query query = {.by = by};
	query.sort = sort_of(request, by == INV_BY_INVOKER ? INVOKER_ORDERS : ORDERS);
	query.reverse = is_reverse(request, query.sort);
	query.search = inv_params_text(&request->params, "search");
	if (by != INV_BY_ARTIFACT)
		query.artifact = inv_params_text(&request->params, "artifact_id");
	struct inv_paging paging = inv_api_paging(request);
	query.limit = paging.limit;
	query.offset = paging.offset;
	if (inv_reply_wrong(reply, request))
		return;
	if (inv_registry_page(request->board->totals, &query, &list, &total) < 0) {
		reply->body.error = -ENOMEM;
		return;
	}
	put_rows(request, reply, list.rows, list.count, put);
	inv_api_page_headers(request, reply, paging, total);
	inv_stats_list_free(&list);
}

void inv_api_artifacts(struct inv_request *request, struct inv_reply *reply)
{
	page(request, reply, INV_BY_ARTIFACT, put_artifact);
}

void inv_api_methods(struct inv_request *request, struct inv_reply *reply)
{
	page(request, reply, INV_BY_METHOD, put_method);
}

void inv_api_invokers(struct inv_request *request, struct inv_reply *reply)
{
	page(request, reply, INV_BY_INVOKER, put_invoker);
}

/* ---- errors --------------------------------------------------------------------------------- */

struct order {
	enum inv_sort sort;
	bool reverse;
};

static int compare_errors(const void *a, const void *b, void *arg)
{
	const struct inv_stats *x = a, *y = b;
	const struct order *order = arg;
	double v = inv_stats_sort_value(x, order->sort), w = inv_stats_sort_value(y, order->sort);
	int result = inv_stats_compare_names(x, y);
	if (order->sort != INV_SORT_NAME && v != w)
		result = v < w ? 1 : -1;
	return order->reverse ? -result : result;
}

/* As many as there are types: all are made. */
void inv_api_errors(struct inv_request *request, struct inv_reply *reply)
{
	struct inv_stats_list list;
	struct order order = {.sort = sort_of(request, ORDERS)};
	order.reverse = is_reverse(request, order.sort);
	struct inv_text artifact = inv_params_text(&request->params, "artifact_id");
	struct inv_paging paging = inv_api_paging(request);
	if (inv_reply_wrong(reply, request))
		return;
	if (inv_registry_group(request->board->totals, INV_BY_ERROR, artifact, &list) < 0) {
		reply->body.error = -ENOMEM;
		return;
	}
	if (list.count)
		qsort_r(list.rows, list.count, sizeof(*list.rows), compare_errors, &order);
	size_t first = paging.offset < list.count ? paging.offset : list.count;
	size_t count = list.count - first < paging.limit ? list.count - first : paging.limit;
	put_rows(request, reply, list.count ? list.rows + first : NULL, count, put_error);
	inv_api_page_headers(request, reply, paging, list.count);
	inv_stats_list_free(&list);
}
