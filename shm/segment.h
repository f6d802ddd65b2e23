/* SPDX-License-Identifier: MIT */
/*
 * segment.h - a segment as its writers hold it: created, joined, reserved.
 *
 * The creator builds the file under a temporary name and gives it its own name by
 * link(2) when it is ready, so that nobody ever sees half a segment; of two creators the
 * second joins the first. Called by the shim's constructor and by `invreg run`. No file
 * descriptor stays open: a program must not find its own numbers moved.
 *
 * [S1] Nothing is stored to a page before it is reserved (see [L1]). Reserving prefers
 *      MADV_POPULATE_WRITE, which needs no file descriptor, reports a full file system
 *      as an error where a store would raise SIGBUS, and fills the page tables, so that
 *      the hot path takes no fault; where the kernel lacks it (before 5.14) the file is
 *      opened again by path and fallocate(2)d.
 */
#ifndef INV_SHM_SEGMENT_H
#define INV_SHM_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "layout.h"
#include "result.h"

struct inv_segment {
	unsigned char *base; /* start of the mapping */
	size_t bytes;
	struct inv_header *header;
	struct inv_shared *shared;
	struct inv_probe_row *probes;
	struct inv_proc *procs;
	struct inv_note *notes;
	inv_a32 *types;
	inv_a64 *names;
	unsigned char *arena;
	struct inv_lane_row *rows;
	struct inv_overflow *overflow;
	struct inv_cell *overflow_cells;
	struct inv_pair *overflow_pairs;
	unsigned char *lanes;
	char path[600]; /* a session's, or the longer one while it is made */
};

#define INV_SEGMENT_DEFAULT_BYTES (UINT64_C(48) << 20)
#define INV_SEGMENT_LEAST_BYTES	  (UINT64_C(4) << 20) /* room for the tables and one lane */
#define INV_SEGMENT_MOST_BYTES	  (UINT64_C(1) << 40)

/* What a creator decides. Zero means the default in each field. */
struct inv_segment_options {
	uint64_t budget_bytes; /* 48 MB, or half of what is free there, whichever is less */
	uint32_t ring_slots;   /* 16,384, more in a larger budget; a power of two, 64 to 2^26 */
	uint32_t lane_count;   /* 256 */
	const struct inv_probe_row *probes;
	uint32_t probe_count;
	uint64_t probes_hash;
	const char *session; /* NUL-terminated, for the header */
	const char *command;
	enum inv_clock_kind clock_kind; /* NONE: detected; tests choose */
	uint64_t cost_ticks_x1024, cost_entry_ticks_x1024;
};

/*
 * Creates the segment `path` (in an existing directory) and maps it. On INV_E_EXISTS
 * nothing was made: call inv_segment_join.
 * Returns: INV_OK, INV_E_EXISTS, INV_E_FULL, INV_E_LIMIT, INV_E_SYSTEM, INV_E_USAGE.
 */
enum inv_result inv_segment_create(struct inv_segment *seg, const char *path,
				   const struct inv_segment_options *options);

/*
 * Maps an existing one read-write, as a further writer. It must be owned by the
 * effective user, a regular file, of our version and consistent.
 * Returns: INV_OK or any refusal of result.h.
 */
enum inv_result inv_segment_join(struct inv_segment *seg, const char *path);

/* Whether mlockall(MCL_FUTURE) is in force. */
void inv_segment_expect_locks(bool on);

/* Where this process has its session, and how much it takes; NULL: nowhere. */
void *inv_segment_mapping(size_t *bytes);

/* Unmaps. For tests and for `run`; the shim never does. */
void inv_segment_detach(struct inv_segment *seg);

/*
 * Makes [offset, offset+bytes) storable, charging the budget; whole pages. Idempotent
 * for the file, not for the budget.
 * Returns: INV_OK, or INV_E_FULL (budget or file system), INV_E_LIMIT (this process may not ask),
 * nothing charged then.
 */
enum inv_result inv_segment_reserve(struct inv_segment *seg, uint64_t offset, uint64_t bytes);

/* What is left of the budget, in bytes. */
uint64_t inv_segment_budget_left(const struct inv_segment *seg);

/* The largest power of two of items, within [least, most], that `share` bytes pay for. */
uint32_t inv_segment_afford(uint64_t share, size_t item_bytes, uint32_t least, uint32_t most);

/* Counts a loss that belongs to no lane. */
void inv_segment_lose(struct inv_segment *seg, enum inv_loss reason, uint64_t count);

struct inv_lane *inv_segment_lane(const struct inv_segment *seg, uint32_t lane);
struct inv_cell *inv_segment_cells(const struct inv_segment *seg, uint32_t lane);
struct inv_pair *inv_segment_pairs(const struct inv_segment *seg, uint32_t lane);
struct inv_slot *inv_segment_ring(const struct inv_segment *seg, uint32_t lane);

/*
 * Checks a header against a file size: magic, version, byte order, and that all regions
 * lie in order inside the file and are large enough for their counts. All that trust a
 * segment's numbers call this first; it reads only *header.
 * Returns: INV_OK, INV_E_MAGIC, INV_E_VERSION, INV_E_BYTE_ORDER, INV_E_NOT_READY,
 * INV_E_CORRUPT.
 */
enum inv_result inv_segment_check(const struct inv_header *header, uint64_t file_bytes);

/*
 * Points seg's fields into `base`, by a header that has passed inv_segment_check: the one that
 * stands there, or a copy of it that nobody else writes to; it has to last.
 */
void inv_segment_locate(struct inv_segment *seg, void *base, size_t bytes,
			struct inv_header *header);

#endif
