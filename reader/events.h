/* SPDX-License-Identifier: MIT */
/*
 * events.h - event lines: the fields of the three events in their fixed order, then
 * sequence, call, pid, tid, depth, probe, session.
 *
 * Fixed text is copied, names come escaped, numbers are formatted in place: no parsing of
 * formats, no allocation. Flags of an event follow at the end, only when they are set:
 * "forked", "rewritten", "truncated", "unreadable", "clamped", "invalid_utf8".
 *
 * One thread a writer.
 */
#ifndef INV_READER_EVENTS_H
#define INV_READER_EVENTS_H

#include "buf.h"
#include "call.h"
#include "json.h"

struct inv_src;

struct inv_events {
	struct inv_buf *out;
	struct inv_json_clock clock;
	struct inv_json_clock end_clock; /* outcomes run ahead of attempts */
};

/* One line: the call has begun. */
void inv_events_attempt(struct inv_events *events, const struct inv_call *call);

/* One line: the call has returned; call->state must be INV_CALL_DONE. */
void inv_events_outcome(struct inv_events *events, const struct inv_call *call);

/* One line: slots first to last of a lane are not known any more. */
void inv_events_lost(struct inv_events *events, uint32_t lane, uint64_t first, uint64_t last,
		     const char *reason);

/* What a source knows to be lost, and all that it holds: the lost first, then the calls. */
void inv_events_lost_of(struct inv_events *events, const struct inv_src *src);
void inv_events_of(struct inv_events *events, const struct inv_src *src);

#endif
