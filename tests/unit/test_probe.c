/* SPDX-License-Identifier: MIT */
/* test_probe.c - probe files: sections, keys, lines, fields, and the place of each error. */
#include "preload/probe.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIMPLE "[probe p]\ntarget = f\nsignature = int (ptr world, int n)\n"

static struct inv_probe_file file;

static void drop_file(void)
{
	inv_probe_file_free(&file);
}

TestSuite(probe_file, .fini = drop_file);

static const struct inv_probe *parsed(const char *text)
{
	struct inv_probe_error error;

	inv_probe_file_free(&file);
	cr_assert_eq(inv_probe_file_parse(&file, "t.ini", text, strlen(text), &error), 0,
		     "%s\n%u:%u: %s", text, error.line, error.column, error.text);
	return file.probes;
}

static void refuses_bytes(const char *text, size_t length, uint32_t line, uint32_t column,
			  const char *part)
{
	struct inv_probe_error error;

	inv_probe_file_free(&file);
	cr_assert_eq(inv_probe_file_parse(&file, "t.ini", text, length, &error), -EINVAL,
		     "accepted: %s", text);
	cr_expect_eq(error.line, line, "%s\nline %u: %s", text, error.line, error.text);
	cr_expect_eq(error.column, column, "%s\ncolumn %u: %s", text, error.column, error.text);
	cr_expect(strstr(error.text, part), "%s\n'%s' lacks '%s'", text, error.text, part);
	cr_expect_str_eq(error.path, "t.ini");
	cr_expect_eq(file.count, 0);
	cr_expect_null(file.probes);
}

static void refuses(const char *text, uint32_t line, uint32_t column, const char *part)
{
	refuses_bytes(text, strlen(text), line, column, part);
}

Test(probe_file, reads_the_ready_probe_of_the_demo)
{
	struct inv_probe_error error = {0};
	const struct inv_probe *p;

	cr_assert_eq(inv_probe_file_read(&file, "preload/probes/executor.ini", &error), 0,
		     "%u:%u: %s", error.line, error.column, error.text);
	cr_assert_eq(file.count, 1);
	p = file.probes;
	cr_expect_str_eq(p->name, "executor");
	cr_expect_str_eq(p->symbol, "executor_invoke");
	cr_expect_eq(p->target_kind, INV_TARGET_SYMBOL);
	cr_expect_eq(p->field[INV_FIELD_INVOKER].param, 1);
	cr_expect_eq(p->field[INV_FIELD_ARTIFACT].param, 2);
	cr_expect_eq(p->field[INV_FIELD_METHOD].param, 3);
	cr_expect_eq(p->field[INV_FIELD_ARGS_COUNT].param, 4);
	cr_expect_eq(p->field[INV_FIELD_TICK].steps[0].offset, 16);
	cr_expect_eq(p->field[INV_FIELD_ERROR_MESSAGE].steps[0].offset, 32);
	cr_expect_eq(p->field[INV_FIELD_ERROR_MESSAGE].type, INV_TYPE_STR);
	cr_expect_eq(p->success.compare, INV_COMPARE_EQ);
	cr_expect_eq(p->code_rule_count, 4);
	cr_expect_str_eq(p->code_rules[3].type, "execution");
	cr_expect_null(inv_signature_refusal(&p->signature, error.text, sizeof(error.text)));
}

Test(probe_file, refuses_an_unknown_key_and_names_the_nearest)
{
	refuses(SIMPLE "sucess = return == 0\n", 4, 1, "did you mean 'success'?");
	refuses(SIMPLE "artifact = \"a\"\n", 4, 1, "did you mean 'artifact_id'?");
	refuses(SIMPLE "Tick = 1\n", 4, 1, "did you mean 'tick'?");
	refuses(SIMPLE "zzzzzzzzzzzz = 1\n", 4, 1, "expected target, signature");
	refuses("[probe p]\n= 1\n", 2, 1, "expected a key");
}

Test(probe_file, refuses_duplicates_and_names_the_first)
{
	refuses(SIMPLE "tick = 1\ntick = 2\n", 5, 1, "already given in line 4");
	refuses(SIMPLE "error.default = x\nerror.a = y\nerror.default = z\n", 6, 1,
		"already given in line 4");
	refuses(SIMPLE "\n" SIMPLE, 5, 8, "duplicate probe 'p': it is already given in line 1");
}

Test(probe_file, refuses_sections_that_are_no_probes)
{
	refuses("[global]\n", 1, 2, "expected [probe NAME]");
	refuses("[probe]\n", 1, 7, "expected a name");
	refuses("[probe a b]\n", 1, 10, "no spaces");
	refuses("[probe a\n", 1, 9, "expected ']'");
	refuses("[probe a] x\n", 1, 11, "unexpected text");
	refuses("[]\n", 1, 2, "expected [probe NAME]");
}

Test(probe_file, refuses_what_is_missing)
{
	refuses("", 1, 1, "no probe");
	refuses("; nothing\n\n", 1, 1, "no probe");
	refuses("[probe p]\n", 1, 1, "has no target");
	refuses("\n[probe p]\ntarget = f\n", 2, 1, "has no signature");
	refuses("[probe p]\n[probe q]\ntarget = f\n", 1, 1, "'p' has no target");
	refuses("target = f\n", 1, 1, "outside of a section");
	refuses(SIMPLE "just words\n", 4, 1, "expected KEY = VALUE");
	refuses(SIMPLE "tick =\n", 4, 7, "expected a value");
}

Test(probe_file, refuses_more_than_64_probes)
{
	char *text = malloc(65 * 64), *at = text;

	for (int i = 0; i < 64; i++)
		at += sprintf(at, "[probe p%d]\ntarget=f\nsignature=int()\n", i);
	parsed(text);
	cr_expect_eq(file.count, 64);
	cr_expect_str_eq(file.probes[63].name, "p63");
	sprintf(at, "[probe more]\n");
	refuses(text, 193, 8, "at most 64 probes");
	free(text);
}

Test(probe_file, comments_end_values_but_not_inside_quotes)
{
	const struct inv_probe *p = parsed("# one\n ; two\n[probe p] ; three\ntarget = f ; four\n"
					   "signature = int (int n)\t; five\n"
					   "method = \"a ; b\" ; six\nartifact_id = \"x;y\"\n");

	cr_expect_str_eq(p->target, "f");
	cr_expect_str_eq(p->field[INV_FIELD_METHOD].text, "a ; b");
	cr_expect_str_eq(p->field[INV_FIELD_ARTIFACT].text, "x;y");
}

Test(probe_file, windows_line_ends_and_a_byte_order_mark_are_no_matter)
{
	const struct inv_probe *p =
		parsed("\xef\xbb\xbf[probe p]\r\ntarget = f\r\nsignature = int ()\r\ntick = 5");

	cr_expect_str_eq(p->target, "f");
	cr_expect_eq(p->field[INV_FIELD_TICK].number, 5);
	refuses("\xef\xbb\xbf[prob p]\r\n", 1, 2, "unknown section");
}

Test(probe_file, a_value_goes_on_in_indented_lines)
{
	const struct inv_probe *p = parsed("[probe p]\ntarget =\n\tf\nsignature = int (\n"
					   "    ptr world, ; the world\n\n    ; between\n"
					   "    str method\n  )\nbind = entry\n");

	cr_expect_str_eq(p->target, "f");
	cr_expect_eq(p->signature.param_count, 2);
	cr_expect_eq(p->field[INV_FIELD_METHOD].param, 1);
	cr_expect_eq(p->bind, INV_BIND_ENTRY);
}

Test(probe_file, an_error_in_a_continued_line_is_reported_there)
{
	refuses("[probe p]\ntarget = f\nsignature = int (\n    ptr world,\n    char *x)\n", 5, 5,
		"use str");
	refuses(SIMPLE "error_type = return:\n  -1=a,\n  -2 b\n", 6, 6, "expected '='");
}

Test(probe_file, an_indented_key_is_not_swallowed_by_the_value_above)
{
	refuses("[probe p]\n  target = f\n  signature = int ()\n", 3, 3, "continues 'target'");
}

Test(probe_file, long_lines_are_read_whole)
{
	char text[1200] = "[probe p]\ntarget = f\nsignature = int (int a";
	const struct inv_probe *p;
	char name[64];

	for (int i = 0; i < 7; i++) {
		snprintf(name, sizeof(name), ", int long_name_%042d", i);
		strcat(text, name);
	}
	strcat(text, ", int tick)\n");
	p = parsed(text);
	cr_expect_gt(strlen(p->signature_text), 400);
	cr_expect_eq(p->signature.param_count, 9);
	cr_expect_eq(p->field[INV_FIELD_TICK].param, 8);
}

Test(probe_file, spaces_beyond_the_buffer_of_libinih_hide_nothing)
{
	char text[2000];

	snprintf(text, sizeof(text), "[probe p]\ntarget %400s= %400sf\nsignature = int ()\n", "",
		 "");
	refuses(text, 2, 1, "expected KEY = VALUE");
	snprintf(text, sizeof(text), "[probe p]\n%400starget = f\nsignature = int ()\n", "");
	cr_expect_str_eq(parsed(text)->target, "f");
	snprintf(text, sizeof(text), "[probe %400sp]\ntarget = %400sf\nsignature = int ()\n", "",
		 "");
	cr_expect_str_eq(parsed(text)->target, "f");
}

Test(probe_file, values_that_are_too_long_are_refused)
{
	char text[8192];

	snprintf(text, sizeof(text), "[probe p]\ntarget = a%0256d\n", 1);
	refuses(text, 2, 10, "at most 255 bytes");
	snprintf(text, sizeof(text), "[probe %064d]\n", 1);
	refuses(text, 1, 8, "at most 63 bytes");
	snprintf(text, sizeof(text), SIMPLE "method = \"%05000d\"\n", 1);
	refuses(text, 4, 10, "too long");
	snprintf(text, sizeof(text), SIMPLE "success = return == %0120d\n", 1);
	refuses(text, 4, 11, "at most 127 bytes");
	snprintf(text, sizeof(text), "[probe p]\ntarget = f\nsignature = int (%0600d)\n", 1);
	refuses(text, 3, 13, "at most 511 bytes");
}

Test(probe_file, targets_of_every_kind)
{
	const struct inv_probe *p;

	p = parsed("[probe p]\ntarget = libfoo++.so.1:_ZN1a3runEv\nsignature = int ()\n");
	cr_expect_eq(p->target_kind, INV_TARGET_OBJECT);
	cr_expect_str_eq(p->object, "libfoo++.so.1");
	cr_expect_str_eq(p->symbol, "_ZN1a3runEv");
	p = parsed("[probe p]\ntarget = program+0x1234\nsignature = int ()\n");
	cr_expect_eq(p->target_kind, INV_TARGET_OFFSET);
	cr_expect_str_eq(p->object, "program");
	cr_expect_eq(p->offset, 0x1234);
	p = parsed("[probe p]\ntarget = python:pkg.mod:Class.method\ntick = self.tick\n"
		   "success = return.success\n");
	cr_expect_eq(p->target_kind, INV_TARGET_PYTHON);
	cr_expect_str_eq(p->module, "pkg.mod");
	cr_expect_str_eq(p->symbol, "Class.method");
	cr_expect_eq(p->success.compare, INV_COMPARE_TRUE);
	cr_expect_eq(p->field[INV_FIELD_TICK].kind, INV_SOURCE_PYTHON);
}

Test(probe_file, target_errors_have_their_column)
{
	refuses("[probe p]\ntarget = f()\n", 2, 11, "unexpected '('");
	refuses("[probe p]\ntarget = /lib/a.so:f\n", 2, 10, "base name");
	refuses("[probe p]\ntarget = a::b\n", 2, 12, "expected the name");
	refuses("[probe p]\ntarget = program+1234\n", 2, 18, "such as 0x1234");
	refuses("[probe p]\ntarget = program+0x12zz\n", 2, 18, "expected a number");
	refuses("[probe p]\ntarget = python:mod\n", 2, 20, "expected ':'");
	refuses("[probe p]\ntarget = python::f\n", 2, 17, "a module");
	refuses("[probe p]\ntarget = python:m:C.\n", 2, 21, "a function");
	refuses("[probe p]\ntarget = python:m:f\nsignature = int ()\n", 3, 13, "no signature");
	refuses("[probe p]\ntarget = python:m:f\nbind = got\n", 3, 8, "bound by Python");
	refuses(SIMPLE "bind = plt\n", 4, 8, "auto, got or entry");
}

Test(probe_file, the_order_of_keys_does_not_matter)
{
	const struct inv_probe *p = parsed("[probe p]\nsuccess = return == 0\ntick = world->8:i64\n"
					   "signature = int (ptr world)\ntarget = f\n");

	cr_expect_eq(p->field[INV_FIELD_TICK].type, INV_TYPE_I64);
}

Test(probe_file, an_explicit_field_overrides_the_parameter_of_its_name)
{
	const struct inv_probe *p = parsed("[probe p]\ntarget = f\n"
					   "signature = int (f64 tick, str method)\ntick = 7\n");

	cr_expect_eq(p->field[INV_FIELD_TICK].kind, INV_SOURCE_NUMBER);
	cr_expect_eq(p->field[INV_FIELD_METHOD].kind, INV_SOURCE_ARG);
}

Test(probe_file, a_field_of_the_wrong_type_is_refused)
{
	refuses("[probe p]\ntarget = f\nsignature = int (f64 tick)\n", 3, 22,
		"parameter 'tick': expected a whole number, and this is f64");
	refuses("[probe p]\ntarget = f\nsignature = int (\n  int tickle,\n  str tick)\n", 5, 7,
		"this is str");
	refuses(SIMPLE "tick = \"seven\"\n", 4, 8, "this is a text");
	refuses(SIMPLE "method = world->8:f32\n", 4, 10, "this is f32");
	refuses(SIMPLE "method = world\n", 4, 10, "->OFFSET:type");
	refuses(SIMPLE "error_message = n\n", 4, 17, "expected a str");
	refuses(SIMPLE "tick = return\n", 4, 8, "known only when the call ends");
	refuses(SIMPLE "method = n n\n", 4, 12, "unexpected text");
	cr_expect_eq(parsed(SIMPLE "error_message = world->8:str\nresult_type = return\n")
			     ->field[INV_FIELD_RESULT_TYPE]
			     .kind,
		     INV_SOURCE_RETURN);
}

Test(probe_file, a_byte_of_value_zero_is_refused_where_it_stands)
{
	refuses_bytes("[probe p]\nta\0rget", 16, 2, 3, "value 0");
}

Test(probe_file, control_bytes_do_not_reach_the_message)
{
	struct inv_probe_error error;
	const char *text = "[probe p]\n\x1b[31mkey = 1\n";

	cr_assert_eq(inv_probe_file_parse(&file, "t.ini", text, strlen(text), &error), -EINVAL);
	cr_expect_null(strchr(error.text, '\x1b'));
}

Test(probe_file, the_hash_is_fnv_1a_of_the_bytes)
{
	uint64_t first;

	parsed(SIMPLE);
	first = file.hash;
	parsed(SIMPLE "\n");
	cr_expect_neq(first, file.hash);
	parsed(SIMPLE);
	cr_expect_eq(first, file.hash);
}

Test(probe_file, a_file_that_cannot_be_read_says_why_and_leaves_errno)
{
	struct inv_probe_error error = {0};

	errno = 77;
	cr_expect_eq(inv_probe_file_read(&file, "/nonexistent/p.ini", &error), -ENOENT);
	cr_expect_eq(errno, 77);
	cr_expect_eq(error.line, 0);
	cr_expect(strstr(error.text, "No such file"), "%s", error.text);
	cr_expect_str_eq(error.path, "/nonexistent/p.ini");
	cr_expect_eq(inv_probe_file_read(&file, "/", &error), -EISDIR);
	cr_expect_eq(inv_probe_file_read(&file, "/dev/zero", &error), -EINVAL);
	cr_expect(strstr(error.text, "at most 1 MB"), "%s", error.text);
}

/* The shim reads it before the program's main: nobody may come to write. */
Test(probe_file, a_fifo_is_refused_without_waiting)
{
	struct inv_probe_error error = {0};
	char fifo[64];

	snprintf(fifo, sizeof(fifo), "/tmp/invreg-unit-%d.fifo", (int)getpid());
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	alarm(10);
	cr_expect_eq(inv_probe_file_read(&file, fifo, &error), -ESPIPE);
	cr_expect(strstr(error.text, "FIFO"), "%s", error.text);
	unlink(fifo);
}

Test(probe_file, no_error_struct_is_needed)
{
	cr_expect_eq(inv_probe_file_parse(&file, "t.ini", "[probe p", 8, NULL), -EINVAL);
}
