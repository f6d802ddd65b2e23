/* SPDX-License-Identifier: MIT */
/*
 * normalise.c - one pass over the text, token by token, into a bounded buffer.
 *
 * A token is a word, a literal, a quoted identifier, a comment or a single byte; no grammar
 * is needed to find where a literal ends. A parser of one dialect was the alternative: it
 * would refuse the others, and an SQL that cannot be parsed is just what fails and is looked
 * at. In doubt a text is a literal: too much folded is a less telling name, too little is a
 * secret in a file.
 *
 * Spaces and commas are held back until it is known what follows: a space at the end is
 * dropped, and so is a comma between two literals of an IN list.
 */
#include "preload/normalise.h"

#include <stdint.h>
#include <string.h>

/* How far an IN list has come. */
enum list { LIST_NONE, LIST_IN, LIST_OPEN, LIST_LITERAL };

struct fold {
	const char *at, *end; /* of the text left */
	char *begin, *out, *limit;
	bool cut;
	bool space; /* held back */
	bool comma; /* held back; stands before the space */
	enum list list;
};

static bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

/* Bytes of UTF-8 are letters. */
static bool is_letter(char c)
{
	return (unsigned char)((c | 0x20) - 'a') < 26 || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static char peek(const struct fold *f, size_t ahead)
{
	return (size_t)(f->end - f->at) > ahead ? f->at[ahead] : '\0';
}

/* ---- output ------------------------------------------------------------------------ */

/* When the buffer is full nothing else is read. */
static void put_raw(struct fold *f, const char *bytes, size_t length)
{
	size_t room = (size_t)(f->limit - f->out);
	if (length > room) {
		length = room;
		f->cut = true;
		f->at = f->end;
	}
	memcpy(f->out, bytes, length);
	f->out += length;
}

/* A token that is kept; it ends a list. */
static void put(struct fold *f, const char *bytes, size_t length)
{
	if (f->comma)
		put_raw(f, ",", 1);
	if (f->space && f->out != f->begin)
		put_raw(f, " ", 1);
	f->comma = f->space = false;
	f->list = LIST_NONE;
	put_raw(f, bytes, length);
}

static void put_literal(struct fold *f)
{
	bool first = f->list == LIST_OPEN, further = f->list == LIST_LITERAL && f->comma;
	if (further)
		f->comma = f->space = false;
	else
		put(f, "?", 1);
	if (first || further)
		f->list = LIST_LITERAL;
}

/* Takes `length` bytes of the text as they are. */
static void keep(struct fold *f, size_t length)
{
	const char *bytes = f->at;
	f->at += length;
	put(f, bytes, length);
}

/* ---- tokens ------------------------------------------------------------------------ */

/* The length of a quoted text, its end doubled inside it; 0: it has no end. */
static size_t quoted_length(const struct fold *f, char close, bool backslash)
{
	for (const char *p = f->at + 1; p < f->end; p++) {
		if (backslash && *p == '\\')
			p++;
		else if (*p == close && p + 1 < f->end && p[1] == close)
			p++;
		else if (*p == close)
			return (size_t)(p + 1 - f->at);
	}
	return 0;
}

static void skip_string(struct fold *f, bool backslash)
{
	size_t length = quoted_length(f, '\'', backslash);
	f->at = length ? f->at + length : f->end;
	put_literal(f);
}

static void quoted_identifier(struct fold *f, char close)
{
	size_t length = quoted_length(f, close, false);
	if (length) {
		keep(f, length);
		return;
	}
	f->at = f->end;
	put_literal(f);
}

/* [name]; an array's brackets, with anything but a name in them, are single bytes. */
static void bracket(struct fold *f)
{
	const char *p = f->at + 1;
	while (p < f->end && (is_letter(*p) || *p == ' ' || (is_digit(*p) && p > f->at + 1)))
		p++;
	keep(f, p < f->end && *p == ']' ? (size_t)(p + 1 - f->at) : 1);
}

/* 1, .5, 1e-3, 0xff, 1_000: letters belong to it, so that nothing of it is left over. */
static void number(struct fold *f)
{
	const char *p = f->at;
	while (p < f->end && (is_digit(*p) || is_letter(*p) || *p == '.' ||
			      ((*p == '-' || *p == '+') && (p[-1] | 0x20) == 'e')))
		p++;
	f->at = p;
	put_literal(f);
}

static size_t word_length(const struct fold *f)
{
	const char *p = f->at;
	while (p < f->end && (is_letter(*p) || is_digit(*p) || *p == '$'))
		p++;
	return (size_t)(p - f->at);
}

/* A word, or the letter in front of a string: X'00', N'text', B'01', E'\n'. */
static void word(struct fold *f)
{
	size_t length = word_length(f);
	char letter = (char)(f->at[0] | 0x20);
	bool in = length == 2 && letter == 'i' && (f->at[1] | 0x20) == 'n';
	if (length == 1 && strchr("xnbe", letter) && peek(f, 1) == '\'') {
		f->at++;
		skip_string(f, letter == 'e');
		return;
	}
	keep(f, length);
	if (in)
		f->list = LIST_IN;
}

/* $$text$$ or $tag$text$tag$. Returns: false when it is none. */
static bool dollar_string(struct fold *f)
{
	const char *p = f->at + 1;
	while (p < f->end && (is_letter(*p) || is_digit(*p)))
		p++;
	if (p == f->end || *p != '$')
		return false;
	size_t tag = (size_t)(p + 1 - f->at);
	const char *close = memmem(p + 1, (size_t)(f->end - p - 1), f->at, tag);
	f->at = close ? close + tag : f->end;
	put_literal(f);
	return true;
}

/* ?1, $1, :1: a parameter by number is a `?` as any other. */
static void parameter(struct fold *f)
{
	if (*f->at == '$' && !is_digit(peek(f, 1)) && dollar_string(f))
		return;
	if (*f->at != '?' && !is_digit(peek(f, 1))) {
		keep(f, 1);
		return;
	}
	do
		f->at++;
	while (f->at < f->end && is_digit(*f->at));
	put_literal(f);
}

static void line_comment(struct fold *f)
{
	const char *end = memchr(f->at, '\n', (size_t)(f->end - f->at));
	f->at = end ? end : f->end;
	f->space = true;
}

static void block_comment(struct fold *f)
{
	const char *end = memmem(f->at + 2, (size_t)(f->end - f->at) - 2, "*/", 2);
	f->at = end ? end + 2 : f->end;
	f->space = true;
}

/* What stands for itself, but for its part in an IN list. */
static void byte(struct fold *f)
{
	enum list was = f->list;
	char c = *f->at;
	if (was == LIST_LITERAL && c == ',' && !f->comma) {
		f->at++;
		f->comma = true;
		f->space = false;
	} else if ((was == LIST_OPEN || was == LIST_LITERAL) && (c == '-' || c == '+') &&
		   is_digit(peek(f, 1))) {
		f->at++; /* the sign of a literal in a list */
	} else {
		keep(f, 1);
		if (was == LIST_IN && c == '(')
			f->list = LIST_OPEN;
	}
}

static void sql_token(struct fold *f)
{
	char c = *f->at, next = peek(f, 1);
	if (is_blank(c)) {
		f->at++;
		f->space = true;
	} else if (c == '-' && next == '-') {
		line_comment(f);
	} else if (c == '/' && next == '*') {
		block_comment(f);
	} else if (c == '\'') {
		skip_string(f, false);
	} else if (c == '"' || c == '`') {
		quoted_identifier(f, c);
	} else if (c == '[') {
		bracket(f);
	} else if (is_digit(c) || (c == '.' && is_digit(next))) {
		number(f);
	} else if (is_letter(c)) {
		word(f);
	} else if (c == '?' || c == '$' || c == ':' || c == '@') {
		parameter(f);
	} else {
		byte(f);
	}
}

static void digits_token(struct fold *f)
{
	if (!is_digit(*f->at)) {
		put_raw(f, f->at, 1);
		f->at += f->at < f->end;
		return;
	}
	while (f->at < f->end && is_digit(*f->at))
		f->at++;
	put_raw(f, "?", 1);
}

static void put_length(struct fold *f, size_t length)
{
	char digits[20], *p = digits + sizeof(digits);
	do {
		*--p = (char)('0' + length % 10);
		length /= 10;
	} while (length);
	put_raw(f, "<", 1);
	put_raw(f, p, (size_t)(digits + sizeof(digits) - p));
	put_raw(f, " bytes>", 7);
}

size_t inv_normalise(enum inv_rewrite how, const char *text, size_t length, char *out, size_t size,
		     bool *cut)
{
	struct fold f = {.at = text, .end = text + length, .begin = out, .out = out};
	f.limit = out + size;
	if (how == INV_REWRITE_LENGTH)
		put_length(&f, length);
	else if (how == INV_REWRITE_NONE)
		put_raw(&f, text, length);
	else
		while (f.at < f.end)
			(how == INV_REWRITE_SQL ? sql_token : digits_token)(&f);
	if (f.comma)
		put_raw(&f, ",", 1);
	*cut |= f.cut;
	return (size_t)(f.out - out);
}
