/* SPDX-License-Identifier: MIT */
/*
 * probe_rules.c - what a return means: success or failure, and of which type.
 *
 *   success          = return->8:i32 == 0          one comparison of one value
 *   error_type       = return: -13=permission, ... a table of codes, or one expression
 *   error.permission = denied, not allowed         any of these texts in the message
 *   error.sql        = syntax & near               all of them
 *   error.permission = "read only"                 a type may be given again, further down
 *   error.default    = other                       what none of them matches
 *
 * The first rule that matches wins, in file order. One type may need several rules with those
 * of others between them (a special case comes before the general one), so error.* is the one
 * key that may be repeated; joining the texts of equal types would lose that order.
 *
 * Numbers are checked against the type that they are compared with: `return == -1` of an
 * unsigned function would never be true, and its author would see successes only.
 *
 * Texts are lower-cased here, once, so that matching folds only the message. Substrings and
 * not regular expressions: they match in bounded time, without allocation, inside somebody
 * else's process.
 */
#include "preload/probe_parse.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

const struct inv_signature *inv_probe_prototype(const struct inv_probe *probe)
{
	return probe->target_kind == INV_TARGET_PYTHON ? NULL : &probe->signature;
}

static char fold(char c)
{
	return (unsigned char)(c - 'A') < 26 ? (char)(c | 0x20) : c;
}

static size_t trimmed(const char *begin, const char *end)
{
	while (end > begin && inv_is_space(end[-1]))
		end--;
	return (size_t)(end - begin);
}

/* ---- success ----------------------------------------------------------------- */

static const struct {
	const char *text;
	enum inv_compare compare;
} operators[] = {
	/* An operator stands before the one that it begins with. */
	{"==", INV_COMPARE_EQ}, {"!=", INV_COMPARE_NE}, {"<=", INV_COMPARE_LE},
	{">=", INV_COMPARE_GE}, {"<", INV_COMPARE_LT},	{">", INV_COMPARE_GT},
};

static enum inv_compare accept_operator(struct inv_cursor *cursor)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (inv_cursor_accept(cursor, operators[i].text))
			return operators[i].compare;
	return INV_COMPARE_NONE;
}

/* The C locale's strtod: a probe file means the same wherever the program runs. */
static int read_real(struct inv_cursor *cursor, double *out)
{
	char digits[64], *end;
	size_t length = trimmed(cursor->at, cursor->end);
	locale_t c_locale;

	if (length == 0 || length >= sizeof(digits) || inv_is_space(*cursor->at))
		return inv_cursor_fail(cursor, cursor->at, "expected a number");
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!c_locale)
		return inv_cursor_no_memory(cursor);
	memcpy(digits, cursor->at, length);
	digits[length] = '\0';
	*out = strtod_l(digits, &end, c_locale);
	freelocale(c_locale);
	if (*end)
		return inv_cursor_fail(cursor, cursor->at + (end - digits), "expected a number");
	cursor->at += length;
	return 0;
}

static int read_integer(struct inv_cursor *cursor, enum inv_type type, int64_t *out)
{
	const char *begin;
	struct inv_number number;
	int result;

	inv_cursor_skip_space(cursor);
	begin = cursor->at;
	result = inv_cursor_number(cursor, &number);
	if (result)
		return result;
	if (!inv_type_holds(type, &number))
		return inv_cursor_fail(cursor, begin, "no value of type %s can be %.*s",
				       type == INV_TYPE_NONE ? "i64" : inv_type_name(type),
				       (int)(cursor->at - begin), begin);
	*out = inv_number_bits(&number);
	return 0;
}

static int compare_number(struct inv_cursor *cursor, const char *operator,
			  struct inv_success * success)
{
	enum inv_type type = success->left.type;
	int result;

	if (type == INV_TYPE_STDVIEW)
		return inv_cursor_fail(cursor, operator, "a stdview is compared with nothing");
	if (type == INV_TYPE_STR || type == INV_TYPE_STDSTR)
		return inv_cursor_fail(cursor, operator, "a %s is compared by 'is null' only",
				       inv_type_name(type));
	inv_cursor_skip_space(cursor);
	if (inv_type_is_float(type))
		return read_real(cursor, &success->real);
	result = read_integer(cursor, type, &success->number);
	success->real = (double)success->number;
	return result;
}

static int compare_null(struct inv_cursor *cursor, const char *word, struct inv_success *success)
{
	enum inv_type type = success->left.type;
	bool python = success->left.kind == INV_SOURCE_PYTHON;
	const char *next;
	size_t length = inv_cursor_word(cursor, &next);

	success->compare = INV_COMPARE_NULL;
	if (inv_text_is(next, length, "not")) {
		success->compare = INV_COMPARE_NOT_NULL;
		length = inv_cursor_word(cursor, &next);
	}
	if (!inv_text_is(next, length, "null") && !inv_text_is(next, length, "None"))
		return inv_cursor_fail(cursor, next, "expected 'is null' or 'is not null'");
	if (!python && type != INV_TYPE_PTR && type != INV_TYPE_STR && type != INV_TYPE_STDSTR)
		return inv_cursor_fail(cursor, word, "only ptr or str can be null, and this is %s",
				       inv_type_name(type));
	return 0;
}

/* What follows the left side. */
static int read_comparison(struct inv_cursor *cursor, struct inv_success *success)
{
	const char *place, *word;
	size_t length;

	if (inv_cursor_at_end(cursor) && success->left.kind == INV_SOURCE_PYTHON) {
		success->compare = INV_COMPARE_TRUE;
		return 0;
	}
	place = cursor->at;
	success->compare = accept_operator(cursor);
	if (success->compare != INV_COMPARE_NONE)
		return compare_number(cursor, place, success);
	length = inv_cursor_word(cursor, &word);
	if (inv_text_is(word, length, "is"))
		return compare_null(cursor, word, success);
	return inv_cursor_fail(cursor, place,
			       "expected == != < <= > >= and a number, 'is null' or 'is not null'");
}

int inv_success_parse(struct inv_probe *probe, struct inv_cursor *cursor)
{
	struct inv_success *success = &probe->success;
	size_t length = (size_t)(cursor->end - cursor->start);
	int result;

	if (length >= sizeof(probe->success_text))
		return inv_cursor_fail(cursor, cursor->at, "a success rule has at most %zu bytes",
				       sizeof(probe->success_text) - 1);
	memcpy(probe->success_text, cursor->start, length);
	result = inv_source_scan(cursor, &success->left, inv_probe_prototype(probe), true);
	if (result)
		return result;
	if (success->left.kind == INV_SOURCE_TEXT || success->left.kind == INV_SOURCE_NUMBER)
		return inv_cursor_fail(cursor, cursor->start,
				       "expected a value of the call on the left, such as return");
	result = read_comparison(cursor, success);
	if (!result && !inv_cursor_at_end(cursor))
		result =
			inv_cursor_fail(cursor, cursor->at, "unexpected text after the comparison");
	return result;
}

/* ---- error types ------------------------------------------------------------- */

static int copy_error_name(struct inv_cursor *cursor, const char *text, size_t length, char out[64])
{
	if (length == 0)
		return inv_cursor_fail(cursor, text, "expected the name of an error type");
	if (length > 63)
		return inv_cursor_fail(cursor, text, "an error type has at most 63 bytes");
	for (size_t i = 0; i < length; i++)
		if (!inv_is_name_byte(text[i]))
			return inv_cursor_fail(cursor, text + i,
					       "an error type has no spaces or quotes");
	memcpy(out, text, length);
	out[length] = '\0';
	return 0;
}

int inv_error_name_parse(char out[64], struct inv_cursor *cursor)
{
	inv_cursor_skip_space(cursor);
	return copy_error_name(cursor, cursor->at, trimmed(cursor->at, cursor->end), out);
}

/*
 * The colon that ends the left side: the last one before the first '=', since the steps of an
 * expression have colons too. Returns: NULL when the value is not a table.
 */
static const char *table_colon(const struct inv_cursor *cursor, bool *is_table)
{
	const char *colon = NULL;
	bool quoted = false;

	*is_table = false;
	for (const char *at = cursor->at; at < cursor->end; at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (*at == ':' && !quoted)
			colon = at;
		*is_table = *at == '=' && !quoted;
		if (*is_table)
			return colon;
	}
	return NULL;
}

static bool has_code(const struct inv_probe *probe, int64_t code)
{
	for (unsigned i = 0; i < probe->code_rule_count; i++)
		if (probe->code_rules[i].code == code)
			return true;
	return false;
}

static int read_code_rule(struct inv_probe *probe, struct inv_cursor *cursor)
{
	struct inv_code_rule *rule = &probe->code_rules[probe->code_rule_count];
	const char *begin;
	int result;

	inv_cursor_skip_space(cursor);
	if (probe->code_rule_count == INV_PROBE_RULES_MAX)
		return inv_cursor_fail(cursor, cursor->at, "at most %d codes", INV_PROBE_RULES_MAX);
	begin = cursor->at;
	result = read_integer(cursor, probe->error_code.type, &rule->code);
	if (result)
		return result;
	if (has_code(probe, rule->code))
		return inv_cursor_fail(cursor, begin, "this code has a type already");
	if (!inv_cursor_accept(cursor, "="))
		return inv_cursor_fail(cursor, cursor->at,
				       "expected '=' and a type: -13=permission");
	inv_cursor_skip_space(cursor);
	begin = cursor->at;
	while (cursor->at < cursor->end && *cursor->at != ',')
		cursor->at++;
	result = copy_error_name(cursor, begin, trimmed(begin, cursor->at), rule->type);
	if (!result)
		probe->code_rule_count++;
	return result;
}

static int read_code_table(struct inv_probe *probe, struct inv_cursor *cursor, const char *colon)
{
	struct inv_cursor left = *cursor;
	int result;

	left.end = colon;
	result = inv_source_scan(&left, &probe->error_code, inv_probe_prototype(probe), true);
	if (result)
		return result;
	if (!inv_cursor_at_end(&left))
		return inv_cursor_fail(&left, left.at,
				       "expected ':' and codes: -13=permission, ...");
	if (probe->error_code.kind != INV_SOURCE_PYTHON &&
	    !inv_type_is_integer(probe->error_code.type))
		return inv_cursor_fail(cursor, cursor->start,
				       "a table of codes needs a whole number, and this is %s",
				       inv_type_name(probe->error_code.type));
	cursor->at = colon + 1;
	do {
		result = read_code_rule(probe, cursor);
	} while (!result && inv_cursor_accept(cursor, ","));
	return result;
}

static int read_error_source(struct inv_probe *probe, struct inv_cursor *cursor)
{
	struct inv_source *source = &probe->field[INV_FIELD_ERROR_TYPE];
	char why[160];
	int result = inv_source_scan(cursor, source, inv_probe_prototype(probe), true);

	if (result)
		return result;
	if (!inv_cursor_at_end(cursor))
		return inv_cursor_fail(cursor, cursor->at,
				       "expected ': CODE=type, ...' or the end of the expression");
	if (inv_source_field_refusal(INV_FIELD_ERROR_TYPE, source, why, sizeof(why)))
		return inv_cursor_fail(cursor, cursor->start, "error_type: %s", why);
	return 0;
}

int inv_error_type_parse(struct inv_probe *probe, struct inv_cursor *cursor)
{
	bool is_table;
	const char *colon = table_colon(cursor, &is_table);

	if (!is_table)
		return read_error_source(probe, cursor);
	if (!colon)
		return inv_cursor_fail(cursor, cursor->at,
				       "expected ':' before the codes: return: -13=permission");
	return read_code_table(probe, cursor, colon);
}

/* ---- texts in messages ------------------------------------------------------- */

/* One text, quoted or up to the next separator. *out is malloc'ed. */
static int read_text(struct inv_cursor *cursor, char **out)
{
	const char *begin;
	size_t length = 0;
	int result = 0;

	inv_cursor_skip_space(cursor);
	begin = cursor->at;
	if (begin < cursor->end && *begin == '"') {
		result = inv_cursor_quoted(cursor, out, &length);
	} else {
		while (cursor->at < cursor->end && *cursor->at != ',' && *cursor->at != '&')
			cursor->at++;
		length = trimmed(begin, cursor->at);
		*out = strndup(begin, length);
		result = *out ? 0 : inv_cursor_no_memory(cursor);
	}
	if (!result && !length) {
		free(*out);
		result =
			inv_cursor_fail(cursor, begin,
					"expected a text to look for (an empty one is everywhere)");
	}
	return result;
}

static int add_text(struct inv_text_rule *rule, struct inv_cursor *cursor)
{
	char *text = NULL;
	int result;

	inv_cursor_skip_space(cursor);
	if (rule->text_count == sizeof(rule->texts) / sizeof(rule->texts[0]))
		return inv_cursor_fail(cursor, cursor->at, "at most %u texts in a rule",
				       rule->text_count);
	result = read_text(cursor, &text);
	if (result)
		return result;
	for (char *c = text; *c; c++)
		*c = fold(*c);
	rule->texts[rule->text_count++] = text;
	return 0;
}

/* Takes ',' or '&', all of a rule alike. Returns: 1 one was taken, 0 the end, or -EINVAL. */
static int next_separator(struct inv_cursor *cursor, struct inv_text_rule *rule)
{
	bool all;

	if (inv_cursor_at_end(cursor))
		return 0;
	all = *cursor->at == '&';
	if (!all && *cursor->at != ',')
		return inv_cursor_fail(cursor, cursor->at, "expected ',' or '&' between texts");
	if (rule->text_count > 1 && all != rule->all)
		return inv_cursor_fail(cursor, cursor->at,
				       "a rule has ',' (any of) or '&' (all of), not both: put a "
				       "text that contains one in double quotes");
	rule->all = all;
	cursor->at++;
	return 1;
}

int inv_text_rule_parse(struct inv_probe *probe, const char *type, struct inv_cursor *cursor)
{
	struct inv_text_rule *rule = &probe->text_rules[probe->text_rule_count];
	int result;

	if (probe->text_rule_count == INV_PROBE_RULES_MAX)
		return inv_cursor_fail(cursor, cursor->at, "at most %d error.* rules",
				       INV_PROBE_RULES_MAX);
	probe->text_rule_count++; /* at once: its texts are released with the probe */
	memcpy(rule->type, type, sizeof(rule->type));
	do {
		result = add_text(rule, cursor);
		if (!result)
			result = next_separator(cursor, rule);
	} while (result > 0);
	return result;
}

static bool begins_with(const char *message, const char *end, const char *text)
{
	while (*text && message < end && fold(*message) == *text) {
		message++;
		text++;
	}
	return !*text;
}

static bool contains(const char *message, const char *end, const char *text)
{
	for (; message < end; message++)
		if (fold(*message) == *text && begins_with(message, end, text))
			return true;
	return false;
}

static bool rule_matches(const struct inv_text_rule *rule, const char *message, const char *end)
{
	for (uint32_t i = 0; i < rule->text_count; i++)
		if (contains(message, end, rule->texts[i]) != rule->all)
			return !rule->all;
	return rule->all;
}

int inv_probe_match_message(const struct inv_probe *probe, const char *message, size_t length)
{
	if (!message)
		return -1;
	for (uint32_t i = 0; i < probe->text_rule_count; i++)
		if (rule_matches(&probe->text_rules[i], message, message + length))
			return (int)i;
	return -1;
}
