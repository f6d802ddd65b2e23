/* SPDX-License-Identifier: MIT */
/*
 * names.c - the shared dictionary: an open-addressed index over an append-only arena.
 *
 * Nothing is ever removed, so an id stays good for the life of the segment and a reader
 * needs no protection but the bounds. The alternative, a table of fixed-size texts, was
 * dropped: ids are read far more often than written, and texts vary from 3 to 1,023 bytes.
 */
#include "names.h"

#include <stdbool.h>
#include <string.h>

#include "sandbox.h"
#include "testpoint.h"

#define ARENA_CHUNK (UINT64_C(64) << 10)
#define ARENA_FIRST 64u /* offset 0 means an empty entry */
#define READ_BEHIND 8u	/* name_cache.h compares by blocks of 16, and texts are padded to 8 */

static uint64_t load_word(const unsigned char *p, size_t n)
{
	uint64_t w = 0;
	memcpy(&w, p, n);
	return w;
}

uint64_t inv_name_hash(const void *text, size_t length)
{
	const unsigned char *p = text;
	uint64_t h = inv_name_hash_start(length);
	for (; length >= 8; p += 8, length -= 8)
		h = inv_name_mix(h ^ load_word(p, 8));
	if (length)
		h = inv_name_mix(h ^ load_word(p, length));
	return inv_name_mix(h);
}

static uint64_t padded(size_t length)
{
	return ((uint64_t)length + 8) & ~UINT64_C(7); /* at least one NUL */
}

/* How much is to be reserved for a text that ends there: reading a hole may be a SIGBUS, too. */
static uint64_t reserved_for(const struct inv_segment *seg, uint64_t end)
{
	uint64_t limit = seg->header->regions[INV_REGION_ARENA].bytes;
	return end + READ_BEHIND < limit ? end + READ_BEHIND : limit;
}

/* Whether a text may end there; a process that may not ask for more leaves it to others. */
static bool within_reach(const struct inv_segment *seg, uint64_t end)
{
	return reserved_for(seg, end) <=
		       atomic_load_explicit(&seg->shared->arena_reserved, memory_order_relaxed) ||
	       inv_sandbox_allows(INV_ASK_LANE);
}

/* Extends what may be stored to; two writers may both do it, harmlessly. */
static bool reserve_arena(struct inv_segment *seg, uint64_t end)
{
	uint64_t limit = seg->header->regions[INV_REGION_ARENA].bytes;
	uint64_t wanted = reserved_for(seg, end);
	inv_a64 *reserved = &seg->shared->arena_reserved;
	uint64_t have = atomic_load_explicit(reserved, memory_order_relaxed);
	while (have < wanted) {
		uint64_t bytes = ARENA_CHUNK < limit - have ? ARENA_CHUNK : limit - have;
		uint64_t at = seg->header->regions[INV_REGION_ARENA].offset + have;
		enum inv_result r = inv_segment_reserve(seg, at, bytes);
		/* Full for good: asking again at each new name would be a system call. */
		if (r == INV_E_FULL)
			atomic_store_explicit(&seg->shared->arena_used, limit,
					      memory_order_relaxed);
		if (r)
			return false;
		/* On failure `have` becomes what somebody else reserved: go on from there. */
		if (atomic_compare_exchange_strong_explicit(reserved, &have, have + bytes,
							    memory_order_relaxed,
							    memory_order_relaxed))
			have += bytes;
	}
	return true;
}

/* Returns: offset of `bytes` storable bytes, or 0. */
static uint64_t take_arena(struct inv_segment *seg, uint64_t bytes)
{
	uint64_t limit = seg->header->regions[INV_REGION_ARENA].bytes - ARENA_FIRST;
	inv_a64 *used = &seg->shared->arena_used;
	uint64_t at = atomic_load_explicit(used, memory_order_relaxed);
	do {
		if (at > limit || bytes > limit - at ||
		    !within_reach(seg, ARENA_FIRST + at + bytes))
			return 0;
	} while (!atomic_compare_exchange_weak_explicit(used, &at, at + bytes, memory_order_relaxed,
							memory_order_relaxed));
	at += ARENA_FIRST;
	return reserve_arena(seg, at + bytes) ? at : 0;
}

/* An entry that a stray store has hit may point anywhere. */
static bool same_text(const struct inv_segment *seg, uint64_t entry, uint16_t hash,
		      const char *text, size_t length)
{
	return INV_NAME_HASH(entry) == hash && INV_NAME_LENGTH(entry) == length &&
	       INV_NAME_OFFSET(entry) + (uint64_t)length <
		       seg->header->regions[INV_REGION_ARENA].bytes &&
	       memcmp(seg->arena + INV_NAME_OFFSET(entry), text, length) == 0;
}

static uint64_t store_text(struct inv_segment *seg, uint16_t hash, const char *text, size_t length)
{
	uint64_t at = take_arena(seg, padded(length));
	if (!at)
		return 0;
	memcpy(seg->arena + at, text, length); /* the padding is a hole: zeros [L3] */
	return INV_NAME_ENTRY(hash, length, at);
}

/* Beyond 7/8 every miss would walk far: the table counts as full. */
static bool crowded(const struct inv_segment *seg)
{
	return atomic_load_explicit(&seg->shared->name_count, memory_order_relaxed) >=
	       INV_NAMES_MAX / 8 * 7;
}

uint32_t inv_name_intern(struct inv_segment *seg, const char *text, size_t length)
{
	uint64_t hash = inv_name_hash(text, length), mine = 0;
	uint16_t tag = (uint16_t)(hash >> 48);
	for (uint32_t probe = 0; probe < INV_NAME_PROBES_MAX; probe++) {
		uint32_t id = (uint32_t)(hash + probe) & (INV_NAMES_MAX - 1);
		if (id == INV_NAME_OTHER)
			continue;
		/* [N1] acquire: the text is read after the entry; pairs with the CAS below */
		uint64_t entry = atomic_load_explicit(&seg->names[id], memory_order_acquire);
		if (!entry) {
			if (!mine && !crowded(seg))
				mine = store_text(seg, tag, text, length);
			if (!mine)
				return INV_NAME_OTHER;
			INV_TEST_POINT(name_stored);
			/* [N1] release: the text before its entry; acquire when we lose */
			if (atomic_compare_exchange_strong_explicit(&seg->names[id], &entry, mine,
								    memory_order_acq_rel,
								    memory_order_acquire)) {
				atomic_fetch_add_explicit(&seg->shared->name_count, 1,
							  memory_order_relaxed);
				INV_TEST_POINT(name_published);
				return id;
			}
		}
		if (same_text(seg, entry, tag, text, length))
			return id;
	}
	return INV_NAME_OTHER;
}

const char *inv_name_text(const struct inv_segment *seg, uint32_t id, size_t *length)
{
	if (id == INV_NAME_OTHER || id >= INV_NAMES_MAX)
		return NULL;
	/* [N1] acquire: pairs with the CAS in inv_name_intern */
	uint64_t entry = atomic_load_explicit(&seg->names[id], memory_order_acquire);
	uint64_t at = INV_NAME_OFFSET(entry), n = INV_NAME_LENGTH(entry);
	if (!entry || n > INV_NAME_BYTES_MAX ||
	    at + n >= seg->header->regions[INV_REGION_ARENA].bytes)
		return NULL;
	*length = n;
	return (const char *)seg->arena + at;
}

uint16_t inv_type_intern(struct inv_segment *seg, const char *text, size_t length)
{
	uint32_t id = inv_name_intern(seg, text, length);
	if (id == INV_NAME_OTHER)
		return 0;
	for (uint16_t i = 1; i < INV_TYPES_MAX; i++) {
		uint32_t have = atomic_load_explicit(&seg->types[i], memory_order_relaxed);
		/* The id alone is published: its text was published before, by [N1]. */
		if (!have && atomic_compare_exchange_strong_explicit(&seg->types[i], &have, id,
								     memory_order_relaxed,
								     memory_order_relaxed))
			return i;
		if (have == id)
			return i;
	}
	return 0;
}
