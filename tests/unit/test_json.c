/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "reader/json.h"

static char *ended(char *end)
{
	*end = '\0';
	return end;
}

Test(json, integers_are_formatted_as_printf_does)
{
	static const uint64_t SOME[] = {
		0, 1, 9, 10, 99, 100, 12345, 999999, 1u << 31, UINT64_MAX, UINT64_MAX - 1};
	char got[40], want[40];
	for (size_t i = 0; i < sizeof(SOME) / sizeof(SOME[0]); i++) {
		ended(inv_json_u64(got, SOME[i]));
		snprintf(want, sizeof(want), "%llu", (unsigned long long)SOME[i]);
		cr_expect_str_eq(got, want);
		ended(inv_json_i64(got, (int64_t)SOME[i]));
		snprintf(want, sizeof(want), "%lld", (long long)SOME[i]);
		cr_expect_str_eq(got, want);
	}
}

static void ms_is(uint64_t ns, const char *want)
{
	char got[40];
	ended(inv_json_ms(got, ns));
	cr_expect_str_eq(got, want, "%s is not %s", got, want);
}

Test(json, nanoseconds_become_milliseconds_with_at_most_six_decimals)
{
	ms_is(0, "0.0");
	ms_is(42, "0.000042");
	ms_is(1500000, "1.5");
	ms_is(1000000, "1.0");
	ms_is(123456789012, "123456.789012");
}

static void real_is(double v, int decimals, const char *want)
{
	char got[40];
	ended(inv_json_real(got, v, decimals));
	cr_expect_str_eq(got, want, "%s is not %s", got, want);
}

Test(json, reals_are_always_finite_numbers)
{
	real_is(0.5, 6, "0.5");
	real_is(2.0 / 3, 6, "0.666667");
	real_is(-1.25, 2, "-1.25");
	real_is(0.999999999, 6, "1.0");
	real_is(-0.0000001, 6, "0.0");
	real_is(7, 0, "7.0");
	real_is(NAN, 6, "0.0");
	real_is(INFINITY, 6, "0.0");
}

/* A hair below 0.005: rounded to two places it is 0.01, by a fused multiply-add 0.0. */
Test(json, reals_round_alike_on_every_processor)
{
	real_is(0x1.47ae147ae147ap-8, 2, "0.01");
}

static void time_is(int64_t ns, const char *want)
{
	struct inv_json_clock clock = {0};
	char got[40];
	ended(inv_json_time(&clock, got, ns));
	cr_expect_str_eq(got, want, "%s is not %s", got, want);
}

Test(json, timestamps_are_rfc_3339_in_utc)
{
	time_is(0, "1970-01-01T00:00:00.000000Z");
	time_is(INT64_C(1700000000123456789), "2023-11-14T22:13:20.123456Z");
	time_is(INT64_C(951782400000000000), "2000-02-29T00:00:00.000000Z");
	time_is(-1, "1969-12-31T23:59:59.999999Z");
	time_is(INT64_MAX, "2262-04-11T23:47:16.854775Z");
}

static bool string_is(const char *text, size_t length, const char *want)
{
	struct inv_buf buf;
	cr_assert_eq(inv_buf_init(&buf, -1), 0);
	bool valid = inv_json_string(&buf, text, length);
	inv_buf_put(&buf, "", 1);
	cr_expect_str_eq(buf.data, want, "%s is not %s", buf.data, want);
	inv_buf_free(&buf);
	return valid;
}

Test(json, strings_are_escaped)
{
	cr_expect(string_is("plain", 5, "\"plain\""));
	cr_expect(string_is("a\"b\\c\n\t\x01\x7f", 9, "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\""));
	cr_expect(
		string_is("k\xc3\xa4se \xf0\x9f\xa7\x80", 10, "\"k\xc3\xa4se \xf0\x9f\xa7\x80\""));
	cr_expect(string_is("a\0b", 3, "\"a\\u0000b\""));
}

Test(json, broken_utf8_is_replaced_and_told)
{
	cr_expect_not(string_is("a\xff"
				"b",
				3,
				"\"a\xef\xbf\xbd"
				"b\""));
	cr_expect_not(string_is("\xc3", 1, "\"\xef\xbf\xbd\""));
	cr_expect_not(string_is("\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""));
	cr_expect_not(string_is("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""));
}

Test(json, any_bytes_give_a_string_that_parses)
{
	struct inv_buf buf;
	cr_assert_eq(inv_buf_init(&buf, -1), 0);
	srand(7);
	for (int round = 0; round < 5000; round++) {
		char bytes[64];
		size_t n = (size_t)rand() % sizeof(bytes);
		for (size_t i = 0; i < n; i++)
			bytes[i] = (char)rand();
		buf.length = 0;
		inv_json_string(&buf, bytes, n);
		inv_buf_put(&buf, "", 1);
		struct json_tokener *t = json_tokener_new();
		json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		struct json_object *o = json_tokener_parse_ex(t, buf.data, (int)buf.length);
		cr_assert_not_null(o, "seed 7, round %d: %s", round, buf.data);
		json_object_put(o);
		json_tokener_free(t);
	}
	inv_buf_free(&buf);
}

Test(json, objects_have_their_commas_right)
{
	struct inv_buf buf;
	cr_assert_eq(inv_buf_init(&buf, -1), 0);
	struct inv_json j = {.out = &buf};
	inv_json_open(&j, '{');
	inv_json_key(&j, "a");
	inv_json_put_u64(&j, 1);
	inv_json_key(&j, "b");
	inv_json_open(&j, '[');
	inv_json_close(&j, ']');
	inv_json_key(&j, "c");
	inv_json_open(&j, '[');
	inv_json_put_bool(&j, true);
	inv_json_put_str(&j, "x");
	inv_json_close(&j, ']');
	inv_json_close(&j, '}');
	inv_buf_put(&buf, "", 1);
	cr_expect_str_eq(buf.data, "{\"a\":1,\"b\":[],\"c\":[true,\"x\"]}");
	inv_buf_free(&buf);
}
