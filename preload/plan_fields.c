/* SPDX-License-Identifier: MIT */
/*
 * plan_fields.c - the fields of a call at entry, for the wrappers of native functions.
 *
 * The common cases, on every call's way, and built without vector registers (vectors.h); the
 * others are plan.c's.
 */
#include "preload/plan.h"

#include <string.h>

static inline __attribute__((always_inline)) uint32_t
name_at(const struct inv_plan *plan, unsigned field, const struct inv_registers *regs,
	struct inv_name_cache *names, struct inv_call_fields *out)
{
	const struct inv_fetch *f = &plan->fetch[field];
	if (__builtin_expect(f->kind == INV_FETCH_STRING, 1)) {
		const char *p = (const char *)(uintptr_t)regs->integer[f->reg];
		uint32_t id = __builtin_expect(names != NULL, 1) ? inv_name_hit(names, p) : 0;
		if (__builtin_expect(id != 0, 1))
			return id;
	} else if (f->kind == INV_FETCH_CONSTANT) {
		return (uint32_t)f->constant;
	}
	return INV_SLOW(regs->vectors, inv_plan_name_slow(plan, field, regs, names, out));
}

static inline __attribute__((always_inline)) uint64_t
number_at(const struct inv_fetch *f, const struct inv_plan_source *s,
	  const struct inv_registers *regs, struct inv_name_cache *names, bool *unreadable)
{
	if (f->kind == INV_FETCH_REGISTER)
		return inv_plan_narrow(regs->integer[f->reg], (enum inv_type)f->type);
	if (f->kind == INV_FETCH_LOAD && names) {
		uintptr_t at = (uintptr_t)(regs->integer[f->reg] + (uint64_t)f->offset);
		if (__builtin_expect(inv_readable_hit(names, at, 8), 1)) {
			uint64_t v;
			memcpy(&v, (const void *)at, 8); /* eight bytes can be read there */
			if (f->bytes == 8)
				return v;
			if (f->bytes == 4)
				return inv_plan_narrow((uint32_t)v, (enum inv_type)f->type);
		}
	} else if (f->kind == INV_FETCH_CONSTANT) {
		return f->constant;
	}
	return INV_SLOW(regs->vectors, inv_plan_number_slow(s, regs, names, unreadable));
}

void inv_plan_fields(const struct inv_plan *plan, const struct inv_registers *regs,
		     struct inv_name_cache *names, struct inv_call_fields *out)
{
	bool bad_tick = false, bad_count = false;
	out->probe = plan->index;
	out->missed = 0;
	out->invoker = name_at(plan, INV_FIELD_INVOKER, regs, names, out);
	out->artifact = name_at(plan, INV_FIELD_ARTIFACT, regs, names, out);
	out->method = name_at(plan, INV_FIELD_METHOD, regs, names, out);
	out->tick = (int64_t)number_at(&plan->fetch[INV_FIELD_TICK], &plan->field[INV_FIELD_TICK],
				       regs, names, &bad_tick);
	int64_t count =
		(int64_t)number_at(&plan->fetch[INV_FIELD_ARGS_COUNT],
				   &plan->field[INV_FIELD_ARGS_COUNT], regs, names, &bad_count);
	out->args_count = inv_plan_args_count(count);
	out->unreadable = (uint32_t)bad_tick + bad_count;
}
