/* SPDX-License-Identifier: MIT */
/*
 * wrap.c - the stubs of the register-forwarder.
 *
 * A stub stores the argument registers to its frame (the fields are read from there, at
 * entry and at return), records, calls on, records. The alternative, an assembly thunk
 * that preserves every register, is needed only where the ABI is not followed (patched
 * entries); between objects C costs less.
 *
 * Exceptions and forced unwinding pass through a stub's frame by its unwind table, whose
 * personality records the call (unwind.h).
 */
#include "preload/wrap.h"

#include <string.h>

#include "preload/closure.h"
#include "preload/stubs.h"
#include "preload/unwind.h"
#include "preload/wrap_call.h"
#include "shm/record_path.h"

struct binding {
	void *real;
	struct inv_plan *plan;
};

enum shape { SHAPE_II, SHAPE_IF, SHAPE_FI, SHAPE_FF, SHAPES };

static struct binding bindings[SHAPES][INV_STUBS_MAX];
static uint32_t binding_count[SHAPES];

static inline __attribute__((always_inline)) void
wrap_enter(struct inv_call *call, const struct binding *b, struct inv_registers *regs)
{
	inv_wrap_enter(call, b->plan, regs);
}

static inline __attribute__((always_inline)) void
wrap_leave(struct inv_call *call, const struct binding *b, struct inv_registers *regs)
{
	if (__builtin_expect(call->mode != INV_CALL_UNOBSERVED, 1))
		inv_plan_end(call, b->plan, regs, NULL, inv_path_now());
}

#if defined(__aarch64__)
#define INTS_DECLARED                                                                              \
	uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, \
		uint64_t a7
#define INT_TYPES uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t
#define INTS	  a0, a1, a2, a3, a4, a5, a6, a7
#else
#define INTS_DECLARED uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5
#define INT_TYPES     uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t
#define INTS	      a0, a1, a2, a3, a4, a5
#endif
#define FLOATS_DECLARED                                                                            \
	double f0, double f1, double f2, double f3, double f4, double f5, double f6, double f7
#define FLOAT_TYPES double, double, double, double, double, double, double, double
#define FLOATS	    f0, f1, f2, f3, f4, f5, f6, f7

/* Once more, from where they are kept anyway: in between they need no place of their own. */
#if defined(__aarch64__)
#define INTS_KEPT                                                                                  \
	regs.integer[0], regs.integer[1], regs.integer[2], regs.integer[3], regs.integer[4],       \
		regs.integer[5], regs.integer[6], regs.integer[7]
#else
#define INTS_KEPT                                                                                  \
	regs.integer[0], regs.integer[1], regs.integer[2], regs.integer[3], regs.integer[4],       \
		regs.integer[5]
#endif
#define FLOATS_KEPT                                                                                \
	regs.floating[0], regs.floating[1], regs.floating[2], regs.floating[3], regs.floating[4],  \
		regs.floating[5], regs.floating[6], regs.floating[7]

/* What __builtin_frame_address would make a frame for. */
static inline uintptr_t stack_pointer(void)
{
	uintptr_t at;
#if defined(__x86_64__)
	__asm__("movq %%rsp, %0" : "=r"(at));
#elif defined(__aarch64__)
	__asm__("mov %0, sp" : "=r"(at));
#else
	at = (uintptr_t)__builtin_frame_address(0);
#endif
	return at;
}

/*
 * What calls on is known by its section: a return to there is the program's (entry_call.c). So
 * nothing of libc's may be called from it.
 */
#define FORWARDS __attribute__((noinline, section("inv_forwards")))

/*
 * A stub proper is a jump: to the observing one, or past it to the function where there is no
 * stack for the frame [C5]. The result of an integer function is in one register and that of a
 * floating function in another; a void function's is ignored. Each shape keeps the register it
 * needs.
 */
#define STUB_II(n)                                                                                 \
	static uint64_t FORWARDS seen_ii_##n(INTS_DECLARED)                                        \
	{                                                                                          \
		const struct binding *b = &bindings[SHAPE_II][n];                                  \
		INV_UNWIND_FRAME();                                                                \
		struct inv_registers regs;                                                         \
		struct inv_call call;                                                              \
		const uint64_t ints[] = {INTS};                                                    \
		memcpy(regs.integer, ints, sizeof(ints));                                          \
		wrap_enter(&call, b, &regs);                                                       \
		regs.result = ((uint64_t(*)(INT_TYPES))b->real)(INTS_KEPT);                        \
		wrap_leave(&call, b, &regs);                                                       \
		return regs.result;                                                                \
	}                                                                                          \
	static uint64_t FORWARDS past_ii_##n(INTS_DECLARED)                                        \
	{                                                                                          \
		inv_path_pass_by();                                                                \
		return ((uint64_t(*)(INT_TYPES))bindings[SHAPE_II][n].real)(INTS);                 \
	}                                                                                          \
	static uint64_t stub_ii_##n(INTS_DECLARED)                                                 \
	{                                                                                          \
		if (inv_path_full(stack_pointer()))                                                \
			return past_ii_##n(INTS);                                                  \
		return seen_ii_##n(INTS);                                                          \
	}
#define STUB_IF(n)                                                                                 \
	static double FORWARDS seen_if_##n(INTS_DECLARED)                                          \
	{                                                                                          \
		const struct binding *b = &bindings[SHAPE_IF][n];                                  \
		INV_UNWIND_FRAME();                                                                \
		struct inv_registers regs;                                                         \
		struct inv_call call;                                                              \
		const uint64_t ints[] = {INTS};                                                    \
		memcpy(regs.integer, ints, sizeof(ints));                                          \
		wrap_enter(&call, b, &regs);                                                       \
		regs.float_result = ((double (*)(INT_TYPES))b->real)(INTS_KEPT);                   \
		wrap_leave(&call, b, &regs);                                                       \
		return regs.float_result;                                                          \
	}                                                                                          \
	static double FORWARDS past_if_##n(INTS_DECLARED)                                          \
	{                                                                                          \
		inv_path_pass_by();                                                                \
		return ((double (*)(INT_TYPES))bindings[SHAPE_IF][n].real)(INTS);                  \
	}                                                                                          \
	static double stub_if_##n(INTS_DECLARED)                                                   \
	{                                                                                          \
		if (inv_path_full(stack_pointer()))                                                \
			return past_if_##n(INTS);                                                  \
		return seen_if_##n(INTS);                                                          \
	}
#define STUB_FI(n)                                                                                 \
	static uint64_t FORWARDS seen_fi_##n(INTS_DECLARED, FLOATS_DECLARED)                       \
	{                                                                                          \
		const struct binding *b = &bindings[SHAPE_FI][n];                                  \
		INV_UNWIND_FRAME();                                                                \
		struct inv_registers regs;                                                         \
		struct inv_call call;                                                              \
		const uint64_t ints[] = {INTS};                                                    \
		const double floats[] = {FLOATS};                                                  \
		memcpy(regs.integer, ints, sizeof(ints));                                          \
		memcpy(regs.floating, floats, sizeof(floats));                                     \
		wrap_enter(&call, b, &regs);                                                       \
		regs.result =                                                                      \
			((uint64_t(*)(INT_TYPES, FLOAT_TYPES))b->real)(INTS_KEPT, FLOATS_KEPT);    \
		wrap_leave(&call, b, &regs);                                                       \
		return regs.result;                                                                \
	}                                                                                          \
	static uint64_t FORWARDS past_fi_##n(INTS_DECLARED, FLOATS_DECLARED)                       \
	{                                                                                          \
		inv_path_pass_by();                                                                \
		return ((uint64_t(*)(INT_TYPES, FLOAT_TYPES))bindings[SHAPE_FI][n].real)(INTS,     \
											 FLOATS);  \
	}                                                                                          \
	static uint64_t stub_fi_##n(INTS_DECLARED, FLOATS_DECLARED)                                \
	{                                                                                          \
		if (inv_path_full(stack_pointer()))                                                \
			return past_fi_##n(INTS, FLOATS);                                          \
		return seen_fi_##n(INTS, FLOATS);                                                  \
	}
#define STUB_FF(n)                                                                                 \
	static double FORWARDS seen_ff_##n(INTS_DECLARED, FLOATS_DECLARED)                         \
	{                                                                                          \
		const struct binding *b = &bindings[SHAPE_FF][n];                                  \
		INV_UNWIND_FRAME();                                                                \
		struct inv_registers regs;                                                         \
		struct inv_call call;                                                              \
		const uint64_t ints[] = {INTS};                                                    \
		const double floats[] = {FLOATS};                                                  \
		memcpy(regs.integer, ints, sizeof(ints));                                          \
		memcpy(regs.floating, floats, sizeof(floats));                                     \
		wrap_enter(&call, b, &regs);                                                       \
		regs.float_result =                                                                \
			((double (*)(INT_TYPES, FLOAT_TYPES))b->real)(INTS_KEPT, FLOATS_KEPT);     \
		wrap_leave(&call, b, &regs);                                                       \
		return regs.float_result;                                                          \
	}                                                                                          \
	static double FORWARDS past_ff_##n(INTS_DECLARED, FLOATS_DECLARED)                         \
	{                                                                                          \
		inv_path_pass_by();                                                                \
		return ((double (*)(INT_TYPES, FLOAT_TYPES))bindings[SHAPE_FF][n].real)(INTS,      \
											FLOATS);   \
	}                                                                                          \
	static double stub_ff_##n(INTS_DECLARED, FLOATS_DECLARED)                                  \
	{                                                                                          \
		if (inv_path_full(stack_pointer()))                                                \
			return past_ff_##n(INTS, FLOATS);                                          \
		return seen_ff_##n(INTS, FLOATS);                                                  \
	}

INV_SIXTY_FOUR(STUB_II)
INV_SIXTY_FOUR(STUB_IF)
INV_SIXTY_FOUR(STUB_FI)
INV_SIXTY_FOUR(STUB_FF)

#define ADDRESS_II(n) (void *)stub_ii_##n,
#define ADDRESS_IF(n) (void *)stub_if_##n,
#define ADDRESS_FI(n) (void *)stub_fi_##n,
#define ADDRESS_FF(n) (void *)stub_ff_##n,

static void *const stubs[SHAPES][INV_STUBS_MAX] = {
	[SHAPE_II] = {INV_SIXTY_FOUR(ADDRESS_II)},
	[SHAPE_IF] = {INV_SIXTY_FOUR(ADDRESS_IF)},
	[SHAPE_FI] = {INV_SIXTY_FOUR(ADDRESS_FI)},
	[SHAPE_FF] = {INV_SIXTY_FOUR(ADDRESS_FF)},
};

static enum shape shape_of(const struct inv_signature *s)
{
	bool returns_float = s->result == INV_TYPE_F32 || s->result == INV_TYPE_F64;
	if (s->float_regs)
		return returns_float ? SHAPE_FF : SHAPE_FI;
	return returns_float ? SHAPE_IF : SHAPE_II;
}

static void *find_or_make(enum shape shape, struct inv_plan *plan, void *real)
{
	struct binding *all = bindings[shape];
	uint32_t count = binding_count[shape];
	for (uint32_t i = 0; i < count; i++)
		if (all[i].plan == plan && all[i].real == real)
			return stubs[shape][i];
	if (count == INV_STUBS_MAX)
		return NULL;
	struct binding *b = &all[count];
	b->plan = plan;
	b->real = real;
	binding_count[shape] = count + 1;
	return stubs[shape][count];
}

void *inv_wrap_stub(struct inv_plan *plan, void *real)
{
	const struct inv_signature *signature = &plan->probe->signature;
	if (inv_signature_needs_closure(signature))
		return inv_closure_make(plan, real);
	return find_or_make(shape_of(signature), plan, real);
}
