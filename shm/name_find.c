/* SPDX-License-Identifier: MIT */
/*
 * name_find.c - known names in buffers that are used again; see inv_name_find.
 *
 * Whole words are read where they lie in the string's page, and compared with whole words of
 * the arena, which is padded with NULs to eight.
 */
#include "name_cache.h"

#ifdef INV_BLOCK

#define WORDS ((INV_NAME_FIND_MAX + 1) / 8)

static uint64_t word_at(const char *p)
{
	uint64_t w;
	__asm__("" : "+r"(p)); /* it is the page that counts, not the object behind p */
	memcpy(&w, p, 8);
	return w;
}

/*
 * The text up to its NUL, with zeroes behind it. Returns: its length, or more than
 * INV_NAME_FIND_MAX: too long, or too near to the end of its page.
 */
static uint32_t read_words(const char *p, uint64_t words[WORDS])
{
	uint32_t in_page = INV_PAGE_BYTES - (uint32_t)((uintptr_t)p & (INV_PAGE_BYTES - 1));
	for (uint32_t i = 0; i < WORDS && 8 * i + 8 <= in_page; i++) {
		uint64_t w = word_at(p + 8 * i);
		/* The lowest set bit is in the first byte that is 0; higher ones may be wrong. */
		uint64_t nul =
			(w - UINT64_C(0x0101010101010101)) & ~w & UINT64_C(0x8080808080808080);
		words[i] = w;
		if (nul) {
			uint32_t bytes = (uint32_t)__builtin_ctzll(nul) / 8;
			words[i] = w & ((UINT64_C(1) << (8 * bytes)) - 1);
			return 8 * i + bytes;
		}
	}
	return INV_NAME_FIND_MAX + 1;
}

static uint64_t hash_words(const uint64_t words[WORDS], uint32_t length)
{
	uint64_t h = inv_name_hash_start(length);
	for (uint32_t i = 0; 8 * i < length; i++)
		h = inv_name_mix(h ^ words[i]);
	return inv_name_mix(h);
}

static bool same_words(const char *text, const uint64_t words[WORDS], uint32_t length)
{
	for (uint32_t i = 0; 8 * i < length; i++)
		if (word_at(text + 8 * i) != words[i])
			return false;
	return true;
}

/* The block that a hit compares: the arena's words, as far as the NUL. */
static void keep_block(struct inv_cached_name *c, const char *text, uint32_t length)
{
	uint32_t low = length + 1 < 8 ? length + 1 : 8, high = length + 1 - low;
	c->mask[0] = low < 8 ? (UINT64_C(1) << (8 * low)) - 1 : UINT64_MAX;
	c->mask[1] = high < 8 ? (UINT64_C(1) << (8 * high)) - 1 : UINT64_MAX;
	c->word[0] = word_at(text) & c->mask[0];
	c->word[1] = high ? word_at(text + 8) & c->mask[1] : 0;
}

uint32_t inv_name_find(struct inv_name_cache *cache, const struct inv_segment *seg, const char *p)
{
	uint64_t words[WORDS], arena = seg->header->regions[INV_REGION_ARENA].bytes;
	if (!inv_readable_hit(cache, (uintptr_t)p, 1))
		return 0;
	uint32_t length = read_words(p, words);
	if (length > INV_NAME_FIND_MAX)
		return 0;
	uint64_t hash = hash_words(words, length);
	for (uint32_t probe = 0; probe < INV_NAME_PROBES_MAX; probe++) {
		uint32_t id = (uint32_t)(hash + probe) & (INV_NAMES_MAX - 1);
		if (id == INV_NAME_OTHER)
			continue;
		/* [N1] acquire: the text is read after the entry; pairs with inv_name_intern */
		uint64_t entry = atomic_load_explicit(&seg->names[id], memory_order_acquire);
		if (!entry)
			return 0;
		const char *text = (const char *)seg->arena + INV_NAME_OFFSET(entry);
		if (INV_NAME_HASH(entry) == (uint16_t)(hash >> 48) &&
		    INV_NAME_LENGTH(entry) == length &&
		    INV_NAME_OFFSET(entry) + (uint64_t)length + 8 <= arena &&
		    same_words(text, words, length)) {
			inv_name_remember(cache, p, text, length, id);
			return id;
		}
	}
	return 0;
}
#else
uint32_t inv_name_find(struct inv_name_cache *cache, const struct inv_segment *seg, const char *p)
{
	return 0; /* a sanitizer would not have us read on */
}
#endif

void inv_name_remember(struct inv_name_cache *cache, const char *p, const char *text,
		       uint32_t length, uint32_t id)
{
	struct inv_cached_name *c = inv_name_cache_slot(cache, (uint64_t)(uintptr_t)p);
	c->key = (uint64_t)(uintptr_t)p;
	c->text = text;
	c->length = length;
	c->id = id;
	c->mask[0] = 0;
#ifdef INV_BLOCK
	if (length < INV_BLOCK &&
	    ((uintptr_t)p & (INV_PAGE_BYTES - 1)) <= INV_PAGE_BYTES - INV_BLOCK)
		keep_block(c, text, length);
#endif
}
