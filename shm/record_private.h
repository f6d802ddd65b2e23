/* SPDX-License-Identifier: MIT */
/*
 * record_private.h - what record.c (the hot path) and record_thread.c (who am I) share.
 *
 * A thread's private state lives in a static array parallel to the lanes: no allocation,
 * and untouched pages cost nothing. It is private memory, so that it may hold pointers
 * and be rebuilt at any claim.
 */
#ifndef INV_SHM_RECORD_PRIVATE_H
#define INV_SHM_RECORD_PRIVATE_H

#include "lane.h"
#include "record.h"
#include "ring.h"
#include "tally.h"

#define INV_CELL_INDEX_BITS 10u /* of the first index */
#define INV_CELL_INDEX_MOST 18u

/* Of an open call, next to its in-flight entry. */
struct inv_frame {
	uint64_t ordinal_1; /* 0: this place is empty */
	uint64_t children_ticks;
	/* In the wrapper's frame: a fork child has its own, where the entry goes on in the parent.
	 */
	const struct inv_call *call;
	INV_FRAME_WORDS(address, pointer); /* of the wrapper's frame */
};
#define INV_FRAME_SUSPENDED UINTPTR_MAX /* address of a call that waits: never jumped over */

/* Whether it is open, and does not wait. */
static inline bool inv_on_stack(const struct inv_frame *f)
{
	return f->ordinal_1 && f->address != INV_FRAME_SUSPENDED;
}

struct inv_thread {
	struct inv_lane *lane;
	struct inv_slot *ring; /* NULL: no ring was granted */
	struct inv_cell *cells;
	struct inv_pair *pairs;
	uint64_t ring_mask;
	uint64_t plain_generation; /* of the control page: nothing is on in it, and there is a ring
				    */
	uint64_t owner;
	uint64_t what_base, where_base, id_base; /* what is the same in each of its calls */
	uint32_t lane_index;
	uint32_t claims; /* of the lane, when we claimed it */
	uint32_t tid;
	uint32_t cell_count;
	uint32_t cells_reserved;
	uint32_t calls_without_cell; /* since there were last more cells to be had */
	uint32_t pair_bits;
	uint32_t top;	    /* open places are below it */
	uint32_t deep;	    /* open calls beyond INV_INFLIGHT_MAX */
	uint32_t deep_most; /* how many may be, for the stack's sake; 0: not asked yet */
	uint32_t aside;	    /* places below top that are not on the stack: suspended or closed */
	uint32_t epoch;
	uintptr_t stack_low, stack_high; /* 0: not asked yet */
	struct inv_frame frames[INV_INFLIGHT_MAX];
	uint16_t *cell_index; /* hash of key -> cell, 0 = empty; NULL: none was made yet */
	uint32_t cell_bits;
	bool index_fixed; /* no larger one is to be had */
	uint16_t small_index[1u << INV_CELL_INDEX_BITS];
	struct inv_name_cache names;
	uint64_t rules_generation; /* of the control page that `rules` are from */
	struct inv_control_rules rules;
};

/* Per thread, a few bytes: initial-exec costs nothing. */
struct inv_tls {
	struct inv_thread *thread;
	uintptr_t busy; /* frame of the wrapper whose record is being written; 0: none */
	/* Calls further down the stack than this, which is 0 as a rule, make no frame [C5]. */
	uintptr_t full_below;
	inv_a64 *passed;       /* where they are counted; NULL: in a child that is ignored */
	uint32_t lane_changes; /* when we last found no lane */
	uint32_t calls_without_lane;
};
extern __thread struct inv_tls inv_tls;

struct inv_process {
	struct inv_segment *segment; /* NULL: not observed */
	inv_a32 *alive; /* epoch, in a page that fork wipes: 0 in a child that has not noticed */
	const struct inv_control *control; /* one where nothing is on, if there is none */
	enum inv_clock_kind clock;
	uint32_t epoch; /* bumped in each fork child */
	uint32_t row;	/* INV_PROC_NONE: none was free */
	uint16_t generation;
};
extern struct inv_process inv_process;

/* The cold halves of enter and reenter: fork, first call, busy, no lane. To be called with a
 * mode of UNOBSERVED, which stays where nothing is to be recorded. */
bool inv_enter_slow(struct inv_call *call, uintptr_t frame);
void inv_reenter_slow(struct inv_call *call);
/* Where there is no segment; in an ignored child the thread's calls make no frame from now on.
 * Returns: false. */
bool inv_enter_nothing(void);

/* Calls without a lane; call->lane says why, which is counted when they begin. */
void inv_overflow_enter(struct inv_call *call);
void inv_overflow_begin(struct inv_call *call, const struct inv_call_fields *fields);
void inv_overflow_end(struct inv_call *call, const struct inv_call_outcome *outcome,
		      uint64_t duration);
/* The tests' detach: ids belong to the segment that is gone. */
void inv_overflow_forget(void);

/* What the control page says about a call. */
enum inv_verdict { INV_VERDICT_ALL = 0, INV_VERDICT_TALLY, INV_VERDICT_NOTHING };

#define INV_GENERATION_NONE UINT64_MAX

/* When the page's generation is not the thread's plain one. */
enum inv_verdict inv_control_judge(struct inv_thread *t, const struct inv_call_fields *fields);
/* For calls without a lane, which have no event to filter. */
bool inv_control_paused(void);
/* A thread that gets this state knows nothing of the page yet. */
void inv_control_forget(struct inv_thread *t);

/* Fills in stack_low and stack_high: those of the mapping that holds address, or of none. */
void inv_find_stack(struct inv_thread *t, uintptr_t address);

/* A call beyond the in-flight stack has begun; may find that it has to be the last [C5]. */
void inv_deep_begun(struct inv_thread *t, const struct inv_call *call);

/* One has returned: there is room again. */
static inline void inv_deep_ended(struct inv_thread *t)
{
	t->deep--;
	inv_tls.full_below = 0;
}

/* The time of a child, to the call around `place`: the nearest that does not wait itself. */
void inv_charge(struct inv_thread *t, uint32_t place, uint64_t duration);

/* Closes a place where others below `top` are suspended, or closed before it. */
void inv_close_among(struct inv_thread *t, uint32_t place, uint64_t duration);

/* Frees places of suspended calls that returned in other threads [C2]. Returns: the new top. */
uint32_t inv_forget_moved(struct inv_thread *t);

/* The index of the cells that there are. */
void inv_cells_index(struct inv_thread *t);

/* A larger index. Returns: a free place in it for the key, or UINT32_MAX. */
uint32_t inv_cells_grow_index(struct inv_thread *t, uint64_t key);

/* Retires the first slot and in-flight entry of a call that another thread began. */
void inv_tell_first_lane(const struct inv_call *call);

/* Counts calls beyond the in-flight stack as jumped over. */
void inv_abandon_deep(struct inv_thread *t);

/* Marks open calls at or below `frame` on this stack as jumped over [C3]. */
void inv_abandon_jumped(struct inv_thread *t, uintptr_t frame);

static inline void inv_set_busy(uintptr_t frame)
{
	inv_tls.busy = frame;
	/* A signal handler of this thread sees busy before what follows. */
	atomic_signal_fence(memory_order_seq_cst);
}

static inline void inv_clear_busy(void)
{
	atomic_signal_fence(memory_order_seq_cst);
	inv_tls.busy = 0;
}

static inline uint64_t inv_get(const inv_a64 *word)
{
	return atomic_load_explicit((inv_a64 *)word, memory_order_relaxed);
}

static inline void inv_put(inv_a64 *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

/* A word with one writer: no read-modify-write is needed. */
static inline void inv_bump(inv_a64 *word, uint64_t by)
{
	inv_put(word, inv_get(word) + by);
}

#endif
