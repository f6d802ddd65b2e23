/* SPDX-License-Identifier: MIT */
/*
 * api_series.c - calls and failures of each second: of the totals while they were watched, of
 * the calls that are kept before that, and of a file.
 */
#include "api.h"

#define SECOND_NS	INT64_C(1000000000)
#define SECONDS_DEFAULT 300

struct answer {
	struct inv_series_point points[INV_SERIES_SECONDS];
	int64_t first; /* second of the first point */
	size_t count;
	size_t known; /* what is before this point is neither exact nor of kept calls */
	struct inv_text artifact;
};

static int64_t second_of(int64_t ns)
{
	return ns / SECOND_NS - (ns % SECOND_NS < 0);
}

static void take_newest(void *arg, const struct inv_call *call)
{
	*(int64_t *)arg = second_of(inv_call_end_ns(call));
}

/* Returns: false: nothing has happened yet. */
static bool newest_second(const struct inv_board *board, int64_t *second)
{
	struct inv_window window = {.succeeded = true, .failed = true, .limit = 1};
	uint64_t kept;
	if (board->series && inv_series_newest(board->series, second))
		return true;
	return inv_registry_window(board->history, &window, take_newest, second, &kept) == 1;
}

static void take_kept(void *arg, const struct inv_call *call)
{
	struct answer *answer = arg;
	int64_t second = second_of(inv_call_end_ns(call));
	if (second < answer->first || second - answer->first >= (int64_t)answer->count)
		return;
	size_t i = (size_t)(second - answer->first);
	if (answer->points[i].exact)
		return;
	answer->points[i].calls++;
	answer->points[i].failures += inv_call_failed(call);
	answer->known = i < answer->known ? i : answer->known;
}

static void take_points(struct answer *answer, const struct inv_board *board)
{
	if (board->series)
		inv_series_read(board->series, answer->artifact, answer->first, answer->points,
				answer->count);
	while (answer->known < answer->count && !answer->points[answer->known].exact)
		answer->known++;
	if (answer->known > 0 && inv_registry_since(board->history, answer->artifact,
						    answer->first * SECOND_NS, take_kept, answer))
		answer->known = 0;
}

static void put_point(struct inv_json *json, int64_t second, const struct inv_series_point *point)
{
	inv_json_open(json, '{');
	inv_json_key(json, "timestamp");
	inv_json_put_time(json, second * SECOND_NS);
	inv_api_put_u64(json, "calls", point->calls);
	inv_api_put_u64(json, "failures", point->failures);
	inv_api_put_str(json, "from", point->exact ? "tallies" : "events");
	inv_json_close(json, '}');
}

/* Oldest first, as a chart wants them; while it is watched without the second that goes on. */
void inv_api_series(struct inv_request *request, struct inv_reply *reply)
{
	struct inv_json json = {.out = &reply->body};
	struct answer answer = {.artifact = inv_params_text(&request->params, "artifact_id")};
	int64_t newest;
	int64_t seconds =
		inv_params_int(&request->params, "seconds", 1, INV_SERIES_SECONDS, SECONDS_DEFAULT);
	if (inv_reply_wrong(reply, request))
		return;
	inv_json_open(&json, '[');
	if (newest_second(request->board, &newest)) {
		answer.first = newest - seconds + 1;
		answer.count = (size_t)seconds;
		take_points(&answer, request->board);
		for (size_t i = answer.known; i < answer.count; i++)
			put_point(&json, answer.first + (int64_t)i, &answer.points[i]);
	}
	inv_json_close(&json, ']');
}
