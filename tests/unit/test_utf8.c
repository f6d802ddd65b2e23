/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "reader/buf.h"
#include "reader/json.h"
#include "reader/utf8.h"

static size_t length_of(const char *text)
{
	return inv_utf8_length(text, strlen(text));
}

Test(utf8, well_formed_characters_have_one_to_four_bytes)
{
	cr_expect_eq(length_of("abc"), 1);
	cr_expect_eq(length_of("\xc3\xa4xyz"), 2);
	cr_expect_eq(length_of("\xe2\x82\xac"), 3);
	cr_expect_eq(length_of("\xf0\x9f\xa7\x80"), 4);
	cr_expect_eq(inv_utf8_length("", 0), 0);
}

Test(utf8, overlong_forms_surrogates_and_halves_are_none)
{
	cr_expect_eq(length_of("\xc0\xaf"), 0);
	cr_expect_eq(length_of("\xe0\x80\xaf"), 0);
	cr_expect_eq(length_of("\xed\xa0\x80"), 0);
	cr_expect_eq(length_of("\xf4\x90\x80\x80"), 0);
	cr_expect_eq(length_of("\xe2\x82"), 0);
}

/* Continuation bytes and what is no lead byte, however many of them stand in a row. */
Test(utf8, what_is_no_lead_byte_begins_no_character)
{
	char row[32];
	int width, printable;
	for (unsigned lead = 0x80; lead <= 0xff; lead++) {
		memset(row, 0xa0, sizeof(row));
		row[0] = (char)lead;
		size_t n = inv_utf8_length(row, sizeof(row));
		bool is_lead = lead >= 0xc2 && lead <= 0xf4;
		cr_expect(is_lead ? n <= 4 : n == 0, "0x%x: %zu", lead, n);
		cr_expect_eq(inv_utf8_next(row, sizeof(row), &width, &printable), n ? n : 1);
	}
}

/* They were one character of ten bytes once, written into room for eight. */
Test(utf8, a_row_of_continuation_bytes_is_replaced_byte_by_byte)
{
	struct inv_buf buf;
	char row[10];
	memset(row, 0xa0, sizeof(row));
	cr_assert_eq(inv_buf_init(&buf, -1), 0);
	cr_expect_not(inv_json_string(&buf, row, sizeof(row)));
	cr_assert_eq(buf.length, 2 + 3 * sizeof(row));
	for (size_t i = 0; i < sizeof(row); i++)
		cr_expect(!memcmp(buf.data + 1 + 3 * i, "\xef\xbf\xbd", 3));
	inv_buf_free(&buf);
}
