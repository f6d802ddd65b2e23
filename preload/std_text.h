/* SPDX-License-Identifier: MIT */
/*
 * std_text.h - the text of a std::string or std::string_view of the program.
 *
 * A pointer that the probe takes for a std::string may be anything: the object is read only
 * where its pages can be, and believed only if it holds together (std_layout.h), which an
 * object of another layout does not. Texts are counted: a zero byte in one is a byte like
 * others. Called at each call, by all threads, each with its own cache; never allocates or
 * touches errno.
 *
 * Limit: a string that another thread changes at that moment is recorded as whatever is read,
 * or as unreadable.
 */
#ifndef INV_PRELOAD_STD_TEXT_H
#define INV_PRELOAD_STD_TEXT_H

#include "preload/std_layout.h"
#include "shm/name_cache.h"

/* No text is longer: what says so is something else, such as an address. */
#define INV_STD_LENGTH_MAX (UINT64_C(1) << 40)

/* Where the text is; that its bytes can be read is yet to be asked. */
struct inv_std_text {
	const char *bytes;
	uint64_t length;
};

/* Of the std::string at `at`. Returns: false: it cannot be read, or is none. */
bool inv_std_string_read(struct inv_name_cache *names, const void *at, struct inv_std_text *out);

/* Of the std::string_view at `at`. Returns: as above. */
bool inv_std_view_read(struct inv_name_cache *names, const void *at, struct inv_std_text *out);

/* Of a std::string_view in two registers. Returns: as above. */
bool inv_std_view_take(uint64_t length, uint64_t bytes, struct inv_std_text *out);

/*
 * The name of the std::string at `at` if both are known: one page looked up, two words of text
 * compared where the text is short.
 * Returns: its id, or 0: to be read by the above.
 */
static inline uint32_t inv_std_string_known(const struct inv_name_cache *names, uintptr_t at)
{
	const struct inv_std_string *s;
	if (__builtin_expect(!inv_readable_hit(names, at, sizeof(*s)), 0))
		return 0;
	/* the compiler must not think of the object there: it is the page that counts */
	__asm__("" : "+r"(at));
	s = (const struct inv_std_string *)at;
	const char *text = s->text;
	uint64_t length = s->length;
	if (__builtin_expect(text == s->held.local, 1))
		return length <= INV_STD_LOCAL_MAX
			       ? inv_name_short_known(names, text, (uint32_t)length)
			       : 0;
	/* an empty one may be any zeroes: it is not taken for one at sight */
	if (!length || length > s->held.capacity || s->held.capacity < INV_STD_LOCAL_MAX)
		return 0;
	return inv_name_counted_known(names, text, length);
}

/* The same of a view. */
static inline uint32_t inv_std_view_known(const struct inv_name_cache *names, uint64_t length,
					  uint64_t bytes)
{
	return inv_name_counted_known(names, (const char *)(uintptr_t)bytes, length);
}

#endif
