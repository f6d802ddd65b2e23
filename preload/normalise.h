/* SPDX-License-Identifier: MIT */
/*
 * normalise.h - a text made fit to be recorded: without literals, or as its length alone.
 *
 * Two reasons: literals are secrets, and each of them would make a new name of the same
 * query. Called by plan.c in the observed program's thread, on the program's own bytes,
 * before anything of them is written to a segment. Pure: text in, bounded text out; never
 * allocates, blocks, makes a system call or touches errno.
 */
#ifndef INV_PRELOAD_NORMALISE_H
#define INV_PRELOAD_NORMALISE_H

#include <stdbool.h>
#include <stddef.h>

#include "preload/probe.h"

/* So much of a text is read; literals are long, and what they fold to is short. */
#define INV_NORMALISE_READ_MAX 65536u

/*
 * Writes text[0..length) to out[0..size), which it must not overlap, in the form of `how`;
 * no NUL is added. *cut is set, never cleared, when something did not fit.
 *
 *   SQL     string, blob and number literals, and the list of an IN, are one `?` each;
 *           space and comments are one space, none at the ends; identifiers are kept,
 *           in "quotes", `backquotes` or [brackets] too
 *   DIGITS  each run of digits is one `?`
 *   LENGTH  `<N bytes>`
 *   NONE    the text itself
 *
 * A literal or quoted identifier without its end is a literal up to the end of the text.
 * Limits: '\'' is read as the standard and SQLite do (E'\'' as PostgreSQL does), so that
 * MySQL's backslash may end a literal too late or too soon, and "text" is an identifier:
 * redact what such a dialect is given.
 * Returns: the bytes written, at most size.
 */
size_t inv_normalise(enum inv_rewrite how, const char *text, size_t length, char *out, size_t size,
		     bool *cut);

#endif
