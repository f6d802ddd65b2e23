/* SPDX-License-Identifier: MIT */
/* test_normalise.c - what is left of a text when its literals are folded, and what never is. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preload/normalise.h"

static void becomes(enum inv_rewrite how, const char *text, const char *want)
{
	char out[256];
	bool cut = false;
	size_t n = inv_normalise(how, text, strlen(text), out, sizeof(out), &cut);
	cr_expect(n == strlen(want) && memcmp(out, want, n) == 0, "%s\n  is   %.*s\n  want %s",
		  text, (int)n, out, want);
	cr_expect_not(cut);
}

static void sql(const char *text, const char *want)
{
	becomes(INV_REWRITE_SQL, text, want);
}

Test(normalise, literals_of_sql_are_one_mark_each)
{
	sql("SELECT 'it''s', 12, .5, 1.5e-3, 0xFF, -7", "SELECT ?, ?, ?, ?, ?, -?");
	sql("VALUES(x'00ff', X'AB', N'text', b'01')", "VALUES(?, ?, ?, ?)");
	sql("SELECT E'a\\'secret', $$a'b$$, $t$x$$y$t$, z", "SELECT ?, ?, ?, z");
	sql("SELECT '', 'a'", "SELECT ?, ?");
	sql("a=1 AND b=?1 AND c=$2 AND d=:name AND e=?", "a=? AND b=? AND c=? AND d=:name AND e=?");
}

Test(normalise, names_of_sql_are_kept)
{
	sql("SELECT t1.c2, \"a 1 \"\"q\", `b 2`, [c 3] FROM t_3 WHERE é1=1",
	    "SELECT t1.c2, \"a 1 \"\"q\", `b 2`, [c 3] FROM t_3 WHERE é1=?");
	sql("SELECT ARRAY['secret', 1][2]", "SELECT ARRAY[?, ?][?]");
	sql("xy'secret'", "xy?");
}

Test(normalise, space_and_comments_of_sql_are_one_space)
{
	sql(" \t\n SELECT\n\n1 -- secret 'x\n  ,2 /* it's */ /**/ ;  ", "SELECT ? ,? ;");
	sql("/* all */", "");
	sql("", "");
	sql("a--secret", "a");
	sql("a/*/ secret", "a");
	sql("a - b / c", "a - b / c");
}

Test(normalise, the_list_of_an_in_is_one_mark)
{
	sql("x IN (1,2 , 'three',\n-4)", "x IN (?)");
	sql("x in(1) AND y In ( ?, ? )", "x in(?) AND y In ( ? )");
	sql("x IN (1, 2, y, 3)", "x IN (?, y, ?)");
	sql("x IN (SELECT 1, 2)", "x IN (SELECT ?, ?)");
	sql("min(1,2), IN_(1,2)", "min(?,?), IN_(?,?)");
	sql("x IN (1,,2)", "x IN (?,,?)");
	sql("x IN (1,", "x IN (?,");
}

Test(normalise, what_has_no_end_is_a_literal_up_to_the_end)
{
	sql("a = 'secret", "a = ?");
	sql("a = 'secret''", "a = ?");
	sql("a = E'secret\\'", "a = ?");
	sql("a = E'secret\\", "a = ?");
	sql("a = x'12", "a = ?");
	sql("a = \"secret", "a = ?");
	sql("a = `secret", "a = ?");
	sql("a = $$secret", "a = ?");
	sql("a [secret", "a [secret"); /* a bracket is not a quote */
	sql("'", "?");
	sql("x", "x");
	sql("$", "$");
	sql("-", "-");
	sql("/", "/");
}

Test(normalise, digits_are_one_mark_a_run)
{
	becomes(INV_REWRITE_DIGITS, "user-12/34a5 ", "user-?/?a? ");
	becomes(INV_REWRITE_DIGITS, "007", "?");
	becomes(INV_REWRITE_DIGITS, "none", "none");
}

Test(normalise, a_redacted_text_leaves_its_length)
{
	becomes(INV_REWRITE_LENGTH, "secret", "<6 bytes>");
	becomes(INV_REWRITE_LENGTH, "", "<0 bytes>");
	becomes(INV_REWRITE_LENGTH, "0123456789", "<10 bytes>");
}

/* In every size: nothing behind the buffer, a prefix of the whole, and told when cut. */
Test(normalise, a_small_buffer_is_filled_and_not_overrun)
{
	static const char text[] = "SELECT \"q i\", 'v' FROM t WHERE a IN (1,2) , [b c] -- x";
	static const enum inv_rewrite all[] = {INV_REWRITE_SQL, INV_REWRITE_DIGITS,
					       INV_REWRITE_LENGTH, INV_REWRITE_NONE};
	for (size_t k = 0; k < 4; k++) {
		char whole[128], out[129];
		bool cut = false;
		size_t n = inv_normalise(all[k], text, strlen(text), whole, sizeof(whole), &cut);
		cr_assert_not(cut);
		for (size_t size = 0; size <= n; size++) {
			memset(out, '#', sizeof(out));
			cut = false;
			cr_expect_eq(inv_normalise(all[k], text, strlen(text), out, size, &cut),
				     size);
			cr_expect_eq(memcmp(out, whole, size), 0);
			cr_expect_eq(out[size], '#');
			cr_expect_eq(cut, size < n);
		}
	}
}

/* Exactly sized heap copies, so that a sanitizer or valgrind sees a read too far. */
Test(normalise, every_prefix_of_a_text_keeps_its_secrets)
{
	static const char text[] = "UPDATE t SET a='SECRET', b=\"SECRET\"\"\", c=E'\\'SECRET', "
				   "d=$x$SECRET$x$, e=x'SECRET' /*SECRET*/ --SECRET";
	for (size_t length = 0; length < sizeof(text); length++) {
		char *part = malloc(length ? length : 1), out[256];
		bool cut = false;
		memcpy(part, text, length);
		size_t n = inv_normalise(INV_REWRITE_SQL, part, length, out, sizeof(out) - 1, &cut);
		out[n] = '\0';
		char *quoted = strstr(out, "\"SECRET\"\"\"");
		if (quoted)
			memset(quoted, ' ', 10); /* the whole identifier is no secret */
		quoted = strstr(out, "\"SECRET\"");
		if (quoted)
			memset(quoted, ' ', 8);
		cr_expect_null(strstr(out, "SECRET"), "%zu: %s", length, out);
		free(part);
	}
}
