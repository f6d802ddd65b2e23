/* SPDX-License-Identifier: MIT */
/*
 * got_internal.h - what the files of the `got` tier share: the table of loaded objects
 * (got_objects), the rules of symbol scope (got_scope), slots and wrappers (got), the
 * hooks (got_dlsym), and the lock of it all (got_lock).
 *
 * All of it is owned by the holder of the try-lock (inv_got_try_lock); what reads an
 * object's memory runs in an inv_got_locked section besides. Never blocks, allocates from
 * the program's heap, exits or prints; errno is kept by the entry points.
 *
 * Barriers
 * [G5] the try-lock: release in unlock, acquire in try_lock: half-made tables.
 * [G6] the watch is stored after its end (release), and read before it (acquire): a watch
 *      that is taken as over.
 * [G7] installed: release at the end of install, acquire in the dlsym hook: half the wants.
 * [G8] the real functions: release after all of them are known, acquire before use.
 */
#ifndef INV_PRELOAD_GOT_INTERNAL_H
#define INV_PRELOAD_GOT_INTERNAL_H

#include "preload/elf_object.h"
#include "preload/got.h"

#define INV_GOT_NONE UINT32_MAX

/* One loaded object, in the loader's order. */
struct inv_got_object {
	struct inv_elf_object elf;
	const void *phdr;   /* with elf.base and elf.path: which entry of the list this is */
	bool usable;	    /* has dynamic symbols and is not the shim, ld.so or the vdso */
	bool ours;	    /* the shim */
	bool initial;	    /* loaded by the start of the program, never unloaded */
	bool scanned;	    /* visited at least once */
	bool recheck;	    /* a lazy slot was written while another thread could resolve it */
	uint32_t unsettled; /* slots whose value was not final at the last visit [G1] */
	uint32_t tries;	    /* visits outside of a watch since objects came or went */
};

/* What one object is for one want. */
struct inv_got_cell {
	uintptr_t address; /* of its definition, 0: none; of the resolver, if ifunc */
	const char *version;
	bool ifunc;
	uint32_t sites;
	uint32_t refused;
};

struct inv_got_table {
	struct inv_got_object *objects;
	struct inv_got_cell *cells; /* [object][want] */
	uint32_t *order;	    /* scratch: one number an object */
	uint32_t count;
	uint32_t capacity;
	bool unvisited;		 /* read anew (any section may do that) and not scanned since */
	unsigned long long adds; /* the loader's counters when this was read */
	unsigned long long subs;
};

/* A definition that a slot or a call leads to; object is INV_GOT_NONE if not certain. */
struct inv_got_target {
	uint32_t object;
	uintptr_t real;
};

extern const struct inv_got_want *inv_got_wants;
extern uint32_t inv_got_want_count;
extern uintptr_t *inv_got_global;	    /* [want] its global address at the start, 0: none */
extern struct inv_got_table *inv_got_table; /* the current one */
extern _Atomic bool inv_got_installed;
extern _Atomic bool inv_got_deepbind;	 /* some dlopen asked for RTLD_DEEPBIND */
extern _Atomic bool inv_got_late_global; /* some dlopen asked for RTLD_GLOBAL */

static inline struct inv_got_cell *inv_got_cell(uint32_t object, uint32_t want)
{
	return &inv_got_table->cells[(size_t)object * inv_got_want_count + want];
}

/* got_objects */

/* Fresh pages, zeroed, straight from the kernel. Returns: NULL when there are none. */
void *inv_got_pages(size_t bytes);

/*
 * Runs fn(context) while no object can be unmapped, with inv_got_table brought up to date.
 * Returns: false when the objects could not be read; fn was not run.
 */
bool inv_got_locked(void (*fn)(void *), void *context);

/* Whether objects came or went since inv_got_table was read. */
bool inv_got_objects_changed(void);

/* The object whose segments hold the address. Returns: INV_GOT_NONE if none. */
uint32_t inv_got_object_at(uintptr_t address);

/* got_scope: in a locked section */

/* The definition that an address is (an ifunc's: that it was resolved to). */
struct inv_got_target inv_got_target_of(uint32_t want, uintptr_t address);

/*
 * The first want of which a definition is at this very address; what an ifunc was resolved to
 * is not found by its address alone. Returns: INV_GOT_NONE if none.
 */
uint32_t inv_got_want_at(uintptr_t address);

/* The definition that a reference from `object` finds, if it is certain [G4]. */
struct inv_got_target inv_got_predict(uint32_t object, uint32_t want);

/* Marks the objects that the start of the program loaded, not a dlopen. Once, at install. */
void inv_got_mark_initial(void);

/* The definition that RTLD_NEXT finds from `object`. */
struct inv_got_target inv_got_next(uint32_t object, uint32_t want);

/* got_lock */

/* Signals are blocked from here to unlock. Returns: false: somebody has it, or inv_got_unsure. */
bool inv_got_try_lock(void);
void inv_got_unlock(void);

/*
 * A dlsym while a load may be going on is worth some patience, and so is a wanted name: a
 * plug-in's slots or a pointer missed here are missed for long. The holder blocks signals
 * and waits for nobody, so it is not this thread and does not take long; still the number
 * of tries is bounded. Probed calls never come here.
 */
bool inv_got_lock_patiently(void);

/* From here on forks are seen to. */
void inv_got_expect_forks(void);

/* A dlopen begins: beyond it, the loader's list is free. */
void inv_got_sure(void);

/* got */

/* Looks for new objects and patches them. */
void inv_got_scan(void);

/* The first want for this symbol. Returns: INV_GOT_NONE if none. */
uint32_t inv_got_want_named(const char *symbol);

/*
 * The wrapper for a target of the symbol of `want`, for the first want of that symbol that
 * accepts its object. Returns: NULL when none does, or no wrapper is left.
 */
void *inv_got_answer(uint32_t want, struct inv_got_target target);

/* Makes changed statuses known; outside of locked sections. */
void inv_got_publish(void);

#endif
