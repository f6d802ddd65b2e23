/* SPDX-License-Identifier: MIT */
/* What a message repeats does nothing to a terminal, and makes no line of its own. */
#include "reader/say.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *text;
static size_t length;

static FILE *begin(void)
{
	return open_memstream(&text, &length);
}

static void ends_as(FILE *to, const char *want)
{
	fclose(to);
	cr_assert_str_eq(text, want);
	free(text);
}

Test(say, what_is_printable_is_said_as_it_is)
{
	FILE *to = begin();
	inv_say_to(to, "invreg: %s: %d\n", "caf\xc3\xa9", 7);
	ends_as(to, "invreg: caf\xc3\xa9: 7\n");
}

Test(say, control_characters_and_broken_bytes_are_question_marks)
{
	FILE *to = begin();
	inv_say_to(to, "a%sb\n", "\x1b[31m\r\t\x7f\xff\xc2\x9b");
	ends_as(to, "a?[31m?????b\n");
}

Test(say, an_argument_makes_no_line)
{
	FILE *to = begin();
	inv_say_to(to, "invreg: %s\n", "x\ninvreg: all is well\n");
	ends_as(to, "invreg: x?invreg: all is well?\n");
}

Test(say, a_part_of_a_line_is_not_ended)
{
	FILE *to = begin();
	inv_say_to(to, "invreg: a filter is on: ");
	inv_say_to(to, "%s", "");
	ends_as(to, "invreg: a filter is on: ");
}
