/* SPDX-License-Identifier: MIT */
/*
 * registry.h - totals, failures and history of calls in memory, to be queried.
 *
 * Filled in one of two ways: exactly, from a segment's tallies (inv_registry_add_cell and
 * _add_pair), or from events (inv_registry_record), and then it says `from_events`, since
 * events may have been lost. inv_registry_keep adds a call to the history alone.
 *
 * [Q1] One thread fills; any number of threads query meanwhile. Queries take the RCU read
 *      lock for themselves and give back copies; a query never waits and is never waited
 *      for. Each number is whole; numbers of one answer may be some calls apart.
 * [Q2] A thread calls inv_registry_enter before its first query and inv_registry_leave
 *      after its last (urcu-memb keeps a list of reader threads; calls nest). The thread
 *      that makes the registry has entered with it, fills it and frees it.
 * [Q3] Text in answers lives as long as the registry: names are never removed.
 * [Q4] A record gets the next arrival, which is published after it is in every index: all
 *      up to the arrivals that a walk began with are found by it, or have been evicted.
 *
 * Tables are liburcu's lock-free hash tables (cds_lfht); lists hang off their nodes and
 * only grow at the head. The history is bounded: the oldest call goes when it is full,
 * freed after a grace period. A lock around ordinary tables was rejected: a slow HTTP
 * client would hold up the follower, and a follower that is late loses events.
 */
#ifndef INV_READER_REGISTRY_H
#define INV_READER_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call.h"
#include "hist.h"

struct inv_registry;

/* keep: calls of history; 0 = none. Returns: NULL when out of memory. */
struct inv_registry *inv_registry_new(size_t keep);
void inv_registry_free(struct inv_registry *registry);

void inv_registry_enter(void);
void inv_registry_leave(void);

/* ---- filling (one thread) ---------------------------------------------------- */

/* What a value of a histogram is, in nanoseconds; 1.0 until set. Before filling. */
void inv_registry_set_unit(struct inv_registry *registry, double ns_per_unit);

struct inv_key {
	const struct inv_word *artifact, *method, *type;
	bool failed;
};

/* All return 0 or -ENOMEM. */
int inv_registry_add_cell(struct inv_registry *registry, const struct inv_key *key,
			  const struct inv_cell *cell);
int inv_registry_add_hist(struct inv_registry *registry, const struct inv_key *key,
			  const struct inv_hist *hist);
int inv_registry_add_pair(struct inv_registry *registry, const struct inv_word *invoker,
			  const struct inv_word *artifact, uint64_t calls, uint64_t failures,
			  uint64_t sum);

/* A call that is done: counted and kept. One that is open: kept. Marks from_events. */
int inv_registry_record(struct inv_registry *registry, const struct inv_call *call);

/* One call more by `child` inside one of `parent`. */
int inv_registry_add_nested(struct inv_registry *registry, const struct inv_word *parent,
			    const struct inv_word *child);

/* Kept only. */
int inv_registry_keep(struct inv_registry *registry, const struct inv_call *call);

/* ---- queries (any thread) ----------------------------------------------------- */

struct inv_text {
	const char *text; /* any bytes; NULL: none given */
	size_t length;
};

/* As memcmp, by bytes and then by length. Returns: less than, equal to or more than 0. */
int inv_text_compare(struct inv_text a, struct inv_text b);

struct inv_type_count {
	const char *type;
	size_t length;
	uint64_t count;
};

/* Percentiles of the calls that are kept, of a group whose tallies have no histogram. */
struct inv_sample {
	uint64_t calls; /* 0: there is none */
	double p50_ns, p90_ns, p99_ns, p999_ns, max_ns;
};

/* Of a histogram of their durations in ns. */
struct inv_sample inv_sample_of(const struct inv_hist *hist);

/* Totals of a group of calls. Durations are in the registry's unit; see _ns_per_unit. */
struct inv_stats {
	const char *name; /* of the artifact, method, error or invoker */
	size_t length;
	const char *artifact; /* of a method, else NULL */
	size_t artifact_length;
	uint64_t successful;
	uint64_t failed;
	struct inv_hist hist; /* of an invoker: count and sum alone */
	struct inv_type_count *types;
	size_t type_count;
	struct inv_sample sample; /* of an invoker; left to the caller */
	uint64_t unique;	  /* invokers of an artifact, artifacts of an invoker */
	uint64_t in_flight;	  /* left to the caller */
	uint64_t never_returned;  /* left to the caller */
};

/* As inv_text_compare. Rows of which one has no artifact are equal in it. */
int inv_stats_compare_names(const struct inv_stats *x, const struct inv_stats *y);
int inv_stats_compare_artifacts(const struct inv_stats *x, const struct inv_stats *y);

enum inv_group { INV_BY_ARTIFACT, INV_BY_METHOD, INV_BY_ERROR, INV_BY_INVOKER };

struct inv_stats_list {
	struct inv_stats *rows; /* by total, largest first; equal ones by name */
	size_t count;
};

/*
 * artifact: only of this one. Returns: 0 or -ENOMEM.
 */
int inv_registry_group(struct inv_registry *registry, enum inv_group by, struct inv_text artifact,
		       struct inv_stats_list *out);
void inv_stats_list_free(struct inv_stats_list *list);

static inline uint64_t inv_stats_total(const struct inv_stats *stats)
{
	return stats->successful + stats->failed;
}

/* 0.0 of nothing. */
double inv_stats_success_rate(const struct inv_stats *stats);
double inv_stats_mean(const struct inv_stats *stats);

/* Returns: 0; -ENOENT: no such artifact; -ENOMEM. Free with inv_stats_clear. */
int inv_registry_lookup(struct inv_registry *registry, struct inv_text artifact,
			struct inv_stats *out);
int inv_registry_artifact(struct inv_registry *registry, const char *artifact,
			  struct inv_stats *out);
void inv_stats_clear(struct inv_stats *stats);

enum inv_sort {
	INV_SORT_TOTAL,
	INV_SORT_FAILED,
	INV_SORT_RATE, /* the worst first */
	INV_SORT_MEAN,
	INV_SORT_P50,
	INV_SORT_P90,
	INV_SORT_P99,
	INV_SORT_MAX,
	INV_SORT_SELF,
	INV_SORT_NAME
};

/* "total", "failed" ... "name". Returns: false: no such order. */
bool inv_sort_of(const char *name, enum inv_sort *sort);
double inv_stats_sort_value(const struct inv_stats *stats, enum inv_sort sort);

struct inv_page_query {
	enum inv_group by;	  /* not INV_BY_ERROR */
	struct inv_text artifact; /* only of this one */
	struct inv_text search;	  /* in the name */
	enum inv_sort sort;	  /* largest first; names from a to z */
	bool reverse;
	size_t offset, limit;
};

/* Rows that have calls. total: how many there are. Returns: 0 or -ENOMEM. */
int inv_registry_page(struct inv_registry *registry, const struct inv_page_query *query,
		      struct inv_stats_list *out, uint64_t *total);

/* Who called what, and how often. Text as in [Q3]. */
struct inv_edge {
	const struct inv_word *from, *to;
	bool from_artifact; /* who called is itself called by others */
	uint64_t calls, failures, sum;
};

struct inv_edges {
	struct inv_edge *rows; /* most calls first; to be freed */
	size_t count;
};

/* Returns: 0 or -ENOMEM. */
int inv_registry_edges(struct inv_registry *registry, struct inv_edges *out);

/* The same of inv_registry_add_nested: calls alone. */
int inv_registry_nested(struct inv_registry *registry, struct inv_edges *out);

/* One tally as it is kept. Text as in [Q3]. */
struct inv_cell_row {
	const struct inv_word *method, *type;
	bool failed;
	struct inv_hist hist;
};

/* Calls visit(arg, row) for each tally of an artifact that is not empty. */
void inv_registry_cells(struct inv_registry *registry, struct inv_text artifact,
			void (*visit)(void *arg, const struct inv_cell_row *row), void *arg);

/* One tally, with its words; hist is a copy. */
struct inv_cell_view {
	const struct inv_word *artifact, *method, *type;
	const struct inv_hist *hist;
	bool failed;
};

/* Calls visit(arg, cell) for each tally that is not empty, in no order. */
void inv_registry_each_cell(struct inv_registry *registry,
			    void (*visit)(void *arg, const struct inv_cell_view *cell), void *arg);

/* The same of counts alone: calls of an artifact, as often as it has tallies. */
void inv_registry_each_count(struct inv_registry *registry,
			     void (*visit)(void *arg, const struct inv_word *artifact, bool failed,
					   uint64_t calls),
			     void *arg);

/* Calls of all artifacts. */
void inv_registry_sum(struct inv_registry *registry, uint64_t *successful, uint64_t *failed);

/* Which calls of the history; NULL or 0 means any. */
struct inv_query {
	const char *artifact, *invoker, *method;
	bool failed, succeeded; /* both false: any */
	int64_t since_ns;
	size_t limit; /* 0: all */
};

/*
 * Calls visit(arg, call) for each, newest first, inside the RCU read lock: the call and
 * its texts are valid during the visit. Returns: how many.
 */
size_t inv_registry_history(struct inv_registry *registry, const struct inv_query *query,
			    void (*visit)(void *arg, const struct inv_call *call), void *arg);

/*
 * Which calls of the history: of an artifact, of an invoker, of both, of any; of these
 * outcomes; without the newest `offset`, at most `limit`.
 */
struct inv_window {
	struct inv_text artifact, invoker;
	bool succeeded, failed, open;
	size_t offset, limit;
};

/*
 * As inv_registry_history, but costs only what it visits and skips, whatever is kept.
 * total: how many are kept of those artifact, invoker and outcomes. Returns: how many.
 */
size_t inv_registry_window(struct inv_registry *registry, const struct inv_window *window,
			   void (*visit)(void *arg, const struct inv_call *call), void *arg,
			   uint64_t *total);

/*
 * Visits calls newest first, of an artifact or with NULL of all, until one that returned before
 * since_ns (those of a file that is in no order may be behind it: they are not looked for).
 * Returns: whether there is such a one.
 */
bool inv_registry_since(struct inv_registry *registry, struct inv_text artifact, int64_t since_ns,
			void (*visit)(void *arg, const struct inv_call *call), void *arg);

/*
 * Visits the calls that arrived after `after` and not after `until`, as far as they are
 * still kept, newest first. Where some are not, it walks all that is kept to find out.
 * Returns: how many.
 */
size_t inv_registry_news(struct inv_registry *registry, uint64_t after, uint64_t until,
			 void (*visit)(void *arg, const struct inv_call *call, uint64_t arrival),
			 void *arg);

/* The arrival of the newest call kept, 0 of none. */
uint64_t inv_registry_arrivals(const struct inv_registry *registry);

/* The RCU read lock, for who wants texts or calls to live on between queries. Nests. */
void inv_registry_hold(void);
void inv_registry_release(void);

bool inv_query_matches(const struct inv_query *query, const struct inv_call *call);

double inv_registry_ns_per_unit(const struct inv_registry *registry);
bool inv_registry_from_events(const struct inv_registry *registry);

#endif
