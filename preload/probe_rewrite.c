/* SPDX-License-Identifier: MIT */
/*
 * probe_rewrite.c - which texts of a probe are not recorded as they are.
 *
 *   normalise.artifact_id   = sql      literals become `?`; or digits
 *   redact.error_message    = yes      only the length is recorded
 *
 * Read when all fields are known, the ones that a parameter's name fills too: whether a
 * field is a str cannot be said before. A key that would do nothing is refused, since its
 * author believes a secret to be kept.
 */
#include "preload/probe_parse.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	enum inv_field field;
} fields[] = {
	{"invoker_id", INV_FIELD_INVOKER},
	{"artifact_id", INV_FIELD_ARTIFACT},
	{"method", INV_FIELD_METHOD},
	{"error_message", INV_FIELD_ERROR_MESSAGE},
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static const struct {
	const char *key, *word;
	enum inv_rewrite how;
} words[] = {
	{"normalise.", "sql", INV_REWRITE_SQL},
	{"normalise.", "digits", INV_REWRITE_DIGITS},
	{"redact.", "yes", INV_REWRITE_LENGTH},
};
#define WORD_COUNT (sizeof(words) / sizeof(words[0]))

/* Reports at the field's name in the key. */
static int fail_at_field(const struct inv_entry *entry, const char *why,
			 struct inv_probe_error *error)
{
	inv_error_set(error, entry->line, entry->column + (uint32_t)strlen(entry->key->name),
		      "%s%s: %s", entry->key->name, entry->suffix, why);
	return -EINVAL;
}

/* Returns: NULL when the field's text can be rewritten, else why not. */
static const char *refusal(const struct inv_probe *probe, enum inv_field field)
{
	const struct inv_source *source = &probe->field[field];

	if (probe->rewrite[field] != INV_REWRITE_NONE)
		return "the field has a normalise or redact already: give one of them";
	if (source->kind == INV_SOURCE_NONE)
		return "the probe does not give this field";
	if (source->kind == INV_SOURCE_TEXT)
		return "the field is a constant";
	if (source->kind != INV_SOURCE_PYTHON && !inv_type_is_text(source->type))
		return "only a str, stdstr or stdview can be rewritten";
	return NULL;
}

static int read_word(const struct inv_entry *entry, enum inv_rewrite *out,
		     struct inv_probe_error *error)
{
	struct inv_cursor cursor;
	const char *word;
	size_t length;
	bool redact = strcmp(entry->key->name, "redact.") == 0;

	inv_cursor_init(&cursor, entry->value, entry->length, error);
	length = inv_cursor_word(&cursor, &word);
	for (size_t i = 0; i < WORD_COUNT && inv_cursor_at_end(&cursor); i++) {
		if (strcmp(words[i].key, entry->key->name) != 0 ||
		    !inv_text_is(word, length, words[i].word))
			continue;
		*out = words[i].how;
		return 0;
	}
	inv_cursor_fail(&cursor, cursor.start, "expected %s", redact ? "yes" : "sql or digits");
	if (error)
		inv_entry_locate(entry, error);
	return -EINVAL;
}

int inv_rewrite_parse(struct inv_probe *probe, const struct inv_entry *entry,
		      struct inv_probe_error *error)
{
	const char *why;
	enum inv_rewrite how = INV_REWRITE_NONE;
	size_t i = 0;
	int result;

	while (i < FIELD_COUNT && strcmp(fields[i].name, entry->suffix) != 0)
		i++;
	if (i == FIELD_COUNT)
		return fail_at_field(entry,
				     "expected invoker_id, artifact_id, method or error_message",
				     error);
	why = refusal(probe, fields[i].field);
	if (why)
		return fail_at_field(entry, why, error);
	result = read_word(entry, &how, error);
	probe->rewrite[fields[i].field] = how;
	return result;
}
