/* SPDX-License-Identifier: MIT */
/*
 * got_scope.c - which definition a reference leads to: the loader's rules of scope, as far
 * as they can be told from outside.
 *
 * The loader searches the global scope (the objects of the start in link order, then those
 * opened with RTLD_GLOBAL), then the scope of the dlopen that brought the object: the one
 * opened and its DT_NEEDED closure, breadth first. -Bsymbolic puts the object itself
 * first, RTLD_DEEPBIND the dlopen's scope. What the global scope answers is not guessed:
 * inv_got_global holds what the real dlsym told the shim, which is an initial object.
 *
 * Which dlopen brought an object is known only if no other needs it. Where that, a deep
 * binding, a late RTLD_GLOBAL or an ifunc leaves more than one answer, there is none [G4]:
 * the slot stays lazy until the loader has resolved it, and is then patched by its value.
 * The exact answer is in the loader's private l_scope, whose layout differs between
 * releases: rejected.
 *
 * Nor is an answer taken that only RTLD_GLOBAL makes visible: resolving it, the loader
 * notes that the user keeps the definition's object loaded, and we could not. For the same
 * reason the loader is asked for initial definitions only: the shim is never unloaded, so
 * what it asks for would not be either.
 *
 * DEEPBIND and RTLD_GLOBAL are known from our dlopen hook; a dlopen that was called by an
 * address not got from us (a dlsym on a libc handle) goes unnoticed.
 */
#include "preload/got_internal.h"

#include <string.h>

static const struct inv_got_target nothing = {.object = INV_GOT_NONE};

static const struct inv_got_object *object_of(uint32_t index)
{
	return &inv_got_table->objects[index];
}

static bool is_resolved_ifunc(uint32_t index, uint32_t want, uintptr_t address)
{
	const struct inv_got_cell *cell = inv_got_cell(index, want);

	return cell->ifunc && cell->address != address &&
	       inv_elf_object_contains(&object_of(index)->elf, address, 1, PF_X);
}

struct inv_got_target inv_got_target_of(uint32_t want, uintptr_t address)
{
	for (uint32_t i = 0; address && i < inv_got_table->count; i++) {
		const struct inv_got_cell *cell = inv_got_cell(i, want);

		if (!cell->address)
			continue;
		if ((!cell->ifunc && cell->address == address) ||
		    is_resolved_ifunc(i, want, address))
			return (struct inv_got_target){.object = i, .real = address};
	}
	return nothing;
}

uint32_t inv_got_want_at(uintptr_t address)
{
	uint32_t object = address ? inv_got_object_at(address) : INV_GOT_NONE;

	for (uint32_t want = 0; object != INV_GOT_NONE && want < inv_got_want_count; want++) {
		const struct inv_got_cell *cell = inv_got_cell(object, want);

		if (cell->address == address && !cell->ifunc)
			return inv_got_want_named(inv_got_wants[want].symbol);
	}
	return INV_GOT_NONE;
}

/* A definition in an object, if its address is known without running a resolver. */
static struct inv_got_target defined_in(uint32_t object, uint32_t want)
{
	const struct inv_got_cell *cell = inv_got_cell(object, want);

	if (!cell->address)
		return nothing;
	if (!cell->ifunc)
		return (struct inv_got_target){.object = object, .real = cell->address};
	if (is_resolved_ifunc(object, want, inv_got_global[want]))
		return (struct inv_got_target){.object = object, .real = inv_got_global[want]};
	return (struct inv_got_target){.object = object, .real = 0};
}

static struct inv_got_target first_initial(uint32_t from, uint32_t want)
{
	for (uint32_t i = from; i < inv_got_table->count; i++)
		if (object_of(i)->initial && inv_got_cell(i, want)->address)
			return defined_in(i, want);
	return nothing;
}

static struct inv_got_target in_global_scope(uint32_t want)
{
	uintptr_t address = inv_got_global[want];
	struct inv_got_target target = inv_got_target_of(want, address);

	if (target.object != INV_GOT_NONE || !address)
		return target;
	/* [G3] A non-PIE program's canonical PLT entry: references by JUMP_SLOT skip it. */
	if (inv_elf_object_contains(&object_of(0)->elf, address, 1, PF_X))
		return first_initial(1, want);
	return nothing;
}

static bool provides(const struct inv_elf_object *elf, const char *needed)
{
	const char *slash = strrchr(elf->path, '/');

	return (elf->soname && strcmp(elf->soname, needed) == 0) ||
	       strcmp(elf->path, needed) == 0 || strcmp(slash ? slash + 1 : elf->path, needed) == 0;
}

static uint32_t provider_of(const char *needed)
{
	for (uint32_t i = 0; i < inv_got_table->count; i++)
		if (provides(&object_of(i)->elf, needed))
			return i;
	return INV_GOT_NONE;
}

static bool in_order(uint32_t count, uint32_t object)
{
	for (uint32_t i = 0; i < count; i++)
		if (inv_got_table->order[i] == object)
			return true;
	return false;
}

/* Fills table->order with the object and what it needs, breadth first. Returns: how many. */
static uint32_t closure_of(uint32_t object)
{
	uint32_t count = 0;

	inv_got_table->order[count++] = object;
	for (uint32_t at = 0; at < count; at++) {
		const struct inv_elf_object *elf = &object_of(inv_got_table->order[at])->elf;
		const ElfW(Dyn) *dyn = elf->dynamic;
		const char *needed;

		while ((needed = inv_elf_object_next_needed(elf, &dyn))) {
			uint32_t next = provider_of(needed);

			if (next != INV_GOT_NONE && !in_order(count, next))
				inv_got_table->order[count++] = next;
		}
	}
	return count;
}

static bool needs(uint32_t user, uint32_t object)
{
	const struct inv_elf_object *elf = &object_of(user)->elf;
	const ElfW(Dyn) *dyn = elf->dynamic;
	const char *needed;

	while ((needed = inv_elf_object_next_needed(elf, &dyn)))
		if (provides(&object_of(object)->elf, needed))
			return true;
	return false;
}

/* Whether an object came by a dlopen of its own, not as a part of another's. */
static bool is_root(uint32_t object)
{
	for (uint32_t i = 0; i < inv_got_table->count; i++)
		if (i != object && !object_of(i)->initial && needs(i, object))
			return false;
	return true;
}

static struct inv_got_target first_in_closure(uint32_t object, uint32_t want, uint32_t from)
{
	uint32_t count = closure_of(object);

	for (uint32_t i = from; i < count; i++)
		if (inv_got_cell(inv_got_table->order[i], want)->address)
			return defined_in(inv_got_table->order[i], want);
	return nothing;
}

static uint32_t count_late(uint32_t want)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < inv_got_table->count; i++)
		count += !object_of(i)->initial && inv_got_cell(i, want)->address;
	return count;
}

/* What an object brought by dlopen finds where no initial object defines the symbol. */
static struct inv_got_target in_local_scope(uint32_t object, uint32_t want)
{
	if (count_late(want) == 1 || (!inv_got_late_global && is_root(object)))
		return first_in_closure(object, want, 0);
	return nothing;
}

static struct inv_got_target known(struct inv_got_target target)
{
	return target.real ? target : nothing;
}

/* Whether an object that may be bound deeply finds nothing else in its own scope. */
static bool scopes_agree(uint32_t object, uint32_t want, uint32_t global)
{
	uint32_t local = first_in_closure(object, want, 0).object;

	return is_root(object) && (local == INV_GOT_NONE || local == global);
}

struct inv_got_target inv_got_predict(uint32_t object, uint32_t want)
{
	struct inv_got_target global = in_global_scope(want);

	if (object_of(object)->elf.symbolic && inv_got_cell(object, want)->address)
		return known(defined_in(object, want));
	if (object_of(object)->initial)
		return known(global);
	if (global.object == INV_GOT_NONE)
		return known(in_local_scope(object, want));
	if (!inv_got_deepbind || scopes_agree(object, want, global.object))
		return known(global);
	return nothing;
}

/*
 * The loader lists objects in the order of their loading, so whatever stands before the
 * last object that the start needed was brought by the start.
 */
void inv_got_mark_initial(void)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i <= last && i < inv_got_table->count; i++) {
		uint32_t count = closure_of(i);

		for (uint32_t n = 0; n < count; n++)
			if (inv_got_table->order[n] > last)
				last = inv_got_table->order[n];
	}
	for (uint32_t i = 0; i <= last && i < inv_got_table->count; i++)
		inv_got_table->objects[i].initial = true;
}

struct inv_got_target inv_got_next(uint32_t object, uint32_t want)
{
	if (object_of(object)->initial)
		return known(first_initial(object + 1, want));
	return is_root(object) ? known(first_in_closure(object, want, 1)) : nothing;
}

/* ---- functions of ours in another's place ------------------------------------------------ */

static const struct inv_got_stand_in *stand_ins;
static uint32_t stand_in_count;

void inv_got_know_stand_ins(const struct inv_got_stand_in *all, uint32_t count)
{
	stand_ins = all;
	stand_in_count = count;
}

uintptr_t inv_got_behind(uintptr_t address)
{
	for (uint32_t i = 0; i < stand_in_count; i++)
		if (stand_ins[i].ours == address)
			return stand_ins[i].real;
	return address;
}

uintptr_t inv_got_in_front(uintptr_t address)
{
	for (uint32_t i = 0; i < stand_in_count; i++)
		if (address && stand_ins[i].real == address)
			return stand_ins[i].ours;
	return address;
}
