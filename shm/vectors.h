/* SPDX-License-Identifier: MIT */
/*
 * vectors.h - vector registers, kept only by the calls that would lose them.
 *
 * A function whose first bytes are patched is called as its own compiler knows it: its caller
 * may keep values in any register that the function does not touch (gcc's -fipa-ra), whole
 * vector registers among them. Saving all of those costs 280 cycles, asking whether they are in
 * use 30, and the whole record not much more than a hundred. So what every call runs through
 * is compiled without vector registers (GENERAL_ONLY in the Makefile), and what only some calls
 * run through is called from there by INV_SLOW, which saves them first. Whoever began the call
 * restores them at its end.
 *
 * The pointer is the call's own and not the thread's: a signal handler that interrupts a call
 * must not save its registers as those of the call.
 *
 * x86-64. Elsewhere there is no `entry` tier, and the pointer is NULL.
 */
#ifndef INV_SHM_VECTORS_H
#define INV_SHM_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inv_vectors {
	void *area; /* inv_vectors_bytes, 64-aligned, in the caller's frame */
	bool saved;
};

#if defined(__x86_64__)
/* How large an area has to be on this machine. Once, before the first call. */
uint32_t inv_vectors_bytes(void);

void inv_vectors_save(struct inv_vectors *v);
void inv_vectors_restore(const struct inv_vectors *v);
#else
static inline void inv_vectors_save(struct inv_vectors *v)
{
}
#endif

static inline __attribute__((always_inline)) void inv_vectors_keep(struct inv_vectors *v)
{
	if (__builtin_expect(v != NULL, 0) && !v->saved)
		inv_vectors_save(v);
}

/* Evaluates a call of something that may use vector registers. */
#define INV_SLOW(vectors, call) (inv_vectors_keep(vectors), (call))

#endif
