/* SPDX-License-Identifier: MIT */
/*
 * record_cells.c - the private index of a lane's cells: from a key to its cell.
 *
 * Open addressing, a quarter full at most, so that INV_CELL_PROBES places are enough. It begins in
 * the thread's own state, where it is small and stays in the cache; who has many keys gets larger
 * ones from the kernel, each four times the one before, a few times in a thread's life. To have
 * the largest at once was rejected: every thread would pay for it in cache lines, and clear it.
 *
 * A new index is complete before it is the thread's; what jumps out of here meanwhile has the
 * whole of it made anew (inv_cells_index, called by recover).
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "record_private.h"
#include "sandbox.h"

static uint32_t free_place(const uint16_t *index, uint32_t bits, uint64_t key)
{
	uint32_t mask = (1u << bits) - 1, place = inv_key_place(key, bits);
	for (uint32_t i = 0; i < INV_CELL_PROBES; i++, place = (place + 1) & mask)
		if (!index[place])
			return place;
	return UINT32_MAX;
}

/* Returns: whether each cell has a place; one without counts as not there, and gets a twin. */
static bool fill(const struct inv_thread *t, uint16_t *index, uint32_t bits)
{
	bool all = true;
	for (uint32_t cell = 2; cell < t->cell_count; cell++) {
		uint32_t place = free_place(index, bits, inv_get(&t->cells[cell].key));
		if (place == UINT32_MAX)
			all = false;
		else
			index[place] = (uint16_t)cell;
	}
	return all;
}

static size_t bytes_of(uint32_t bits)
{
	return sizeof(uint16_t) << bits;
}

/* NULL: not to be had. */
static uint16_t *larger(const struct inv_thread *t, uint32_t *bits)
{
	for (*bits = t->cell_bits + 2; *bits <= INV_CELL_INDEX_MOST; *bits += 2) {
		uint16_t *index = mmap(NULL, bytes_of(*bits), PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (index == MAP_FAILED)
			return NULL;
		if (fill(t, index, *bits))
			return index;
		munmap(index, bytes_of(*bits));
	}
	return NULL;
}

uint32_t inv_cells_grow_index(struct inv_thread *t, uint64_t key)
{
	int saved = errno;
	uint16_t *before = t->cell_index;
	uint32_t bits_before = t->cell_bits, bits;
	uint16_t *index =
		t->index_fixed || !inv_sandbox_allows(INV_ASK_BIND) ? NULL : larger(t, &bits);
	if (index) {
		t->cell_index = index;
		t->cell_bits = bits;
		if (before != t->small_index)
			munmap(before, bytes_of(bits_before));
	} else {
		t->index_fixed = true;
	}
	errno = saved;
	return free_place(t->cell_index, t->cell_bits, key);
}

void inv_cells_index(struct inv_thread *t)
{
	if (!t->cell_index) {
		t->cell_index = t->small_index;
		t->cell_bits = INV_CELL_INDEX_BITS;
	}
	memset(t->cell_index, 0, bytes_of(t->cell_bits));
	if (!fill(t, t->cell_index, t->cell_bits))
		inv_cells_grow_index(t, 0);
}
