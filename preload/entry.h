/* SPDX-License-Identifier: MIT */
/*
 * entry.h - the `entry` tier: the function itself is patched, so that every call of it is
 * seen: from its own object, by a pointer taken before we came, of a static function.
 *
 * Five bytes of the function become a jump to a stub near by (a page of its own within 2 GB),
 * which goes to one thunk in assembly. The thunk keeps every register, records, calls on by
 * the relocated first bytes, records, and returns: see entry_call.c.
 *
 * [E1] Text is written only where no thread can be in the bytes that change: while the
 *      process has one thread, or, when it has more (a library loaded late), if the change
 *      covers one instruction and lies in one aligned 8-byte word, which processors fetch
 *      whole. Else the function is refused, and `got` is what there is.
 * [E2] Execution is never taken from mapped text: it is made writable besides (where the
 *      kernel would not have that, on a page of ours first), or written through
 *      /proc/self/mem; stubs are then mapped from a file in memory.
 * [E3] A page that is executable is never written again; one page holds one stub, which
 *      serves again when the same bytes are loaded at the same place again.
 * [E4] Exactly once: a function that is patched is left alone by the `got` tier.
 *
 * Called from the constructor and by the holder of the `got` tier's lock. Never exits,
 * prints or changes errno; what it maps stays, as calls may be in it.
 */
#ifndef INV_PRELOAD_ENTRY_H
#define INV_PRELOAD_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/elf_object.h"
#include "preload/plan.h"

#define INV_ENTRY_SITES_MAX 512

/* A function that may be patched. */
struct inv_entry_place {
	uintptr_t address;
	size_t size; /* 0: not known */
};

/*
 * Sends the calls of a function to the plan. `initial`: it is the constructor's work, and a
 * process whose threads cannot be counted has one.
 * Returns: NULL; else why not, in a few static words. Patched already for this plan: NULL.
 */
const char *inv_entry_patch(struct inv_plan *plan, const struct inv_elf_object *object,
			    const struct inv_entry_place *place, bool initial);

/* Whether the function at `address` is patched, for this plan. */
bool inv_entry_is(const struct inv_plan *plan, uintptr_t address);

#endif
