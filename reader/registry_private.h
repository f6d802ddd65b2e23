/* SPDX-License-Identifier: MIT */
/*
 * registry_private.h - the nodes, shared by the filling and the asking half.
 *
 * An entity is any name: as an artifact it has cells, as an invoker pairs and records.
 * Lists are pushed at the head with a release store and walked with rcu_dereference.
 */
#ifndef INV_READER_REGISTRY_PRIVATE_H
#define INV_READER_REGISTRY_PRIVATE_H

/* memb flavour by name: no symbols of the generic header mix in */
#include <urcu/urcu-memb.h>

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

struct pair {
	struct cds_lfht_node node;
	struct pair *next; /* of the invoker */
	struct entity *invoker, *artifact;
	uint64_t calls, failures, sum;
};

struct record {
	struct rcu_head rcu;
	struct record *older;		   /* of all */
	struct record *older_same;	   /* of the invoker */
	struct record *newer, *newer_same; /* the filler's alone */
	struct entity *invoker;
	struct inv_call call;
	char message[];
};

struct chain {
	struct record *newest;
	struct record *oldest; /* the filler's alone */
};

struct entity {
	struct cds_lfht_node node;
	struct cell *cells;
	struct pair *pairs;
	struct chain chain;
	uint64_t unique_invokers;
	struct inv_word word; /* last: its text follows */
};

struct inv_registry {
	struct cds_lfht *entities, *cells, *pairs;
	struct chain chain;
	size_t kept, keep;
	double ns_per_unit;
	bool from_events;
};

/* Inside the read lock. Returns: NULL: no such name. */
struct entity *inv_registry_find(struct inv_registry *registry, const char *text, size_t length);

#endif
