/* SPDX-License-Identifier: MIT */
/*
 * table.h - rows and columns for a human: aligned, cut to the terminal, harmless.
 *
 * Cells are UTF-8 and may hold anything: control characters, broken bytes and direction
 * marks are shown as '?', so that a name cannot forge a line or colour. When the table is
 * wider than the terminal its text columns are cut, with an ellipsis; numbers never are.
 */
#ifndef INV_READER_TABLE_H
#define INV_READER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define INV_TABLE_COLUMNS 16

struct inv_table {
	size_t columns, cells, room;
	const char *head[INV_TABLE_COLUMNS];
	bool right[INV_TABLE_COLUMNS]; /* numbers */
	char **cell;		       /* row by row */
	bool failed;		       /* out of memory: the table is short */
};

/* head: static text; a leading '>' makes a column of numbers. NULL ends the list. */
void inv_table_init(struct inv_table *table, const char *const *head);
void inv_table_free(struct inv_table *table);

/* Cells of a row, one after the other. */
void inv_table_text(struct inv_table *table, const char *text, size_t length);
void inv_table_str(struct inv_table *table, const char *text);
void inv_table_printf(struct inv_table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void inv_table_count(struct inv_table *table, uint64_t count);

/* A duration in the unit that reads best: "870ns", "12.3us", "4.56ms", "7.89s". */
void inv_table_duration(struct inv_table *table, double ns);

/* width: of the terminal, 0 = unbounded. */
void inv_table_print(const struct inv_table *table, FILE *to, unsigned width, bool color);

/* Width of the terminal behind a stream, COLUMNS, or 0 when it is none. */
unsigned inv_table_width(FILE *to);

/* Whether to colour: a terminal, and no NO_COLOR. */
bool inv_table_color(FILE *to);

/* Text as it may be shown: sanitized as in a cell. */
void inv_table_say(FILE *to, const char *text, size_t length);

/*
 * The same into a buffer of length + 1 bytes, which may be text itself: what is not
 * printable becomes '?', byte by byte or character by character. Returns: its length.
 */
size_t inv_table_clean(char *to, const char *text, size_t length);

/* The same formatting as inv_table_duration, into a buffer of at least 32 bytes. */
void inv_table_format_duration(char *buf, double ns);

#endif
