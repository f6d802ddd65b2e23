/* SPDX-License-Identifier: MIT */
/*
 * plan_call.c - a native call by its plan, from its registers to the record.
 *
 * One function at entry and one at return, with the whole path inlined. Built without vector
 * registers (vectors.h).
 */
#include "preload/plan.h"

#include "preload/plan_path.h"

/* A call that is the thread's first, or has no lane, or none at all. */
static void __attribute__((noinline, cold))
begin_elsewhere(struct inv_call *call, const struct inv_plan *plan,
		const struct inv_registers *regs, uintptr_t frame)
{
	struct inv_call_fields fields;
	if (!inv_record_enter_at(call, frame, call->vectors))
		return;
	struct inv_path_fields found = inv_path_read(plan, regs, call, &fields);
	inv_record_begin(call, inv_path_spill(&fields, &found));
}

void inv_plan_begin(struct inv_call *call, const struct inv_plan *plan, struct inv_registers *regs,
		    uintptr_t frame, struct inv_vectors *vectors)
{
	struct inv_call_fields missed;
	if (__builtin_expect(!inv_path_enter(call, frame, vectors), 0)) {
		begin_elsewhere(call, plan, regs, frame);
		return;
	}
	struct inv_path_fields fields = inv_path_read(plan, regs, call, &missed);
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

/* A call that has no lane, or begun in another thread or process. */
static void __attribute__((noinline, cold))
end_elsewhere(struct inv_call *call, const struct inv_plan *plan, const struct inv_registers *regs,
	      uint64_t now)
{
	inv_vectors_keep(call->vectors);
	inv_record_reenter(call);
	if (call->mode != INV_CALL_UNOBSERVED)
		end_judged(call, plan, regs, now);
}

void inv_plan_end(struct inv_call *call, const struct inv_plan *plan, struct inv_registers *regs,
		  struct inv_vectors *vectors, uint64_t now)
{
	call->vectors = vectors;
	if (__builtin_expect(!inv_path_back(call), 0)) {
		end_elsewhere(call, plan, regs, now);
		return;
	}
	if (__builtin_expect(!inv_plan_plain_success(plan, regs->result), 0)) {
		end_judged(call, plan, regs, now);
		return;
	}
	struct inv_call_outcome outcome = {.type = plan->result_type};
	inv_path_end(call, &outcome, now);
}
