/* SPDX-License-Identifier: MIT */
/* test_probe_signature.c - prototypes, the registers of their arguments, and refusals. */
#include "preload/probe.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct inv_signature parsed(const char *text)
{
	struct inv_signature signature;
	struct inv_probe_error error = {0};

	cr_assert_eq(inv_signature_parse(&signature, text, &error), 0, "%s: %u: %s", text,
		     error.column, error.text);
	return signature;
}

static void refuses(const char *text, uint32_t column, const char *part)
{
	struct inv_signature signature;
	struct inv_probe_error error = {0};

	cr_assert_eq(inv_signature_parse(&signature, text, &error), -EINVAL, "accepted: %s", text);
	cr_expect_eq(error.column, column, "%s: column %u: %s", text, error.column, error.text);
	cr_expect(strstr(error.text, part), "%s: '%s' lacks '%s'", text, error.text, part);
}

Test(probe_signature, reads_the_demo_prototype)
{
	struct inv_signature s = parsed("int (ptr world, str invoker_id, str artifact_id, "
					"str method, int args_count, ptr args)");

	cr_expect_eq(s.result, INV_TYPE_I32);
	cr_expect_str_eq(s.result_text, "int");
	cr_assert_eq(s.param_count, 6);
	cr_expect_eq(s.params[1].type, INV_TYPE_STR);
	cr_expect_str_eq(s.params[4].name, "args_count");
	for (int i = 0; i < 6; i++)
		cr_expect_eq(s.params[i].reg, i);
	cr_expect_eq(s.int_regs, 6);
	cr_expect_not(s.on_stack);
	inv_signature_release(&s);
}

Test(probe_signature, knows_every_type)
{
	static const struct {
		const char *name;
		enum inv_type type;
	} all[] = {{"int", INV_TYPE_I32},   {"uint", INV_TYPE_U32}, {"i8", INV_TYPE_I8},
		   {"i16", INV_TYPE_I16},   {"i32", INV_TYPE_I32},  {"i64", INV_TYPE_I64},
		   {"u8", INV_TYPE_U8},	    {"u16", INV_TYPE_U16},  {"u32", INV_TYPE_U32},
		   {"u64", INV_TYPE_U64},   {"f32", INV_TYPE_F32},  {"f64", INV_TYPE_F64},
		   {"bool", INV_TYPE_BOOL}, {"ptr", INV_TYPE_PTR},  {"str", INV_TYPE_STR}};
	char text[64];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snprintf(text, sizeof(text), "%s (%s x)", all[i].name, all[i].name);
		struct inv_signature s = parsed(text);

		cr_expect_eq(s.result, all[i].type);
		cr_expect_eq(s.params[0].type, all[i].type);
		cr_expect_str_eq(s.result_text, all[i].name);
	}
}

Test(probe_signature, takes_empty_lists_and_unnamed_parameters)
{
	cr_expect_eq(parsed("void()").param_count, 0);
	cr_expect_eq(parsed(" void ( void ) ").param_count, 0);
	cr_expect_eq(parsed("int (int, ptr)").param_count, 2);
	cr_expect_str_eq(parsed("int (int, ptr)").params[1].name, "");
}

Test(probe_signature, counts_the_register_classes_apart)
{
	struct inv_signature s = parsed("f64 (f64 a, int b, f32 c, ptr d)");

	cr_expect_eq(s.params[0].reg, 0);
	cr_expect(s.params[0].is_float);
	cr_expect_eq(s.params[1].reg, 0);
	cr_expect_eq(s.params[2].reg, 1);
	cr_expect_eq(s.params[3].reg, 1);
	cr_expect_eq(s.int_regs, 2);
	cr_expect_eq(s.float_regs, 2);
}

Test(probe_signature, the_ninth_integer_is_on_the_stack_and_needs_a_closure)
{
	struct inv_signature s = parsed(
		"int (int a, int b, int c, int d, int e, int f, f64 x, int g, int h, int args)");
	char why[256];

	cr_expect(s.on_stack);
	cr_expect_eq(s.params[9].reg, -1);
	cr_expect_eq(s.params[6].reg, 0);
	cr_expect(inv_signature_needs_closure(&s));
	cr_expect_null(inv_signature_refusal(&s, why, sizeof(why)));
}

Test(probe_signature, the_ninth_floating_argument_is_on_the_stack)
{
	struct inv_signature s = parsed("void (f64,f64,f64,f64, f32,f32,f32,f32, f64 last, int i)");

	cr_expect_eq(s.params[7].reg, 7);
	cr_expect_eq(s.params[8].reg, -1);
	cr_expect_eq(s.params[9].reg, 0);
	cr_expect(inv_signature_needs_closure(&s));
}

Test(probe_signature, structs_by_value_keep_their_layout_and_claim_no_register)
{
	struct inv_signature s = parsed("{i32, {f64,u8}} (int a, { ptr } box, int b)");

	cr_expect_str_eq(s.result_layout, "i32, {f64,u8}");
	cr_expect_eq(s.result, INV_TYPE_STRUCT);
	cr_expect_eq(s.params[1].type, INV_TYPE_STRUCT);
	cr_expect_str_eq(s.params[1].layout, " ptr ");
	cr_expect_str_eq(s.params[1].name, "box");
	cr_expect(s.by_value_struct);
	cr_expect_eq(s.params[2].reg, -1);
	cr_expect(inv_signature_needs_closure(&s));
	inv_signature_release(&s);
	s = parsed("{i32} ()");
	cr_expect(inv_signature_needs_closure(&s));
	inv_signature_release(&s);
}

Test(probe_signature, long_double_needs_a_closure)
{
	struct inv_signature s = parsed("int (int a, ldouble x, int b)");

	cr_expect(inv_signature_needs_closure(&s));
	cr_expect_eq(s.params[2].reg, 1);
	s = parsed("ldouble (int a)");
	cr_expect(inv_signature_needs_closure(&s));
}

Test(probe_signature, variadic_without_the_types_of_its_calls_is_refused)
{
	struct inv_signature s = parsed("int (str format, ...)");
	char why[256];

	cr_expect(s.variadic);
	cr_expect_eq(s.param_count, 1);
	cr_expect(strstr(inv_signature_refusal(&s, why, sizeof(why)), "state behind the dots"));
	s = parsed("int (str format, ... i64 n, f64)");
	cr_expect(s.variadic);
	cr_expect_eq(s.fixed_count, 1);
	cr_expect_eq(s.param_count, 3);
	cr_expect(inv_signature_needs_closure(&s));
	cr_expect_null(inv_signature_refusal(&s, why, sizeof(why)));
	refuses("int (str format, ... f32)", 22, "use that");
	refuses("int (str format, ... i8)", 22, "passes int");
	refuses("int (str format, ... int, ...)", 27, "expected a type");
}

Test(probe_signature, a_plain_prototype_is_not_refused)
{
	struct inv_signature s = parsed("int (ptr a, f64 b)");
	char why[256];

	cr_expect_null(inv_signature_refusal(&s, why, sizeof(why)));
	cr_expect_not(inv_signature_needs_closure(&s));
}

Test(probe_signature, a_c_spelling_is_answered_with_the_type_to_use)
{
	refuses("int (char *name)", 6, "use str");
	refuses("int (const char *name)", 6, "const char * is str");
	refuses("int (void *p)", 6, "use ptr");
	refuses("int (int *p)", 6, "use ptr");
	refuses("double (int a)", 1, "use f64");
	refuses("int (float a)", 6, "use f32");
	refuses("int (long a)", 6, "use i64");
	refuses("int (int a, size_t n)", 13, "use u64");
	refuses("int (struct world *w)", 6, "use ptr");
	refuses("int (unsigned a)", 6, "use uint");
	refuses("int (i46 a)", 6, "did you mean");
	refuses("int (whatever_this_is a)", 6, "expected int uint i8");
}

Test(probe_signature, form_errors_have_their_column)
{
	refuses("", 1, "expected a type");
	refuses("int", 4, "expected '('");
	refuses("int run(ptr a)", 5, "expected '('");
	refuses("int (ptr a", 11, "expected ',' or ')'");
	refuses("int (ptr a b)", 12, "expected ',' or ')'");
	refuses("int (ptr a,)", 12, "expected a type");
	refuses("int (ptr a) x", 13, "unexpected text");
	refuses("int (ptr a, int a)", 17, "two parameters");
	refuses("int (void a)", 6, "cannot be void");
	refuses("int ({} a)", 7, "expected a type");
	refuses("int ({i32 a)", 11, "expected ',' or '}'");
	refuses("int ({void} a)", 7, "cannot be void");
	refuses("int (ptr return)", 10, "means something else");
	refuses("int ({{{{{{{{{i8}}}}}}}}} a)", 15, "nested too deeply");
	refuses("i8(i8,i8,i8,i8,i8,i8,i8,i8,i8,i8,i8,i8,i8,i8,i8,i8,i8)", 52, "at most 16");
}

Test(probe_signature, a_name_of_64_bytes_is_refused_and_one_of_63_taken)
{
	char text[128];

	snprintf(text, sizeof(text), "int (int %063d)", 0);
	memset(text + 9, 'a', 63);
	cr_expect_eq(strlen(parsed(text).params[0].name), 63);
	snprintf(text, sizeof(text), "int (int %064d)", 0);
	memset(text + 9, 'a', 64);
	refuses(text, 10, "at most 63 bytes");
}

Test(probe_signature, a_std_string_is_one_register_and_a_view_is_two)
{
	struct inv_signature s = parsed("int (ptr this, stdstr name, stdview note, int n)");

	cr_expect_eq(s.params[1].type, INV_TYPE_STDSTR);
	cr_expect_eq(s.params[1].reg, 1);
	cr_expect_eq(s.params[2].type, INV_TYPE_STDVIEW);
	cr_expect_eq(s.params[2].reg, 2);
	cr_expect_eq(s.params[3].reg, 4);
	cr_expect_eq(s.params[3].word, 4);
	cr_expect_eq(s.int_regs, 5);
	cr_expect_eq(s.word_count, 5);
	cr_expect_not(inv_signature_needs_closure(&s));
}

#if defined(__x86_64__)
Test(probe_signature, std_strings_and_views_are_for_patched_functions_too)
{
	struct inv_signature s = parsed("int (ptr this, stdstr name, stdview note, int n)");

	cr_expect_null(inv_signature_entry_refusal(&s));
}

/* System V 3.2.3: no eightbyte of a pair alone, and the register is free for a later one. */
Test(probe_signature, a_view_with_one_register_left_is_on_the_stack_as_a_whole)
{
	struct inv_signature s =
		parsed("int (int a, int b, int c, int d, int e, stdview v, int f, stdstr g)");

	cr_expect_eq(s.params[5].reg, -1);
	cr_expect_eq(s.params[6].reg, 5);
	cr_expect_eq(s.params[7].reg, -1);
	cr_expect_eq(s.params[7].word, 8);
	cr_expect(s.on_stack);
	cr_expect(inv_signature_needs_closure(&s));
}

Test(probe_signature, a_std_string_that_is_returned_takes_the_first_register)
{
	struct inv_signature s = parsed("stdstr (ptr this, int b, int c, int d, int e, int f)");

	cr_expect_eq(s.result, INV_TYPE_STDSTR);
	cr_expect_eq(s.params[0].reg, 1);
	cr_expect_eq(s.params[4].reg, 5);
	cr_expect_eq(s.params[5].reg, -1);
	cr_expect(s.on_stack);
	cr_expect_not(inv_signature_needs_closure(&(struct inv_signature){.result = s.result}));
}
#else
/* AAPCS64 6.8.2, C.13: nothing follows into what a pair left. */
Test(probe_signature, a_view_with_one_register_left_is_on_the_stack_and_all_behind_it)
{
	struct inv_signature s =
		parsed("int (int a, int b, int c, int d, int e, int f, int g, stdview v, int h)");

	cr_expect_eq(s.params[7].reg, -1);
	cr_expect_eq(s.params[8].reg, -1);
	cr_expect(inv_signature_needs_closure(&s));
}

Test(probe_signature, a_std_string_that_is_returned_needs_a_closure)
{
	struct inv_signature s = parsed("stdstr (ptr this)");

	cr_expect_eq(s.params[0].reg, 0);
	cr_expect(inv_signature_needs_closure(&s));
}
#endif

Test(probe_signature, cxx_texts_are_refused_where_none_can_be)
{
	refuses("stdview (int a)", 1, "write {u64,ptr}");
	refuses("int ({i32,stdstr} a)", 11, "a member cannot be stdstr");
	refuses("int ({stdview} a)", 7, "a member cannot be stdview");
	refuses("int (std::string a)", 6, "use stdstr for a std::string");
	refuses("int (string a)", 6, "stdstr for a std::string");
	refuses("int (string_view a)", 6, "use stdview");
	refuses("int (stdvew a)", 6, "did you mean stdview");
	refuses("int (stdview,stdview,stdview,stdview,stdview,stdview,stdview,i8,stdview)", 65,
		"a stdview counts as two");
	cr_expect_eq(parsed("int (stdview,stdview,stdview,stdview,stdview,stdview,stdview,stdview)")
			     .word_count,
		     16);
}
