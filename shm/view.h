/* SPDX-License-Identifier: MIT */
/*
 * view.h - a segment as a reader holds it: mapped read-only, everything checked.
 *
 * Works alike on a live segment, one whose processes are dead, and a raw snapshot.
 * A reader never writes to the segment, never waits for a writer and never loops for
 * consistency: each structure is copied once and the copy says how it went. Bytes are
 * input: indices are bounded here, whatever the file holds. What this cannot guard
 * against is a file truncated while mapped (SIGBUS): the caller installs a guard.
 *
 * A view may be used by several threads at once; it has no state.
 */
#ifndef INV_SHM_VIEW_H
#define INV_SHM_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "result.h"
#include "segment.h"

struct inv_view {
	/* PROT_READ: never store through it. header: a copy of our own; path: the opener's */
	struct inv_segment seg;
};

/*
 * Maps the segment or raw snapshot open in fd (which stays the caller's).
 * Returns: INV_OK; INV_E_KIND, INV_E_MAGIC, INV_E_VERSION, INV_E_BYTE_ORDER,
 * INV_E_NOT_READY, INV_E_CORRUPT, INV_E_SYSTEM. On INV_E_VERSION *found is its version.
 */
enum inv_result inv_view_open(struct inv_view *view, int fd, uint32_t *found);
void inv_view_close(struct inv_view *view);

/* Lanes with an index at or above this one were never used. At most header.lane_count. */
uint32_t inv_view_lane_count(const struct inv_view *view);

/*
 * A copy of one lane's counters and tallies, with the redo record applied where the
 * writer stands (or died) in the middle of a commit. Each cell is exact at some instant
 * during the call. The struct types are those of layout.h; nobody else writes the copy.
 */
struct inv_lane_copy {
	uint32_t lane;
	struct inv_lane_row row;
	struct inv_lane fixed;
	uint32_t cell_count;
	struct inv_cell *cells; /* cells[0], cells[1] are the _other cells */
	uint32_t pair_count;	/* includes empty ones: key 0 */
	struct inv_pair *pairs; /* pairs[0] is the _other pair */
	bool redone;		/* a commit was finished in this copy */
};

/* Returns: INV_OK; INV_E_NOT_FOUND: never claimed; INV_E_SYSTEM: out of memory. */
enum inv_result inv_view_lane(const struct inv_view *view, uint32_t lane,
			      struct inv_lane_copy *out);
void inv_lane_copy_free(struct inv_lane_copy *copy);

/* Calls begun and not returned, by the invariant [I1]; not below 0. */
uint64_t inv_lane_copy_open_calls(const struct inv_lane_copy *copy);

/* The number of calls in a cell: the sum of its buckets [T1]. */
uint64_t inv_cell_calls(const struct inv_cell *cell);

/* The overflow region, copied in the same form (row and the rest of `fixed` are zero). */
struct inv_overflow_copy {
	struct inv_overflow fixed;
	uint32_t cell_count;
	struct inv_cell *cells;
	uint32_t pair_count;
	struct inv_pair *pairs;
};
enum inv_result inv_view_overflow(const struct inv_view *view, struct inv_overflow_copy *out);
void inv_overflow_copy_free(struct inv_overflow_copy *copy);

/* ---- events ----------------------------------------------------------------- */

/* One slot, decoded. */
struct inv_event {
	uint64_t index; /* place in the lane's sequence, from 1 */
	uint32_t lane;
	uint8_t state; /* INV_SLOT_ATTEMPT, _DONE, _ABANDONED; _TEXT: skip it */
	uint8_t probe;
	uint8_t depth;
	uint8_t flags; /* INV_FLAG_*; valid when done */
	uint16_t type; /* index into types; valid when done */
	uint16_t proc; /* row, or INV_PROC_NONE */
	uint16_t generation;
	uint16_t args_count;
	uint32_t tid;
	uint32_t invoker; /* name ids */
	uint32_t artifact;
	uint32_t method;
	int64_t tick;
	uint64_t start_ticks;
	uint64_t duration_ticks; /* valid when done */
	uint8_t text_slots;	 /* outcome's text */
	uint32_t text_distance;
	bool names_follow; /* text of names without an id follows the slot */
};

enum inv_slot_read {
	INV_SLOT_READ_OK,
	INV_SLOT_READ_LAPPED,  /* overwritten by a later index: lost */
	INV_SLOT_READ_PENDING, /* not published yet, or being written: come back */
	INV_SLOT_READ_NONE     /* the lane has no ring, or index is 0 */
};

/* The most that a slot can hold: a loop up to a head ends. */
#define INV_SEQ_INDEX_MAX (UINT64_MAX >> 3)

/*
 * Index of the last published slot of the lane, 0 = none, at most INV_SEQ_INDEX_MAX; and how
 * many slots its ring has.
 */
uint64_t inv_view_head(const struct inv_view *view, uint32_t lane);
uint32_t inv_view_ring_slots(const struct inv_view *view, uint32_t lane);

/* Copies one slot [B1][B3]. */
enum inv_slot_read inv_view_event(const struct inv_view *view, uint32_t lane, uint64_t index,
				  struct inv_event *out);

/* Puts state, duration and outcome of a decoded event back into a copy of its slot. */
void inv_view_event_store(const struct inv_event *event, struct inv_slot *slot);

/* Text that belongs to an event. Not NUL-terminated; bytes may be anything. */
struct inv_event_text {
	char message[INV_MESSAGE_BYTES_MAX];
	uint32_t message_length;
	bool message_cut;
	char name[3][INV_MESSAGE_BYTES_MAX]; /* invoker, artifact, method without an id */
	uint32_t name_length[3];	     /* 0 = the id holds */
	uint64_t origin; /* INV_CALL_ID of the first slot of a rewritten event, else 0 */
	bool lapped;	 /* some of it was overwritten already */
};
void inv_view_event_text(const struct inv_view *view, const struct inv_event *event,
			 struct inv_event_text *out);

/* ---- names and rows --------------------------------------------------------- */

/* Text of a name id. Returns: pointer into the view and *length; "_other" for 0 and bad ids. */
const char *inv_view_name(const struct inv_view *view, uint32_t id, size_t *length);

/* Text of a type. Returns: as inv_view_name. */
const char *inv_view_type(const struct inv_view *view, uint32_t type, size_t *length);

/* Copies; strings in the copy are NUL-terminated whatever the file holds. */
void inv_view_proc(const struct inv_view *view, uint32_t row, struct inv_proc *out);
void inv_view_probe(const struct inv_view *view, uint32_t probe, struct inv_probe_row *out);

/* Returns: false when the note at `place` (0 to INV_NOTES_MAX-1) is empty or half-written. */
bool inv_view_note(const struct inv_view *view, uint32_t place, struct inv_note *out);

/* The losses counted outside lanes. */
uint64_t inv_view_lost(const struct inv_view *view, enum inv_loss reason);

#endif
