/* SPDX-License-Identifier: MIT */
/*
 * got.h - the `got` tier: calls between objects are caught where the dynamic linker put
 * the callee's address.
 *
 * For each wanted symbol, every loaded object's JUMP_SLOT, GLOB_DAT and 64-bit data
 * relocations against it are rewritten to a wrapper of the definition that the slot
 * leads to. `dlsym` (interposed, tail-jumping to the real one unless the name is wanted)
 * answers with wrappers too. Later loads are noticed by a load of the last link_map's
 * l_next at safe points, not by patching the loader's r_brk: r_brk comes before the new
 * object is relocated, so its slots could only be written at the next safe point anyway,
 * and text stays untouched.
 *
 * [G1] A slot is rewritten only when its value is final: it equals a known definition, or
 *      is lazy and points into its own object's text. Otherwise the loader could still
 *      add to it or overwrite it; the object stays pending.
 * [G2] Nothing here waits for the loader's lock, but for calls that would take it without
 *      us (our dlsym). A read-only page (RELRO) of an object that another thread may be
 *      loading is written through /proc/self/mem only, never by mprotect.
 * [G3] SHN_UNDEF symbols are no definitions, though a non-PIE program's canonical PLT
 *      entry gives them a value: taking it for the real function would loop.
 *
 * Never exits, prints or changes errno.
 */
#ifndef INV_PRELOAD_GOT_H
#define INV_PRELOAD_GOT_H

#include <stdbool.h>
#include <stdint.h>

/* One symbol to catch. The strings must outlive the process. */
struct inv_got_want {
	const char *symbol;
	const char *object; /* base name of the defining object, "program", or NULL for any */
};

/* What became of one want in this process. */
struct inv_got_status {
	uint32_t definitions; /* found so far in loaded objects */
	uint32_t sites;	      /* slots that lead to our wrapper, dlsym answers included */
	uint32_t refused;     /* slots that could not be written */
};

/*
 * Asks for a wrapper of the function `real` for want `index`: the same answer for the same
 * pair. `object` is the path of the defining object. NULL: no wrapper is left, the slot
 * stays as it is and counts as refused.
 */
typedef void *(*inv_got_wrapper_fn)(uint32_t index, void *real, const char *object);

/* Called whenever a status changed after inv_got_install returned. */
typedef void (*inv_got_changed_fn)(uint32_t index, const struct inv_got_status *status);

/*
 * Scans what is loaded and patches it; from here on dlsym answers with wrappers. Called
 * once, in the constructor, single-threaded. statuses[count] is filled.
 */
void inv_got_install(const struct inv_got_want *wants, uint32_t count, inv_got_wrapper_fn wrapper,
		     inv_got_changed_fn changed, struct inv_got_status *statuses);

/*
 * The safe-point check: one load while nothing was loaded since. Called by each probed
 * call at entry; never blocks.
 */
static inline bool inv_got_stale(void);
void inv_got_catch_up(void);

/* The real dlsym, resolved by version, for our own use: ours would answer ourselves. */
void *inv_got_real_dlsym(void *handle, const char *name);

/* Address of the last known link_map's l_next: not NULL when something was loaded. */
extern void *const *inv_got_tail;
static inline bool inv_got_stale(void)
{
	return inv_got_tail && __atomic_load_n(inv_got_tail, __ATOMIC_RELAXED) != (void *)0;
}

#endif
