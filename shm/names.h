/* SPDX-License-Identifier: MIT */
/*
 * names.h - text to id and back, shared by all writers of a segment.
 *
 * [N1] An entry of the index is written once, by a CAS from 0 (release), after its text
 *      is complete in the arena; whoever loads it (acquire) may read the text for ever.
 * [N2] Lock-free: a failed CAS means that another writer published. A lost race wastes
 *      the loser's arena bytes, nothing else. A writer killed in the middle does so too.
 * [N3] A look-up takes at most INV_NAME_PROBES_MAX places; a table so crowded is full.
 *
 * Never blocks or allocates; reserves arena pages in chunks (a system call on that path).
 */
#ifndef INV_SHM_NAMES_H
#define INV_SHM_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "segment.h"

#define INV_NAME_PROBES_MAX 64u
#define INV_NAME_OTHER	    0u

/*
 * 64-bit hash of a byte string: multiply-xorshift over 8-byte words (after Murmur's finaliser).
 * It begins with inv_name_hash_start, takes each word by inv_name_mix(h ^ word), the last one
 * with zeroes behind the text if it is not whole, and ends with one inv_name_mix more.
 */
uint64_t inv_name_hash(const void *text, size_t length);

static inline uint64_t inv_name_hash_start(size_t length)
{
	return length * UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint64_t inv_name_mix(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	return h;
}

/*
 * Finds or adds text[0..length). length is cut to INV_NAME_BYTES_MAX by the caller.
 * Returns: its id, or INV_NAME_OTHER when the table or the arena is full.
 */
uint32_t inv_name_intern(struct inv_segment *seg, const char *text, size_t length);

/*
 * The text of an id, checked against the region's bounds.
 * Returns: a pointer into the arena and *length; for id 0, an empty or a bad entry, NULL.
 */
const char *inv_name_text(const struct inv_segment *seg, uint32_t id, size_t *length);

/*
 * Finds or adds a type (an error type or a result type).
 * Returns: its index, or 0 when the table is full.
 */
uint16_t inv_type_intern(struct inv_segment *seg, const char *text, size_t length);

#endif
