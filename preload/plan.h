/* SPDX-License-Identifier: MIT */
/*
 * plan.h - a probe made ready to run in this process: ids looked up, symbols resolved.
 *
 * A probe (probe.h) is text parsed; a plan is what the wrappers execute at each call.
 * Made once per process in the constructor; read by all threads.
 */
#ifndef INV_PRELOAD_PLAN_H
#define INV_PRELOAD_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/probe.h"
#include "shm/record.h"

#if defined(__aarch64__)
#define INV_INT_REGS 8
#else
#define INV_INT_REGS 6
#endif
#define INV_FLOAT_REGS 8

/*
 * The argument registers of one call, and its result. A closure has no registers: it puts
 * every argument, floating ones too, at the number of its word in `integer`.
 */
struct inv_registers {
	uint64_t integer[INV_PROBE_ARGS_MAX];
	double floating[INV_FLOAT_REGS];
	uint64_t result;
	double float_result;
};

/* A field in the form the hot path wants it. */
struct inv_plan_source {
	struct inv_source source;
	uint8_t reg;	    /* ARG: place in its register class, or its word's number */
	bool is_float;	    /* ARG */
	bool is_signed;	    /* of the value's type */
	uint8_t rewrite;    /* enum inv_rewrite: of a str that is not recorded as it is */
	uint32_t constant;  /* TEXT and NUMBER of a name: its id */
	const void *global; /* GLOBAL: its address, NULL: not found */
};

/* The common cases of a field, so that a call runs a switch and not an interpreter. */
enum inv_fetch_kind {
	INV_FETCH_CONSTANT, /* `constant`: a name id, or a number */
	INV_FETCH_STRING,   /* an argument of type str */
	INV_FETCH_STDSTR,   /* a std::string at an argument + offset */
	INV_FETCH_STDVIEW,  /* a std::string_view in two arguments */
	INV_FETCH_REGISTER, /* an integer argument */
	INV_FETCH_LOAD,	    /* one load through an argument */
	INV_FETCH_GENERAL   /* anything else: the source is evaluated */
};
struct inv_fetch {
	uint8_t kind;
	uint8_t reg;
	uint8_t shift;	/* REGISTER, LOAD: bits above the value's own */
	int64_t offset; /* LOAD, STDSTR */
	union {
		uint64_t constant; /* CONSTANT */
		uint64_t bits;	   /* REGISTER, LOAD: of the type, with its sign */
	};
};

struct inv_plan {
	const struct inv_probe *probe;
	struct inv_fetch fetch[INV_FIELD_ARGS_COUNT + 1]; /* the fields read at entry */
	/* The results that are a success: within, or outside of, least to least + span. */
	uint64_t success_least, success_span;
	uint8_t success_shift; /* bits of the register above the result's own */
	bool success_outside;
	bool plain_return; /* success is judged on a signed integer result itself */
	uint8_t index;	   /* of the probe in the segment */
	struct inv_plan_source field[INV_FIELD_COUNT];
	struct inv_plan_source success_left;
	struct inv_plan_source error_code;
	uint16_t result_type; /* type indices */
	uint16_t error_default;
	uint16_t code_type[INV_PROBE_RULES_MAX];
	uint16_t text_type[INV_PROBE_RULES_MAX];
	uint32_t empty_name; /* id of "": a field that the probe does not give */
};

/* Fills *plan. `find` resolves a global's symbol (NULL: none). */
void inv_plan_make(struct inv_plan *plan, const struct inv_probe *probe, uint8_t index,
		   struct inv_segment *seg, void *(*find)(const char *symbol));

/* Cuts or extends a register to its type: the ABI leaves the upper bits undefined. */
static inline uint64_t inv_plan_narrow(uint64_t v, enum inv_type type)
{
	switch (type) {
	case INV_TYPE_I8:
		return (uint64_t)(int64_t)(int8_t)v;
	case INV_TYPE_I16:
		return (uint64_t)(int64_t)(int16_t)v;
	case INV_TYPE_I32:
		return (uint64_t)(int64_t)(int32_t)v;
	case INV_TYPE_U8:
	case INV_TYPE_BOOL:
		return (uint8_t)v;
	case INV_TYPE_U16:
		return (uint16_t)v;
	case INV_TYPE_U32:
		return (uint32_t)v;
	default:
		return v;
	}
}

/* How many arguments an event can say. */
static inline uint16_t inv_plan_args_count(int64_t count)
{
	if (__builtin_expect((uint64_t)count <= UINT16_MAX, 1))
		return (uint16_t)count;
	return count < 0 ? 0 : UINT16_MAX;
}

/* A name the slow way; what it missed is told in *out. */
uint32_t inv_plan_name_slow(const struct inv_plan *plan, unsigned field,
			    const struct inv_registers *regs, struct inv_name_cache *names,
			    struct inv_call_fields *out);

/* A number the slow way; what could not be read is added to out->unreadable. */
uint64_t inv_plan_number_slow(const struct inv_plan *plan, unsigned field,
			      const struct inv_registers *regs, struct inv_name_cache *names,
			      struct inv_call_fields *out);

/*
 * A native call. begin: fills *call and records the attempt, whose frame is `frame`; end: with
 * the clock read before anything else, and regs->result filled; not for a call whose mode is
 * UNOBSERVED. `vectors` as of the record (record.h). Both keep errno as far as record.h does.
 */
void inv_plan_begin(struct inv_call *call, const struct inv_plan *plan, struct inv_registers *regs,
		    uintptr_t frame, struct inv_vectors *vectors);
void inv_plan_end(struct inv_call *call, const struct inv_plan *plan, struct inv_registers *regs,
		  struct inv_vectors *vectors, uint64_t now);

/* One comparison for all kinds of numbers; of NaN none of the three is true. */
static inline bool inv_compare_holds(enum inv_compare how, bool less, bool equal, bool greater)
{
	switch (how) {
	case INV_COMPARE_EQ:
	case INV_COMPARE_NULL:
		return equal;
	case INV_COMPARE_NE:
	case INV_COMPARE_NOT_NULL:
		return !equal;
	case INV_COMPARE_LT:
		return less;
	case INV_COMPARE_LE:
		return less || equal;
	case INV_COMPARE_GT:
		return greater;
	case INV_COMPARE_GE:
		return greater || equal;
	default:
		return true;
	}
}

/* Success, type and message at return, between reenter and end. */
void inv_plan_outcome(const struct inv_plan *plan, const struct inv_registers *regs,
		      struct inv_name_cache *names, struct inv_call_outcome *out);

/*
 * Ends a failed call whose message is rewritten: inv_plan_outcome leaves such a message out,
 * so that a caller that knows nothing of this records none rather than a secret.
 */
void inv_plan_end_rewritten(const struct inv_plan *plan, const struct inv_registers *regs,
			    struct inv_call *call, struct inv_call_outcome *out, uint64_t now);

/*
 * Whether the result register alone tells that the call succeeded and has the ordinary result
 * type. False: it takes inv_plan_outcome to know.
 */
static inline bool inv_plan_plain_success(const struct inv_plan *plan, uint64_t result)
{
	int64_t v = (int64_t)(result << plan->success_shift) >> plan->success_shift;
	return ((uint64_t)v - plan->success_least > plan->success_span) == plan->success_outside;
}

#endif
