/* SPDX-License-Identifier: MIT */
/*
 * say.h - the one way of a message to the user.
 *
 * A message repeats what it was given: arguments, paths, lines of files, names from the
 * observed program. None of them may act upon the terminal or forge a line: what is not
 * printable is shown as in tables, as '?'. Cleaning each argument at its place was rejected:
 * there are over a hundred places, and the one that is forgotten is the one that is found.
 *
 * Any thread. A message is one write(2).
 */
#ifndef INV_READER_SAY_H
#define INV_READER_SAY_H

#include <stdio.h>

/* To stderr. Only a line end at the very end stays one. */
void inv_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same to a stream. */
void inv_say_to(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
