/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <wchar.h>

#include "top_screen.h"
#include "utf8.h"

#define COMBINING_MAX 2u

struct fitting {
	char *to;
	size_t size, at;
	unsigned used;
	unsigned combined; /* with the last character */
};

static bool put(struct fitting *f, const char *text, size_t length, unsigned width)
{
	if (f->at + length >= f->size)
		return false;
	memcpy(f->to + f->at, text, length);
	f->at += length;
	f->used += width;
	return true;
}

/* ncurses believes libc, and columns are laid out by our own table. */
static bool agreed(const char *text, size_t length, int width)
{
	wchar_t wide = 0;
	mbstate_t state = {0};
	return mbrtowc(&wide, text, length, &state) == length && wcwidth(wide) == width;
}

static bool put_character(struct fitting *f, const char *text, size_t length, int width,
			  bool printable)
{
	if (!printable)
		return put(f, "?", 1, 1);
	if (width > 0) {
		f->combined = 0;
		return put(f, text, length, (unsigned)width);
	}
	if (f->used == 0 || f->combined++ >= COMBINING_MAX)
		return true;
	return put(f, text, length, 0);
}

unsigned inv_top_fit(char *to, size_t size, const char *text, size_t length, unsigned width,
		     bool utf8)
{
	struct fitting f = {.to = to, .size = size}, room = f; /* where an ellipsis would go */
	bool cut = false;
	for (size_t at = 0; at < length && !cut;) {
		int columns, printable;
		size_t n = inv_utf8_next(text + at, length - at, &columns, &printable);
		if (printable && n > 1 && (!utf8 || !agreed(text + at, n, columns)))
			printable = 0;
		unsigned next = f.used + (unsigned)(printable ? columns : 1);
		cut = next > width || !put_character(&f, text + at, n, columns, printable != 0);
		if (!cut && f.used < width)
			room = f;
		at += n;
	}
	if (cut) {
		f = room;
		if (width)
			put(&f, utf8 ? "\xe2\x80\xa6" : "~", utf8 ? 3 : 1, 1);
	}
	if (size)
		to[f.at] = '\0';
	return f.used;
}
