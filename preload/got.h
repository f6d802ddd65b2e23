/* SPDX-License-Identifier: MIT */
/*
 * got.h - the `got` tier: calls between objects are caught where the dynamic linker put
 * the callee's address.
 *
 * For each wanted symbol, every loaded object's JUMP_SLOT, GLOB_DAT and 64-bit data
 * relocations against it are rewritten to a wrapper of the definition that the slot
 * leads to. So are the words of a library's variable that the program has copied (COPY: a
 * vtable, a table of functions), where their value is such a definition. Three hooks of ours are
 * exported (preload/exports.map): `dlsym` answers with wrappers for the wanted names; `dlopen` and
 * `dlmopen` only note that a load begins. All three tail-jump to the real function with arguments
 * and return address untouched, since the loader tells its caller (RUNPATH, RTLD_NEXT) by the
 * return address.
 *
 * [G1] A slot is rewritten only when its value is final: it equals a known definition, or
 *      is lazy and points into its own object's text. Otherwise the loader could still
 *      add to it or overwrite it; the object stays pending.
 * [G2] Nothing here waits for the loader's lock. A page that the loader makes read-only
 *      (RELRO) is made writable, for one store, only if it is read-only already: that is
 *      the last thing the loader does to it, so no protection of ours is in its way, and
 *      the list is locked, so the object cannot be unmapped.
 * [G3] SHN_UNDEF symbols are no definitions, though a non-PIE program's canonical PLT
 *      entry gives them a value: taking it for the real function would loop.
 * [G4] Where it is not certain which definition a lazy slot or a dlsym call leads to, it
 *      is left to the loader: a call may go unseen, none goes elsewhere than without us.
 *
 * Never exits, prints or changes errno.
 */
#ifndef INV_PRELOAD_GOT_H
#define INV_PRELOAD_GOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct inv_elf_object;

/* One symbol to catch. The strings must outlive the process. */
struct inv_got_want {
	const char *symbol; /* "": none, for the object's sake only */
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
 * pair. `object` is the path of the defining object, to be copied if kept. NULL: no wrapper
 * is left, the slot stays as it is and counts as refused. Called with the loader's list
 * locked and signals blocked, from the constructor, a dlsym or any probed call: it must
 * not call the loader (dlsym, dladdr, dlopen) nor wait for another thread.
 */
/* Returning `real` itself says that it needs no wrapper: its slots are left as they are. */
typedef void *(*inv_got_wrapper_fn)(uint32_t index, void *real, const char *object);

/*
 * Called once for each object that can have callees, before its slots are looked at, under
 * the same conditions. `initial`: loaded by the start of the program.
 */
typedef void (*inv_got_object_fn)(const struct inv_elf_object *object, const char *path,
				  bool initial);

/* Called whenever a status changed after inv_got_install returned. */
typedef void (*inv_got_changed_fn)(uint32_t index, const struct inv_got_status *status);

/*
 * Scans what is loaded and patches it; from here on dlsym answers with wrappers. Called
 * once, in the constructor, single-threaded. statuses[count] is filled.
 */
void inv_got_install(const struct inv_got_want *wants, uint32_t count, inv_got_wrapper_fn wrapper,
		     inv_got_object_fn object, inv_got_changed_fn changed,
		     struct inv_got_status *statuses);

/*
 * The safe-point check: one load, false while no load began lately. Called by each probed
 * call at entry; if true, inv_got_catch_up() looks for new objects (some of the calls do,
 * most return at once). Never blocks.
 */
static inline bool inv_got_stale(void);
void inv_got_catch_up(void);

/*
 * Whether the loader's list may not be asked for: its lock may be that of a thread of our parent's
 * (got_lock.c).
 */
bool inv_got_unsure(void);

/* libc's dlsym, resolved by version, for our own use: ours would answer ourselves. */
void *inv_got_real_dlsym(void *handle, const char *name);

/*
 * Functions that the shim exports in another's place. A want of that name means the real one,
 * where slots lead to ours, and its wrapper goes on by ours, where it would go to the real one.
 */
struct inv_got_stand_in {
	uintptr_t ours, real;
};

/* Before install; the array stays the caller's, and is read for ever. */
void inv_got_know_stand_ins(const struct inv_got_stand_in *all, uint32_t count);

/* Returns: the real function behind one of ours, ours in front of a real one; else the address. */
uintptr_t inv_got_behind(uintptr_t address);
uintptr_t inv_got_in_front(uintptr_t address);

/*
 * Not 0 from a dlopen on until its objects have had time to appear. Written by the dlopen
 * hooks (a new value each) and by inv_got_catch_up (0).
 */
extern _Atomic uint32_t inv_got_watch __attribute__((visibility("hidden")));
static inline bool inv_got_stale(void)
{
	return atomic_load_explicit(&inv_got_watch, memory_order_relaxed) != 0;
}

#endif
