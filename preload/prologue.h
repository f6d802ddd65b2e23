/* SPDX-License-Identifier: MIT */
/*
 * prologue.h - how the first bytes of a function move elsewhere, so that a jump can take
 * their place.
 *
 * Called by the `entry` tier before it patches, from any thread, and by `doctor` over bytes
 * of a file. Two steps: inv_prologue_plan looks at the function and says yes or why not, and
 * how many bytes the copy takes; inv_prologue_emit writes the copy for one destination into
 * the caller's buffer. Nothing is ever written to the text; no allocation, no I/O, no errno;
 * wait-free, though a plan reads the whole function (the cost is linear in its size).
 *
 * The caller writes E9 rel32 at address + patch_at, five bytes; the bytes from there to
 * patch_at + displaced never run again. At the jump's other end all registers, the flags and
 * the stack are as they were at the function's entry; what enters the copy in that state has
 * called the function.
 */
#ifndef INV_PRELOAD_PROLOGUE_H
#define INV_PRELOAD_PROLOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INV_PROLOGUE_PATCH_BYTES 5 /* jmp rel32 */
#define INV_PROLOGUE_INSNS_MAX	 5 /* five of one byte each */
#define INV_PROLOGUE_COPY_MAX	 64

enum inv_prologue_result {
	INV_PROLOGUE_OK,
	INV_PROLOGUE_TOO_SHORT,	    /* less than five bytes, after endbr64 */
	INV_PROLOGUE_ENDS_EARLY,    /* a return or a jump away within the first bytes */
	INV_PROLOGUE_IMMOVABLE,	    /* an instruction that would mean something else elsewhere */
	INV_PROLOGUE_CALL_INSIDE,   /* a call in the first bytes would return into them */
	INV_PROLOGUE_SHADOW_STACK,  /* a call in the first bytes, and returns are checked */
	INV_PROLOGUE_BRANCH_INTO,   /* the body branches into the first bytes */
	INV_PROLOGUE_LOOP,	    /* the body jumps back to the start: no call, yet counted */
	INV_PROLOGUE_UNKNOWN_BYTES, /* in the first bytes, or in the body, before its end */
	INV_PROLOGUE_OUT_OF_RANGE,  /* inv_prologue_emit: something is over 2 GB away */
	INV_PROLOGUE_RESULTS
};

/* A function to be looked at. */
struct inv_prologue_function {
	const uint8_t *code; /* where its bytes can be read; in place: (void *)address */
	uintptr_t address;   /* where it runs */
	size_t size;	     /* of the symbol; 0: unknown, the extent is then estimated [P4] */
	size_t limit;	     /* readable bytes from `code` to the end of the text */
	bool shadow_stack;   /* the process runs with CET's: no return address may be made up */
	bool loops_told;     /* the thunk tells a jump to the start from a call [P5] */
};

struct inv_prologue {
	const uint8_t *code; /* as given; is read again by inv_prologue_emit */
	uintptr_t address;
	uint8_t patch_at;     /* 4 after endbr64, else 0 */
	uint8_t displaced;    /* bytes from patch_at: whole instructions, five at least */
	uint8_t insn_count;   /* ... so many */
	uint8_t copy_bytes;   /* exact, the jump back included; at most INV_PROLOGUE_COPY_MAX */
	bool returns_to_body; /* ends in a jump back to address + patch_at + displaced; false:
				 the last instruction was a jump, a return or a call */
	/*
	 * The map of instruction boundaries: at address + old_at[i] in the original and at
	 * new_at[i] in the copy the state is the same, for i up to insn_count; the last pair
	 * is the end of the last instruction, and the jump back if returns_to_body.
	 * one_to_one: no instruction became several, so that a thread that is anywhere in the
	 * copy is at one of new_at.
	 */
	uint8_t old_at[INV_PROLOGUE_INSNS_MAX + 1];
	uint8_t new_at[INV_PROLOGUE_INSNS_MAX + 1];
	bool one_to_one;
	bool loops;	     /* the body jumps back to the patch; only with loops_told */
	bool indirect_jumps; /* the body has some: their targets could not be seen [P3] */
	size_t scanned;	     /* bytes of the body that were looked at, from `address` */
	size_t refused_at;   /* on refusal: offset of the instruction that is the reason */
};

/*
 * Plans the move of a function's first bytes. A pure function of the bytes.
 * Returns: INV_PROLOGUE_OK: *out is complete; else the reason, and out->refused_at and
 * out->scanned alone are good. Never INV_PROLOGUE_OUT_OF_RANGE.
 */
enum inv_prologue_result inv_prologue_plan(struct inv_prologue *out,
					   const struct inv_prologue_function *function);

/*
 * Writes the copy that is to run at `destination` to out[plan->copy_bytes]. Reads the first
 * bytes of the function again: to be called before they are patched.
 * Returns: INV_PROLOGUE_OK, or INV_PROLOGUE_OUT_OF_RANGE; out is then of no use.
 */
enum inv_prologue_result inv_prologue_emit(const struct inv_prologue *plan, uintptr_t destination,
					   uint8_t *out);

/*
 * Looks for a direct branch into the first bytes of a planned function from other code, such
 * as its `.cold` part: code[bytes], which runs at `address`.
 * Returns: INV_PROLOGUE_OK, INV_PROLOGUE_BRANCH_INTO, INV_PROLOGUE_LOOP (a jump to where the
 * patch goes, past endbr64 if there is one; one to the function's own address is a tail call)
 * or INV_PROLOGUE_UNKNOWN_BYTES.
 */
enum inv_prologue_result inv_prologue_scan(const struct inv_prologue *plan, const uint8_t *code,
					   size_t bytes, uintptr_t address);

/*
 * Looks at each byte of any text for what may be a call or jump of 32 bits into the bytes that
 * change: some milliseconds for the largest texts. What only looks like one counts too, one
 * function in thousands.
 */
bool inv_prologue_is_entered(const struct inv_prologue *plan, const uint8_t *text, size_t bytes,
			     uintptr_t address);

/* A few words on a result, lower case, for `refused: ...`. Never NULL. */
const char *inv_prologue_reason(enum inv_prologue_result result);

#endif
