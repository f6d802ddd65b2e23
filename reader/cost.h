/* SPDX-License-Identifier: MIT */
/*
 * cost.h - what observing cost a session, as every report says it.
 *
 * `run` measures the cost of recording a call before it starts (own_cost.h) and keeps it in
 * the segment; here it is multiplied. Its share is of the time from the session's creation
 * to now, or, when its processes have ended, to the end of the last call: where several
 * threads call at once, their costs add up and the run took less longer than that. A session
 * without `run`, and event lines without totals, have no such number: then nothing is said.
 *
 * Pure functions.
 */
#ifndef INV_READER_COST_H
#define INV_READER_COST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cut.h"
#include "json.h"

struct inv_cost {
	double call_ns, all_ns;
	double percent; /* of the session's time; 0: that is not known */
};

/* Returns: whether it is known; else all is 0. */
bool inv_cost_of(const struct inv_cut *cut, uint64_t calls, struct inv_cost *out);

/* One line, or nothing. */
void inv_cost_say(const struct inv_cut *cut, FILE *to);

/* Members of an object that is open: cost_ns_per_call, cost_ms, cost_percent and
 * cost_at_least; zeros: unknown. */
void inv_cost_put(const struct inv_cut *cut, uint64_t calls, struct inv_json *json);

#endif
