/* SPDX-License-Identifier: MIT */
/* What the words of a command line mean: instants and counts. */
#include "reader/options.h"

#include <criterion/criterion.h>

#include "reader/verbs.h"

#define SECOND INT64_C(1000000000)
#define NOW    (INT64_C(1800000000) * SECOND)

static int64_t since;

static bool is_since(const char *text, int64_t want)
{
	since = 0;
	return inv_options_since(text, NOW, &since) && since == want;
}

Test(options, a_bare_number_is_seconds_ago)
{
	cr_assert(is_since("30", NOW - 30 * SECOND));
	cr_assert(is_since("0", NOW));
	cr_assert(is_since("0.5", NOW - SECOND / 2));
}

Test(options, a_unit_says_what_ago_is_counted_in)
{
	cr_assert(is_since("30s", NOW - 30 * SECOND));
	cr_assert(is_since("5m", NOW - 300 * SECOND));
	cr_assert(is_since("2h", NOW - 7200 * SECOND));
	cr_assert(is_since("1d", NOW - 86400 * SECOND));
}

Test(options, an_instant_is_rfc_3339)
{
	cr_assert(is_since("1970-01-01T00:00:10Z", 10 * SECOND));
	cr_assert(is_since("1970-01-01T00:00:10.25Z", 10 * SECOND + SECOND / 4));
}

Test(options, what_is_no_instant_or_beyond_64_bits_is_refused)
{
	static const char *const BAD[] = {"",
					  "x",
					  "-1",
					  "30x",
					  "5mm",
					  "nan",
					  "inf",
					  "1w",
					  "999999d",
					  "9e99",
					  "9999-01-01T00:00:00Z",
					  "2026-11-23",
					  "Z",
					  "m",
					  "1e9h",
					  "1970-01",
					  "1970-01-01T00:00:10+01",
					  "1970-01-01T00:00:10.5e3Z"};
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		cr_assert_not(inv_options_since(BAD[i], NOW, &since), "%s", BAD[i]);
}

Test(options, a_count_is_whole_and_may_have_a_unit)
{
	uint64_t n;
	cr_assert(inv_options_count("100", &n) && n == 100);
	cr_assert(inv_options_count("10k", &n) && n == 10000);
	cr_assert_not(inv_options_count("-1", &n));
	cr_assert_not(inv_options_count("1.5", &n));
	cr_assert_not(inv_options_count("", &n));
	cr_assert_not(inv_options_count("99999999999999999999", &n));
}

static int parse(int argc, char **argv, const char **text, bool *flag, const char **word)
{
	const struct inv_option options[] = {{"text", 't', text, NULL},
					     {"flag", 0, NULL, flag},
					     {0}};
	const char *dir = NULL;
	size_t words;
	return inv_options_parse(argc, argv, options, &dir, word, 1, &words);
}

Test(options, help_has_a_letter_and_a_word)
{
	char *letter[] = {"events", "-h", NULL}, *word[] = {"events", "--help", NULL};
	const char *text, *name;
	bool flag;
	cr_assert_eq(parse(2, letter, &text, &flag, &name), INV_EXIT_OK);
	cr_assert_eq(parse(2, word, &text, &flag, &name), INV_EXIT_OK);
}

Test(options, words_may_stand_between_options)
{
	char *argv[] = {"verb", "name", "--flag", "-t", "x", NULL};
	const char *text = NULL, *name = NULL;
	bool flag = false;
	cr_assert_eq(parse(5, argv, &text, &flag, &name), -1);
	cr_assert_str_eq(text, "x");
	cr_assert_str_eq(name, "name");
	cr_assert(flag);
}
