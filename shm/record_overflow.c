/* SPDX-License-Identifier: MIT */
/*
 * record_overflow.c - calls that have no lane: tallied by fetch_add, without an event.
 *
 * Of threads beyond the lanes, of processes beyond the table, and of signal handlers that
 * interrupted our own record. May run inside such a handler: nothing here allocates or takes
 * a lock; a name cache is taken by a test-and-set, and where none is free the names are lost.
 */
#include <string.h>

#include "record_private.h"

#define OVERFLOW_CACHES 64u

static struct {
	atomic_flag taken;
	struct inv_name_cache names;
} caches[OVERFLOW_CACHES];

void inv_overflow_enter(struct inv_call *call)
{
	uint32_t at = (uint32_t)((uintptr_t)&inv_tls >> 6);
	call->mode = INV_CALL_OVERFLOW;
	call->thread = NULL;
	call->names = NULL;
	for (uint32_t i = 0; i < OVERFLOW_CACHES; i++, at++) {
		at %= OVERFLOW_CACHES;
		/* [B10] acquire: the cache as its last user left it; pairs with leave */
		if (!atomic_flag_test_and_set_explicit(&caches[at].taken, memory_order_acquire)) {
			call->names = &caches[at].names;
			return;
		}
	}
}

static void leave(struct inv_call *call)
{
	for (uint32_t i = 0; i < OVERFLOW_CACHES; i++)
		if (call->names == &caches[i].names)
			/* [B10] release: the cache before it is free; pairs with enter */
			atomic_flag_clear_explicit(&caches[i].taken, memory_order_release);
	call->names = NULL;
}

static void count_misses(struct inv_segment *seg, const struct inv_call_fields *f)
{
	for (unsigned i = 0; i < 3; i++) {
		if (!(f->missed & (1u << i)))
			continue;
		if (f->miss[i].unreadable)
			inv_segment_lose(seg, INV_LOSS_UNREADABLE, 1);
		if (f->miss[i].overflow)
			inv_segment_lose(seg, INV_LOSS_NAME_OVERFLOW, 1);
	}
}

void inv_overflow_begin(struct inv_call *call, const struct inv_call_fields *f)
{
	struct inv_segment *seg = inv_process.segment;
	enum inv_loss why = (enum inv_loss)call->lane;
	bool paused = inv_control_paused();
	leave(call);
	if (paused) {
		inv_segment_lose(seg, INV_LOSS_PAUSED, 1);
		call->mode = INV_CALL_UNOBSERVED;
		return;
	}
	call->what = f->method;
	call->where = INV_WHERE(0, 0, f->args_count, f->probe, 0);
	inv_segment_lose(seg, why, 1);
	count_misses(seg, f);
	atomic_fetch_add_explicit(&seg->overflow->begun, 1, memory_order_relaxed);
	INV_TEST_POINT(overflow_begun);
	call->start_ticks = inv_clock_ticks(inv_process.clock);
}

void inv_overflow_end(struct inv_call *call, const struct inv_call_outcome *o, uint64_t duration)
{
	struct inv_segment *seg = inv_process.segment;
	uint32_t artifact = (uint32_t)(call->who >> 32);
	if (call->epoch != inv_process.epoch) /* begun elsewhere */
		atomic_fetch_add_explicit(&seg->overflow->inherited, 1, memory_order_relaxed);
	inv_overflow_tally(seg, INV_CELL_KEY(artifact, (uint32_t)call->what, o->type, o->failed),
			   INV_PAIR_KEY((uint32_t)call->who, artifact), call->start_ticks, duration,
			   (int64_t)call->tick);
	leave(call);
}

void inv_overflow_forget(void)
{
	memset(caches, 0, sizeof(caches));
}
