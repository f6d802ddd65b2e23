/* SPDX-License-Identifier: MIT */
/* Which interpreter a command starts, with which options, for what. */
#include "reader/python_command.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMAND(...)                                                                               \
	(char *const[])                                                                            \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static struct inv_python_command got;
static char why[512], joined[4096];

/* The words kept, then the program, in one text. */
static const char *taken(char *const *command)
{
	size_t n = 0;
	int r = inv_python_command_parse(&got, command, why, sizeof(why));
	if (r) {
		snprintf(joined, sizeof(joined), "refused %s: %s", strerror(-r), why);
		return joined;
	}
	for (size_t i = 0; i < got.count; i++)
		n += (size_t)snprintf(joined + n, sizeof(joined) - n, "%s ", got.words[i]);
	snprintf(joined + n, sizeof(joined) - n, "| %s %s", got.kind, got.value);
	inv_python_command_release(&got);
	return joined;
}

#define is(command, want) cr_assert_str_eq(taken(command), want)

static void refused(char *const *command, const char *part)
{
	taken(command);
	cr_assert_eq(strncmp(joined, "refused ", 8), 0, "%s", joined);
	cr_assert_not_null(strstr(joined, part), "%s", joined);
}

Test(python_command, a_script_and_its_own_arguments_are_told_apart)
{
	is(COMMAND("python3", "run.py", "-m", "x"), "python3 | script run.py");
	is(COMMAND("/opt/v/bin/python", "-u", "--", "-odd.py"),
	   "/opt/v/bin/python -u | script -odd.py");
}

Test(python_command, a_module_and_a_text_may_be_glued_to_their_letter)
{
	is(COMMAND("python3", "-m", "pkg.app", "-v"), "python3 | module pkg.app");
	is(COMMAND("python3", "-Bmpkg"), "python3 -B | module pkg");
	is(COMMAND("python3", "-Esc", "import x", "y"), "python3 -E -s | command import x");
	is(COMMAND("python3", "-cpass"), "python3 | command pass");
}

Test(python_command, without_a_program_it_is_the_standard_input)
{
	is(COMMAND("python3"), "python3 | stdin ");
	is(COMMAND("python3", "-", "x"), "python3 | stdin ");
	is(COMMAND("python3", "-I"), "python3 -I | stdin ");
}

Test(python_command, options_that_decide_what_is_imported_are_kept_and_talk_is_not)
{
	is(COMMAND("python3", "-iqvEIX", "dev", "-W", "ignore", "-Xutf8", "a.py"),
	   "python3 -E -I -X dev -W ignore -X utf8 | script a.py");
	is(COMMAND("python3", "--check-hash-based-pycs", "never", "a.py"),
	   "python3 --check-hash-based-pycs never | script a.py");
}

Test(python_command, what_starts_the_interpreter_is_kept)
{
	is(COMMAND("env", "-u", "A", "B=python", "python3.8", "a.py"),
	   "env -u A B=python python3.8 | script a.py");
	is(COMMAND("timeout", "-k", "1", "9", "nice", "python3", "a.py"),
	   "timeout -k 1 9 nice python3 | script a.py");
}

Test(python_command, names_of_interpreters)
{
	is(COMMAND("python3.13t", "a.py"), "python3.13t | script a.py");
	is(COMMAND("python3-dbg", "a.py"), "python3-dbg | script a.py");
	is(COMMAND("pypy3.10", "a.py"), "pypy3.10 | script a.py");
	refused(COMMAND("python3-config", "a.py"), "python3-config");
}

Test(python_command, what_runs_no_program_is_refused)
{
	refused(COMMAND("python3", "-V"), "-V: with this option Python runs no program");
	refused(COMMAND("python3", "--help"), "--help: with this option Python runs no program");
	refused(COMMAND("python3", "-m"), "-m: with this option Python runs no program");
	refused(COMMAND("python3", "-1"), "-1 is no option of Python");
	refused(COMMAND("env", "A=1"), "no interpreter in the command");
	refused(COMMAND("cat", "python3"), "cat is not Python");
	refused(COMMAND("/no/such"), "/no/such: command not found");
	refused(COMMAND(""), "command not found");
}

/* ---- scripts ---------------------------------------------------------------------------- */

static char folder[] = "/tmp/invreg-unit.XXXXXX";

static char *script(const char *name, const char *first)
{
	static char path[256];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	cr_assert_not_null(f);
	fprintf(f, "%s\npass\n", first);
	fclose(f);
	cr_assert_eq(chmod(path, 0700), 0);
	return path;
}

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
	static const char *const names[] = {"app", "loop", "link"};
	char path[256];
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

TestSuite(python_script, .init = make_folder, .fini = remove_folder);

static void is_script(const char *first, const char *before)
{
	char want[512], *path = script("app", first);
	snprintf(want, sizeof(want), "%s | script %s", before, path);
	is(COMMAND(path, "--its", "own"), want);
}

Test(python_script, is_followed_to_its_interpreter)
{
	is_script("#!/usr/bin/python3", "/usr/bin/python3");
	is_script("#! /usr/bin/python3 -S", "/usr/bin/python3 -S");
	is_script("#!/usr/bin/env python3", "/usr/bin/env python3");
	is_script("#!/usr/bin/env -S python3 -u", "/usr/bin/env python3 -u");
}

Test(python_script, is_found_in_path_and_behind_a_wrapper)
{
	char want[512], *path = script("app", "#!/usr/bin/python3");
	cr_assert_eq(setenv("PATH", folder, 1), 0);
	snprintf(want, sizeof(want), "/usr/bin/python3 | script %s", path);
	is(COMMAND("app", "x"), want);
	snprintf(want, sizeof(want), "env A=1 /usr/bin/python3 | script %s", path);
	is(COMMAND("env", "A=1", "app"), want);
}

Test(python_script, of_another_language_is_refused)
{
	refused(COMMAND(script("app", "#!/bin/sh")), "/app is not Python");
	refused(COMMAND(script("app", "")), "is not Python");
}

Test(python_script, that_is_its_own_interpreter_ends)
{
	char first[300];
	snprintf(first, sizeof(first), "#!%s/loop", folder);
	refused(COMMAND(script("loop", first)), "too many scripts");
}

Test(python_script, a_link_to_an_interpreter_is_one)
{
	char path[256], want[300];
	snprintf(path, sizeof(path), "%s/link", folder);
	cr_assert_eq(symlink("/usr/bin/python3", path), 0);
	if (access(path, F_OK))
		cr_skip_test("no /usr/bin/python3");
	snprintf(want, sizeof(want), "%s | script a.py", path);
	is(COMMAND(path, "a.py"), want);
}
