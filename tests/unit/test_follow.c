/* SPDX-License-Identifier: MIT */
#include "reader/follow.h"
#include "reader_fixture.h"

#include <inttypes.h>

static struct inv_follow *follow;
static int out_fd;
static char text[1 << 16];

static void setup(void)
{
	forge_open();
	out_fd = memfd_create("out", 0);
	follow = inv_follow_open(&forge_view, out_fd);
	cr_assert_not_null(follow);
}

static void teardown(void)
{
	inv_follow_close(follow);
	close(out_fd);
	forge_close();
}

TestSuite(follow, .init = setup, .fini = teardown);

/* What a pass writes. */
static const char *pass(void)
{
	off_t before = lseek(out_fd, 0, SEEK_END);
	cr_assert_geq(inv_follow_poll(follow), 1);
	ssize_t n = pread(out_fd, text, sizeof(text) - 1, before);
	cr_assert_geq(n, 0);
	text[n] = '\0';
	return text;
}

static size_t count_of(const char *in, const char *what)
{
	size_t n = 0;
	for (const char *p = in; (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}

Test(follow, a_finished_call_gives_both_lines_once)
{
	forge_lane(0);
	forge_attempt(0, 1, 1000);
	forge_return(0, 1, 50, false);
	const char *lines = pass();
	cr_assert_eq(count_of(lines, "invoke_attempt"), 1);
	cr_assert_eq(count_of(lines, "invoke_success"), 1);
	cr_assert_str_empty(pass());
}

Test(follow, comes_back_for_the_outcome)
{
	forge_lane(0);
	forge_attempt(0, 1, 1000);
	cr_assert_eq(count_of(pass(), "invoke_attempt"), 1);
	cr_assert_str_empty(pass());
	forge_return(0, 1, 50, true);
	const char *lines = pass();
	cr_assert_eq(count_of(lines, "invoke_attempt"), 0);
	cr_assert_eq(count_of(lines, "invoke_failure"), 1);
	cr_assert_str_empty(pass());
}

Test(follow, says_which_range_was_lapped)
{
	forge_lane(0);
	for (uint64_t i = 1; i <= 100; i++) {
		forge_attempt(0, i, i * 1000);
		forge_return(0, i, 50, false);
	}
	const char *lines = pass();
	cr_assert_not_null(strstr(lines, "\"first\":1,\"last\":36,\"reason\":\"lapped\""));
	cr_assert_eq(count_of(lines, "invoke_success"), 64);
}

Test(follow, a_slot_being_written_is_waited_for)
{
	forge_lane(0);
	forge_attempt(0, 1, 1000);
	atomic_store(&forge_slot(0, 1)->seq, INV_SEQ(1, INV_SLOT_BUSY));
	cr_assert_str_empty(pass());
	atomic_store(&forge_slot(0, 1)->seq, INV_SEQ(1, INV_SLOT_ATTEMPT));
	cr_assert_eq(count_of(pass(), "invoke_attempt"), 1);
}

Test(follow, a_slot_left_half_written_does_not_hide_what_follows)
{
	forge_lane(0);
	forge_attempt(0, 1, 1000);
	forge_attempt(0, 2, 2000);
	atomic_store(&forge_slot(0, 1)->seq, INV_SEQ(1, INV_SLOT_BUSY));
	cr_assert_eq(inv_follow_finish(follow), 0);
	ssize_t n = pread(out_fd, text, sizeof(text) - 1, 0);
	text[n] = '\0';
	cr_assert_eq(count_of(text, "\"reason\":\"unfinished\""), 1);
	cr_assert_eq(count_of(text, "invoke_attempt"), 1);
}

Test(follow, an_abandoned_call_is_provisional)
{
	forge_lane(0);
	forge_attempt(0, 1, 1000);
	cr_assert_eq(count_of(pass(), "invoke_attempt"), 1);
	atomic_store(&forge_slot(0, 1)->seq, INV_SEQ(1, INV_SLOT_ABANDONED));
	cr_assert_str_empty(pass());
	forge_return(0, 1, 50, false);
	cr_assert_eq(count_of(pass(), "invoke_success"), 1);
}

/* ---- only some of them ---------------------------------------------------------------- */

static void only(struct inv_query query)
{
	inv_follow_only(follow, &query);
}

/* A call to another artifact than "wheat". */
static void attempt_at(uint32_t lane, uint64_t index, uint64_t start, const char *artifact)
{
	forge_attempt(lane, index, start);
	atomic_store(&forge_slot(lane, index)->who,
		     forge_name("agent") | (uint64_t)forge_name(artifact) << 32);
}

Test(follow, with_a_filter_only_matching_calls_are_written)
{
	forge_lane(0);
	only((struct inv_query){.artifact = "ore"});
	forge_attempt(0, 1, 1000);
	forge_return(0, 1, 50, false);
	attempt_at(0, 2, 2000, "ore");
	attempt_at(0, 3, 3000, "tin");
	const char *lines = pass();
	cr_assert_eq(count_of(lines, "\n"), 1);
	cr_assert_eq(count_of(lines, "\"artifact_id\":\"ore\""), 1);
	forge_return(0, 3, 50, false);
	cr_assert_str_empty(pass());
	forge_return(0, 2, 50, true);
	lines = pass();
	cr_assert_eq(count_of(lines, "\n"), 1);
	cr_assert_eq(count_of(lines, "invoke_failure"), 1);
}

Test(follow, a_filter_by_outcome_gives_outcomes_alone)
{
	forge_lane(0);
	only((struct inv_query){.failed = true});
	forge_attempt(0, 1, 1000);
	forge_attempt(0, 2, 2000);
	forge_attempt(0, 3, 3000);
	forge_return(0, 3, 50, true);
	const char *lines = pass();
	cr_assert_eq(count_of(lines, "\n"), 1);
	cr_assert_eq(count_of(lines, "invoke_failure"), 1);
	forge_return(0, 1, 50, true);
	forge_return(0, 2, 50, false);
	lines = pass();
	cr_assert_eq(count_of(lines, "\n"), 1);
	cr_assert_eq(count_of(lines, "\"sequence\":1,"), 1);
}

Test(follow, a_lost_range_is_said_whatever_the_filter)
{
	forge_lane(0);
	only((struct inv_query){.artifact = "none"});
	for (uint64_t i = 1; i <= 65; i++)
		forge_attempt(0, i, i * 1000);
	cr_assert_eq(count_of(pass(), "\n"), 1);
	cr_assert_not_null(strstr(text, "\"first\":1,\"last\":1,\"reason\":\"lapped\""));
}

/* ---- what is kept already ---------------------------------------------------------------- */

static const char *begin(uint64_t last)
{
	off_t before = lseek(out_fd, 0, SEEK_END);
	cr_assert_geq(inv_follow_begin(follow, last), 1);
	ssize_t n = pread(out_fd, text, sizeof(text) - 1, before);
	cr_assert_geq(n, 0);
	text[n] = '\0';
	return text;
}

/* Three calls, the second of them in another lane. */
static void forge_three(void)
{
	forge_lane(0);
	forge_lane(1);
	forge_attempt(0, 1, 1000);
	forge_attempt(0, 2, 3000);
	forge_attempt(1, 1, 2000);
}

/* The `call` of each line as its place in its lane, and 100 more for lane 1. */
static void expect_calls(const char *lines, const char *want)
{
	char got[256] = "";
	for (const char *p = lines; (p = strstr(p, "\"call\":")); p++) {
		uint64_t id = strtoull(p + strlen("\"call\":"), NULL, 10);
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%" PRIu64 " ",
			 100 * INV_CALL_LANE(id) + INV_CALL_INDEX(id));
	}
	cr_assert_str_eq(got, want);
}

Test(follow, begins_with_what_is_kept_oldest_first_over_all_lanes)
{
	forge_three();
	forge_return(1, 1, 50, true);
	expect_calls(begin(INV_FOLLOW_ALL), "1 101 101 2 ");
	cr_assert_str_empty(pass());
	forge_return(0, 1, 50, false);
	expect_calls(pass(), "1 ");
}

Test(follow, begins_with_the_last_calls_and_the_others_stay_unwritten)
{
	forge_three();
	expect_calls(begin(2), "101 2 ");
	forge_return(0, 1, 50, false);
	forge_return(0, 2, 50, false);
	forge_return(1, 1, 50, false);
	forge_attempt(0, 3, 4000);
	expect_calls(pass(), "2 3 101 ");
}

Test(follow, begins_with_none_and_writes_what_comes)
{
	forge_three();
	cr_assert_str_empty(begin(0));
	forge_attempt(1, 2, 5000);
	forge_return(0, 1, 50, false);
	expect_calls(pass(), "102 ");
}

Test(follow, the_last_outcomes_are_counted_without_the_calls_that_are_open)
{
	forge_three();
	only((struct inv_query){.failed = true});
	forge_attempt(0, 3, 4000);
	forge_return(0, 2, 50, true);
	forge_return(1, 1, 50, true);
	expect_calls(begin(1), "2 ");
	forge_return(0, 1, 50, true);
	forge_return(0, 3, 50, false);
	expect_calls(pass(), "1 ");
}

Test(follow, keeps_the_messages_of_what_it_begins_with)
{
	forge_lane(0);
	for (uint64_t i = 1; i <= 2; i++) {
		uint64_t at = 2 * i - 1;
		unsigned char item[INV_TEXT_BYTES] = {INV_TEXT_MESSAGE, 0, 3, 0, 'n', 'o', '0' + i};
		forge_attempt(0, at, i * 1000);
		forge_return(0, at, 50, true);
		atomic_store(&forge_slot(0, at)->outcome,
			     INV_OUTCOME(forge_type("timeout"), INV_FLAG_FAILED, 1, 1));
		forge_text(0, at + 1, at, item);
	}
	const char *lines = begin(INV_FOLLOW_ALL);
	cr_assert_eq(count_of(lines, "\"error_message\":\"no1\""), 1);
	cr_assert_eq(count_of(lines, "\"error_message\":\"no2\""), 1);
}

/* Laps the ring of lane 0, then lets the call of its first slot return, written anew. */
static void forge_rewritten(void)
{
	uint64_t origin = INV_CALL_ID(0, 1), at = FORGE_RING + 1;
	unsigned char item[INV_TEXT_BYTES] = {INV_TEXT_ORIGIN, 0, 8, 0};
	memcpy(item + 4, &origin, 8);
	for (uint64_t i = 2; i < at; i++) {
		forge_attempt(0, i, i * 1000);
		forge_return(0, i, 50, false);
		pass();
	}
	forge_attempt(0, at, 1000);
	forge_return(0, at, 70000, false);
	atomic_store(&forge_slot(0, at)->outcome,
		     INV_OUTCOME(forge_type("int"), INV_FLAG_REWRITTEN, 1, 1));
	forge_text(0, at + 1, at, item);
}

Test(follow, a_call_written_anew_gives_its_outcome_once)
{
	forge_lane(0);
	forge_attempt(0, 1, 1000);
	expect_calls(begin(1), "1 ");
	forge_rewritten();
	const char *lines = pass();
	cr_assert_eq(count_of(lines, "\n"), 1);
	cr_assert_eq(count_of(lines, "invoke_success"), 1);
	expect_calls(lines, "1 ");
	cr_assert_str_empty(pass());
}

Test(follow, a_call_passed_over_stays_so_when_it_is_written_anew)
{
	forge_lane(0);
	forge_attempt(0, 1, 1000);
	cr_assert_str_empty(begin(0));
	forge_rewritten();
	cr_assert_str_empty(pass());
}

/* ---- the end ----------------------------------------------------------------------------- */

Test(follow, drained_it_has_no_totals)
{
	forge_lane(0);
	forge_attempt(0, 1, 1000);
	forge_cell(0, 0, "wheat", "buy", "int", false, 1000, 5, 5);
	cr_assert_eq(inv_follow_drain(follow), 0);
	ssize_t n = pread(out_fd, text, sizeof(text) - 1, 0);
	text[n] = '\0';
	cr_assert_eq(count_of(text, "\n"), 1);
	cr_assert_eq(count_of(text, "invoke_attempt"), 1);
}

Test(follow, ends_with_exact_totals)
{
	forge_lane(0);
	forge_cell(0, 0, "wheat", "buy", "int", false, 1000, 5, 5);
	forge_cell(0, 1, "ore", "dig", "timeout", true, 7, 5, 5);
	cr_assert_eq(inv_follow_finish(follow), 0);
	ssize_t n = pread(out_fd, text, sizeof(text) - 1, 0);
	text[n] = '\0';
	cr_assert_eq(count_of(text, "\"event_type\":\"invoke_stats\""), 2);
	cr_assert_not_null(strstr(text, "\"artifact_id\":\"wheat\",\"total_invocations\":1000"));
	cr_assert_not_null(strstr(text, "\"failure_types\":{\"timeout\":7}"));
}

Test(follow, a_truncated_segment_is_an_error_and_not_a_crash)
{
	forge_lane(0);
	forge_attempt(0, 1, 1000);
	cr_assert_eq(truncate(forge_path, 4096), 0);
	cr_assert_eq(inv_follow_poll(follow), -EFAULT);
}

Test(follow, a_segment_truncated_before_it_is_followed_is_an_error_and_not_a_crash)
{
	cr_assert_eq(truncate(forge_path, 4096), 0);
	struct inv_follow *late = inv_follow_open(&forge_view, -1);
	cr_assert_not_null(late);
	cr_expect_eq(inv_follow_begin(late, INV_FOLLOW_ALL), -EFAULT);
	/* and stays one, though the file is as long again: nothing is known of its session */
	cr_assert_eq(truncate(forge_path, (off_t)forge_view.seg.bytes), 0);
	cr_expect_eq(inv_follow_poll(late), -EFAULT);
	cr_expect_eq(inv_follow_finish(late), -EFAULT);
	inv_follow_close(late);
}
