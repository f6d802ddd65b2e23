/* SPDX-License-Identifier: MIT */
#include <locale.h>

#include "reader/top_rows.h"
#include "reader/top_screen.h"
#include "reader_fixture.h"

/* ---- text that may be drawn -------------------------------------------------------------- */

static char fitted[64];
static unsigned used;

static const char *fit(const char *text, unsigned width, bool utf8)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	used = inv_top_fit(fitted, sizeof(fitted), text, strlen(text), width, utf8);
	return fitted;
}

Test(top, text_is_cut_with_an_ellipsis_that_fits)
{
	cr_assert_str_eq(fit("artifact", 8, true), "artifact");
	cr_assert_str_eq(fit("artifact", 7, true), "artifa…");
	cr_assert_eq(used, 7);
	cr_assert_str_eq(fit("artifact", 7, false), "artifa~");
	cr_assert_str_eq(fit("artifact", 1, true), "…");
	cr_assert_str_eq(fit("artifact", 0, true), "");
	cr_assert_eq(used, 0);
}

Test(top, control_characters_and_broken_bytes_are_marks)
{
	cr_assert_str_eq(fit("a\x1b[2J\n\x7f", 20, true), "a?[2J??");
	cr_assert_str_eq(fit("\xff\xc3(", 20, true), "?\?(");
	cr_assert_str_eq(fit("\u202eabc", 20, true), "?abc");
}

Test(top, wide_characters_are_not_cut_in_two)
{
	cr_assert_str_eq(fit("漢字", 4, true), "漢字");
	cr_assert_eq(used, 4);
	cr_assert_str_eq(fit("漢字", 3, true), "漢…");
	cr_assert_str_eq(fit("漢字", 2, true), "…");
	cr_assert_eq(used, 1);
	cr_assert_str_eq(fit("漢a", 4, false), "?a");
}

Test(top, combining_characters_are_bounded_and_want_something_to_combine_with)
{
	cr_assert_str_eq(fit("e\u0301\u0301\u0301\u0301x", 20, true), "e\u0301\u0301x");
	cr_assert_eq(used, 2);
	cr_assert_str_eq(fit("\u0301x", 20, true), "x");
}

Test(top, text_longer_than_its_room_ends_whole)
{
	char text[400];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fit(text, 300, true);
	cr_assert(strlen(fitted) < sizeof(fitted));
	cr_assert_eq(used, strlen(fitted));
}

/* ---- rows ---------------------------------------------------------------------------------- */

static struct inv_words words;
static struct inv_cut now, before;
static struct inv_top_rows rows;

static void take(struct inv_cut *cut, int64_t at_ns, unsigned scale)
{
	static const char *const NAMES[] = {"wheat", "ore", "clay"};
	*cut = (struct inv_cut){.created_ns = 1, .taken_ns = at_ns};
	cut->registry = inv_registry_new(0);
	cut->own_registry = true;
	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < (i + 1) * scale; k++) {
			struct inv_call call = made_call(&words, "alice", NAMES[i],
							 k % 10 == 0 ? "timeout" : NULL, 5);
			inv_registry_record(cut->registry, &call);
		}
	inv_registry_group(cut->registry, INV_BY_ARTIFACT, (struct inv_text){0}, &cut->artifacts);
}

static void open_cuts(void)
{
	cr_assert_eq(inv_words_init(&words), 0);
	take(&before, INT64_C(1000000001), 10);
	take(&now, INT64_C(3000000001), 30);
}

static void close_cuts(void)
{
	inv_top_rows_free(&rows);
	inv_cut_free(&now);
	inv_cut_free(&before);
	inv_words_free(&words);
}

TestSuite(top_rows, .init = open_cuts, .fini = close_cuts);

static void make(enum inv_top_view view, enum inv_top_column sort, const char *filter, bool reverse)
{
	struct inv_top_query query = {view, sort, reverse, filter};
	struct inv_top_looks looks = {&now, &before, now.taken_ns};
	inv_top_rows_free(&rows);
	cr_assert_eq(inv_top_rows_make(&rows, &looks, &query), 0);
}

static const char *first(void)
{
	return rows.rows[0].text[INV_TOP_COL_ARTIFACT];
}

Test(top_rows, rates_are_the_difference_of_two_looks)
{
	make(INV_TOP_ARTIFACT, INV_TOP_COL_CALLS, "", false);
	cr_assert_eq(rows.count, 3);
	cr_assert_str_eq(first(), "clay");
	cr_assert_float_eq(rows.rows[0].number[INV_TOP_COL_CALLS], 90, 1e-9);
	cr_assert_float_eq(rows.rows[0].number[INV_TOP_COL_CALLS_S], 30, 1e-6);
	cr_assert_float_eq(rows.rows[0].number[INV_TOP_COL_FAILED_S], 3, 1e-6);
}

Test(top_rows, rates_of_one_look_are_the_mean_since_the_start)
{
	inv_cut_free(&before);
	make(INV_TOP_ARTIFACT, INV_TOP_COL_CALLS, "", false);
	cr_assert_float_eq(rows.rows[0].number[INV_TOP_COL_CALLS_S], 30, 1e-6);
	struct inv_top_looks looks = {&now, &before, now.taken_ns};
	struct inv_top_totals totals;
	inv_top_totals(&looks, &totals);
	cr_assert_eq(totals.calls, 180);
	cr_assert_eq(totals.failed, 18);
	cr_assert_float_eq(totals.calls_s, 60, 1e-6);
}

Test(top_rows, times_as_far_apart_as_they_can_be_have_a_distance)
{
	struct inv_top_looks looks = {&now, &before, INT64_MAX};
	struct inv_top_totals totals;
	inv_cut_free(&before);
	now.created_ns = INT64_MIN; /* as a damaged segment says */
	inv_top_totals(&looks, &totals);
	cr_assert_float_eq(totals.seconds, 0x1p64 / 1e9, 1.0);
}

Test(top_rows, names_sort_upwards_numbers_downwards_and_both_the_other_way_round)
{
	make(INV_TOP_ARTIFACT, INV_TOP_COL_ARTIFACT, "", false);
	cr_assert_str_eq(first(), "clay");
	make(INV_TOP_ARTIFACT, INV_TOP_COL_ARTIFACT, "", true);
	cr_assert_str_eq(first(), "wheat");
	make(INV_TOP_ARTIFACT, INV_TOP_COL_CALLS, "", true);
	cr_assert_str_eq(first(), "wheat");
}

Test(top_rows, a_filter_looks_into_names_and_failures_in_any_case)
{
	make(INV_TOP_ARTIFACT, INV_TOP_COL_CALLS, "ORE", false);
	cr_assert_eq(rows.count, 1);
	cr_assert_eq(rows.hidden, 2);
	cr_assert_str_eq(first(), "ore");
	make(INV_TOP_ARTIFACT, INV_TOP_COL_CALLS, "timeout", false);
	cr_assert_eq(rows.count, 3);
	cr_assert_str_eq(rows.rows[0].text[INV_TOP_COL_FAILURES], "timeout 9");
}

Test(top_rows, calls_in_flight_are_rows_of_their_own)
{
	static struct inv_open_call call;
	call = (struct inv_open_call){.age_ns = 1500,
				      .invoker = inv_words_str(&words, "bob"),
				      .artifact = inv_words_str(&words, "ore"),
				      .method = inv_words_str(&words, "dig")};
	now.in_flight = (struct inv_open_list){.calls = &call, .count = 1, .room = 1};
	make(INV_TOP_OPEN, INV_TOP_COL_AGE, "", false);
	cr_assert_eq(rows.count, 1);
	cr_assert_str_eq(rows.rows[0].text[INV_TOP_COL_INVOKER], "bob");
	make(INV_TOP_ARTIFACT, INV_TOP_COL_OPEN, "", false);
	cr_assert_str_eq(first(), "ore");
	cr_assert_float_eq(rows.rows[0].number[INV_TOP_COL_OPEN], 1, 1e-9);
	now.in_flight = (struct inv_open_list){0};
}
