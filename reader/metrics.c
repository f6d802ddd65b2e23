/* SPDX-License-Identifier: MIT */
/*
 * metrics.c - /metrics: the text format 0.0.4 of Prometheus.
 *
 * [M1] A series that was shown once is shown for ever, and counters never go back: which
 *      artifacts have series of their own is remembered in the order in which they came,
 *      and whoever finds no room is counted in artifact="_other" from then on. Choosing the
 *      busiest anew for each scrape was rejected: calls would move between series, and a
 *      counter that goes back reads as a restart.
 * [M2] Names that look alike when escaped (bytes that are no UTF-8) are one series.
 * [M3] The unit of a session's clock is refined while it runs; here the first one stays, or
 *      a call could leave its bucket.
 *
 * Buckets are the powers of two from 1.024 us to 17.2 s. Those of the tallies are 12.5 %
 * wide, and one that a bound cuts is counted by its middle; +Inf is the exact count.
 *
 * One lock for all scrapes: they are rare, and nobody else takes it.
 */
#include "metrics.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "shm/proc.h"
#include "utf8.h"
#include "version.h"

#define FIRST_BUCKET 10u /* 2^10 ns */
#define LAST_BUCKET  34u
#define BUCKETS	     (LAST_BUCKET - FIRST_BUCKET + 1)
#define HIST_SERIES  (BUCKETS + 3) /* with +Inf, sum and count */
#define OTHER_SERIES (2 + 1 + HIST_SERIES)
#define FIXED_SERIES (INV_LOSS_COUNT + 8)
#define HEADS	     1024u

enum family { CALLS, FAILURES, DURATIONS, INVOKERS, FAMILIES };

struct durations {
	uint64_t bucket[BUCKETS]; /* not cumulative */
	double seconds;
};

struct series {
	struct series *next;	    /* of its chain */
	struct series *next_shown;  /* of its family, in the order in which they came */
	struct durations durations; /* of DURATIONS */
	uint64_t value, scrape;	    /* the scrape that its value is of */
	enum family family;
	uint64_t hash;
	size_t length;
	char labels[];
};

struct inv_metrics {
	pthread_mutex_t lock;
	uint32_t max_series, used;
	struct series *heads[HEADS];
	struct series *first[FAMILIES], **last[FAMILIES];
	uint64_t scrape, epoch, folded;
	double ns_per_unit;		 /* [M3] */
	uint8_t place[INV_HIST_BUCKETS]; /* of a tally's bucket among ours; BUCKETS: beyond */
};

struct scrape {
	struct inv_metrics *m;
	struct inv_buf labels;
	int error;
};

struct inv_metrics *inv_metrics_new(uint32_t max_series)
{
	struct inv_metrics *m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	pthread_mutex_init(&m->lock, NULL);
	m->max_series = max_series;
	m->used = OTHER_SERIES + FIXED_SERIES;
	for (int i = 0; i < FAMILIES; i++)
		m->last[i] = &m->first[i];
	return m;
}

void inv_metrics_free(struct inv_metrics *metrics)
{
	if (!metrics)
		return;
	for (int i = 0; i < FAMILIES; i++)
		for (struct series *s = metrics->first[i], *next; s; s = next) {
			next = s->next_shown;
			free(s);
		}
	pthread_mutex_destroy(&metrics->lock);
	free(metrics);
}

/* ---- labels -------------------------------------------------------------------------- */

/* A value of a label: \\, \" and \n are escaped, bytes that are no UTF-8 are replaced. */
static void put_escaped(struct inv_buf *out, const char *text, size_t length)
{
	for (size_t i = 0, n; i < length; i += n) {
		n = inv_utf8_length(text + i, length - i);
		if (n == 0) {
			inv_buf_puts(out, "\xef\xbf\xbd");
			n = 1;
		} else if (text[i] == '\\') {
			inv_buf_puts(out, "\\\\");
		} else if (text[i] == '"') {
			inv_buf_puts(out, "\\\"");
		} else if (text[i] == '\n') {
			inv_buf_puts(out, "\\n");
		} else if (text[i] == '\0') {
			inv_buf_puts(out, "\xef\xbf\xbd");
		} else {
			inv_buf_put(out, text + i, n);
		}
	}
}

static void add_label(struct scrape *s, const char *name, const char *text, size_t length)
{
	if (s->labels.length)
		inv_buf_puts(&s->labels, ",");
	inv_buf_puts(&s->labels, name);
	inv_buf_puts(&s->labels, "=\"");
	put_escaped(&s->labels, text, length);
	inv_buf_puts(&s->labels, "\"");
}

static void add_word(struct scrape *s, const char *name, const struct inv_word *word)
{
	add_label(s, name, word->text, word->length);
}

/* ---- series ------------------------------------------------------------------------------ */

static struct series *find(struct inv_metrics *m, enum family family, const char *labels,
			   size_t length, uint64_t hash)
{
	struct series *s = m->heads[hash % HEADS];
	while (s && (s->hash != hash || s->family != family || s->length != length ||
		     memcmp(s->labels, labels, length) != 0))
		s = s->next;
	return s;
}

static struct series *make(struct inv_metrics *m, enum family family, const char *labels,
			   size_t length, uint64_t hash)
{
	struct series *s = calloc(1, sizeof(*s) + length);
	if (!s)
		return NULL;
	s->family = family;
	s->hash = hash;
	s->length = length;
	memcpy(s->labels, labels, length);
	s->next = m->heads[hash % HEADS];
	m->heads[hash % HEADS] = s;
	*m->last[family] = s;
	m->last[family] = &s->next_shown;
	return s;
}

/*
 * The series of the labels in the scrape, with a value of this scrape. cost: how many more
 * there may be for it to be new; 0: it may always be.
 * Returns: NULL: there is no room, or no memory.
 */
static struct series *series_of(struct scrape *scrape, enum family family, uint32_t cost)
{
	struct inv_metrics *m = scrape->m;
	const char *labels = scrape->labels.data;
	size_t length = scrape->labels.length;
	uint64_t hash = inv_word_hash(labels, length) + family;
	struct series *s = find(m, family, labels, length, hash);
	if (!s && m->used + cost <= m->max_series) {
		s = make(m, family, labels, length, hash);
		m->used += s ? cost : 0;
		scrape->error = s ? scrape->error : -ENOMEM;
	}
	if (s && s->scrape != m->scrape) {
		s->scrape = m->scrape;
		s->value = 0;
		s->durations = (struct durations){0};
	}
	return s;
}

static void count_in(struct series *s, uint64_t value)
{
	if (s)
		s->value += value;
}

static void count_durations(struct inv_metrics *m, struct series *s, const struct inv_hist *hist)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < INV_HIST_BUCKETS; i++) {
		s->value += hist->bucket[i];
		if (hist->bucket[i] && m->place[i] < BUCKETS)
			s->durations.bucket[m->place[i]] += hist->bucket[i];
	}
	s->durations.seconds += (double)hist->sum * m->ns_per_unit / 1e9;
}

/* ---- collecting ------------------------------------------------------------------------------ */

static uint64_t calls_of(const struct inv_hist *hist)
{
	uint64_t calls = 0;
	for (uint32_t i = 0; i < INV_HIST_BUCKETS; i++)
		calls += hist->bucket[i];
	return calls;
}

static const struct inv_text OTHER = {"_other", 6};

/* A line of its own where there is room and its artifact has one; else that of _other. */
static struct series *line_of(struct scrape *s, enum family family,
			      const struct inv_cell_view *cell, bool own)
{
	static const char *const SECOND[] = {"method", "error_type"};
	const struct inv_word *second = family == CALLS ? cell->method : cell->type;
	struct series *found = NULL;
	const char *outcome = cell->failed ? "failure" : "success";
	for (int other = own ? 0 : 1; other < 2 && !found; other++) {
		s->labels.length = 0;
		if (other) {
			add_label(s, "artifact", OTHER.text, OTHER.length);
			add_label(s, SECOND[family], OTHER.text, OTHER.length);
			s->m->folded++;
		} else {
			add_word(s, "artifact", cell->artifact);
			add_word(s, SECOND[family], second);
		}
		if (family == CALLS)
			add_label(s, "outcome", outcome, strlen(outcome));
		found = series_of(s, family, other ? 0 : 1);
	}
	return found;
}

static struct series *durations_of(struct scrape *s, const char *artifact, size_t length)
{
	s->labels.length = 0;
	add_label(s, "artifact", artifact, length);
	return series_of(s, DURATIONS, HIST_SERIES);
}

static void take_cell(void *arg, const struct inv_cell_view *cell)
{
	struct scrape *s = arg;
	uint64_t calls = calls_of(cell->hist);
	struct series *own = durations_of(s, cell->artifact->text, cell->artifact->length);
	if (!own) {
		s->labels.length = 0;
		add_label(s, "artifact", OTHER.text, OTHER.length);
	}
	count_durations(s->m, own ? own : series_of(s, DURATIONS, 0), cell->hist);
	count_in(line_of(s, CALLS, cell, own != NULL), calls);
	if (cell->failed)
		count_in(line_of(s, FAILURES, cell, own != NULL), calls);
}

/* The busiest come first where not all can come. */
static int admit_busiest(struct scrape *s, struct inv_registry *totals)
{
	struct inv_stats_list list;
	uint64_t total;
	struct inv_page_query query = {.by = INV_BY_ARTIFACT,
				       .limit = s->m->max_series / HIST_SERIES + 1};
	int result = inv_registry_page(totals, &query, &list, &total);
	for (size_t i = 0; result == 0 && i < list.count; i++)
		durations_of(s, list.rows[i].name, list.rows[i].length);
	if (result == 0)
		inv_stats_list_free(&list);
	return result;
}

static struct series *invoker_line(struct scrape *s, const char *name, size_t length,
				   const char *outcome, uint32_t cost)
{
	s->labels.length = 0;
	add_label(s, "invoker", name, length);
	add_label(s, "outcome", outcome, strlen(outcome));
	return series_of(s, INVOKERS, cost);
}

static void count_invoker(struct scrape *s, const struct inv_word *who, const char *outcome,
			  uint64_t calls)
{
	struct series *line = invoker_line(s, who->text, who->length, outcome, 1);
	if (!line) {
		line = invoker_line(s, OTHER.text, OTHER.length, outcome, 0);
		s->m->folded++;
	}
	count_in(line, calls);
}

static int take_invokers(struct scrape *s, struct inv_registry *totals)
{
	struct inv_edges edges;
	int result = inv_registry_edges(totals, &edges);
	if (result < 0)
		return result;
	for (size_t i = 0; i < edges.count; i++) {
		const struct inv_edge *e = &edges.rows[i];
		uint64_t failures = e->failures < e->calls ? e->failures : e->calls;
		count_invoker(s, e->from, "success", e->calls - failures);
		count_invoker(s, e->from, "failure", failures);
	}
	free(edges.rows);
	return 0;
}

/* ---- text
 * ---------------------------------------------------------------------------------------- */

static void put_head(struct inv_buf *out, const char *name, const char *type, const char *help)
{
	inv_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_line(struct inv_buf *out, const char *name, const struct series *s)
{
	inv_buf_puts(out, name);
	inv_buf_puts(out, "{");
	inv_buf_put(out, s->labels, s->length);
	inv_buf_printf(out, "} %llu\n", (unsigned long long)s->value);
}

static void put_family(const struct inv_metrics *m, struct inv_buf *out, enum family family,
		       const char *name, const char *help)
{
	put_head(out, name, "counter", help);
	for (const struct series *s = m->first[family]; s; s = s->next_shown)
		if (s->scrape == m->scrape)
			put_line(out, name, s);
}

static void put_part(struct inv_buf *out, const struct series *s, const char *part)
{
	inv_buf_printf(out, "invocation_duration_seconds_%s{", part);
	inv_buf_put(out, s->labels, s->length);
}

static void put_histogram(struct inv_buf *out, const struct series *s)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < BUCKETS; i++) {
		sum += s->durations.bucket[i];
		put_part(out, s, "bucket");
		inv_buf_printf(out, ",le=\"%.12g\"} %llu\n",
			       (double)(UINT64_C(1) << (FIRST_BUCKET + i)) / 1e9,
			       (unsigned long long)sum);
	}
	put_part(out, s, "bucket");
	inv_buf_printf(out, ",le=\"+Inf\"} %llu\n", (unsigned long long)s->value);
	put_part(out, s, "sum");
	inv_buf_printf(out, "} %.9f\n", s->durations.seconds);
	put_part(out, s, "count");
	inv_buf_printf(out, "} %llu\n", (unsigned long long)s->value);
}

static void put_histograms(const struct inv_metrics *m, struct inv_buf *out)
{
	put_head(out, "invocation_duration_seconds", "histogram",
		 "How long calls took. From tallies 12.5 % wide.");
	for (const struct series *s = m->first[DURATIONS]; s; s = s->next_shown)
		if (s->scrape == m->scrape)
			put_histogram(out, s);
}

static uint64_t lost(const struct inv_cut *cut, const char *reason)
{
	for (size_t i = 0; i < cut->lost_count; i++)
		if (!strcmp(cut->lost[i].name, reason))
			return cut->lost[i].count;
	return 0;
}

/* Every reason, so that a first loss is a step from 0 and not a series out of nowhere. */
static void put_losses(const struct inv_cut *cut, struct inv_buf *out, bool events,
		       const char *name)
{
	for (unsigned i = 0; i <= INV_LOSS_COUNT; i++) {
		enum inv_loss loss = (enum inv_loss)i;
		const char *reason = i < INV_LOSS_COUNT ? inv_loss_name(loss) : "lapped";
		if ((i == INV_LOSS_COUNT || inv_loss_is_of_events(loss)) == events)
			inv_buf_printf(out, "%s{reason=\"%s\"} %llu\n", name, reason,
				       (unsigned long long)lost(cut, reason));
	}
}

static void put_all_losses(const struct inv_cut *cut, struct inv_buf *out)
{
	put_head(out, "invocation_events_lost_total", "counter",
		 "Events that were not kept, by reason. Totals of calls do not lack them.");
	put_losses(cut, out, true, "invocation_events_lost_total");
	put_head(out, "invocation_shortcomings_total", "counter",
		 "What else is not as asked for: names cut, tallies in _other, and such.");
	put_losses(cut, out, false, "invocation_shortcomings_total");
}

static void put_gauge(struct inv_buf *out, const char *name, const char *help, uint64_t value)
{
	put_head(out, name, "gauge", help);
	inv_buf_printf(out, "%s %llu\n", name, (unsigned long long)value);
}

/* Times invocation_calls_total it is what observing has cost. */
static void put_cost(struct inv_buf *out, const struct inv_cut *cut)
{
	if (!(cut->cost_ns > 0))
		return;
	put_head(out, "invocation_observing_seconds_per_call", "gauge",
		 "What recording one native call costs, as `invreg run` measured it here.");
	inv_buf_printf(out, "invocation_observing_seconds_per_call %.12g\n", cut->cost_ns / 1e9);
}

static void put_all(const struct inv_metrics *m, const struct inv_request *request,
		    struct inv_buf *out)
{
	const struct inv_board *board = request->board;
	put_family(m, out, CALLS, "invocation_calls_total", "Calls that have returned.");
	put_family(m, out, FAILURES, "invocation_failures_total", "Calls that failed, by type.");
	if (request->options->metrics_invokers)
		put_family(m, out, INVOKERS, "invocation_invoker_calls_total",
			   "Calls that have returned, by who made them.");
	put_histograms(m, out);
	put_gauge(out, "invocation_in_flight", "Calls that have begun and not returned.",
		  inv_api_all_in_flight(board));
	put_all_losses(&board->cut, out);
	put_gauge(out, "invocation_series_folded",
		  "Label sets that found no room (--metrics-max-series) and are counted in _other.",
		  m->folded);
	put_cost(out, &board->cut);
	put_gauge(out, "invocation_session_live", "Whether a process of the session is alive.",
		  board->state == INV_BOARD_LIVE);
	put_head(out, "invocation_build_info", "gauge", "Always 1; of what version this is.");
	inv_buf_printf(out, "invocation_build_info{version=\"%s\"} 1\n", INV_VERSION_TEXT);
}

/* ---- all
 * ---------------------------------------------------------------------------------------------- */

static void set_unit(struct inv_metrics *m, const struct inv_board *board)
{
	if (m->ns_per_unit != 0 && m->epoch == board->epoch)
		return;
	m->epoch = board->epoch;
	m->ns_per_unit = inv_registry_ns_per_unit(board->totals);
	for (uint32_t i = 0; i < INV_HIST_BUCKETS; i++) {
		double low = (double)inv_bucket_low(i), middle = low;
		unsigned k = 0;
		if (i + 1 < INV_HIST_BUCKETS)
			middle = (low + (double)inv_bucket_low(i + 1) - 1) / 2;
		middle *= m->ns_per_unit;
		while (k < BUCKETS && middle > (double)(UINT64_C(1) << (FIRST_BUCKET + k)))
			k++;
		m->place[i] = (uint8_t)k;
	}
}

static int collect(struct scrape *s, const struct inv_request *request)
{
	struct inv_registry *totals = request->board->totals;
	set_unit(s->m, request->board);
	s->m->scrape++;
	s->m->folded = 0;
	int result = admit_busiest(s, totals);
	inv_registry_each_cell(totals, take_cell, s);
	if (result == 0 && request->options->metrics_invokers)
		result = take_invokers(s, totals);
	return result ? result : s->error ? s->error : s->labels.error;
}

void inv_metrics_answer(struct inv_request *request, struct inv_reply *reply)
{
	struct inv_metrics *m = request->metrics;
	struct scrape scrape = {.m = m};
	if (inv_buf_init(&scrape.labels, -1)) {
		reply->body.error = -ENOMEM;
		return;
	}
	pthread_mutex_lock(&m->lock);
	int result = collect(&scrape, request);
	reply->type = "text/plain; version=0.0.4; charset=utf-8";
	if (result < 0)
		reply->body.error = result;
	else
		put_all(m, request, &reply->body);
	pthread_mutex_unlock(&m->lock);
	inv_buf_free(&scrape.labels);
}
