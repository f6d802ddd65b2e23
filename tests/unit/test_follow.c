/* SPDX-License-Identifier: MIT */
#include "reader/follow.h"
#include "reader_fixture.h"

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
