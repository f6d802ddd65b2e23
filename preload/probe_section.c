/* SPDX-License-Identifier: MIT */
/*
 * probe_section.c - one section as written: its keys, and where each byte of a value stood.
 *
 * A value keeps its lines joined by one space and, for each line, the place it came from. That
 * is less than a map of every byte and enough to report any column.
 */
#include "preload/probe_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int fail_at(const struct inv_line *line, size_t offset, struct inv_probe_error *error,
		   const char *text)
{
	inv_error_set(error, line->number, line->column + (uint32_t)offset, "%s", text);
	return -EINVAL;
}

static int no_memory(const struct inv_line *line, struct inv_probe_error *error)
{
	inv_error_set(error, line->number, line->column, "out of memory");
	return -ENOMEM;
}

/* The length of the key in front of '=' or ':' (libinih takes both), and where the value is. */
static size_t split_line(const struct inv_line *line, size_t *value)
{
	size_t length = 0;

	while (length < line->length && line->text[length] != '=' && line->text[length] != ':')
		length++;
	*value = length < line->length ? length + 1 : length;
	while (*value < line->length && inv_is_space(line->text[*value]))
		(*value)++;
	while (length && inv_is_space(line->text[length - 1]))
		length--;
	return length;
}

static int append_piece(struct inv_entry *entry, const struct inv_line *line, size_t begin,
			struct inv_probe_error *error)
{
	/* A value may begin on the line below its key: then there is nothing to join. */
	size_t length = line->length - begin, offset = entry->length ? entry->length + 1 : 0;
	struct inv_piece *pieces;
	char *value;

	if (offset + length > INV_PROBE_VALUE_MAX) {
		inv_error_set(error, line->number, line->column + (uint32_t)begin,
			      "the value is too long: at most %d bytes", INV_PROBE_VALUE_MAX);
		return -EINVAL;
	}
	pieces = realloc(entry->pieces, (entry->piece_count + 1) * sizeof(*pieces));
	if (!pieces)
		return no_memory(line, error);
	entry->pieces = pieces;
	value = realloc(entry->value, offset + length + 1);
	if (!value)
		return no_memory(line, error);
	entry->value = value;
	if (offset)
		value[offset - 1] = ' ';
	memcpy(value + offset, line->text + begin, length);
	value[offset + length] = '\0';
	entry->length = offset + length;
	pieces[entry->piece_count++] =
		(struct inv_piece){offset, line->number, line->column + (uint32_t)begin};
	return 0;
}

static int refuse_key(const struct inv_line *line, size_t length, struct inv_probe_error *error)
{
	const char *near = inv_key_nearest(line->text, length);
	int shown = (int)(length < 64 ? length : 64);

	if (!length)
		inv_error_set(error, line->number, line->column, "expected a key before '='");
	else if (near)
		inv_error_set(error, line->number, line->column,
			      "unknown key '%.*s': did you mean '%s'?", shown, line->text, near);
	else
		inv_error_set(
			error, line->number, line->column,
			"unknown key '%.*s': expected target, signature, success, error_type, "
			"error.<type>, normalise.<field>, redact.<field>, bind, properties or a "
			"field such as "
			"tick or artifact_id",
			shown, line->text);
	return -EINVAL;
}

static int refuse_duplicate(const struct inv_section *section, const struct inv_entry *entry,
			    struct inv_probe_error *error)
{
	if (strcmp(entry->key->name, "error.") == 0)
		return 0; /* an ordered rule: its type may come again */
	for (uint32_t i = 0; i < section->count; i++) {
		const struct inv_entry *other = &section->entries[i];

		if (other->key != entry->key || strcmp(other->suffix, entry->suffix) != 0)
			continue;
		inv_error_set(error, entry->line, entry->column,
			      "duplicate key '%s%s': it is already given in line %u",
			      entry->key->name, entry->suffix, other->line);
		return -EINVAL;
	}
	return 0;
}

/* Checks `error.<suffix>`, whose suffix names an error type. */
static int read_suffix(struct inv_entry *entry, const struct inv_line *line, size_t length,
		       size_t suffix_length, struct inv_probe_error *error)
{
	struct inv_cursor cursor;
	int result;

	if (!suffix_length && entry->key->name[strlen(entry->key->name) - 1] != '.')
		return 0;
	inv_cursor_init(&cursor, line->text, length, error);
	cursor.at += length - suffix_length;
	result = inv_error_name_parse(entry->suffix, &cursor);
	if (result && error) {
		error->line = line->number;
		error->column += line->column - 1;
	}
	return result;
}

int inv_section_add(struct inv_section *section, const struct inv_line *line,
		    struct inv_probe_error *error)
{
	struct inv_entry entry = {.line = line->number, .column = line->column};
	size_t value, suffix_length = 0, length = split_line(line, &value);
	int result;

	entry.key = inv_key_find(line->text, length, &suffix_length);
	if (!entry.key)
		return refuse_key(line, length, error);
	result = read_suffix(&entry, line, length, suffix_length, error);
	if (!result)
		result = refuse_duplicate(section, &entry, error);
	if (result)
		return result;
	if (section->count == INV_PROBE_ENTRIES_MAX)
		return fail_at(line, 0, error, "too many keys in one section");
	result = append_piece(&entry, line, value, error);
	section->entries[section->count++] = entry;
	return result;
}

/* An indented `key = ...` would silently become part of the value above it. */
static bool looks_like_a_key(const struct inv_line *line)
{
	size_t value, suffix_length, length = split_line(line, &value);

	return length < line->length && line->text[length] != ':' && value > length &&
	       inv_key_find(line->text, length, &suffix_length);
}

int inv_section_continue(struct inv_section *section, const struct inv_line *line,
			 struct inv_probe_error *error)
{
	struct inv_entry *entry = &section->entries[section->count - 1];

	if (looks_like_a_key(line)) {
		inv_error_set(error, line->number, line->column,
			      "this indented line continues '%s%s': a key starts in column 1",
			      entry->key->name, entry->suffix);
		return -EINVAL;
	}
	return append_piece(entry, line, 0, error);
}

void inv_section_release(struct inv_section *section)
{
	for (uint32_t i = 0; i < section->count; i++) {
		free(section->entries[i].value);
		free(section->entries[i].pieces);
	}
	memset(section, 0, sizeof(*section));
}

void inv_entry_locate(const struct inv_entry *entry, struct inv_probe_error *error)
{
	size_t at = error->column ? error->column - 1 : 0;
	uint32_t i = entry->piece_count - 1;

	while (i > 0 && entry->pieces[i].offset > at)
		i--;
	error->line = entry->pieces[i].line;
	error->column = entry->pieces[i].column + (uint32_t)(at - entry->pieces[i].offset);
}
