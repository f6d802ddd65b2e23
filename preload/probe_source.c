/* SPDX-License-Identifier: MIT */
/*
 * probe_source.c - expressions: where the value of a field comes from.
 *
 *   expression = "text" | number | base { -> OFFSET : type }
 *   base       = parameter | return | global:SYMBOL:type
 *   python     = name { .name | ["key"] | [number] } | len(python) | type(python) ...
 *
 * Compiled once into a list of loads, so that a call runs no parser. Types are written by the
 * user at each step, since no debug information is asked for; what can be checked is checked
 * here: only a pointer can be followed, and `return` exists only when the call ends.
 *
 * Python expressions are resolved by the interpreter's side; here they are only checked for
 * their form, so that `invreg check` finds a typing error without running the program.
 */
#include "preload/probe_parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PYTHON_DEPTH_MAX 4

#define AT_RETURN_ONLY                                                                             \
	"'return' is known only when the call ends: use it in success, error_type, "               \
	"error_message or result_type"

static int copy_text(struct inv_cursor *cursor, struct inv_source *out, const char *text,
		     size_t length)
{
	out->text = strndup(text, length);
	out->length = (uint32_t)length;
	return out->text ? 0 : inv_cursor_no_memory(cursor);
}

static int scan_text(struct inv_cursor *cursor, struct inv_source *out)
{
	size_t length = 0;
	char *text = NULL;
	int result = inv_cursor_quoted(cursor, &text, &length);

	out->kind = INV_SOURCE_TEXT;
	out->type = INV_TYPE_STR;
	out->text = text;
	out->length = (uint32_t)length;
	return result;
}

static int scan_number(struct inv_cursor *cursor, struct inv_source *out)
{
	const char *begin = cursor->at;
	struct inv_number number;
	int result = inv_cursor_number(cursor, &number);

	if (result)
		return result;
	if (cursor->at < cursor->end && *cursor->at == '.')
		return inv_cursor_fail(cursor, begin,
				       "a constant is a whole number or a text in quotes");
	out->kind = INV_SOURCE_NUMBER;
	out->type = inv_type_holds(INV_TYPE_I64, &number) ? INV_TYPE_I64 : INV_TYPE_U64;
	out->number = inv_number_bits(&number);
	return 0;
}

/* ---- native expressions ------------------------------------------------------ */

static const char *param_at(const void *context, size_t i)
{
	const struct inv_signature *signature = context;

	return i < signature->param_count ? signature->params[i].name : NULL;
}

static int refuse_base(struct inv_cursor *cursor, const struct inv_signature *signature,
		       const char *word, size_t length)
{
	const char *near = inv_nearest(word, length, param_at, signature);
	int shown = (int)(length < 64 ? length : 64);

	if (!length)
		return inv_cursor_fail(cursor, word,
				       "expected a parameter, return, global:SYMBOL:type, a number "
				       "or a text in double quotes");
	if (near)
		return inv_cursor_fail(cursor, word,
				       "no parameter is named '%.*s': did you mean '%s'?", shown,
				       word, near);
	return inv_cursor_fail(cursor, word,
			       "no parameter of the signature is named '%.*s' (a constant text "
			       "needs double quotes)",
			       shown, word);
}

static int scan_return(struct inv_cursor *cursor, const char *word, struct inv_source *out,
		       const struct inv_signature *signature, bool at_return)
{
	if (!at_return)
		return inv_cursor_fail(cursor, word, AT_RETURN_ONLY);
	if (signature->result == INV_TYPE_NONE)
		return inv_cursor_fail(cursor, word, "the function returns nothing (void)");
	if (signature->result == INV_TYPE_STRUCT || signature->result == INV_TYPE_LDOUBLE)
		return inv_cursor_fail(cursor, word, "%s by value cannot be read",
				       inv_type_name(signature->result));
	out->kind = INV_SOURCE_RETURN;
	out->type = signature->result;
	return 0;
}

static int scan_param(struct inv_cursor *cursor, const char *word, size_t length,
		      struct inv_source *out, const struct inv_signature *signature)
{
	uint32_t i = 0;

	while (i < signature->param_count && !inv_text_is(word, length, signature->params[i].name))
		i++;
	if (i == signature->param_count || !length)
		return refuse_base(cursor, signature, word, length);
	if (signature->params[i].type == INV_TYPE_STRUCT ||
	    signature->params[i].type == INV_TYPE_LDOUBLE)
		return inv_cursor_fail(cursor, word, "%s by value cannot be read",
				       inv_type_name(signature->params[i].type));
	out->kind = INV_SOURCE_ARG;
	out->type = signature->params[i].type;
	out->param = (uint8_t)i;
	return 0;
}

/* `:type`, which ends a global and each step. */
static int scan_load(struct inv_cursor *cursor, struct inv_source *out, int64_t offset)
{
	const char *begin;
	int result;

	if (!inv_cursor_accept(cursor, ":"))
		return inv_cursor_fail(cursor, cursor->at, "expected ':' and a type, such as :i64");
	inv_cursor_skip_space(cursor);
	begin = cursor->at;
	result = inv_cursor_type(cursor, &out->type);
	if (result)
		return result;
	if (out->type == INV_TYPE_NONE || out->type == INV_TYPE_LDOUBLE)
		return inv_cursor_fail(cursor, begin, "a value cannot be %s",
				       inv_type_name(out->type));
	out->steps[out->step_count++] = (struct inv_step){offset, out->type};
	return 0;
}

static int scan_global(struct inv_cursor *cursor, struct inv_source *out)
{
	const char *symbol;
	size_t length;
	int result;

	inv_cursor_skip_space(cursor);
	length = inv_cursor_symbol(cursor, &symbol);
	if (!length)
		return inv_cursor_fail(cursor, symbol, "expected a symbol: global:SYMBOL:type");
	out->kind = INV_SOURCE_GLOBAL;
	result = copy_text(cursor, out, symbol, length);
	return result ? result : scan_load(cursor, out, 0);
}

static int scan_base(struct inv_cursor *cursor, struct inv_source *out,
		     const struct inv_signature *signature, bool at_return)
{
	const char *word;
	size_t length = inv_cursor_word(cursor, &word);

	if (inv_text_is(word, length, "return"))
		return scan_return(cursor, word, out, signature, at_return);
	if (inv_text_is(word, length, "global") && inv_cursor_accept(cursor, ":"))
		return scan_global(cursor, out);
	return scan_param(cursor, word, length, out, signature);
}

static int scan_offset(struct inv_cursor *cursor, int64_t *offset)
{
	const char *begin;
	struct inv_number number;
	int result;

	inv_cursor_skip_space(cursor);
	begin = cursor->at;
	result = inv_cursor_number(cursor, &number);
	if (result)
		return result;
	if (!inv_type_holds(INV_TYPE_I32, &number))
		return inv_cursor_fail(cursor, begin, "an offset is less than 2 GB");
	*offset = inv_number_bits(&number);
	return 0;
}

static int scan_steps(struct inv_cursor *cursor, struct inv_source *out)
{
	const char *arrow;
	int64_t offset = 0;
	int result = 0;

	while (!result) {
		inv_cursor_skip_space(cursor);
		arrow = cursor->at;
		if (!inv_cursor_accept(cursor, "->"))
			return 0;
		if (out->type != INV_TYPE_PTR && out->type != INV_TYPE_STR &&
		    out->type != INV_TYPE_STDSTR)
			return inv_cursor_fail(
				cursor, arrow,
				"only ptr, str or stdstr can be followed by '->': the value "
				"before it is %s",
				inv_type_name(out->type));
		if (out->step_count == INV_PROBE_STEPS_MAX)
			return inv_cursor_fail(cursor, arrow, "at most %d loads in an expression",
					       INV_PROBE_STEPS_MAX);
		result = scan_offset(cursor, &offset);
		if (!result)
			result = scan_load(cursor, out, offset);
	}
	return result;
}

/* ---- Python expressions ------------------------------------------------------ */

static int skip_python_key(struct inv_cursor *cursor)
{
	const char *begin;
	struct inv_number number;
	int result = 0;
	char quote;

	inv_cursor_skip_space(cursor);
	begin = cursor->at;
	quote = begin < cursor->end ? *begin : '\0';
	if (quote == '"' || quote == '\'') {
		const char *close = memchr(begin + 1, quote, (size_t)(cursor->end - begin - 1));

		if (!close)
			return inv_cursor_fail(cursor, begin, "the key has no closing quote");
		cursor->at = close + 1;
	} else {
		result = inv_cursor_number(cursor, &number);
	}
	if (result)
		return inv_cursor_fail(cursor, begin, "expected a key: [\"name\"] or [0]");
	if (!inv_cursor_accept(cursor, "]"))
		return inv_cursor_fail(cursor, cursor->at, "expected ']'");
	return 0;
}

static int skip_python_path(struct inv_cursor *cursor, bool at_return, unsigned int depth);

static int skip_python_call(struct inv_cursor *cursor, const char *word, size_t length,
			    bool at_return, unsigned int depth)
{
	int result;

	if (!inv_text_is(word, length, "len") && !inv_text_is(word, length, "type"))
		return inv_cursor_fail(cursor, word, "only len(...) and type(...) can be called");
	if (depth == PYTHON_DEPTH_MAX)
		return inv_cursor_fail(cursor, word, "calls are nested too deeply");
	result = skip_python_path(cursor, at_return, depth + 1);
	if (result)
		return result;
	if (!inv_cursor_accept(cursor, ")"))
		return inv_cursor_fail(cursor, cursor->at, "expected ')'");
	return 0;
}

static int skip_python_step(struct inv_cursor *cursor, bool *more)
{
	const char *word;

	*more = true;
	if (inv_cursor_accept(cursor, "["))
		return skip_python_key(cursor);
	if (!inv_cursor_accept(cursor, ".")) {
		*more = false;
		return 0;
	}
	if (!inv_cursor_word(cursor, &word))
		return inv_cursor_fail(cursor, word, "expected an attribute's name after '.'");
	return 0;
}

static int skip_python_path(struct inv_cursor *cursor, bool at_return, unsigned int depth)
{
	const char *word;
	size_t length = inv_cursor_word(cursor, &word);
	bool more = true;
	int result = 0;

	if (!length)
		return inv_cursor_fail(cursor, word,
				       "expected an attribute path, such as intent.principal_id, "
				       "len(intent.args) or return[\"success\"]");
	if (inv_text_is(word, length, "return") && !at_return)
		return inv_cursor_fail(cursor, word, AT_RETURN_ONLY);
	if (inv_cursor_accept(cursor, "("))
		result = skip_python_call(cursor, word, length, at_return, depth);
	while (!result && more)
		result = skip_python_step(cursor, &more);
	return result;
}

static int scan_python(struct inv_cursor *cursor, struct inv_source *out, bool at_return)
{
	const char *begin = cursor->at, *end;
	int result = skip_python_path(cursor, at_return, 0);

	if (result)
		return result;
	for (end = cursor->at; inv_is_space(end[-1]);)
		end--;
	out->kind = INV_SOURCE_PYTHON;
	return copy_text(cursor, out, begin, (size_t)(end - begin));
}

/* ---- all of them ------------------------------------------------------------- */

static int scan(struct inv_cursor *cursor, struct inv_source *out,
		const struct inv_signature *signature, bool at_return)
{
	int result;

	inv_cursor_skip_space(cursor);
	if (cursor->at < cursor->end && *cursor->at == '"')
		return scan_text(cursor, out);
	if (cursor->at < cursor->end && strchr("+-0123456789", *cursor->at))
		return scan_number(cursor, out);
	if (!signature)
		return scan_python(cursor, out, at_return);
	result = scan_base(cursor, out, signature, at_return);
	return result ? result : scan_steps(cursor, out);
}

int inv_source_scan(struct inv_cursor *cursor, struct inv_source *out,
		    const struct inv_signature *signature, bool at_return)
{
	int result;

	memset(out, 0, sizeof(*out));
	result = scan(cursor, out, signature, at_return);
	if (result)
		inv_source_release(out);
	return result;
}

int inv_source_parse(struct inv_source *out, const char *text,
		     const struct inv_signature *signature, bool at_return,
		     struct inv_probe_error *error)
{
	struct inv_cursor cursor;
	int result;

	inv_cursor_init(&cursor, text, strlen(text), error);
	result = inv_source_scan(&cursor, out, signature, at_return);
	if (result || inv_cursor_at_end(&cursor))
		return result;
	inv_source_release(out);
	return inv_cursor_fail(&cursor, cursor.at, "unexpected text after the expression");
}

void inv_source_release(struct inv_source *source)
{
	free((void *)source->text);
	memset(source, 0, sizeof(*source));
}

const char *inv_source_field_refusal(enum inv_field field, const struct inv_source *source,
				     char *buf, size_t size)
{
	bool number = field == INV_FIELD_TICK || field == INV_FIELD_ARGS_COUNT;
	bool text = field == INV_FIELD_ERROR_MESSAGE;
	const char *expected = number ? "a whole number"
			       : text ? "a str"
				      : "a str or a whole number";

	if (source->kind == INV_SOURCE_PYTHON)
		return NULL;
	if (inv_type_is_text(source->type) && !number)
		return NULL;
	if (inv_type_is_integer(source->type) && !text)
		return NULL;
	snprintf(buf, size, "expected %s, and this is %s%s", expected,
		 source->kind == INV_SOURCE_TEXT ? "a text" : inv_type_name(source->type),
		 source->type == INV_TYPE_PTR ? " (read what it points to: ->OFFSET:type)" : "");
	return buf;
}
