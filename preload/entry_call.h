/* SPDX-License-Identifier: MIT */
/*
 * entry_call.h - what a call through a patched entry is made of; see entry_call.c.
 */
#ifndef INV_PRELOAD_ENTRY_CALL_H
#define INV_PRELOAD_ENTRY_CALL_H

#include <stddef.h>

#include "preload/plan.h"

/* Where one parameter's value is at entry. */
struct inv_entry_argument {
	uint8_t from;  /* enum inv_entry_from */
	uint8_t index; /* of its register, or of its word on the stack */
};
enum inv_entry_from { INV_ENTRY_INTEGER, INV_ENTRY_FLOAT, INV_ENTRY_STACK };

/* One patched function. */
struct inv_entry_site {
	const void *relocated; /* its first bytes, which go on behind the patch */
	uint32_t stack_words;  /* of its arguments: copied for the call */
	uint8_t patch_at;      /* offset of the jump in the function */
	bool by_number;	       /* the plan wants each argument at its own number */
	bool floats;	       /* ... or some floating register */
	bool loops;	       /* the body jumps to the start: the stub tells that from a call */
	uint8_t argument_count;
	struct inv_entry_argument arguments[INV_PROBE_ARGS_MAX];
	struct inv_plan *plan;
	uintptr_t function;
};

/*
 * The thunk's frame. The assembly knows its offsets: the argument registers are saved where
 * the plan reads them, and restored from there, so nothing else may be stored in `regs`.
 */
struct inv_entry_frame {
	struct inv_registers regs; /* rdi rsi rdx rcx r8 r9 are the first six */
	uint64_t rax, r10, r11;	   /* at entry */
	uint64_t returned[9]; /* rax rcx rdx rsi rdi r8 r9 r10 r11, as the function left them */
	const void *target;   /* to be called */
	const struct inv_entry_site *site;
	const uint64_t *stack;	       /* the arguments there */
	struct inv_registers numbered; /* of a plan that wants each argument at its own number */
	struct inv_call call;
};

/* Where the stub of a patched function goes, the site on top of the stack. */
extern const char inv_entry_thunk[] __attribute__((visibility("hidden")));

/* Where the function returns to: on top of the stack when its body jumps to its own start. */
extern const char inv_entry_returns[] __attribute__((visibility("hidden")));

/* Before the first call. */
void inv_entry_call_start(void);

#endif
