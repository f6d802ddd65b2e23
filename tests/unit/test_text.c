/* SPDX-License-Identifier: MIT */
/* test_text.c - items of an event's text, cut where they do not fit. */
#include <criterion/criterion.h>
#include <string.h>

#include "shm/text.h"

Test(text, no_items_take_no_slots)
{
	struct inv_text t = {.length = 0};
	cr_expect_eq(inv_text_slots(&t), 0);
}

Test(text, what_does_not_fit_is_cut_and_flagged)
{
	static char bytes[2000];
	struct inv_text t = {.length = 0};
	inv_text_add(&t, INV_TEXT_MESSAGE, bytes, 2000, 480);
	cr_expect(t.cut);
	cr_expect_eq(t.bytes[1], INV_TEXT_CUT);
	cr_expect_eq(t.length, 484);
	for (int i = 0; i < 50; i++)
		inv_text_add(&t, INV_TEXT_INVOKER, bytes, 100, 100);
	cr_expect_leq(t.length, INV_TEXT_TOTAL_MAX);
	cr_expect_leq(inv_text_slots(&t), INV_TEXT_SLOTS_MAX);
}
