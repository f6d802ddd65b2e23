/* SPDX-License-Identifier: MIT */
/*
 * plan_call.c - a native call by its plan, from its registers to the record.
 *
 * One function at entry and one at return, with the whole path inlined. Built without vector
 * registers (vectors.h).
 */
#include "preload/plan.h"

#include "preload/plan_path.h"

void inv_plan_begin(struct inv_call *call, const struct inv_plan *plan, struct inv_registers *regs,
		    uintptr_t frame, struct inv_vectors *vectors)
{
	struct inv_call_fields missed;
	regs->vectors = vectors;
	if (__builtin_expect(!inv_path_enter(call, frame, vectors), 0))
		return;
	struct inv_path_fields fields = inv_path_read(plan, regs, call->names, &missed);
	inv_path_begin(call, &fields, &missed);
}

/* A call that may have failed, or has a result type of its own. */
static void __attribute__((noinline)) end_judged(struct inv_call *call, const struct inv_plan *plan,
						 const struct inv_registers *regs, uint64_t now)
{
	struct inv_call_outcome outcome;
	inv_vectors_keep(call->vectors);
	inv_plan_outcome(plan, regs, call->names, &outcome);
	if (outcome.failed && plan->field[INV_FIELD_ERROR_MESSAGE].rewrite)
		inv_plan_end_rewritten(plan, regs, call, &outcome, now);
	else
		inv_record_end(call, &outcome, now);
}

void inv_plan_end(struct inv_call *call, const struct inv_plan *plan, struct inv_registers *regs,
		  struct inv_vectors *vectors, uint64_t now)
{
	regs->vectors = call->vectors = vectors;
	inv_path_reenter(call);
	if (__builtin_expect(call->mode == INV_CALL_UNOBSERVED, 0))
		return;
	if (__builtin_expect(!inv_plan_plain_success(plan, regs->result), 0)) {
		end_judged(call, plan, regs, now);
		return;
	}
	struct inv_call_outcome outcome = {.type = plan->result_type};
	inv_path_end(call, &outcome, now);
}
