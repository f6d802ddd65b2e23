/* SPDX-License-Identifier: MIT */
/*
 * registry_private.h - the nodes, shared by the filling and the asking half.
 *
 * An entity is any name: as an artifact it has cells, as an invoker pairs and records.
 * Lists are pushed at the head with a release store and walked with rcu_dereference.
 */
#ifndef INV_READER_REGISTRY_PRIVATE_H
#define INV_READER_REGISTRY_PRIVATE_H

#include "grace.h" /* urcu-memb.h, which rculfhash.h wants before it */

#include <urcu/rculfhash.h>

#include "registry.h"

struct entity;

struct cell {
	struct cds_lfht_node node;
	struct cell *next; /* of the artifact */
	struct entity *artifact, *method, *type;
	bool failed;
	struct inv_hist hist;
};

/*
 * The history is on shelves: of all, of an artifact, of an invoker, of a pair; a shelf is
 * three chains in order of return, one an outcome, so that whatever is asked for (any
 * mixture of artifact, invoker and outcome) is found by walking nothing else.
 */
enum scope { OF_ALL, OF_ARTIFACT, OF_INVOKER, OF_PAIR, SCOPES };
enum outcome { SUCCEEDED, FAILED, OPEN, OUTCOMES };

struct chain {
	struct record *newest;
	struct record *oldest; /* the filler's alone */
	uint64_t count;
};

struct shelf {
	struct chain chain[OUTCOMES];
};

struct pair {
	struct cds_lfht_node node;
	struct pair *next; /* of the invoker */
	struct entity *invoker, *artifact;
	uint64_t calls, failures, sum;
	struct shelf shelf;
};

struct link {
	struct record *older;
	struct record *newer; /* the filler's alone */
};

struct record {
	struct link links[SCOPES];
	uint64_t arrival; /* from 1, never given twice */
	int64_t end_ns;
	struct pair *pair;
	enum outcome outcome;
	struct inv_call call;
	struct rcu_head rcu;
	char message[];
};

struct entity {
	struct cds_lfht_node node;
	struct cell *cells;
	struct pair *pairs;
	struct shelf as_artifact, as_invoker;
	uint64_t unique_invokers;
	struct inv_word word; /* last: its text follows */
};

struct inv_registry {
	struct cds_lfht *entities, *cells, *pairs, *nested;
	struct shelf shelf;
	size_t kept, keep;
	uint64_t arrivals; /* of the newest record that is on all its shelves */
	double ns_per_unit;
	bool from_events;
};

/* Inside the read lock. Returns: NULL: no such name. */
struct entity *inv_registry_find(struct inv_registry *registry, const char *text, size_t length);
struct pair *inv_registry_find_pair(struct inv_registry *registry, struct entity *invoker,
				    struct entity *artifact);

/* The filler, inside the read lock: finds or adds. Returns: NULL: out of memory. */
struct entity *inv_registry_entity(struct inv_registry *registry, const struct inv_word *word);
struct pair *inv_registry_pair(struct inv_registry *registry, const struct inv_word *invoker,
			       const struct inv_word *artifact);

/* Nobody queries any more. */
void inv_registry_drop_history(struct inv_registry *registry);

/* Adds a tally to a group's totals. Returns: 0 or -ENOMEM. */
int inv_stats_add_cell(struct inv_stats *stats, const struct cell *cell);
void inv_stats_sort_types(struct inv_stats *stats);

#endif
