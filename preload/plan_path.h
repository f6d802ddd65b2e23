/* SPDX-License-Identifier: MIT */
/*
 * plan_path.h - the fields of a native call at entry: the common cases, to be inlined.
 *
 * On every call's way (record_path.h), and so without vector registers; the others are
 * plan.c's.
 */
#ifndef INV_PRELOAD_PLAN_PATH_H
#define INV_PRELOAD_PLAN_PATH_H

#include <string.h>

#include "preload/plan.h"
#include "preload/std_text.h"
#include "shm/record_path.h"

/* Apart, so that a probe without such texts has no code of theirs on its way. */
static __attribute__((noinline)) uint32_t inv_path_std_name(const struct inv_fetch *f,
							    const struct inv_registers *regs,
							    const struct inv_name_cache *names)
{
	if (__builtin_expect(!names, 0))
		return 0;
	if (f->kind == INV_FETCH_STDVIEW)
		return inv_std_view_known(names, regs->integer[f->reg], regs->integer[f->reg + 1]);
	return inv_std_string_known(names,
				    (uintptr_t)(regs->integer[f->reg] + (uint64_t)f->offset));
}

static inline __attribute__((always_inline)) uint32_t
inv_path_name(const struct inv_plan *plan, unsigned field, const struct inv_registers *regs,
	      const struct inv_call *call, struct inv_call_fields *missed)
{
	struct inv_name_cache *names = call->names;
	const struct inv_fetch *f = &plan->fetch[field];
	if (__builtin_expect(f->kind == INV_FETCH_STRING, 1)) {
		const char *p = (const char *)(uintptr_t)regs->integer[f->reg];
		uint32_t id = __builtin_expect(names != NULL, 1) ? inv_name_hit(names, p) : 0;
		if (__builtin_expect(!id && names != NULL, 0))
			id = inv_name_find(names, inv_process.segment, p);
		if (__builtin_expect(id != 0, 1))
			return id;
	} else if (f->kind == INV_FETCH_CONSTANT) {
		return (uint32_t)f->constant;
	} else if (f->kind == INV_FETCH_STDSTR || f->kind == INV_FETCH_STDVIEW) {
		uint32_t id = inv_path_std_name(f, regs, names);
		if (__builtin_expect(id != 0, 1))
			return id;
	}
	return INV_SLOW(call->vectors, inv_plan_name_slow(plan, field, regs, names, missed));
}

/* A register, or a load that read on, cut to the width of its type. */
static inline uint64_t inv_path_extend(const struct inv_fetch *f, uint64_t v)
{
	return (uint64_t)((int64_t)(v << f->shift) >> f->shift) & f->bits;
}

static inline __attribute__((always_inline)) uint64_t
inv_path_number(const struct inv_plan *plan, unsigned field, const struct inv_registers *regs,
		const struct inv_call *call, struct inv_call_fields *missed)
{
	struct inv_name_cache *names = call->names;
	const struct inv_fetch *f = &plan->fetch[field];
	if (f->kind == INV_FETCH_REGISTER)
		return inv_path_extend(f, regs->integer[f->reg]);
	if (f->kind == INV_FETCH_LOAD && names) {
		uintptr_t at = (uintptr_t)(regs->integer[f->reg] + (uint64_t)f->offset);
		if (__builtin_expect(inv_readable_hit(names, at, 8), 1)) {
			uint64_t v;
			memcpy(&v, (const void *)at, 8); /* eight bytes can be read there */
			return inv_path_extend(f, v);
		}
	} else if (f->kind == INV_FETCH_CONSTANT) {
		return f->constant;
	}
	return INV_SLOW(call->vectors, inv_plan_number_slow(plan, field, regs, names, missed));
}

/* Called between enter and begin; *missed: what was not found, all else in it is untouched. */
static inline __attribute__((always_inline)) struct inv_path_fields
inv_path_read(const struct inv_plan *plan, const struct inv_registers *regs,
	      const struct inv_call *call, struct inv_call_fields *missed)
{
	struct inv_path_fields f;
	missed->amiss = 0;
	f.invoker = inv_path_name(plan, INV_FIELD_INVOKER, regs, call, missed);
	f.artifact = inv_path_name(plan, INV_FIELD_ARTIFACT, regs, call, missed);
	f.method = inv_path_name(plan, INV_FIELD_METHOD, regs, call, missed);
	f.tick = (int64_t)inv_path_number(plan, INV_FIELD_TICK, regs, call, missed);
	f.args_count = inv_plan_args_count(
		(int64_t)inv_path_number(plan, INV_FIELD_ARGS_COUNT, regs, call, missed));
	f.probe = plan->index;
	return f;
}

#endif
