/* SPDX-License-Identifier: MIT */
/*
 * std_text.c - what has to hold of a std::string before its text is read.
 *
 * Rejected: to tell the layout by the library that is loaded. A program may have both, and what
 * lies at an address is told best by what is there: a text pointer into the object itself, or a
 * capacity that is not less than the length, and the zero byte behind the text, which
 * libstdc++ keeps always.
 */
#include "preload/std_text.h"

#include <assert.h>

static_assert(offsetof(struct inv_std_string, length) == 8, "libstdc++'s std::string");
static_assert(offsetof(struct inv_std_string, held) == 16, "libstdc++'s std::string");
static_assert(sizeof(struct inv_std_string) == 32, "libstdc++'s std::string");
static_assert(offsetof(struct inv_std_view, text) == 8, "libstdc++'s std::string_view");
static_assert(sizeof(struct inv_std_view) == 16, "libstdc++'s std::string_view");

bool inv_std_string_read(struct inv_name_cache *names, const void *at, struct inv_std_text *out)
{
	struct inv_std_string s;
	if (!inv_readable(names, at, sizeof(s)))
		return false;
	memcpy(&s, at, sizeof(s));
	uintptr_t text = (uintptr_t)s.text;
	bool local = text == (uintptr_t)at + offsetof(struct inv_std_string, held);
	uint64_t room = local ? INV_STD_LOCAL_MAX : s.held.capacity;
	if (s.length > room || room < INV_STD_LOCAL_MAX || room > INV_STD_LENGTH_MAX)
		return false;
	const char *end = (const char *)(text + s.length);
	if (!inv_readable(names, end, 1) || *end)
		return false;
	*out = (struct inv_std_text){s.text, s.length};
	return true;
}

bool inv_std_view_read(struct inv_name_cache *names, const void *at, struct inv_std_text *out)
{
	struct inv_std_view view;
	if (!inv_readable(names, at, sizeof(view)))
		return false;
	memcpy(&view, at, sizeof(view));
	return inv_std_view_take(view.length, (uint64_t)(uintptr_t)view.text, out);
}

bool inv_std_view_take(uint64_t length, uint64_t bytes, struct inv_std_text *out)
{
	*out = (struct inv_std_text){length ? (const char *)(uintptr_t)bytes : "", length};
	return length <= INV_STD_LENGTH_MAX && (!length || bytes >= INV_PAGE_BYTES);
}
