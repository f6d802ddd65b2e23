/* SPDX-License-Identifier: MIT */
/*
 * name_cache.h - a thread's shortcut from a program's string or number to a name id.
 *
 * Programs pass the same few pointers again and again. The cache is keyed by the pointer
 * and verified by the content, so that a reused buffer is never mistaken; a miss goes to
 * the shared dictionary. It also remembers which pages could be read: a pointer in an
 * unused argument register may be garbage, and must not crash the program. A page is
 * asked about once (a rejected rt_sigprocmask, which copies from the address before it
 * looks at anything else); "no" is asked again after a while.
 *
 * Counted texts (a length, no NUL) that are shorter than a block are keyed by their bytes
 * instead: C++ keeps such a text inside the string object, and those are made on the stack,
 * all at the same few addresses.
 *
 * Limit: a page that was readable and is unmapped later, while the program goes on passing
 * pointers into it that nobody reads, is not noticed.
 *
 * One thread at a time. Wait-free on a hit; a miss may make system calls.
 */
#ifndef INV_SHM_NAME_CACHE_H
#define INV_SHM_NAME_CACHE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "names.h"

#define INV_NAME_CACHE_SLOTS 256u
#define INV_PAGE_CACHE_SLOTS 64u

struct inv_cached_name {
	uint64_t key;	  /* the pointer, or the number, or made of the bytes */
	const char *text; /* in the arena, padded to 8; NULL: key is no pointer */
	uint32_t length;  /* of a number whether it has a sign, of bytes INV_SHORT_LENGTH */
	uint32_t id;	  /* 0: empty */
	/* Of a text shorter than a block, whose block at `key` lies in one page: its bytes and
	 * the NUL, and which those are; else no mask. With them a hit touches the entry and the
	 * program's string alone. Keyed by its bytes, a text has no mask, and zeroes behind it. */
	uint64_t word[2], mask[2];
	uint64_t spare;
};
static_assert(sizeof(struct inv_cached_name) == 64, "an entry is a cache line");

struct inv_cached_page {
	uint64_t last; /* its last byte, or the one before that: it is not readable; 0 = empty */
	uint32_t asks_left; /* of a "no" before it is checked again */
};

struct inv_name_cache {
	struct inv_cached_name names[INV_NAME_CACHE_SLOTS];
	struct inv_cached_page pages[INV_PAGE_CACHE_SLOTS];
};

/* What a look-up that found no id leaves for the event. */
struct inv_name_miss {
	const char *text; /* the program's own bytes, valid until the call goes on */
	uint32_t length;
	bool unreadable;
	bool overflow;
	bool truncated;
};

/*
 * For a process under valgrind, once, before any other: it takes the question about a page for a
 * mistake of the program's (an unknown `how`, a set in memory that is not allocated) and reports
 * it. process_vm_readv asks instead.
 */
void inv_name_cache_ask_quietly(void);

/* Whether bytes [p, p+length) can be read; length at most 4096. */
bool inv_readable(struct inv_name_cache *cache, const void *p, size_t length);

/* The same of any length. */
bool inv_readable_bytes(struct inv_name_cache *cache, const char *p, size_t length);

/*
 * Length of the string at p, at most `most`, reading only pages known readable.
 * Returns: false where its first byte cannot be read.
 */
bool inv_readable_string(struct inv_name_cache *cache, const char *p, size_t most, size_t *length);

/* These two, and inv_name_of_bytes_slow: the same as without `slow`, and *miss is filled always. */
uint32_t inv_name_of_string_slow(struct inv_name_cache *cache, struct inv_segment *seg,
				 const char *p, struct inv_name_miss *miss);
uint32_t inv_name_of_number_slow(struct inv_name_cache *cache, struct inv_segment *seg,
				 uint64_t number, bool is_signed, struct inv_name_miss *miss);

/*
 * Strings of a program lie at equal distances, as malloc or a table spaces them. This odd number
 * (of Murmur's finaliser) sends up to 64 of them, at any distance from 1 to 512 that is usual, to
 * as many slots; the golden ratio does not at 48, 144 or 304 bytes, which have a Fibonacci number
 * as a multiple.
 */
static inline struct inv_cached_name *inv_name_cache_slot(struct inv_name_cache *cache,
							  uint64_t key)
{
	/* The upper eight bits times the size of an entry, in one shift. */
	uint64_t at = key * UINT64_C(0xc4ceb9fe1a85ec53) >> 50 &
		      (INV_NAME_CACHE_SLOTS - 1) * sizeof(struct inv_cached_name);
	char *first = (char *)cache + offsetof(struct inv_name_cache, names);
	return (struct inv_cached_name *)(first + at);
}

/*
 * Whether the NUL-terminated p equals text[0..length]. Whole blocks at a time where they
 * lie in one page: reading past the end of p there cannot fault. A block that matched in
 * full held no NUL before its end, so that p does reach the next one. The arena is mapped
 * beyond any text in it, so that blocks of text may be read whole too.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static inline bool inv_name_equal(const char *p, const char *text, uint32_t length)
{
	return strncmp(p, text, (size_t)length + 1) == 0;
}
#else
#define INV_BLOCK 16u
#if defined(__SSE2__)
/* Bit i: byte i of the blocks is equal. */
static inline uint32_t inv_block_equal(const char *a, const char *b)
{
	/* The compiler must not think of the object behind a: it is the page that counts. */
	__asm__("" : "+r"(a));
	__m128i x = _mm_loadu_si128((const __m128i *)a);
	__m128i y = _mm_loadu_si128((const __m128i *)b);
	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y));
}
#else
/* Bit i: bytes 0 to i of the blocks are equal. All masks here are of leading bytes. */
static inline uint32_t inv_block_equal(const char *a, const char *b)
{
	uint64_t x[2], y[2];
	__asm__("" : "+r"(a));
	memcpy(x, a, INV_BLOCK);
	memcpy(y, b, INV_BLOCK);
	uint64_t low = x[0] ^ y[0], high = x[1] ^ y[1];
	if (low) /* little-endian: the first differing byte has the lowest set bit */
		return (1u << ((unsigned)__builtin_ctzll(low) / 8)) - 1;
	return high ? (1u << (8 + (unsigned)__builtin_ctzll(high) / 8)) - 1 : 0xffffu;
}
#endif

/* The end of a page: byte by byte, since code without vector registers calls no libc here. */
static inline bool inv_name_equal_bytes(const char *p, const char *text, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++) /* a NUL in p ends it: no text has one */
		if (p[i] != text[i])
			return false;
	return p[length] == 0;
}

static inline bool inv_name_equal(const char *p, const char *text, uint32_t length)
{
	const uint32_t full = (uint32_t)((UINT64_C(1) << INV_BLOCK) - 1);
	for (;; p += INV_BLOCK, text += INV_BLOCK, length -= INV_BLOCK) {
		if (__builtin_expect(
			    ((uintptr_t)p & (INV_PAGE_BYTES - 1)) > INV_PAGE_BYTES - INV_BLOCK, 0))
			return inv_name_equal_bytes(p, text, length);
		uint32_t equal = inv_block_equal(p, text);
		if (__builtin_expect(length < INV_BLOCK, 1)) {
			uint32_t wanted = (2u << length) - 1; /* the NUL is compared too */
			return (equal & wanted) == wanted;
		}
		if (equal != full)
			return false;
	}
}
#endif

/* A longer text, a string near the end of a page, or a build that must not read on. */
uint32_t inv_name_hit_slow(const struct inv_cached_name *c, const char *p);

/* Returns: the id of the string p if the cache has it, else 0. */
static inline __attribute__((always_inline)) uint32_t inv_name_hit(struct inv_name_cache *cache,
								   const char *p)
{
	const struct inv_cached_name *c = inv_name_cache_slot(cache, (uint64_t)(uintptr_t)p);
	if (__builtin_expect(c->key != (uint64_t)(uintptr_t)p, 0))
		return 0;
#ifdef INV_BLOCK
	/* No mask: a number, or nothing, whose key is no pointer that may be followed. */
	if (__builtin_expect(c->mask[0] != 0, 1)) {
		uint64_t low, high;
		__asm__("" : "+r"(p)); /* the compiler must not think of the object behind p */
		memcpy(&low, p, 8);
		memcpy(&high, p + 8, 8);
		low = (low & c->mask[0]) ^ c->word[0];
		high = (high & c->mask[1]) ^ c->word[1];
		if (__builtin_expect(!(low | high), 1)) {
			if (!c->id)
				__builtin_unreachable();
			return c->id;
		}
	}
#endif
#if defined(__SSE2__) || !defined(INV_BLOCK)
	return inv_name_hit_slow(c, p);
#else
	return c->text && inv_name_equal(p, c->text, c->length) ? c->id : 0;
#endif
}

static inline uint32_t inv_page_slot(uintptr_t at)
{
	return (uint32_t)(at / INV_PAGE_BYTES) % INV_PAGE_CACHE_SLOTS;
}

/*
 * Whether [at, at+bytes), bytes less than a page, lies in one page known to be readable. The slot
 * is that of the first byte and the page that of the last: a page is never in its neighbour's.
 */
static inline bool inv_readable_hit(const struct inv_name_cache *cache, uintptr_t at,
				    uint32_t bytes)
{
	return cache->pages[inv_page_slot(at)].last == ((at + bytes - 1) | (INV_PAGE_BYTES - 1));
}

/* Returns: the id of the string p, or 0 and *miss filled. p may be any address, NULL too. */
static inline uint32_t inv_name_of_string(struct inv_name_cache *cache, struct inv_segment *seg,
					  const char *p, struct inv_name_miss *miss)
{
	uint32_t id = inv_name_hit(cache, p);
	if (id)
		return id;
	return inv_name_of_string_slow(cache, seg, p, miss);
}

/*
 * A string that the cache has not, or not at this address: programs print names into a buffer
 * again and again. Asks the dictionary for a text of at most INV_NAME_FIND_MAX bytes that lies
 * in one page known to be readable, and remembers what it found. Built without vector
 * registers, so that a call through a patched entry need not save them (vectors.h): a miss
 * would cost three times as much.
 * Returns: its id, or 0: inv_name_of_string_slow is to be asked. Wait-free, no system call.
 */
#define INV_NAME_FIND_MAX 63u
uint32_t inv_name_find(struct inv_name_cache *cache, const struct inv_segment *seg, const char *p);

/* Enters the string p, whose text in the arena is `text`. Uses no vector registers. */
void inv_name_remember(struct inv_name_cache *cache, const char *p, const char *text,
		       uint32_t length, uint32_t id);

uint32_t inv_name_of_bytes_slow(struct inv_name_cache *cache, struct inv_segment *seg,
				const char *p, size_t length, struct inv_name_miss *miss);

/*
 * The same of a counted text that is known to be readable and that a NUL follows.
 * Returns: its id if the cache has it, else 0: inv_name_of_bytes_slow is to be asked.
 */
static inline uint32_t inv_name_known(struct inv_name_cache *cache, const char *p, size_t length)
{
	const struct inv_cached_name *c = inv_name_cache_slot(cache, (uint64_t)(uintptr_t)p);
	/* A text with a NUL in it is never cached: length and bytes up to a NUL are all of it. */
	return c->length == length ? inv_name_hit(cache, p) : 0;
}

/* ---- counted texts -------------------------------------------------------------------- */

#define INV_SHORT_MAX	    15u	      /* bytes of a text that is keyed by them */
#define INV_SHORT_LENGTH(n) ((n) + 2) /* no number's */

/*
 * A text of at most INV_SHORT_MAX bytes as two words, zeroes behind it. Sixteen bytes can be
 * read at p, unless it is empty.
 */
static inline void inv_short_words(const char *p, uint32_t length, uint64_t out[2])
{
	out[0] = out[1] = 0;
	if (!length)
		return;
#ifdef INV_BLOCK
	__asm__("" : "+r"(p)); /* the compiler must not think of the object behind p */
	memcpy(out, p, 16);
	unsigned cut = 8 * (16 - length); /* bits that are none of it: 8 to 120 */
	if (cut > 64) {
		out[0] &= UINT64_MAX >> (cut - 64);
		out[1] = 0;
	} else {
		out[1] = cut == 64 ? 0 : out[1] & UINT64_MAX >> cut;
	}
#else
	memcpy(out, p, length); /* a sanitizer minds the rest */
#endif
}

static inline uint64_t inv_short_key(const uint64_t word[2], uint32_t length)
{
	return word[0] ^ (word[1] * UINT64_C(0xff51afd7ed558ccd)) ^ length;
}

/* Returns: the id of a text of at most INV_SHORT_MAX bytes if the cache has it, else 0. */
static inline uint32_t inv_name_short_known(const struct inv_name_cache *cache, const char *p,
					    uint32_t length)
{
	uint64_t word[2];
	inv_short_words(p, length, word);
	const struct inv_cached_name *c =
		inv_name_cache_slot((struct inv_name_cache *)(uintptr_t)cache,
				    inv_short_key(word, length));
	bool same = c->length == INV_SHORT_LENGTH(length) && !c->text && c->word[0] == word[0] &&
		    c->word[1] == word[1];
	return __builtin_expect(same, 1) ? c->id : 0;
}

/* Whether bytes [a, a+length), length at least 8, are those of b: reads no others. */
static inline bool inv_bytes_equal(const char *a, const char *b, size_t length)
{
	uint64_t x, y;
	for (size_t i = 0; i + 8 < length; i += 8) {
		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		if (x != y)
			return false;
	}
	memcpy(&x, a + length - 8, 8);
	memcpy(&y, b + length - 8, 8);
	return x == y;
}

/* Returns: the id of a text of any length if the cache has it, else 0. */
static inline uint32_t inv_name_counted_known(const struct inv_name_cache *cache, const char *p,
					      uint64_t length)
{
	if (length <= INV_SHORT_MAX) {
		bool readable = !length || inv_readable_hit(cache, (uintptr_t)p, 16);
		return readable ? inv_name_short_known(cache, p, (uint32_t)length) : 0;
	}
	const struct inv_cached_name *c =
		inv_name_cache_slot((struct inv_name_cache *)(uintptr_t)cache,
				    (uint64_t)(uintptr_t)p);
	if (c->key != (uint64_t)(uintptr_t)p || !c->text || c->length != length)
		return 0;
	return inv_bytes_equal(p, c->text, length) ? c->id : 0;
}

/*
 * The name of a text of any length at p, any address, by the dictionary.
 * Returns: its id, or 0 and *miss filled.
 */
uint32_t inv_name_of_counted(struct inv_name_cache *cache, struct inv_segment *seg, const char *p,
			     uint64_t length, struct inv_name_miss *miss);

/* ---- numbers -------------------------------------------------------------------------- */

/* Returns: the id of the number in decimal, or 0 and *miss filled. */
static inline uint32_t inv_name_of_number(struct inv_name_cache *cache, struct inv_segment *seg,
					  uint64_t number, bool is_signed,
					  struct inv_name_miss *miss)
{
	struct inv_cached_name *c = inv_name_cache_slot(cache, number);
	if (__builtin_expect(c->key == number && !c->text && c->id && c->length == is_signed, 1))
		return c->id;
	return inv_name_of_number_slow(cache, seg, number, is_signed, miss);
}

#endif
