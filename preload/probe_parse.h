/* SPDX-License-Identifier: MIT */
/*
 * probe_parse.h - what the files of the probe parser share, and nobody else includes.
 *
 * A file passes three stages:
 *
 *   bytes --(probe.c, libinih)--> sections of entries --(probe_keys.c)--> struct inv_probe
 *                                                          |
 *                     signature, source, rules: each reads one value through a cursor
 *
 * Keys may come in any order but expressions need the signature, so a section is collected
 * whole (struct inv_section) and built when it ends. A value may be written on several lines;
 * its pieces remember where they stood, so that an error found at byte N of the joined value
 * is reported at its line and column in the file.
 *
 * Every parsing function returns 0, -EINVAL (the text is wrong; the error says where) or
 * -ENOMEM, and leaves nothing allocated in its result when it fails.
 */
#ifndef INV_PRELOAD_PROBE_PARSE_H
#define INV_PRELOAD_PROBE_PARSE_H

#include "preload/probe.h"

#define INV_PROBE_VALUE_MAX   4096 /* bytes of one value, its lines joined */
#define INV_PROBE_ENTRIES_MAX 64   /* keys of a section */

/* A position in one value. `error` gets the column counted from `start`; it may be NULL. */
struct inv_cursor {
	const char *start;
	const char *at;
	const char *end;
	struct inv_probe_error *error;
};

/* A number as written. Negative zero is zero. */
struct inv_number {
	bool negative;
	uint64_t magnitude;
};

/* Fills an error; bytes that would disturb a terminal become '?'. `error` may be NULL. */
void inv_error_set(struct inv_probe_error *error, uint32_t line, uint32_t column,
		   const char *format, ...) __attribute__((format(printf, 4, 5)));

void inv_cursor_init(struct inv_cursor *cursor, const char *text, size_t length,
		     struct inv_probe_error *error);

/* Reports at `at`. Returns: -EINVAL, always. */
int inv_cursor_fail(struct inv_cursor *cursor, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Returns: -ENOMEM, always. */
int inv_cursor_no_memory(struct inv_cursor *cursor);

void inv_cursor_skip_space(struct inv_cursor *cursor);

/* Skips space. Returns: true when nothing else is left. */
bool inv_cursor_at_end(struct inv_cursor *cursor);

/* Skips space, then `literal` if it comes next. Returns: whether it did. */
bool inv_cursor_accept(struct inv_cursor *cursor, const char *literal);

/* Skips space, then takes an identifier. Returns: its length, 0 when there is none. */
size_t inv_cursor_word(struct inv_cursor *cursor, const char **word);

/* Takes a symbol name: an identifier with dots and dollars. Returns: its length, or 0. */
size_t inv_cursor_symbol(struct inv_cursor *cursor, const char **symbol);

/* Decimal or 0x, with a sign. */
int inv_cursor_number(struct inv_cursor *cursor, struct inv_number *out);

/* A text in double quotes with \" and \\; *text is malloc'ed and NUL-terminated. */
int inv_cursor_quoted(struct inv_cursor *cursor, char **text, size_t *length);

bool inv_is_space(char c);

/* Printable and without space or quotes: what names of probes and error types are made of. */
bool inv_is_name_byte(char c);

/* Returns: whether text[0..length) is exactly `word`. */
bool inv_text_is(const char *text, size_t length, const char *word);

/* Insertions, deletions and changes, the case aside; SIZE_MAX: one of them is too long. */
size_t inv_edit_distance(const char *word, size_t length, const char *name);

/*
 * The name most like `word`, by edit distance. `next(context, i)` gives name i, NULL ends.
 * Returns: NULL when none is near enough to be what was meant.
 */
const char *inv_nearest(const char *word, size_t length,
			const char *(*next)(const void *context, size_t i), const void *context);

/* Types: signature and expressions share one vocabulary. */
int inv_cursor_type(struct inv_cursor *cursor, enum inv_type *out);
bool inv_type_is_integer(enum inv_type type); /* bool included, pointers not */
bool inv_type_is_float(enum inv_type type);
bool inv_type_is_text(enum inv_type type); /* str, stdstr, stdview */
bool inv_type_holds(enum inv_type type, const struct inv_number *number);
int64_t inv_number_bits(const struct inv_number *number);

/* Parses one expression and stops behind it. `signature` is NULL for Python. */
int inv_source_scan(struct inv_cursor *cursor, struct inv_source *out,
		    const struct inv_signature *signature, bool at_return);

/*
 * Whether a value of this type can be that field.
 * Returns: NULL when it can, else why not, in buf.
 */
const char *inv_source_field_refusal(enum inv_field field, const struct inv_source *source,
				     char *buf, size_t size);

/* The rules; each takes the whole value. */
int inv_success_parse(struct inv_probe *probe, struct inv_cursor *cursor);
int inv_error_type_parse(struct inv_probe *probe, struct inv_cursor *cursor);
int inv_text_rule_parse(struct inv_probe *probe, const char *type, struct inv_cursor *cursor);
int inv_error_name_parse(char out[64], struct inv_cursor *cursor);

/* The signature that expressions of this probe are checked against; NULL for Python. */
const struct inv_signature *inv_probe_prototype(const struct inv_probe *probe);

/* One line of a value. */
struct inv_piece {
	size_t offset; /* in the joined value */
	uint32_t line;
	uint32_t column;
};

struct inv_entry {
	const struct inv_key *key;
	char suffix[64]; /* error.<suffix>, else empty */
	uint32_t line;	 /* of the key */
	uint32_t column;
	char *value; /* lines joined by one space, NUL-terminated */
	size_t length;
	struct inv_piece *pieces;
	uint32_t piece_count;
};

struct inv_section {
	char name[64];
	uint32_t line;
	uint32_t column;
	uint32_t count;
	struct inv_entry entries[INV_PROBE_ENTRIES_MAX];
};

/* A line of the file without its indentation, comment and line end. */
struct inv_line {
	const char *text;
	size_t length;
	uint32_t number;
	uint32_t column; /* of text[0] */
	bool indented;
};

/* Adds `key = value`, or a further line of the last value. `error` gets the place. */
int inv_section_add(struct inv_section *section, const struct inv_line *line,
		    struct inv_probe_error *error);
int inv_section_continue(struct inv_section *section, const struct inv_line *line,
			 struct inv_probe_error *error);
void inv_section_release(struct inv_section *section);

/* Turns a whole section into a probe. */
int inv_section_build(const struct inv_section *section, struct inv_probe *out,
		      struct inv_probe_error *error);

/* Reads `normalise.<field>` or `redact.<field>`; all fields of the probe are known. */
int inv_rewrite_parse(struct inv_probe *probe, const struct inv_entry *entry,
		      struct inv_probe_error *error);

/* Moves an error from a column of the value to its line and column in the file. */
void inv_entry_locate(const struct inv_entry *entry, struct inv_probe_error *error);

/* One key of a section. `apply` reads its value. */
struct inv_key {
	const char *name; /* ending in a dot: a family, `error.` */
	int (*apply)(struct inv_probe *probe, const struct inv_entry *entry,
		     struct inv_cursor *cursor);
	enum inv_field field; /* of apply_field */
};

/* The key of that name. Returns: NULL when there is none; *suffix is what follows a family. */
const struct inv_key *inv_key_find(const char *name, size_t length, size_t *suffix_length);

/* Returns: the valid key most like `name`, or NULL. */
const char *inv_key_nearest(const char *name, size_t length);

void inv_probe_release(struct inv_probe *probe);

#endif
