/* SPDX-License-Identifier: MIT */
/* registers.h - every register of x86-64, as calls.S loads and stores them. */
#ifndef HOST_REGISTERS_H
#define HOST_REGISTERS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define STACK_WORDS_MAX 24

enum {
	RAX,
	RCX,
	RDX,
	RBX,
	RSP,
	RBP,
	RSI,
	RDI,
	R_8,
	R_9,
	R_10,
	R_11,
	R_12,
	R_13,
	R_14,
	R_15,
	GENERAL
};

struct state {
	uint64_t general[GENERAL];
	uint64_t flags;
	uint32_t mxcsr;
	uint16_t x87_control, x87_status;
	uint64_t mask[8];
	uint64_t unused[6];
	uint64_t vector[32][8];
	uint64_t stack[STACK_WORDS_MAX];
	unsigned char st0[16];
};

static_assert(offsetof(struct state, flags) == 128, "calls.S");
static_assert(offsetof(struct state, mxcsr) == 136, "calls.S");
static_assert(offsetof(struct state, mask) == 144, "calls.S");
static_assert(offsetof(struct state, vector) == 256, "calls.S");
static_assert(offsetof(struct state, stack) == 2304, "calls.S");
static_assert(offsetof(struct state, st0) == 2496, "calls.S");

/* What a target returns; results: 1 rdx too, 2 xmm0, 4 xmm1, 8 st0. */
struct result {
	uint64_t rax, rdx;
	double xmm0, xmm1;
	long double st0;
};

/* All that a call in a signal handler would overwrite. */
extern struct state registers_in, registers_out, registers_seen;
extern struct result registers_result;
extern uint32_t registers_results, registers_words;
extern uint64_t registers_saved[3];
extern void (*registers_inside)(void);

extern uint32_t registers_level; /* 0 SSE, 1 AVX, 2 AVX-512 */
extern uint32_t registers_plain_mxcsr;

void registers_call(uint32_t words, uint32_t misaligned, void (*function)(void));

#endif
