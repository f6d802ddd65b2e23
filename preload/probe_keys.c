/* SPDX-License-Identifier: MIT */
/*
 * probe_keys.c - the keys of a probe, and a section turned into one.
 *
 * A table says which keys there are and which function reads each; adding a key is one row.
 * The target is read first (it decides between native and Python), then the signature (it
 * names the parameters), then the rest in file order: the order of error.* rules is the order
 * in which they are tried.
 */
#include "preload/probe_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- targets ----------------------------------------------------------------- */

static int copy_part(struct inv_cursor *cursor, const char *text, size_t length, char *out,
		     size_t size, const char *what)
{
	if (!length)
		return inv_cursor_fail(cursor, text, "expected %s", what);
	if (length >= size)
		return inv_cursor_fail(cursor, text, "%s has at most %zu bytes", what, size - 1);
	memcpy(out, text, length);
	out[length] = '\0';
	return 0;
}

static int read_symbol(struct inv_cursor *cursor, struct inv_probe *probe)
{
	const char *symbol;
	size_t length = inv_cursor_symbol(cursor, &symbol);
	int result = copy_part(cursor, symbol, length, probe->symbol, sizeof(probe->symbol),
			       "the name of a function");

	if (result || cursor->at == cursor->end)
		return result;
	return inv_cursor_fail(
		cursor, cursor->at,
		"unexpected '%c' in a symbol: give its name alone, mangled for C++ (nm "
		"shows it)",
		*cursor->at);
}

static int read_object(struct inv_cursor *cursor, const char *end, struct inv_probe *probe)
{
	for (const char *at = cursor->at; at < end; at++) {
		if (*at == '/')
			return inv_cursor_fail(
				cursor, at, "expected a base name, such as libfoo.so: no folder");
		if (!inv_is_name_byte(*at))
			return inv_cursor_fail(cursor, at, "a file's name has no spaces or quotes");
	}
	return copy_part(cursor, cursor->at, (size_t)(end - cursor->at), probe->object,
			 sizeof(probe->object), "the file's name, or program");
}

static int read_offset(struct inv_cursor *cursor, struct inv_probe *probe)
{
	const char *begin = cursor->at;
	struct inv_number number;
	int result;

	if (cursor->end - begin < 3 || memcmp(begin, "0x", 2) != 0)
		return inv_cursor_fail(cursor, begin, "expected an offset such as 0x1234");
	result = inv_cursor_number(cursor, &number);
	if (!result && cursor->at != cursor->end)
		result = inv_cursor_fail(cursor, cursor->at, "unexpected text after the offset");
	probe->offset = number.magnitude;
	return result;
}

/* A dotted name, as of a module or a method. */
static int read_dotted(struct inv_cursor *cursor, const char *end, char *out, size_t size,
		       const char *what)
{
	struct inv_cursor part = *cursor;
	const char *begin = cursor->at, *word;

	part.end = end;
	do {
		if (part.at == end || inv_is_space(*part.at) || !inv_cursor_word(&part, &word))
			return inv_cursor_fail(cursor, part.at,
					       "expected %s: python:module:Class.method", what);
	} while (part.at < end && *part.at == '.' && part.at++);
	if (part.at != end)
		return inv_cursor_fail(cursor, part.at, "unexpected '%c' in %s", *part.at, what);
	return copy_part(cursor, begin, (size_t)(end - begin), out, size, what);
}

static int read_python(struct inv_cursor *cursor, struct inv_probe *probe)
{
	const char *colon = memchr(cursor->at, ':', (size_t)(cursor->end - cursor->at));
	int result;

	probe->target_kind = INV_TARGET_PYTHON;
	if (!colon)
		return inv_cursor_fail(cursor, cursor->end,
				       "expected ':' and a function: python:module:Class.method");
	result = read_dotted(cursor, colon, probe->module, sizeof(probe->module), "a module");
	cursor->at = colon + 1;
	if (!result)
		result = read_dotted(cursor, cursor->end, probe->symbol, sizeof(probe->symbol),
				     "a function");
	return result;
}

static int read_native(struct inv_cursor *cursor, struct inv_probe *probe)
{
	size_t length = (size_t)(cursor->end - cursor->at);
	const char *colon = memchr(cursor->at, ':', length);
	const char *plus = memrchr(cursor->at, '+', length);
	int result;

	if (!colon && !plus) {
		probe->target_kind = INV_TARGET_SYMBOL;
		return read_symbol(cursor, probe);
	}
	probe->target_kind = colon ? INV_TARGET_OBJECT : INV_TARGET_OFFSET;
	result = read_object(cursor, colon ? colon : plus, probe);
	if (result)
		return result;
	cursor->at = (colon ? colon : plus) + 1;
	return colon ? read_symbol(cursor, probe) : read_offset(cursor, probe);
}

static int apply_target(struct inv_probe *probe, const struct inv_entry *entry,
			struct inv_cursor *cursor)
{
	int result = copy_part(cursor, cursor->start, entry->length, probe->target,
			       sizeof(probe->target), "a target");

	if (result)
		return result;
	if (inv_cursor_accept(cursor, "python:"))
		return read_python(cursor, probe);
	return read_native(cursor, probe);
}

/* ---- the other keys ---------------------------------------------------------- */

static int apply_signature(struct inv_probe *probe, const struct inv_entry *entry,
			   struct inv_cursor *cursor)
{
	int result;

	if (probe->target_kind == INV_TARGET_PYTHON)
		return inv_cursor_fail(cursor, cursor->at, "a Python target has no signature");
	result = copy_part(cursor, cursor->start, entry->length, probe->signature_text,
			   sizeof(probe->signature_text), "a signature");
	if (result)
		return result;
	return inv_signature_parse(&probe->signature, probe->signature_text, cursor->error);
}

static int apply_success(struct inv_probe *probe, const struct inv_entry *entry,
			 struct inv_cursor *cursor)
{
	return inv_success_parse(probe, cursor);
}

static int apply_error_type(struct inv_probe *probe, const struct inv_entry *entry,
			    struct inv_cursor *cursor)
{
	return inv_error_type_parse(probe, cursor);
}

static int apply_error_default(struct inv_probe *probe, const struct inv_entry *entry,
			       struct inv_cursor *cursor)
{
	return inv_error_name_parse(probe->error_default, cursor);
}

static int apply_error_rule(struct inv_probe *probe, const struct inv_entry *entry,
			    struct inv_cursor *cursor)
{
	return inv_text_rule_parse(probe, entry->suffix, cursor);
}

static int apply_bind(struct inv_probe *probe, const struct inv_entry *entry,
		      struct inv_cursor *cursor)
{
	static const char *const names[] = {
		[INV_BIND_AUTO] = "auto", [INV_BIND_GOT] = "got", [INV_BIND_ENTRY] = "entry"};
	size_t i = 0;

	while (i < 3 && !inv_text_is(entry->value, entry->length, names[i]))
		i++;
	if (i == 3)
		return inv_cursor_fail(cursor, cursor->at, "expected auto, got or entry");
	if (i != INV_BIND_AUTO && probe->target_kind == INV_TARGET_PYTHON)
		return inv_cursor_fail(cursor, cursor->at, "a Python target is bound by Python");
	probe->bind = (enum inv_bind)i;
	return 0;
}

static int apply_properties(struct inv_probe *probe, const struct inv_entry *entry,
			    struct inv_cursor *cursor)
{
	bool yes = inv_text_is(entry->value, entry->length, "yes");

	if (!yes && !inv_text_is(entry->value, entry->length, "no"))
		return inv_cursor_fail(cursor, cursor->at, "expected yes or no");
	if (probe->target_kind != INV_TARGET_PYTHON)
		return inv_cursor_fail(cursor, cursor->at, "only a Python target has properties");
	probe->properties = yes;
	return 0;
}

static int apply_field(struct inv_probe *probe, const struct inv_entry *entry,
		       struct inv_cursor *cursor)
{
	enum inv_field field = entry->key->field;
	bool at_return = field == INV_FIELD_ERROR_MESSAGE || field == INV_FIELD_RESULT_TYPE;
	struct inv_source *source = &probe->field[field];
	char why[160];
	int result = inv_source_scan(cursor, source, inv_probe_prototype(probe), at_return);

	if (result)
		return result;
	if (!inv_cursor_at_end(cursor))
		return inv_cursor_fail(cursor, cursor->at, "unexpected text after the expression");
	if (inv_source_field_refusal(field, source, why, sizeof(why)))
		return inv_cursor_fail(cursor, cursor->start, "%s: %s", entry->key->name, why);
	return 0;
}

/* In the last pass: the fields have to be known. */
static int apply_rewrite(struct inv_probe *probe, const struct inv_entry *entry,
			 struct inv_cursor *cursor)
{
	return inv_rewrite_parse(probe, entry, cursor->error);
}

static const struct inv_key keys[] = {
	{"target", apply_target, INV_FIELD_COUNT},
	{"signature", apply_signature, INV_FIELD_COUNT},
	{"success", apply_success, INV_FIELD_COUNT},
	{"error_type", apply_error_type, INV_FIELD_COUNT},
	{"error.default", apply_error_default, INV_FIELD_COUNT}, /* before its family */
	{"error.", apply_error_rule, INV_FIELD_COUNT},
	{"normalise.", apply_rewrite, INV_FIELD_COUNT},
	{"redact.", apply_rewrite, INV_FIELD_COUNT},
	{"bind", apply_bind, INV_FIELD_COUNT},
	{"properties", apply_properties, INV_FIELD_COUNT},
	{"tick", apply_field, INV_FIELD_TICK},
	{"invoker_id", apply_field, INV_FIELD_INVOKER},
	{"artifact_id", apply_field, INV_FIELD_ARTIFACT},
	{"method", apply_field, INV_FIELD_METHOD},
	{"args_count", apply_field, INV_FIELD_ARGS_COUNT},
	{"error_message", apply_field, INV_FIELD_ERROR_MESSAGE},
	{"result_type", apply_field, INV_FIELD_RESULT_TYPE},
};
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

const struct inv_key *inv_key_find(const char *name, size_t length, size_t *suffix_length)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		size_t own = strlen(keys[i].name);
		bool family = keys[i].name[own - 1] == '.';

		if (length < own || memcmp(name, keys[i].name, own) != 0 ||
		    (!family && length > own))
			continue;
		*suffix_length = length - own;
		return &keys[i];
	}
	return NULL;
}

static const char *key_at(const void *context, size_t i)
{
	return i < KEY_COUNT ? keys[i].name : NULL;
}

const char *inv_key_nearest(const char *name, size_t length)
{
	return inv_nearest(name, length, key_at, NULL);
}

/* ---- the probe --------------------------------------------------------------- */

static const struct inv_entry *find_entry(const struct inv_section *section, const char *name)
{
	for (uint32_t i = 0; i < section->count; i++)
		if (strcmp(section->entries[i].key->name, name) == 0)
			return &section->entries[i];
	return NULL;
}

static int apply(struct inv_probe *probe, const struct inv_entry *entry,
		 struct inv_probe_error *error)
{
	struct inv_cursor cursor;
	int result;

	inv_cursor_init(&cursor, entry->value, entry->length, error);
	if (inv_cursor_at_end(&cursor))
		result = inv_cursor_fail(&cursor, cursor.at, "expected a value after '%s%s ='",
					 entry->key->name, entry->suffix);
	else
		result = entry->key->apply(probe, entry, &cursor);
	if (result)
		inv_entry_locate(entry, error);
	return result;
}

static int apply_required(struct inv_probe *probe, const struct inv_section *section,
			  const char *name, const char *example, struct inv_probe_error *error)
{
	const struct inv_entry *entry = find_entry(section, name);

	if (entry)
		return apply(probe, entry, error);
	inv_error_set(error, section->line, section->column, "probe '%s' has no %s: expected %s",
		      section->name, name, example);
	return -EINVAL;
}

static int apply_rest(struct inv_probe *probe, const struct inv_section *section,
		      struct inv_probe_error *error)
{
	int result = 0;

	for (uint32_t i = 0; !result && i < section->count; i++) {
		const struct inv_entry *entry = &section->entries[i];

		if (entry->key->apply != apply_target && entry->key->apply != apply_signature &&
		    entry->key->apply != apply_rewrite)
			result = apply(probe, entry, error);
	}
	return result;
}

/* These point their errors themselves: at the key, or at the value. */
static int apply_rewrites(struct inv_probe *probe, const struct inv_section *section,
			  struct inv_probe_error *error)
{
	int result = 0;

	for (uint32_t i = 0; !result && i < section->count; i++)
		if (section->entries[i].key->apply == apply_rewrite)
			result = inv_rewrite_parse(probe, &section->entries[i], error);
	return result;
}

/* Points the error at parameter `index`, found again as a whole word of the signature. */
static void locate_param(const struct inv_probe *probe, const struct inv_entry *entry,
			 uint32_t index, struct inv_probe_error *error)
{
	struct inv_cursor cursor;
	const char *word;

	inv_cursor_init(&cursor, entry->value, entry->length, NULL);
	while (cursor.at < cursor.end) {
		size_t length = inv_cursor_word(&cursor, &word);

		if (length && inv_text_is(word, length, probe->signature.params[index].name)) {
			error->column = (uint32_t)(word - entry->value) + 1;
			break;
		}
		if (!length && cursor.at < cursor.end)
			cursor.at++;
	}
	inv_entry_locate(entry, error);
}

static int default_field(struct inv_probe *probe, const struct inv_section *section,
			 const struct inv_key *key, struct inv_probe_error *error)
{
	struct inv_source *source = &probe->field[key->field];
	const struct inv_signature *signature = &probe->signature;
	uint32_t i = 0;
	char why[160];

	while (i < signature->param_count && strcmp(signature->params[i].name, key->name) != 0)
		i++;
	if (i == signature->param_count || source->kind != INV_SOURCE_NONE)
		return 0;
	*source = (struct inv_source){.kind = INV_SOURCE_ARG,
				      .type = signature->params[i].type,
				      .param = (uint8_t)i};
	if (!inv_source_field_refusal(key->field, source, why, sizeof(why)))
		return 0;
	inv_error_set(error, 0, 1, "parameter '%s': %s; rename it or give %s = ...", key->name, why,
		      key->name);
	locate_param(probe, find_entry(section, "signature"), i, error);
	return -EINVAL;
}

static int default_fields(struct inv_probe *probe, const struct inv_section *section,
			  struct inv_probe_error *error)
{
	int result = 0;

	for (size_t i = 0; !result && i < KEY_COUNT; i++)
		if (keys[i].field != INV_FIELD_COUNT)
			result = default_field(probe, section, &keys[i], error);
	if (!probe->error_default[0])
		strcpy(probe->error_default, "execution");
	return result;
}

int inv_section_build(const struct inv_section *section, struct inv_probe *out,
		      struct inv_probe_error *error)
{
	int result;

	memset(out, 0, sizeof(*out));
	memcpy(out->name, section->name, sizeof(out->name));
	out->line = section->line;
	result = apply_required(out, section, "target", "target = FUNCTION", error);
	if (!result && (out->target_kind != INV_TARGET_PYTHON || find_entry(section, "signature")))
		result = apply_required(out, section, "signature",
					"signature = int (ptr name, str name)", error);
	if (!result)
		result = apply_rest(out, section, error);
	if (!result)
		result = default_fields(out, section, error);
	if (!result)
		result = apply_rewrites(out, section, error);
	if (result)
		inv_probe_release(out);
	return result;
}

static void release_texts(struct inv_probe *probe)
{
	for (uint32_t i = 0; i < probe->text_rule_count; i++)
		for (uint32_t j = 0; j < probe->text_rules[i].text_count; j++)
			free((void *)probe->text_rules[i].texts[j]);
}

void inv_probe_release(struct inv_probe *probe)
{
	for (uint32_t i = 0; i < INV_FIELD_COUNT; i++)
		inv_source_release(&probe->field[i]);
	inv_source_release(&probe->success.left);
	inv_source_release(&probe->error_code);
	inv_signature_release(&probe->signature);
	release_texts(probe);
	memset(probe, 0, sizeof(*probe));
}
