/* SPDX-License-Identifier: MIT */
/*
 * probe_cursor.c - the lexical level of the probe parser: words, numbers, quoted texts, and
 * errors that know their column.
 *
 * Hand-written over a bounded range rather than sscanf or strtoll, since those need a
 * NUL-terminated text, follow the locale and cannot say at which byte they gave up. Nothing
 * here trusts its input: a probe file may hold any bytes.
 */
#include "preload/probe_parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 40 /* longest word worth a suggestion */

bool inv_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word(char c)
{
	return is_word_start(c) || is_digit(c);
}

bool inv_is_name_byte(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && c != '"' && c != '\'';
}

bool inv_text_is(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* A file's bytes are quoted in messages, and those end on terminals. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static void error_fill(struct inv_probe_error *error, uint32_t line, uint32_t column,
		       const char *format, va_list args)
{
	if (!error)
		return;
	error->line = line;
	error->column = column;
	vsnprintf(error->text, sizeof(error->text), format, args);
	make_printable(error->text);
}

void inv_error_set(struct inv_probe_error *error, uint32_t line, uint32_t column,
		   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_fill(error, line, column, format, args);
	va_end(args);
}

void inv_cursor_init(struct inv_cursor *cursor, const char *text, size_t length,
		     struct inv_probe_error *error)
{
	cursor->start = text;
	cursor->at = text;
	cursor->end = text + length;
	cursor->error = error;
}

int inv_cursor_fail(struct inv_cursor *cursor, const char *at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_fill(cursor->error, 0, (uint32_t)(at - cursor->start) + 1, format, args);
	va_end(args);
	return -EINVAL;
}

int inv_cursor_no_memory(struct inv_cursor *cursor)
{
	inv_error_set(cursor->error, 0, 1, "out of memory");
	return -ENOMEM;
}

void inv_cursor_skip_space(struct inv_cursor *cursor)
{
	while (cursor->at < cursor->end && inv_is_space(*cursor->at))
		cursor->at++;
}

bool inv_cursor_at_end(struct inv_cursor *cursor)
{
	inv_cursor_skip_space(cursor);
	return cursor->at == cursor->end;
}

bool inv_cursor_accept(struct inv_cursor *cursor, const char *literal)
{
	size_t length = strlen(literal);

	inv_cursor_skip_space(cursor);
	if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, literal, length))
		return false;
	cursor->at += length;
	return true;
}

size_t inv_cursor_word(struct inv_cursor *cursor, const char **word)
{
	inv_cursor_skip_space(cursor);
	*word = cursor->at;
	if (cursor->at == cursor->end || !is_word_start(*cursor->at))
		return 0;
	while (cursor->at < cursor->end && is_word(*cursor->at))
		cursor->at++;
	return (size_t)(cursor->at - *word);
}

size_t inv_cursor_symbol(struct inv_cursor *cursor, const char **symbol)
{
	*symbol = cursor->at;
	if (cursor->at == cursor->end || is_digit(*cursor->at))
		return 0;
	while (cursor->at < cursor->end &&
	       (is_word(*cursor->at) || *cursor->at == '.' || *cursor->at == '$'))
		cursor->at++;
	return (size_t)(cursor->at - *symbol);
}

static int digit_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static int read_digits(struct inv_cursor *cursor, const char *begin, struct inv_number *out)
{
	unsigned int base = inv_cursor_accept(cursor, "0x") ? 16 : 10;
	const char *first = cursor->at;

	for (; cursor->at < cursor->end; cursor->at++) {
		unsigned int digit = (unsigned int)digit_value(*cursor->at);

		if (digit >= base)
			break;
		if (__builtin_mul_overflow(out->magnitude, base, &out->magnitude) ||
		    __builtin_add_overflow(out->magnitude, digit, &out->magnitude))
			return inv_cursor_fail(cursor, begin, "the number needs more than 64 bits");
	}
	if (cursor->at == first)
		return inv_cursor_fail(cursor, begin, "expected a number, such as 16, -13 or 0x20");
	return 0;
}

int inv_cursor_number(struct inv_cursor *cursor, struct inv_number *out)
{
	const char *begin;
	int result;

	inv_cursor_skip_space(cursor);
	begin = cursor->at;
	*out = (struct inv_number){0};
	if (cursor->at < cursor->end && (*cursor->at == '-' || *cursor->at == '+'))
		out->negative = *cursor->at++ == '-';
	if (cursor->at < cursor->end && !is_digit(*cursor->at))
		return inv_cursor_fail(cursor, begin, "expected a number, such as 16, -13 or 0x20");
	result = read_digits(cursor, begin, out);
	if (result)
		return result;
	if (cursor->at < cursor->end && is_word(*cursor->at))
		return inv_cursor_fail(cursor, begin,
				       "expected a number, not a name: digits or 0x");
	if (out->negative && out->magnitude > (uint64_t)INT64_MAX + 1)
		return inv_cursor_fail(cursor, begin, "the number needs more than 64 bits");
	out->negative = out->negative && out->magnitude;
	return 0;
}

int64_t inv_number_bits(const struct inv_number *number)
{
	uint64_t bits = number->negative ? 0 - number->magnitude : number->magnitude;

	return (int64_t)bits;
}

int inv_cursor_quoted(struct inv_cursor *cursor, char **text, size_t *length)
{
	const char *begin = cursor->at;
	char *out = malloc((size_t)(cursor->end - cursor->at) + 1);
	size_t used = 0;

	if (!out)
		return inv_cursor_no_memory(cursor);
	for (cursor->at++; cursor->at < cursor->end && *cursor->at != '"'; cursor->at++) {
		if (*cursor->at == '\\' && cursor->end - cursor->at > 1 &&
		    (cursor->at[1] == '"' || cursor->at[1] == '\\'))
			cursor->at++;
		out[used++] = *cursor->at;
	}
	if (cursor->at == cursor->end) {
		free(out);
		return inv_cursor_fail(cursor, begin, "the text has no closing quote \"");
	}
	cursor->at++;
	out[used] = '\0';
	*text = out;
	*length = used;
	return 0;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t low = a < b ? a : b;

	return low < c ? low : c;
}

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Levenshtein, by the usual one row: row[j] is the distance of word[0..i) to name[0..j). */
size_t inv_edit_distance(const char *word, size_t length, const char *name)
{
	size_t row[WORD_MAX + 1], count = strlen(name);

	if (length > WORD_MAX || count > WORD_MAX)
		return SIZE_MAX;

	for (size_t j = 0; j <= count; j++)
		row[j] = j;
	for (size_t i = 1; i <= length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= count; j++) {
			size_t above = row[j];
			size_t change = diagonal + (fold(word[i - 1]) != fold(name[j - 1]));

			row[j] = least(above + 1, row[j - 1] + 1, change);
			diagonal = above;
		}
	}
	return row[count];
}

const char *inv_nearest(const char *word, size_t length,
			const char *(*next)(const void *context, size_t i), const void *context)
{
	/* A word of which more than half must change was not meant to be that name. */
	size_t limit = length / 2 > 2 ? length / 2 : 2, best = limit + 1;
	const char *found = NULL;

	if (length > WORD_MAX)
		return NULL;
	for (size_t i = 0;; i++) {
		const char *name = next(context, i);
		size_t distance;

		if (!name)
			return found;
		if (!*name || strlen(name) > WORD_MAX)
			continue;
		distance = inv_edit_distance(word, length, name);
		if (distance < best && distance < length) {
			best = distance;
			found = name;
		}
	}
}
