/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the fuzz targets share.
 *
 * A target is tests/fuzz/fuzz_NAME.c with one function for libFuzzer; `make fuzz` builds it
 * with AddressSanitizer and UndefinedBehaviorSanitizer and runs it from tests/fuzz/corpus/NAME.
 * Beyond not crashing, each target states what must hold whatever the bytes are.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_require_at(bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}
#define FUZZ_REQUIRE(what) fuzz_require_at(what, #what, __FILE__, __LINE__)

/* A copy that ends with a NUL, of its own allocation: a read beyond it is seen. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	FUZZ_REQUIRE(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* What JSON has no word for. */
static inline bool fuzz_numbers_finite(struct json_object *value)
{
	if (json_object_is_type(value, json_type_double))
		return isfinite(json_object_get_double(value));
	if (json_object_is_type(value, json_type_array))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			if (!fuzz_numbers_finite(json_object_array_get_idx(value, i)))
				return false;
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key,
					   member) if (!key ||
						       !fuzz_numbers_finite(member)) return false;
	}
	return true;
}

/* One JSON text, in UTF-8, and nothing else. */
static inline void fuzz_require_json(const char *text, size_t length)
{
	struct json_tokener *parser = json_tokener_new();
	FUZZ_REQUIRE(parser && length < INT32_MAX);
	json_tokener_set_flags(parser, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *value = json_tokener_parse_ex(parser, text, (int)length);
	enum json_tokener_error error = json_tokener_get_error(parser);
	bool valid = error == json_tokener_success && value && fuzz_numbers_finite(value) &&
		     json_tokener_get_parse_end(parser) == length;
	if (!valid)
		fprintf(stderr, "not JSON (%s): %.*s\n", json_tokener_error_desc(error),
			(int)length, text);
	FUZZ_REQUIRE(valid);
	json_object_put(value);
	json_tokener_free(parser);
}

/* The same for each line of a text whose every line is ended. */
static inline void fuzz_require_json_lines(const char *text, size_t length)
{
	const char *end = text + length;
	FUZZ_REQUIRE(length == 0 || end[-1] == '\n');
	while (text < end) {
		size_t n = (size_t)((const char *)memchr(text, '\n', (size_t)(end - text)) - text);
		fuzz_require_json(text, n);
		text += n + 1;
	}
}

#endif
