/* SPDX-License-Identifier: MIT */
/*
 * utf8.h - is this byte string UTF-8, and how wide is it on a terminal.
 *
 * Decides by itself, not by the locale: names come from the observed program and are
 * written as UTF-8 JSON whatever LANG says. Pure functions: any thread.
 */
#ifndef INV_READER_UTF8_H
#define INV_READER_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Returns: length (1 to 4) of the well-formed character at text, or 0 (RFC 3629). */
size_t inv_utf8_length(const char *text, size_t length);

/*
 * A character and its width in columns (0 to 2); a control character or a broken byte
 * has width 1 and is to be shown as '?' (*printable is then 0).
 * Returns: its length in bytes, at least 1; length must not be 0.
 */
size_t inv_utf8_next(const char *text, size_t length, int *width, int *printable);

#endif
