/* SPDX-License-Identifier: MIT */
/* test_probe_source.c - expressions: bases, loads, constants, Python paths, and refusals. */
#include "preload/probe.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct inv_signature signature;

static void make_signature(void)
{
	cr_assert_eq(inv_signature_parse(&signature,
					 "ptr (ptr world, str name, int count, f64 x, {i8} box)",
					 NULL),
		     0);
}

static void drop_signature(void)
{
	inv_signature_release(&signature);
}

TestSuite(probe_source, .init = make_signature, .fini = drop_signature);

static struct inv_source parsed(const char *text, const struct inv_signature *prototype)
{
	struct inv_source source;
	struct inv_probe_error error = {0};

	cr_assert_eq(inv_source_parse(&source, text, prototype, true, &error), 0, "%s: %u: %s",
		     text, error.column, error.text);
	return source;
}

static void refuses(const char *text, const struct inv_signature *prototype, bool at_return,
		    uint32_t column, const char *part)
{
	struct inv_source source;
	struct inv_probe_error error = {0};

	cr_assert_eq(inv_source_parse(&source, text, prototype, at_return, &error), -EINVAL,
		     "accepted: %s", text);
	cr_expect_eq(error.column, column, "%s: column %u: %s", text, error.column, error.text);
	cr_expect(strstr(error.text, part), "%s: '%s' lacks '%s'", text, error.text, part);
	cr_expect_null(source.text);
}

Test(probe_source, a_parameter_is_its_value)
{
	struct inv_source s = parsed(" count ", &signature);

	cr_expect_eq(s.kind, INV_SOURCE_ARG);
	cr_expect_eq(s.param, 2);
	cr_expect_eq(s.type, INV_TYPE_I32);
	cr_expect_eq(s.step_count, 0);
}

Test(probe_source, steps_are_loads_and_the_last_one_is_the_type)
{
	struct inv_source s = parsed("world->16:ptr->-0x8:i64", &signature);

	cr_assert_eq(s.step_count, 2);
	cr_expect_eq(s.steps[0].offset, 16);
	cr_expect_eq(s.steps[0].type, INV_TYPE_PTR);
	cr_expect_eq(s.steps[1].offset, -8);
	cr_expect_eq(s.steps[1].type, INV_TYPE_I64);
	cr_expect_eq(s.type, INV_TYPE_I64);
	cr_expect_eq(parsed("name -> 0 : u8", &signature).type, INV_TYPE_U8);
}

Test(probe_source, return_is_followed_like_a_parameter)
{
	struct inv_source s = parsed("return->8:i32", &signature);

	cr_expect_eq(s.kind, INV_SOURCE_RETURN);
	cr_expect_eq(s.steps[0].offset, 8);
	cr_expect_eq(s.type, INV_TYPE_I32);
}

Test(probe_source, a_global_is_loaded_from_its_address)
{
	struct inv_source s = parsed("global:current_tick:i64", &signature);

	cr_expect_eq(s.kind, INV_SOURCE_GLOBAL);
	cr_expect_str_eq(s.text, "current_tick");
	cr_expect_eq(s.length, 12);
	cr_assert_eq(s.step_count, 1);
	cr_expect_eq(s.steps[0].offset, 0);
	cr_expect_eq(s.type, INV_TYPE_I64);
	inv_source_release(&s);
	s = parsed("global:world.0:ptr->0x10:i64", &signature);
	cr_expect_str_eq(s.text, "world.0");
	cr_assert_eq(s.step_count, 2);
	cr_expect_eq(s.steps[1].offset, 16);
	inv_source_release(&s);
}

Test(probe_source, constants_are_texts_and_numbers)
{
	struct inv_source s = parsed("\"a \\\"b\\\" \\\\ ; c\"", &signature);

	cr_expect_eq(s.kind, INV_SOURCE_TEXT);
	cr_expect_str_eq(s.text, "a \"b\" \\ ; c");
	cr_expect_eq(s.length, 11);
	inv_source_release(&s);
	cr_expect_eq(parsed("-9223372036854775808", &signature).number, INT64_MIN);
	cr_expect_eq(parsed("0xff", &signature).number, 255);
	s = parsed("18446744073709551615", &signature);
	cr_expect_eq(s.type, INV_TYPE_U64);
	cr_expect_eq(s.number, -1);
}

Test(probe_source, refuses_what_cannot_be_followed)
{
	refuses("count->8:i32", &signature, true, 6, "the value before it is i32");
	refuses("world->8:i64->8:i64", &signature, true, 13, "the value before it is i64");
	refuses("x->8:i32", &signature, true, 2, "f64");
	refuses("box", &signature, true, 1, "struct by value");
	refuses("world->0:ptr->0:ptr->0:ptr->0:ptr->0:ptr", &signature, true, 34, "at most 4");
	refuses("world->0:void", &signature, true, 10, "cannot be void");
}

Test(probe_source, form_errors_have_their_column)
{
	refuses("", &signature, true, 1, "expected a parameter");
	refuses("wrld->8:i32", &signature, true, 1, "did you mean 'world'?");
	refuses("executor", &signature, true, 1, "needs double quotes");
	refuses("\"open", &signature, true, 1, "no closing quote");
	refuses("world->", &signature, true, 8, "expected a number");
	refuses("world->abc:i32", &signature, true, 8, "expected a number");
	refuses("world->8", &signature, true, 9, "expected ':'");
	refuses("world->8:", &signature, true, 10, "expected a type");
	refuses("world->8:long", &signature, true, 10, "use i64");
	refuses("world->8:i32 8", &signature, true, 14, "unexpected text");
	refuses("world->4294967296:i32", &signature, true, 8, "2 GB");
	refuses("12abc", &signature, true, 1, "not a name");
	refuses("1.5", &signature, true, 1, "whole number");
	refuses("99999999999999999999", &signature, true, 1, "64 bits");
	refuses("global:", &signature, true, 8, "expected a symbol");
	refuses("global:x", &signature, true, 9, "expected ':'");
}

Test(probe_source, return_is_refused_before_the_call_ends)
{
	refuses("return", &signature, false, 1, "known only when the call ends");
	refuses("len(return)", NULL, false, 5, "known only when the call ends");
}

Test(probe_source, return_of_a_void_function_is_refused)
{
	struct inv_signature nothing;

	cr_assert_eq(inv_signature_parse(&nothing, "void (int a)", NULL), 0);
	refuses("return", &nothing, true, 1, "returns nothing");
}

Test(probe_source, python_paths_are_kept_as_text)
{
	static const char *const paths[] = {
		"intent.principal_id", "self.tick",	    "len(intent.args)", "return.success",
		"return[\"success\"]", "type(return.data)", "a['k'][0].b[-1]",	"type(x).__name__",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct inv_source s = parsed(paths[i], NULL);

		cr_expect_eq(s.kind, INV_SOURCE_PYTHON);
		cr_expect_str_eq(s.text, paths[i]);
		cr_expect_eq(s.length, strlen(paths[i]));
		inv_source_release(&s);
	}
	struct inv_source constant = parsed("\"x\"", NULL);

	cr_expect_eq(constant.kind, INV_SOURCE_TEXT);
	inv_source_release(&constant);
}

Test(probe_source, python_form_errors_have_their_column)
{
	refuses("", NULL, true, 1, "attribute path");
	refuses("intent.", NULL, true, 8, "attribute's name");
	refuses("open(x)", NULL, true, 1, "only len(...) and type(...)");
	refuses("len(x", NULL, true, 6, "expected ')'");
	refuses("a[", NULL, true, 3, "expected a key");
	refuses("a[b]", NULL, true, 3, "expected a key");
	refuses("a[\"b]", NULL, true, 3, "no closing quote");
	refuses("a[0", NULL, true, 4, "expected ']'");
	refuses("a b", NULL, true, 3, "unexpected text");
	refuses("len(len(len(len(len(x)))))", NULL, true, 17, "nested too deeply");
}
