/* SPDX-License-Identifier: MIT */
/*
 * wrap_call.h - what every wrapper does around the real call: enter and leave.
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
	struct inv_call_fields fields;
	regs->vectors = NULL;
	if (__builtin_expect(inv_got_stale(), 0))
		inv_got_catch_up();
	if (__builtin_expect(!inv_record_enter(call), 0))
		return;
	inv_plan_fields(plan, regs, call->names, &fields);
	inv_record_begin(call, &fields);
}

/* `now` is read by the caller, first of all. */
static inline __attribute__((always_inline)) void inv_wrap_leave(struct inv_call *call,
								 const struct inv_plan *plan,
								 const struct inv_registers *regs,
								 uint64_t now)
{
	struct inv_call_outcome outcome;
	inv_record_reenter(call);
	if (__builtin_expect(!call->mode, 0))
		return;
	inv_plan_outcome(plan, regs, call->names, &outcome);
	if (__builtin_expect(outcome.failed && plan->field[INV_FIELD_ERROR_MESSAGE].rewrite != 0,
			     0)) {
		inv_plan_end_rewritten(plan, regs, call, &outcome, now);
		return;
	}
	inv_record_end(call, &outcome, now);
}

#endif
