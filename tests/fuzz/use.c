/* SPDX-License-Identifier: MIT */
#include "use.h"

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "reader/api.h"
#include "reader/events.h"
#include "reader/jsonl.h"
#include "reader/metrics.h"
#include "reader/report.h"
#include "reader/summary.h"
#include "reader/top_rows.h"
#include "reader/utf8.h"

/* ---- what people read ------------------------------------------------------------------- */

/* [F12], and well-formed UTF-8. */
static void require_harmless(const char *text, size_t length)
{
	for (size_t i = 0; i < length;) {
		int width, printable;
		size_t n = inv_utf8_next(text + i, length - i, &width, &printable);
		if (!printable && text[i] != '\n')
			fprintf(stderr, "byte 0x%02x in: %.*s\n", (unsigned char)text[i],
				(int)length, text);
		FUZZ_REQUIRE(printable || text[i] == '\n');
		i += n;
	}
}

static void use_summary(const struct inv_cut *cut)
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);
	FUZZ_REQUIRE(to);
	inv_summary_show(cut, to, false);
	fclose(to);
	require_harmless(text, length);
	free(text);
}

static void use_top_view(const struct inv_top_looks *looks, const struct inv_top_query *query)
{
	const enum inv_top_column *columns;
	struct inv_top_rows rows;
	size_t count = inv_top_columns(query->view, &columns);
	char cell[INV_TOP_CELL];
	FUZZ_REQUIRE(inv_top_rows_make(&rows, looks, query) == 0);
	for (size_t i = 0; i < rows.count; i++)
		for (size_t c = 0; c < count; c++)
			if (columns[c] >= INV_TOP_TEXTS) {
				inv_top_format(&rows.rows[i], columns[c], cell);
				require_harmless(cell, strlen(cell));
			}
	inv_top_rows_free(&rows);
}

static void use_top(const struct inv_cut *cut, unsigned variant)
{
	static const struct inv_cut none;
	struct inv_top_looks looks = {cut, &none, cut->taken_ns};
	struct inv_top_totals totals;
	struct inv_top_query query = {.view = (enum inv_top_view)(variant % INV_TOP_VIEWS),
				      .filter = variant & 16 ? "e" : "",
				      .reverse = variant & 32};
	query.sort = inv_top_first_sort(query.view);
	inv_top_totals(&looks, &totals);
	use_top_view(&looks, &query);
}

/* ---- what programs read ------------------------------------------------------------------ */

static void use_group(const struct inv_cut *cut, enum inv_group by, struct inv_buf *out)
{
	struct inv_stats_list list;
	FUZZ_REQUIRE(inv_registry_group(cut->registry, by, (struct inv_text){0}, &list) == 0);
	out->length = 0;
	inv_report_group_json(cut, by, &list, out);
	fuzz_require_json_lines(out->data, out->length);
	out->length = 0;
	inv_report_group_csv(cut, by, &list, out);
	inv_stats_list_free(&list);
}

static void use_object(const struct inv_cut *cut, struct inv_buf *out)
{
	inv_report_object(cut, out, true);
	fuzz_require_json_lines(out->data, out->length);
	out->length = 0;
	FUZZ_REQUIRE(inv_report_cut_lines(cut, out) == 0);
	fuzz_require_json_lines(out->data, out->length);
}

int fuzz_use_cut(struct inv_src *src, unsigned variant)
{
	struct inv_cut cut;
	struct inv_buf out;
	int result = inv_cut_take(&cut, src);
	if (result < 0)
		return result;
	FUZZ_REQUIRE(inv_buf_init(&out, -1) == 0);
	if (variant & 64)
		use_object(&cut, &out);
	else
		use_summary(&cut);
	use_group(&cut, (enum inv_group)(variant % 4), &out);
	use_top(&cut, variant);
	inv_buf_free(&out);
	inv_cut_free(&cut);
	return 0;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void read_back(const struct inv_buf *lines, size_t calls)
{
	struct inv_src src = {.fd = -1, .borrowed = true, .kind = INV_SRC_JSONL};
	int fd = memfd_create("lines", MFD_CLOEXEC);
	FUZZ_REQUIRE(fd >= 0 && inv_words_init(&src.words) == 0);
	FUZZ_REQUIRE(write(fd, lines->data, lines->length) == (ssize_t)lines->length);
	FUZZ_REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
	FUZZ_REQUIRE(inv_jsonl_read(&src, fd) == 0);
	FUZZ_REQUIRE(src.bad_lines == 0 && src.call_count <= calls);
	FUZZ_REQUIRE(!calls || src.call_count);
	close(fd);
	inv_src_close(&src);
}

void fuzz_use_calls(struct inv_src *src)
{
	struct inv_buf out;
	struct inv_events events = {.out = &out};
	FUZZ_REQUIRE(inv_buf_init(&out, -1) == 0);
	inv_events_of(&events, src);
	fuzz_require_json_lines(out.data, out.length);
	read_back(&out, src->call_count);
	inv_buf_free(&out);
}

/* ---- the server --------------------------------------------------------------------------------
 */

/* [F13] */
static void require_metrics(const char *text, size_t length)
{
	FUZZ_REQUIRE(length && text[length - 1] == '\n');
	for (size_t i = 0, n; i < length; i += n)
		FUZZ_REQUIRE((n = inv_utf8_length(text + i, length - i)) > 0);
	for (const char *end = text + length; text < end;) {
		const char *next = memchr(text, '\n', (size_t)(end - text));
		FUZZ_REQUIRE(*text == '#' || !strncmp(text, "invocation_", 11));
		text = next + 1;
	}
}

static void ask(struct inv_request *request,
		void (*route)(struct inv_request *request, struct inv_reply *reply), bool json)
{
	struct inv_reply reply = {.status = 200, .type = "application/json"};
	FUZZ_REQUIRE(inv_buf_init(&reply.body, -1) == 0);
	route(request, &reply);
	FUZZ_REQUIRE(reply.body.error == 0);
	if (json)
		fuzz_require_json(reply.body.data, reply.body.length);
	else
		require_metrics(reply.body.data, reply.body.length);
	for (size_t i = 0; i < reply.header_count; i++) {
		FUZZ_REQUIRE(!strpbrk(reply.headers[i].value, "\r\n"));
		free(reply.headers[i].value);
	}
	inv_buf_free(&reply.body);
}

static void ask_lists(struct inv_request *request)
{
	ask(request, inv_api_artifacts, true);
	ask(request, inv_api_invokers, true);
	ask(request, inv_api_methods, true);
	ask(request, inv_api_errors, true);
	ask(request, inv_api_invocations, true);
	ask(request, inv_api_inflight, true);
}

static void ask_rest(struct inv_request *request)
{
	ask(request, inv_api_graph, true);
	ask(request, inv_api_status, true);
	ask(request, inv_api_health, true);
	ask(request, inv_api_artifact, true);
	ask(request, inv_api_invoker_history, true);
	ask(request, inv_metrics_answer, false);
}

/* The first call's artifact is asked for by name; without one that is a 404. */
static struct inv_text some_artifact(const struct inv_src *src)
{
	if (!src->call_count)
		return (struct inv_text){"none", 4};
	return (struct inv_text){src->calls[0].artifact->text, src->calls[0].artifact->length};
}

int fuzz_use_server(struct inv_src *src, unsigned variant)
{
	static struct inv_hub *hub;
	static const struct inv_http_options OPTIONS = {.metrics_invokers = true,
							.metrics_max_series = 64};
	struct inv_board board = {.state = INV_BOARD_ENDED, .source = "fuzz"};
	int result = inv_cut_take_tallies(&board.cut, src);
	if (result < 0)
		return result;
	if (!hub)
		hub = inv_hub_new(64);
	board.totals = board.cut.registry;
	board.history = inv_registry_new(64);
	FUZZ_REQUIRE(board.history && hub);
	for (size_t i = 0; i < src->call_count; i++)
		FUZZ_REQUIRE(inv_registry_record(board.history, &src->calls[i]) == 0);
	inv_registry_sum(board.totals, &board.successful, &board.failed);
	struct inv_request request = {.options = &OPTIONS,
				      .hub = hub,
				      .board = &board,
				      .path = "/api",
				      .id = some_artifact(src),
				      .metrics = inv_metrics_new(OPTIONS.metrics_max_series)};
	FUZZ_REQUIRE(request.metrics && inv_params_init(&request.params) == 0);
	if (variant & 64)
		ask_lists(&request);
	else
		ask_rest(&request);
	inv_params_free(&request.params);
	inv_metrics_free(request.metrics);
	inv_registry_free(board.history);
	inv_cut_free(&board.cut);
	return 0;
}
