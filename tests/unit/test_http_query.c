/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "reader/http_query.h"

static struct inv_params params;

static void setup(void)
{
	cr_assert_eq(inv_params_init(&params), 0);
}

static void teardown(void)
{
	inv_params_free(&params);
}

TestSuite(http_query, .init = setup, .fini = teardown);

static void give(const char *key, const char *value)
{
	cr_assert_eq(inv_params_add(&params, key, strlen(key), value, value ? strlen(value) : 0),
		     0);
}

static void again(void)
{
	teardown();
	setup();
}

static const char *errors(void)
{
	static char text[4096];
	if (inv_params_good(&params))
		return "";
	memcpy(text, params.errors.data, params.errors.length);
	text[params.errors.length] = '\0';
	return text;
}

static void decodes(const char *from, const char *to, size_t length)
{
	char out[64];
	cr_assert_eq(inv_percent_decode(out, from, strlen(from)), length, "%s", from);
	cr_assert(!memcmp(out, to, length), "%s", from);
}

Test(http_query, percent_coding_is_undone_and_what_is_malformed_stays)
{
	decodes("a%2Fb%2fc", "a/b/c", 5);
	decodes("%00%ff", "\0\xff", 2);
	decodes("%", "%", 1);
	decodes("%2", "%2", 2);
	decodes("%zz%4", "%zz%4", 5);
	decodes("%%41", "%A", 2);
	decodes("+", "+", 1);
	decodes("", "", 0);
}

Test(http_query, decoding_in_place_never_overtakes_itself)
{
	char text[] = "%41%42c%43";
	cr_assert_eq(inv_percent_decode(text, text, strlen(text)), 4);
	cr_assert(!memcmp(text, "ABcC", 4));
}

Test(http_query, what_is_encoded_decodes_to_the_same_bytes)
{
	struct inv_buf out;
	char all[256], back[256];
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	cr_assert_eq(inv_buf_init(&out, -1), 0);
	inv_percent_encode(&out, (struct inv_text){all, 256});
	for (size_t i = 0; i < out.length; i++)
		cr_assert(out.data[i] > ' ' && out.data[i] < 127 &&
			  !strchr("&=?#<>\"", out.data[i]));
	char *copy = malloc(out.length);
	memcpy(copy, out.data, out.length);
	cr_assert_eq(inv_percent_decode(copy, copy, out.length), 256);
	memcpy(back, copy, 256);
	cr_assert(!memcmp(all, back, 256));
	free(copy);
	inv_buf_free(&out);
}

Test(http_query, the_last_of_two_counts_and_others_are_ignored)
{
	give("limit", "5");
	give("colour", "red");
	give("limit", "7");
	cr_assert_eq(inv_params_int(&params, "limit", 1, 1000, 100), 7);
	cr_assert_eq(inv_params_int(&params, "offset", 0, INT64_MAX, 3), 3);
	cr_assert(inv_params_good(&params));
}

Test(http_query, integers_are_what_pydantic_takes_for_them)
{
	static const struct {
		const char *text;
		int64_t value; /* -1: none */
	} cases[] = {{"5", 5},	   {"+5", 5},	 {" 5 ", 5},  {"\t5\n", 5}, {"05", 5},
		     {"5.0", 5},   {"5.000", 5}, {"1_0", 10}, {"-0", 0},    {"0", 0},
		     {"5.", -1},   {"5.5", -1},	 {".5", -1},  {"", -1},	    {" ", -1},
		     {"-", -1},	   {"+-5", -1},	 {"5_", -1},  {"1__0", -1}, {"_5", -1},
		     {"0x5", -1},  {"1e3", -1},	 {"5 5", -1}, {"five", -1}, {"5,0", -1},
		     {"5.0.0", -1}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		again();
		give("n", cases[i].text);
		int64_t value = inv_params_int(&params, "n", 0, INT64_MAX, -7);
		cr_assert_eq(value, cases[i].value < 0 ? -7 : cases[i].value, "'%s': %ld",
			     cases[i].text, (long)value);
		cr_assert_eq(inv_params_good(&params), cases[i].value >= 0, "'%s'", cases[i].text);
	}
}

Test(http_query, an_integer_beyond_64_bits_is_beyond_any_bound)
{
	give("limit", "99999999999999999999999999999999999999");
	inv_params_int(&params, "limit", 1, 1000, 100);
	cr_assert(strstr(errors(), "\"type\":\"less_than_equal\""));
	again();
	give("offset", "-99999999999999999999999999999999999999");
	inv_params_int(&params, "offset", 0, INT64_MAX, 0);
	cr_assert(strstr(errors(), "\"type\":\"greater_than_equal\""));
	again();
	give("offset", "99999999999999999999999999999999999999");
	cr_assert_gt(inv_params_int(&params, "offset", 0, INT64_MAX, 0), INT64_C(1) << 50);
	cr_assert(inv_params_good(&params));
}

Test(http_query, the_body_of_a_422_is_the_one_of_fastapi)
{
	give("limit", "5000");
	inv_params_int(&params, "limit", 1, 1000, 100);
	cr_assert_str_eq(
		errors(),
		"{\"detail\":[{\"type\":\"less_than_equal\",\"loc\":[\"query\",\"limit\"],"
		"\"msg\":\"Input should be less than or equal to 1000\",\"input\":\"5000\","
		"\"ctx\":{\"le\":1000}}]}");
}

Test(http_query, all_that_is_wrong_is_said_at_once)
{
	give("success", "per\"haps");
	give("limit", "x");
	give("sort", "colour");
	static const char *const SORTS[] = {"a", "b", "c", NULL};
	cr_assert_eq(inv_params_bool(&params, "success"), INV_MAYBE_UNSAID);
	cr_assert_eq(inv_params_int(&params, "limit", 1, 9, 4), 4);
	cr_assert_eq(inv_params_choice(&params, "sort", SORTS), 0);
	cr_assert_str_eq(
		errors(),
		"{\"detail\":[{\"type\":\"bool_parsing\",\"loc\":[\"query\",\"success\"],\"msg\":"
		"\"Input should be a valid boolean, unable to interpret input\",\"input\":"
		"\"per\\\"haps\"},{\"type\":\"int_parsing\",\"loc\":[\"query\",\"limit\"],\"msg\":"
		"\"Input should be a valid integer, unable to parse string as an integer\","
		"\"input\":\"x\"},{\"type\":\"literal_error\",\"loc\":[\"query\",\"sort\"],\"msg\":"
		"\"Input should be 'a', 'b' or 'c'\",\"input\":\"colour\",\"ctx\":{\"expected\":"
		"\"'a', 'b' or 'c'\"}}]}");
}

Test(http_query, truth_is_told_in_any_case_and_nothing_else_is_truth)
{
	static const char *const yes[] = {"true", "1", "ON", "Yes", "y", "T"};
	static const char *const no[] = {"false", "0", "oFF", "No", "N", "f"};
	static const char *const none[] = {"", " true", "2", "tru", "truee", "\xff", "yes\0"};
	for (size_t i = 0; i < 6; i++) {
		again();
		give("s", yes[i]);
		cr_assert_eq(inv_params_bool(&params, "s"), INV_MAYBE_YES, "%s", yes[i]);
		again();
		give("s", no[i]);
		cr_assert_eq(inv_params_bool(&params, "s"), INV_MAYBE_NO, "%s", no[i]);
		again();
		give("s", none[i]);
		cr_assert_eq(inv_params_bool(&params, "s"), INV_MAYBE_UNSAID, "'%s'", none[i]);
		cr_assert(!inv_params_good(&params), "'%s'", none[i]);
	}
}

Test(http_query, more_parameters_than_there_is_room_for_are_ignored)
{
	for (int i = 0; i < 100; i++)
		give("x", "y");
	give("limit", "5");
	cr_assert_eq(params.count, INV_PARAMS_MAX);
	cr_assert_eq(inv_params_int(&params, "limit", 1, 9, 4), 4);
}

Test(http_query, a_name_may_hold_a_nul)
{
	give("id", "a%00b");
	struct inv_text id = inv_params_text(&params, "id");
	cr_assert_eq(id.length, 3);
	cr_assert(!memcmp(id.text, "a\0b", 3));
	cr_assert_null(inv_params_text(&params, "other").text);
	give("empty", NULL);
	cr_assert_not_null(inv_params_text(&params, "empty").text);
	cr_assert_eq(inv_params_text(&params, "empty").length, 0);
}
