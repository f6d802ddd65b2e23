/* SPDX-License-Identifier: MIT */
/*
 * call.h - one call as the reader sees it, wherever it came from: the attempt and, when
 * it is known, the outcome, merged.
 */
#ifndef INV_READER_CALL_H
#define INV_READER_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "words.h"

enum inv_call_state {
	INV_CALL_OPEN = 0, /* no outcome known: in flight, abandoned or cut off */
	INV_CALL_DONE = 1
};

struct inv_call {
	uint64_t sequence; /* index of its slot in its lane */
	uint64_t id;	   /* INV_CALL_ID: the same in the attempt and the outcome */
	int64_t start_ns;  /* realtime */
	uint64_t duration_ns;
	uint64_t nested_ns;   /* of it in calls that it made; 0 but from a file */
	uint64_t parent;      /* the id of the call that it was made in; 0 but from a file */
	uint64_t start_ticks; /* 0 from a file */
	int64_t tick;
	uint32_t pid; /* 0: its process row has been taken by another since */
	uint32_t tid;
	uint32_t lane;
	uint32_t message_length;
	const char *message; /* of a failure; owned by whoever filled this in */
	const struct inv_word *invoker, *artifact, *method;
	const struct inv_word *type; /* error or result type; NULL while open */
	const struct inv_word *probe, *session;
	uint16_t args_count;
	uint8_t depth;
	uint8_t state; /* enum inv_call_state */
	uint8_t flags; /* INV_FLAG_* */
};

static inline bool inv_call_failed(const struct inv_call *call)
{
	return call->flags & 1u; /* INV_FLAG_FAILED */
}

/* When it returned, of one that is done; a file may say what does not fit into a time. */
static inline int64_t inv_call_end_ns(const struct inv_call *call)
{
	int64_t end;
	return __builtin_add_overflow(call->start_ns, call->duration_ns, &end) ? call->start_ns
									       : end;
}

#endif
