/* SPDX-License-Identifier: MIT */
/*
 * sse.c - streams sleep as suspended connections of libmicrohttpd.
 *
 * [A1] A stream that has nothing to send puts itself on the list of sleepers and is
 *      suspended under the same lock under which all are woken: between its look at the
 *      board and its sleep no wake-up is lost, since `news` has changed then.
 */
#include "sse.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include <microhttpd.h>

#include "api.h"
#include "now.h"

#define STREAMS_MOST  256
#define CALLS_MOST    500 /* of one look: more are skipped, the newest are sent */
#define STATUS_MS     1000
#define ALIVE_MS      10000
#define BLOCK	      4096
#define RETRY_MS      2000
#define WAKER_TICK_MS 1000

struct stream {
	struct inv_sse *sse;
	struct stream *next; /* of the sleepers */
	struct MHD_Connection *connection;
	struct inv_hub *hub;
	struct inv_text artifact, invoker; /* ours, or NULL */
	bool succeeded, failed;
	bool calls, status;
	uint64_t epoch, arrival; /* of the call that was sent last */
	uint64_t news;		 /* as it was at the last look */
	uint64_t total, in_flight;
	int state;
	int64_t status_ms, sent_ms;
	struct inv_buf out;
	size_t sent; /* of out */
};

struct inv_sse {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t ticker;
	struct stream *sleepers;
	size_t count;
	uint64_t news; /* changes at each wake-up */
	bool stop;
};

/* ---- who sleeps ----------------------------------------------------------------------- */

static void wake_all(struct inv_sse *sse)
{
	sse->news++;
	for (struct stream *s = sse->sleepers, *next; s; s = next) {
		next = s->next;
		MHD_resume_connection(s->connection);
	}
	sse->sleepers = NULL;
}

void inv_sse_wake(struct inv_sse *sse)
{
	pthread_mutex_lock(&sse->lock);
	wake_all(sse);
	pthread_mutex_unlock(&sse->lock);
}

/* Wakes them now and then though nothing is new: a sign of life finds out who has gone. */
static void *tick(void *arg)
{
	struct inv_sse *sse = arg;
	pthread_mutex_lock(&sse->lock);
	while (!sse->stop) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += WAKER_TICK_MS / 1000;
		pthread_cond_timedwait(&sse->wake, &sse->lock, &until);
		wake_all(sse);
	}
	pthread_mutex_unlock(&sse->lock);
	return NULL;
}

struct inv_sse *inv_sse_new(void)
{
	pthread_condattr_t attributes;
	struct inv_sse *sse = calloc(1, sizeof(*sse));
	if (!sse)
		return NULL;
	pthread_mutex_init(&sse->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&sse->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&sse->ticker, NULL, tick, sse) == 0)
		return sse;
	free(sse);
	return NULL;
}

void inv_sse_stop(struct inv_sse *sse)
{
	pthread_mutex_lock(&sse->lock);
	sse->stop = true;
	wake_all(sse);
	pthread_cond_signal(&sse->wake);
	pthread_mutex_unlock(&sse->lock);
	pthread_join(sse->ticker, NULL);
}

void inv_sse_free(struct inv_sse *sse)
{
	if (!sse)
		return;
	pthread_cond_destroy(&sse->wake);
	pthread_mutex_destroy(&sse->lock);
	free(sse);
}

/* Returns: false: there is news since the stream looked, or no time to sleep. */
static bool sleep_until_news(struct stream *s)
{
	struct inv_sse *sse = s->sse;
	pthread_mutex_lock(&sse->lock);
	bool asleep = !sse->stop && s->news == sse->news; /* [A1] */
	if (asleep) {
		s->next = sse->sleepers;
		sse->sleepers = s;
		MHD_suspend_connection(s->connection);
	}
	pthread_mutex_unlock(&sse->lock);
	return asleep;
}

/* ---- what is sent --------------------------------------------------------------------------- */

struct news_row {
	const struct inv_call *call;
	uint64_t arrival;
};

struct news {
	const struct stream *stream;
	struct news_row rows[CALLS_MOST];
	size_t count;
};

static bool is_named(const struct inv_word *word, struct inv_text text)
{
	return !text.text ||
	       (word->length == text.length && !memcmp(word->text, text.text, text.length));
}

static bool is_wanted(const struct stream *s, const struct inv_call *call)
{
	return is_named(call->artifact, s->artifact) && is_named(call->invoker, s->invoker) &&
	       (inv_call_failed(call) ? s->failed : s->succeeded);
}

static void collect(void *arg, const struct inv_call *call, uint64_t arrival)
{
	struct news *n = arg;
	if (!is_wanted(n->stream, call))
		return;
	n->rows[n->count++] = (struct news_row){call, arrival};
}

static int by_arrival(const void *a, const void *b)
{
	const struct news_row *x = a, *y = b;
	return x->arrival < y->arrival ? -1 : x->arrival > y->arrival;
}

static void put_id(struct stream *s)
{
	inv_buf_printf(&s->out, "id: %llx-%llx\n", (unsigned long long)s->epoch,
		       (unsigned long long)s->arrival);
}

static void put_call(struct stream *s, const struct inv_call *call, uint64_t arrival)
{
	struct inv_json json = {.out = &s->out};
	s->arrival = arrival;
	inv_buf_puts(&s->out, "event: invocation\n");
	put_id(s);
	inv_buf_puts(&s->out, "data: ");
	inv_api_put_invocation(&json, call);
	inv_buf_puts(&s->out, "\n\n");
}

/* Calls that are not sent: evicted before they were, or too many at once. */
static void put_skipped(struct stream *s, uint64_t count)
{
	struct inv_json json = {.out = &s->out};
	inv_buf_puts(&s->out, "event: skipped\ndata: ");
	inv_json_open(&json, '{');
	inv_api_put_u64(&json, "count", count);
	inv_json_close(&json, '}');
	inv_buf_puts(&s->out, "\n\n");
}

/* In order of arrival: who resumes behind any of them has had all before it. */
static void put_calls(struct stream *s, const struct inv_board *board)
{
	struct news news = {.stream = s};
	uint64_t until = inv_registry_arrivals(board->history), after = s->arrival;
	if (until <= after)
		return;
	if (until - after > CALLS_MOST)
		after = until - CALLS_MOST;
	size_t seen = inv_registry_news(board->history, after, until, collect, &news);
	if (seen < until - s->arrival)
		put_skipped(s, until - s->arrival - seen);
	if (news.count)
		qsort(news.rows, news.count, sizeof(news.rows[0]), by_arrival);
	for (size_t i = 0; i < news.count; i++)
		put_call(s, news.rows[i].call, news.rows[i].arrival);
	s->arrival = until;
}

static void put_reset(struct stream *s, const struct inv_board *board)
{
	s->epoch = board->epoch;
	s->arrival = 0;
	inv_buf_puts(&s->out, "event: reset\n");
	put_id(s);
	inv_buf_puts(&s->out, "data: {}\n\n");
}

/* At most one a second, and only when it says something new. */
static void put_status(struct stream *s, const struct inv_board *board, int64_t now)
{
	struct inv_json json = {.out = &s->out};
	uint64_t total = board->successful + board->failed;
	uint64_t in_flight = inv_api_all_in_flight(board);
	bool same = total == s->total && in_flight == s->in_flight && (int)board->state == s->state;
	if (same || (now - s->status_ms < STATUS_MS && (int)board->state == s->state))
		return;
	s->total = total;
	s->in_flight = in_flight;
	s->state = (int)board->state;
	s->status_ms = now;
	inv_buf_puts(&s->out, "event: status\ndata: ");
	inv_json_open(&json, '{');
	inv_api_put_totals(&json, board);
	inv_json_close(&json, '}');
	inv_buf_puts(&s->out, "\n\n");
}

static void look(struct stream *s)
{
	int64_t now = inv_now_ms();
	pthread_mutex_lock(&s->sse->lock);
	s->news = s->sse->news;
	pthread_mutex_unlock(&s->sse->lock);
	const struct inv_board *board = inv_hub_enter(s->hub);
	if (board->epoch != s->epoch)
		put_reset(s, board);
	if (s->calls)
		put_calls(s, board);
	if (s->status)
		put_status(s, board, now);
	inv_hub_leave(s->hub);
	if (s->out.length == 0 && now - s->sent_ms > ALIVE_MS)
		inv_buf_puts(&s->out, ": alive\n\n");
	if (s->out.length)
		s->sent_ms = now;
}

/* ---- streams ----------------------------------------------------------------------------------
 */

static bool is_stopped(struct inv_sse *sse)
{
	pthread_mutex_lock(&sse->lock);
	bool stop = sse->stop;
	pthread_mutex_unlock(&sse->lock);
	return stop;
}

/* libmicrohttpd wants bytes. Returns: how many, or 0 after a sleep was begun. */
static ssize_t give(void *arg, uint64_t position, char *to, size_t room)
{
	struct stream *s = arg;
	if (s->sent == s->out.length) {
		s->out.length = s->sent = 0;
		if (is_stopped(s->sse))
			return MHD_CONTENT_READER_END_OF_STREAM;
		look(s);
	}
	if (s->out.error)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	size_t n = s->out.length - s->sent < room ? s->out.length - s->sent : room;
	memcpy(to, s->out.data + s->sent, n);
	s->sent += n;
	if (n == 0)
		sleep_until_news(s);
	return (ssize_t)n;
}

static void free_stream(struct stream *s)
{
	free((void *)(uintptr_t)s->artifact.text);
	free((void *)(uintptr_t)s->invoker.text);
	inv_buf_free(&s->out);
	free(s);
}

static void end(void *arg)
{
	struct stream *s = arg;
	pthread_mutex_lock(&s->sse->lock);
	for (struct stream **at = &s->sse->sleepers; *at; at = &(*at)->next)
		if (*at == s) {
			*at = s->next;
			break;
		}
	s->sse->count--;
	pthread_mutex_unlock(&s->sse->lock);
	free_stream(s);
}

static struct inv_text copy(struct inv_text from)
{
	struct inv_text to = {0};
	char *text = from.text ? malloc(from.length + 1) : NULL;
	if (text)
		to = (struct inv_text){memcpy(text, from.text, from.length), from.length};
	return to;
}

static bool take_room(struct inv_sse *sse)
{
	pthread_mutex_lock(&sse->lock);
	bool room = sse->count < STREAMS_MOST;
	sse->count += room;
	pthread_mutex_unlock(&sse->lock);
	return room;
}

/* Where to go on: behind Last-Event-ID, when it is of this history; else from now on. */
static void begin_at(struct stream *s, const struct inv_request *request)
{
	unsigned long long epoch, arrival;
	const struct inv_board *board = request->board;
	const char *last =
		MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Last-Event-ID");
	s->epoch = board->epoch;
	s->arrival = inv_registry_arrivals(board->history);
	if (!last)
		return;
	if (sscanf(last, "%16llx-%16llx", &epoch, &arrival) == 2 && epoch == s->epoch &&
	    arrival <= s->arrival)
		s->arrival = arrival;
	else
		s->epoch = ~s->epoch; /* of another server or session: it is told so */
}

static const char *const ONLY[] = {"all", "invocations", "status", NULL};

static struct stream *make_stream(struct inv_request *request)
{
	struct stream *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	enum inv_maybe success = inv_params_bool(&request->params, "success");
	size_t only = inv_params_choice(&request->params, "only", ONLY);
	s->sse = request->sse;
	s->connection = request->connection;
	s->hub = request->hub;
	s->artifact = copy(inv_params_text(&request->params, "artifact_id"));
	s->invoker = copy(inv_params_text(&request->params, "invoker_id"));
	s->succeeded = success != INV_MAYBE_NO;
	s->failed = success != INV_MAYBE_YES;
	s->calls = only != 2;
	s->status = only != 1;
	s->state = -1;
	s->status_ms = -STATUS_MS;
	s->sent_ms = inv_now_ms();
	if (inv_buf_init(&s->out, -1)) {
		free_stream(s);
		return NULL;
	}
	inv_buf_printf(&s->out, "retry: %d\n\n", RETRY_MS);
	begin_at(s, request);
	return s;
}

void inv_sse_answer(struct inv_request *request, struct inv_reply *reply)
{
	struct stream *s = make_stream(request);
	if (!s) {
		reply->body.error = -ENOMEM;
		return;
	}
	if (inv_reply_wrong(reply, request)) {
		free_stream(s);
		return;
	}
	if (!take_room(request->sse)) {
		inv_reply_detail(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "too many streams");
		free_stream(s);
		return;
	}
	reply->type = "text/event-stream";
	reply->stream = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, give, s, end);
	if (!reply->stream)
		end(s);
}
