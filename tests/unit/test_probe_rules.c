/* SPDX-License-Identifier: MIT */
/* test_probe_rules.c - success rules, tables of codes, and rules on messages. */
#include "preload/probe.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEAD "[probe p]\ntarget = f\nsignature = "

static struct inv_probe_file file;

static void drop_file(void)
{
	inv_probe_file_free(&file);
}

TestSuite(probe_rules, .fini = drop_file);

static int parse(const char *signature, const char *rest, struct inv_probe_error *error)
{
	char text[8192];

	inv_probe_file_free(&file);
	snprintf(text, sizeof(text), HEAD "%s\n%s\n", signature, rest);
	return inv_probe_file_parse(&file, "t.ini", text, strlen(text), error);
}

static const struct inv_probe *probe(const char *signature, const char *rest)
{
	struct inv_probe_error error;

	cr_assert_eq(parse(signature, rest, &error), 0, "%s: %u:%u: %s", rest, error.line,
		     error.column, error.text);
	return file.probes;
}

/* The rule is line 4. */
static void refuses(const char *signature, const char *rest, uint32_t column, const char *part)
{
	struct inv_probe_error error;

	cr_assert_eq(parse(signature, rest, &error), -EINVAL, "accepted: %s", rest);
	cr_expect_eq(error.line, 4, "%s: line %u: %s", rest, error.line, error.text);
	cr_expect_eq(error.column, column, "%s: column %u: %s", rest, error.column, error.text);
	cr_expect(strstr(error.text, part), "%s: '%s' lacks '%s'", rest, error.text, part);
}

static int match(const struct inv_probe *p, const char *message)
{
	return inv_probe_match_message(p, message, message ? strlen(message) : 0);
}

Test(probe_rules, without_a_rule_every_return_is_a_success)
{
	cr_expect_eq(probe("int ()", "")->success.compare, INV_COMPARE_NONE);
}

Test(probe_rules, every_comparison_is_read)
{
	static const struct {
		const char *text;
		enum inv_compare compare;
	} all[] = {{"==", INV_COMPARE_EQ}, {"!=", INV_COMPARE_NE}, {"<", INV_COMPARE_LT},
		   {"<=", INV_COMPARE_LE}, {">", INV_COMPARE_GT},  {">=", INV_COMPARE_GE}};
	char rule[64];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snprintf(rule, sizeof(rule), "success = return%s-3", all[i].text);
		const struct inv_probe *p = probe("int ()", rule);

		cr_expect_eq(p->success.compare, all[i].compare);
		cr_expect_eq(p->success.number, -3);
		cr_expect_eq(p->success.left.kind, INV_SOURCE_RETURN);
	}
	cr_expect_str_eq(probe("int ()", "success =  return == 0 ")->success_text, "return == 0");
}

Test(probe_rules, success_may_read_through_the_result)
{
	const struct inv_probe *p = probe("ptr ()", "success = return->8:i32 == 1");

	cr_expect_eq(p->success.left.step_count, 1);
	cr_expect_eq(p->success.left.type, INV_TYPE_I32);
	cr_expect_eq(p->success.number, 1);
}

Test(probe_rules, null_is_for_pointers)
{
	cr_expect_eq(probe("ptr ()", "success = return is not null")->success.compare,
		     INV_COMPARE_NOT_NULL);
	cr_expect_eq(probe("str ()", "success = return is null")->success.compare,
		     INV_COMPARE_NULL);
	refuses("int ()", "success = return is null", 18, "only ptr or str can be null");
	refuses("ptr ()", "success = return is nul", 21, "expected 'is null'");
	refuses("str ()", "success = return == 0", 18, "compared by 'is null'");
}

Test(probe_rules, a_floating_result_is_compared_as_real)
{
	const struct inv_probe *p = probe("f64 ()", "success = return >= -1.5e2");

	cr_expect_eq(p->success.compare, INV_COMPARE_GE);
	cr_expect_eq(p->success.real, -150.0);
	refuses("f64 ()", "success = return >= 1,5", 22, "expected a number");
	refuses("int ()", "success = return == 1.5", 22, "unexpected text");
}

Test(probe_rules, a_number_that_the_type_cannot_have_is_refused)
{
	refuses("uint ()", "success = return == -1", 21, "no value of type u32 can be -1");
	refuses("i8 ()", "success = return == 128", 21, "no value of type i8");
	refuses("bool ()", "success = return == 2", 21, "no value of type bool");
	cr_expect_eq(probe("i8 ()", "success = return == -128")->success.number, -128);
	cr_expect_eq(probe("u64 ()", "success = return == 0xffffffffffffffff")->success.number, -1);
	refuses("uint ()", "error_type = return: -13=x", 22, "no value of type u32");
}

Test(probe_rules, success_form_errors_have_their_column)
{
	refuses("int ()", "success = return", 17, "expected == !=");
	refuses("int ()", "success = return = 0", 18, "expected == !=");
	refuses("int ()", "success = return == 0 1", 23, "unexpected text");
	refuses("int ()", "success = return == zero", 21, "expected a number");
	refuses("int ()", "success = 1 == 1", 11, "a value of the call");
	refuses("void ()", "success = return == 0", 11, "returns nothing");
	refuses("int ()", "success =", 10, "expected a value");
}

Test(probe_rules, codes_map_to_types)
{
	const struct inv_probe *p =
		probe("int ()",
		      "error_type = return: -13=permission, -22 = validation,-110=timeout");

	cr_assert_eq(p->code_rule_count, 3);
	cr_expect_eq(p->code_rules[0].code, -13);
	cr_expect_str_eq(p->code_rules[0].type, "permission");
	cr_expect_str_eq(p->code_rules[1].type, "validation");
	cr_expect_eq(p->code_rules[2].code, -110);
	cr_expect_eq(p->error_code.kind, INV_SOURCE_RETURN);
	cr_expect_eq(p->field[INV_FIELD_ERROR_TYPE].kind, INV_SOURCE_NONE);
}

Test(probe_rules, the_colon_of_the_table_is_the_last_before_the_first_equals)
{
	const struct inv_probe *p = probe("ptr ()", "error_type = return->8:i32: 1=foo:bar");

	cr_expect_eq(p->error_code.steps[0].offset, 8);
	cr_expect_eq(p->code_rules[0].code, 1);
	cr_expect_str_eq(p->code_rules[0].type, "foo:bar");
}

Test(probe_rules, error_type_may_be_an_expression)
{
	const struct inv_probe *p = probe("ptr ()", "error_type = return->8:str");

	cr_expect_eq(p->field[INV_FIELD_ERROR_TYPE].kind, INV_SOURCE_RETURN);
	cr_expect_eq(p->field[INV_FIELD_ERROR_TYPE].type, INV_TYPE_STR);
	cr_expect_eq(p->code_rule_count, 0);
	p = probe("ptr ()", "error_type = \"a=b:c\"");
	cr_expect_str_eq(p->field[INV_FIELD_ERROR_TYPE].text, "a=b:c");
	refuses("f64 ()", "error_type = return", 14, "this is f64");
}

Test(probe_rules, table_errors_have_their_column)
{
	refuses("int ()", "error_type = return -13=a", 14, "expected ':' before the codes");
	refuses("int ()", "error_type = return: x=a", 22, "expected a number");
	refuses("int ()", "error_type = return: 1=a,", 26, "expected a number");
	refuses("int ()", "error_type = return: 1=a, 2", 28, "expected '='");
	refuses("int ()", "error_type = return: 1=", 24, "expected the name");
	refuses("int ()", "error_type = return: 1=a b", 25, "no spaces");
	refuses("f64 ()", "error_type = return: 1=a", 14, "needs a whole number");
	refuses("ptr ()", "error_type = return->8:i32 1=a", 23, "expected ':'");
}

Test(probe_rules, a_code_has_one_type)
{
	refuses("int ()", "error_type = return: 1=a, 1=b", 27, "has a type already");
	refuses("int ()", "error_type = return: 1=a, 0x1=a", 27, "has a type already");
	refuses("uint ()", "error_type = return: 1=a, 2=b, 1=c", 32, "has a type already");
	cr_expect_eq(probe("int ()", "error_type = return: 1=a, -1=a")->code_rule_count, 2);
}

Test(probe_rules, a_table_has_at_most_32_codes)
{
	char rule[1024] = "error_type = return: 0=a";

	for (int i = 1; i < 32; i++)
		sprintf(rule + strlen(rule), ",%d=a", i);
	cr_expect_eq(probe("int ()", rule)->code_rule_count, 32);
	strcat(rule, ",32=a");
	refuses("int ()", rule, (uint32_t)strlen(rule) - 3, "at most 32 codes");
}

Test(probe_rules, the_first_text_rule_that_matches_wins)
{
	const struct inv_probe *p = probe("int ()", "error.permission = Denied, not allowed\n"
						    "error.sql = syntax & near\n"
						    "error.other = error\n"
						    "error.default = unknown");

	cr_assert_eq(p->text_rule_count, 3);
	cr_expect_str_eq(p->text_rules[1].type, "sql");
	cr_expect(p->text_rules[1].all);
	cr_expect_str_eq(p->text_rules[0].texts[0], "denied");
	cr_expect_str_eq(p->error_default, "unknown");
	cr_expect_eq(match(p, "Access DENIED by rule"), 0);
	cr_expect_eq(match(p, "this is Not Allowed, error"), 0);
	cr_expect_eq(match(p, "near x: SYNTAX error"), 1);
	cr_expect_eq(match(p, "syntax error"), 2);
	cr_expect_eq(match(p, "nothing"), -1);
	cr_expect_eq(match(p, ""), -1);
	cr_expect_eq(match(p, NULL), -1);
}

Test(probe_rules, a_type_may_have_several_rules_with_others_between_them)
{
	const struct inv_probe *p = probe("int ()", "error.io = disk & full\n"
						    "error.quota = quota, full\n"
						    "error.io = disk\n"
						    "error.default = other");

	cr_assert_eq(p->text_rule_count, 3);
	cr_expect_str_eq(p->text_rules[0].type, "io");
	cr_expect_str_eq(p->text_rules[2].type, "io");
	cr_expect_eq(match(p, "the DISK is full"), 0);
	cr_expect_eq(match(p, "disk quota reached"), 1);
	cr_expect_eq(match(p, "disk error"), 2);
	cr_expect_eq(match(p, "no such thing"), -1);
}

Test(probe_rules, a_message_ends_at_its_length)
{
	const struct inv_probe *p = probe("int ()", "error.x = denied");
	char message[6] = {'d', 'e', 'n', 'i', 'e', 'd'};

	cr_expect_eq(inv_probe_match_message(p, message, 6), 0);
	cr_expect_eq(inv_probe_match_message(p, message, 5), -1);
	cr_expect_eq(inv_probe_match_message(p, "a\0denied", 8), 0);
	cr_expect_eq(match(p, "denidenied"), 0);
}

Test(probe_rules, quoted_texts_may_hold_separators)
{
	const struct inv_probe *p = probe("int ()", "error.x = \"a, b & c ; d\", Plain");

	cr_assert_eq(p->text_rules[0].text_count, 2);
	cr_expect_str_eq(p->text_rules[0].texts[0], "a, b & c ; d");
	cr_expect_str_eq(p->text_rules[0].texts[1], "plain");
	cr_expect_str_eq(p->error_default, "execution");
}

Test(probe_rules, text_rule_errors_have_their_column)
{
	refuses("int ()", "error.x = a, b & c", 16, "not both");
	refuses("int ()", "error.x = a,, b", 13, "expected a text");
	refuses("int ()", "error.x = a &", 14, "expected a text");
	refuses("int ()", "error.x = \"\"", 11, "expected a text");
	refuses("int ()", "error.x = \"a\" b", 15, "expected ',' or '&'");
	refuses("int ()", "error.x = a,b,c,d,e,f,g,h,i", 27, "at most 8 texts");
	refuses("int ()", "error. = a", 7, "expected the name");
	refuses("int ()", "error.a b = a", 8, "no spaces");
	refuses("int ()", "error.default = a b", 18, "no spaces");
}

Test(probe_rules, type_names_have_at_most_63_bytes)
{
	char rule[128];

	snprintf(rule, sizeof(rule), "error.%063d = a", 1);
	cr_expect_eq(strlen(probe("int ()", rule)->text_rules[0].type), 63);
	snprintf(rule, sizeof(rule), "error.%064d = a", 1);
	refuses("int ()", rule, 7, "at most 63 bytes");
}

Test(probe_rules, a_str_is_normalised_or_redacted)
{
	const struct inv_probe *p =
		probe("int (str artifact_id, str m, ptr world)",
		      "normalise.artifact_id = sql\nredact.method = yes\nmethod = m\n"
		      "error_message = world->8:str\nnormalise.error_message = digits ; by number");
	cr_expect_eq(p->rewrite[INV_FIELD_ARTIFACT], INV_REWRITE_SQL);
	cr_expect_eq(p->rewrite[INV_FIELD_METHOD], INV_REWRITE_LENGTH);
	cr_expect_eq(p->rewrite[INV_FIELD_ERROR_MESSAGE], INV_REWRITE_DIGITS);
	cr_expect_eq(p->rewrite[INV_FIELD_INVOKER], INV_REWRITE_NONE);
}

Test(probe_rules, a_rewrite_that_would_do_nothing_is_refused)
{
	refuses("int (str method)", "normalise.method = upper", 20, "expected sql or digits");
	refuses("int (str method)", "normalise.method = sql now", 20, "expected sql or digits");
	refuses("int (str method)", "redact.method = no", 17, "expected yes");
	refuses("int (str method)", "redact.method =", 16, "expected yes");
	refuses("int (str method)", "redact.methods = yes", 8, "expected invoker_id, artifact_id");
	refuses("int (i64 tick)", "redact.tick = yes", 8, "expected invoker_id, artifact_id");
	refuses("int (int method)", "redact.method = yes", 8, "only a str");
	refuses("int (str x)", "redact.method = yes", 8, "does not give");
	refuses("int (str x)", "redact.method = yes\nmethod = \"m\"", 8, "constant");
	refuses("int (str method)", "redact. = yes", 8, "expected");
}

Test(probe_rules, a_field_is_rewritten_one_way_only)
{
	struct inv_probe_error error;

	cr_assert_eq(parse("int (str method)", "redact.method = yes\nnormalise.method = sql",
			   &error),
		     -EINVAL);
	cr_expect_eq(error.line, 5);
	cr_expect_eq(error.column, 11);
	cr_expect(strstr(error.text, "already"));
}
