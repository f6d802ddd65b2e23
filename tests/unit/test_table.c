/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader/table.h"

static char *printed(const struct inv_table *table, unsigned width)
{
	char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	inv_table_print(table, to, width, false);
	fclose(to);
	return text;
}

static const char *const HEAD[] = {"NAME", ">N", NULL};

static void is(unsigned width, const char *name, const char *want)
{
	struct inv_table table;
	inv_table_init(&table, HEAD);
	inv_table_str(&table, name);
	inv_table_count(&table, 7);
	char *text = printed(&table, width);
	cr_expect_str_eq(text, want);
	free(text);
	inv_table_free(&table);
}

Test(table, numbers_are_on_the_right)
{
	is(0, "a", "NAME  N\na     7\n");
}

Test(table, wide_characters_take_two_columns)
{
	is(0, "\xe5\xb0\x8f\xe9\xba\xa6xyz", "NAME     N\n\xe5\xb0\x8f\xe9\xba\xa6xyz  7\n");
}

Test(table, a_name_cannot_forge_a_line_or_a_colour)
{
	is(0, "a\n\033[31m\xff", "NAME      N\na??[31m?  7\n");
	is(0, "a\xe2\x80\xae", "NAME  N\na?    7\n");
}

Test(table, text_is_cut_to_the_terminal_and_numbers_are_not)
{
	is(15, "a_very_long_name_indeed", "NAME          N\na_very_long\xe2\x80\xa6  7\n");
}

Test(table, durations_read_well)
{
	static const struct {
		double ns;
		const char *text;
	} SOME[] = {{0, "0ns"},		  {870, "870ns"},     {999.6, "1.00us"},
		    {12345, "12.3us"},	  {999600, "1.00ms"}, {4560000, "4.56ms"},
		    {123456789, "123ms"}, {7.89e9, "7.89s"}};
	for (size_t i = 0; i < sizeof(SOME) / sizeof(SOME[0]); i++) {
		char text[32];
		inv_table_format_duration(text, SOME[i].ns);
		cr_expect_str_eq(text, SOME[i].text);
	}
}
