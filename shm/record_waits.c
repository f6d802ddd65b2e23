/* SPDX-License-Identifier: MIT */
/*
 * record_waits.c - calls that wait: in the in-flight stack, but not on the thread's own.
 *
 * They end in any order, and in any thread. A place below the top of the in-flight stack that
 * is suspended or closed is aside: no depth, no parent. Places are not moved together, since a
 * call knows its own by number; what has returned in another thread frees its place when there
 * is want of one. A call without a place is told by itself (inv_call.waits).
 *
 * The thread's own; nothing here makes a system call.
 */
#include "record_private.h"

/* ---- places that are not on the stack ---------------------------------------------- */

/* The last place is an open one. */
static void lower_top(struct inv_thread *t)
{
	while (t->top && !t->frames[t->top - 1].ordinal_1) {
		t->top--;
		t->aside--;
	}
}

void inv_charge(struct inv_thread *t, uint32_t place, uint64_t duration)
{
	while (place && !inv_on_stack(&t->frames[place - 1]))
		place--;
	if (place)
		t->frames[place - 1].children_ticks += duration;
}

void inv_close_among(struct inv_thread *t, uint32_t place, uint64_t duration)
{
	struct inv_frame *f = &t->frames[place];
	bool waited = !inv_on_stack(f), last = place + 1 == t->top;
	if (!waited) { /* one that waited while others worked is nobody's child */
		inv_charge(t, place, duration);
		t->aside++;
	}
	f->ordinal_1 = 0;
	lower_top(t);
	if (last && !waited && t->deep)
		inv_abandon_deep(t);
}

uint32_t inv_forget_moved(struct inv_thread *t)
{
	for (uint32_t i = 0; i < t->top; i++)
		if (t->frames[i].address == INV_FRAME_SUSPENDED &&
		    !inv_get(&t->lane->inflight[i].ordinal_1))
			t->frames[i].ordinal_1 = 0;
	inv_fence_reuse();
	lower_top(t);
	return t->top;
}

/* ---- suspend and resume -------------------------------------------------------------- */

static bool is_own(const struct inv_call *call)
{
	return call->mode == INV_CALL_LANE && call->thread == inv_tls.thread &&
	       call->epoch == inv_process.epoch;
}

/* Returns: the frame of a call of this thread's that is in the in-flight stack, or NULL. */
static struct inv_frame *own_frame(const struct inv_call *call)
{
	if (!is_own(call) || !call->place_1)
		return NULL;
	struct inv_frame *f = &call->thread->frames[call->place_1 - 1];
	return f->ordinal_1 == call->ordinal_1 ? f : NULL;
}

/* Whether it is one of this thread's beyond the in-flight stack. */
static bool own_deep(const struct inv_call *call)
{
	return is_own(call) && !call->place_1 && call->claims == call->thread->claims;
}

/* It takes no stack while it waits. Where it had been judged jumped over, it was not. */
static void lay_aside(struct inv_call *call)
{
	struct inv_thread *t = call->thread;
	call->waits = true;
	if (t->deep) {
		inv_deep_ended(t);
	} else {
		inv_put(&t->lane->abandoned, inv_get(&t->lane->abandoned) - 1);
		inv_put(&t->lane->redo.abandoned, inv_get(&t->lane->abandoned));
	}
}

void inv_record_suspend(struct inv_call *call)
{
	struct inv_frame *f = own_frame(call);
	if (own_deep(call) && !call->waits)
		lay_aside(call);
	if (!f || f->address == INV_FRAME_SUSPENDED)
		return;
	f->pointer = 0; /* the wrapper's frame ends now */
	f->address = INV_FRAME_SUSPENDED;
	call->thread->aside++;
}

void inv_record_resume(struct inv_call *call, uintptr_t frame)
{
	struct inv_frame *f = own_frame(call);
	call->frame = frame;
	if (own_deep(call) && call->waits) {
		call->thread->deep++;
		call->waits = false;
	}
	if (!f || f->address != INV_FRAME_SUSPENDED)
		return;
	f->address = frame;
	call->thread->aside--;
}
