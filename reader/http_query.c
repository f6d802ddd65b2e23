/* SPDX-License-Identifier: MIT */
#include "http_query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- percent ---------------------------------------------------------------------- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t inv_percent_decode(char *to, const char *from, size_t length)
{
	size_t n = 0;
	for (size_t i = 0; i < length; i++) {
		if (from[i] == '%' && i + 2 < length && hex(from[i + 1]) >= 0 &&
		    hex(from[i + 2]) >= 0) {
			to[n++] = (char)(hex(from[i + 1]) << 4 | hex(from[i + 2]));
			i += 2;
		} else {
			to[n++] = from[i];
		}
	}
	return n;
}

static bool unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~", c));
}

void inv_percent_encode(struct inv_buf *out, struct inv_text text)
{
	static const char HEX[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.text[i];
		const char coded[3] = {'%', HEX[c >> 4], HEX[c & 15]};
		if (unreserved(c))
			inv_buf_put(out, &text.text[i], 1);
		else
			inv_buf_put(out, coded, sizeof(coded));
	}
}

/* ---- parameters --------------------------------------------------------------------- */

int inv_params_init(struct inv_params *params)
{
	*params = (struct inv_params){0};
	return inv_buf_init(&params->errors, -1);
}

void inv_params_free(struct inv_params *params)
{
	for (size_t i = 0; i < params->count; i++)
		free((void *)(uintptr_t)params->items[i].key.text);
	inv_buf_free(&params->errors);
}

int inv_params_add(struct inv_params *params, const char *key, size_t key_length, const char *value,
		   size_t value_length)
{
	if (params->count == INV_PARAMS_MAX)
		return 0;
	char *text = malloc(key_length + value_length + 2);
	if (!text)
		return -ENOMEM;
	struct inv_query_param *p = &params->items[params->count++];
	p->key = (struct inv_text){text, inv_percent_decode(text, key, key_length)};
	text += key_length + 1;
	p->value.text = text;
	p->value.length = value ? inv_percent_decode(text, value, value_length) : 0;
	return 0;
}

struct inv_text inv_params_text(const struct inv_params *params, const char *name)
{
	size_t length = strlen(name);
	for (size_t i = params->count; i-- > 0;)
		if (params->items[i].key.length == length &&
		    !memcmp(params->items[i].key.text, name, length))
			return params->items[i].value;
	return (struct inv_text){0};
}

/* ---- what is wrong -------------------------------------------------------------------- */

static void put_str(struct inv_json *json, const char *key, const char *value)
{
	inv_json_key(json, key);
	inv_json_put_str(json, value);
}

/* Begins one detail; the caller adds its "ctx" and closes it. */
static struct inv_json *complain(struct inv_params *params, const char *type, const char *name,
				 const char *message, struct inv_text input)
{
	struct inv_json *json = &params->json;
	if (params->errors.length == 0) {
		json->out = &params->errors;
		inv_json_open(json, '{');
		inv_json_key(json, "detail");
		inv_json_open(json, '[');
	}
	inv_json_open(json, '{');
	put_str(json, "type", type);
	inv_json_key(json, "loc");
	inv_json_open(json, '[');
	inv_json_put_str(json, "query");
	inv_json_put_str(json, name);
	inv_json_close(json, ']');
	put_str(json, "msg", message);
	inv_json_key(json, "input");
	inv_json_put_text(json, input.text, input.length);
	return json;
}

bool inv_params_good(struct inv_params *params)
{
	if (params->errors.length == 0)
		return true;
	inv_json_close(&params->json, ']');
	inv_json_close(&params->json, '}');
	return false;
}

/* ---- integers --------------------------------------------------------------------------- */

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "5", "+5", " 5 ", "1_000" and "5.0" are integers to pydantic, however large. */
static bool integer(struct inv_text text, int64_t *value)
{
	const char *p = text.text, *end = p + text.length;
	while (p < end && blank(*p))
		p++;
	while (p < end && blank(end[-1]))
		end--;
	bool negative = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end || !digit(*p))
		return false;
	*value = 0;
	for (; p < end && (digit(*p) || (*p == '_' && p[-1] != '_')); p++)
		if (digit(*p) && (__builtin_mul_overflow(*value, 10, value) ||
				  __builtin_add_overflow(*value, *p - '0', value)))
			*value = INT64_MAX / 16; /* stays huge: beyond any bound */
	if (p[-1] == '_')
		return false;
	if (p < end && *p == '.' && p + 1 < end)
		for (p++; p < end && *p == '0';)
			p++;
	*value = negative ? -*value : *value;
	return p == end;
}

static void out_of_bounds(struct inv_params *params, const char *name, struct inv_text input,
			  bool low, int64_t bound)
{
	char message[96] = "Input should be less than or equal to ";
	if (low)
		strcpy(message, "Input should be greater than or equal to ");
	*inv_json_i64(message + strlen(message), bound) = '\0';
	struct inv_json *json = complain(params, low ? "greater_than_equal" : "less_than_equal",
					 name, message, input);
	inv_json_key(json, "ctx");
	inv_json_open(json, '{');
	inv_json_key(json, low ? "ge" : "le");
	inv_json_put_i64(json, bound);
	inv_json_close(json, '}');
	inv_json_close(json, '}');
}

int64_t inv_params_int(struct inv_params *params, const char *name, int64_t least, int64_t most,
		       int64_t otherwise)
{
	struct inv_text text = inv_params_text(params, name);
	int64_t value;
	if (!text.text)
		return otherwise;
	if (!integer(text, &value)) {
		inv_json_close(complain(params, "int_parsing", name,
					"Input should be a valid integer, unable to parse "
					"string as an integer",
					text),
			       '}');
		return otherwise;
	}
	if (value < least || value > most) {
		out_of_bounds(params, name, text, value < least, value < least ? least : most);
		return otherwise;
	}
	return value;
}

/* ---- truth and choices -------------------------------------------------------------------- */

static bool is_one_of(struct inv_text text, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == text.length && !strncasecmp(*words, text.text, text.length))
			return true;
	return false;
}

enum inv_maybe inv_params_bool(struct inv_params *params, const char *name)
{
	static const char *const YES[] = {"true", "1", "on", "yes", "y", "t", NULL};
	static const char *const NO[] = {"false", "0", "off", "no", "n", "f", NULL};
	struct inv_text text = inv_params_text(params, name);
	if (!text.text)
		return INV_MAYBE_UNSAID;
	if (is_one_of(text, YES))
		return INV_MAYBE_YES;
	if (is_one_of(text, NO))
		return INV_MAYBE_NO;
	inv_json_close(complain(params, "bool_parsing", name,
				"Input should be a valid boolean, unable to interpret input", text),
		       '}');
	return INV_MAYBE_UNSAID;
}

/* 'a', 'b' or 'c' */
static void list_choices(char *to, size_t size, const char *const *choices)
{
	size_t n = 0;
	to[0] = '\0';
	for (size_t i = 0; choices[i] && n + 32 < size; i++) {
		const char *before = i == 0 ? "" : choices[i + 1] ? ", " : " or ";
		n += (size_t)(stpcpy(stpcpy(stpcpy(stpcpy(to + n, before), "'"), choices[i]), "'") -
			      (to + n));
	}
}

size_t inv_params_choice(struct inv_params *params, const char *name, const char *const *choices)
{
	char expected[256], message[300] = "Input should be ";
	struct inv_text text = inv_params_text(params, name);
	if (!text.text)
		return 0;
	for (size_t i = 0; choices[i]; i++)
		if (strlen(choices[i]) == text.length &&
		    !memcmp(choices[i], text.text, text.length))
			return i;
	list_choices(expected, sizeof(expected), choices);
	strcat(message, expected);
	struct inv_json *json = complain(params, "literal_error", name, message, text);
	inv_json_key(json, "ctx");
	inv_json_open(json, '{');
	put_str(json, "expected", expected);
	inv_json_close(json, '}');
	inv_json_close(json, '}');
	return 0;
}
