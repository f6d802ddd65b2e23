/* SPDX-License-Identifier: MIT */
/*
 * wrap_call.h - what every wrapper does before the real call.
 *
 * Inlined into the wrapper, so that the frame that record.h judges jumps by is the
 * wrapper's own. errno is as the caller and the real function left it.
 */
#ifndef INV_PRELOAD_WRAP_CALL_H
#define INV_PRELOAD_WRAP_CALL_H

#include "preload/got.h"
#include "preload/plan.h"

static inline __attribute__((always_inline)) void
inv_wrap_enter(struct inv_call *call, const struct inv_plan *plan, struct inv_registers *regs)
{
	if (__builtin_expect(inv_got_stale(), 0))
		inv_got_catch_up();
	inv_plan_begin(call, plan, regs, inv_call_frame(call), NULL);
}

#endif
