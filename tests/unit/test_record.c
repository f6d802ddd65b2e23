/* SPDX-License-Identifier: MIT */
/* test_record.c - one call from entry to return, and the ways in which it may not return. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/segment_fixture.h"

Test(record, a_call_is_an_attempt_until_it_returns)
{
	struct inv_call call;
	struct inv_event e;
	fix_open();
	fix_begin(&call, "escrow", 3);
	cr_assert_eq(inv_view_event(&fix_view, 0, 1, &e), INV_SLOT_READ_OK);
	cr_assert_eq(e.state, INV_SLOT_ATTEMPT);
	cr_assert_eq(e.tick, 3);
	cr_assert_eq(e.args_count, 2);
	cr_assert_eq(e.tid, (uint32_t)getpid());
	fix_end(&call, false, NULL);
	cr_assert_eq(inv_view_event(&fix_view, 0, 1, &e), INV_SLOT_READ_OK);
	cr_assert_eq(e.state, INV_SLOT_DONE);
	cr_assert_eq(fix_total(), 1);
}

Test(record, an_open_call_is_named_in_flight)
{
	struct inv_call call;
	fix_open();
	fix_begin(&call, "escrow", 3);
	struct inv_lane_copy c = fix_lane(0);
	cr_assert_eq(inv_lane_copy_open_calls(&c), 1);
	cr_assert_eq(fix_word(&c.fixed.inflight[0].ordinal_1), 1);
	cr_assert_eq(fix_word(&c.fixed.inflight[0].tick), 3);
	inv_lane_copy_free(&c);
	fix_end(&call, false, NULL);
	c = fix_lane(0);
	cr_assert_eq(inv_lane_copy_open_calls(&c), 0);
	cr_assert_eq(fix_word(&c.fixed.inflight[0].ordinal_1), 0);
	inv_lane_copy_free(&c);
}

Test(record, a_message_follows_its_event)
{
	struct inv_call call;
	struct inv_event e;
	struct inv_event_text text;
	fix_open();
	fix_begin(&call, "escrow", 3);
	fix_end(&call, true, "insufficient scrip: need 40, have 12, and the ledger is closed");
	cr_assert_eq(inv_view_event(&fix_view, 0, 1, &e), INV_SLOT_READ_OK);
	cr_assert(e.flags & INV_FLAG_FAILED);
	inv_view_event_text(&fix_view, &e, &text);
	cr_assert_not(text.lapped);
	cr_assert_eq(text.message_length, 62);
	cr_assert(memcmp(text.message, "insufficient scrip", 18) == 0);
}

Test(record, a_long_message_is_cut_and_counted)
{
	struct inv_call call;
	struct inv_event e;
	struct inv_event_text text;
	char longer[2000];
	fix_open();
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	fix_begin(&call, "escrow", 3);
	fix_end(&call, true, longer);
	inv_view_event(&fix_view, 0, 1, &e);
	inv_view_event_text(&fix_view, &e, &text);
	cr_assert_eq(text.message_length, INV_MESSAGE_BYTES_MAX);
	cr_assert(text.message_cut);
	cr_assert(e.flags & INV_FLAG_TRUNCATED);
	struct inv_lane_copy c = fix_lane(0);
	cr_assert_eq(fix_word(&c.fixed.lost[INV_LOSS_TEXT_TRUNCATED]), 1);
	inv_lane_copy_free(&c);
}

Test(record, totals_are_exact_after_the_ring_has_lapped_a_hundred_times)
{
	struct inv_event e;
	uint64_t kept = 0;
	fix_open();
	for (int i = 0; i < 6400; i++)
		fix_call(i % 3 ? "escrow" : "oracle", i % 10 == 0);
	cr_assert_eq(fix_total(), 6400);
	struct inv_lane_copy c = fix_lane(0);
	uint64_t head = fix_word(&c.fixed.head);
	for (uint64_t i = 1; i <= head; i++)
		kept += inv_view_event(&fix_view, 0, i, &e) == INV_SLOT_READ_OK;
	cr_assert_eq(kept, 64);
	cr_assert_eq(fix_word(&c.fixed.events), 6400);
	inv_lane_copy_free(&c);
}

static void nest(int depth)
{
	struct inv_call call;
	fix_begin(&call, depth & 1 ? "odd" : "even", depth);
	if (depth > 1)
		nest(depth - 1);
	fix_end(&call, false, NULL);
}

Test(record, calls_nested_beyond_the_stack_are_counted_but_not_named)
{
	fix_open();
	nest(50);
	cr_assert_eq(fix_total(), 50);
	struct inv_lane_copy c = fix_lane(0);
	cr_assert_eq(fix_word(&c.fixed.lost[INV_LOSS_TOO_DEEP]), 50 - INV_INFLIGHT_MAX);
	cr_assert_eq(inv_lane_copy_open_calls(&c), 0);
	inv_lane_copy_free(&c);
}

static __attribute__((noinline)) void slow_call(const char *artifact, void (*inner)(void))
{
	struct inv_call call;
	fix_begin(&call, artifact, 1);
	if (inner)
		inner();
	else
		usleep(20000);
	fix_end(&call, false, NULL);
}

static void slow_inner(void)
{
	slow_call("inner", NULL);
}

Test(record, self_time_leaves_out_the_children)
{
	fix_open();
	slow_call("outer", slow_inner);
	struct inv_lane_copy c = fix_lane(0);
	const struct inv_cell *in = &c.cells[2], *out = &c.cells[3];
	cr_assert_eq(fix_word(&in->self_ticks), fix_word(&in->sum_ticks));
	cr_assert_eq(fix_word(&out->self_ticks),
		     fix_word(&out->sum_ticks) - fix_word(&in->sum_ticks));
	inv_lane_copy_free(&c);
}

Test(record, a_call_that_outlives_its_slot_is_written_anew_under_its_first_index)
{
	struct inv_call outer;
	struct inv_event e;
	struct inv_event_text text;
	fix_open();
	fix_begin(&outer, "outer", 1);
	for (int i = 0; i < 100; i++)
		fix_call("inner", false);
	fix_end(&outer, false, NULL);
	struct inv_lane_copy c = fix_lane(0);
	uint64_t head = fix_word(&c.fixed.head);
	cr_assert_eq(inv_view_event(&fix_view, 0, 1, &e), INV_SLOT_READ_LAPPED);
	cr_assert_eq(inv_view_event(&fix_view, 0, head, &e), INV_SLOT_READ_OK);
	cr_assert(e.flags & INV_FLAG_REWRITTEN);
	inv_view_event_text(&fix_view, &e, &text);
	cr_assert_eq(text.origin, INV_CALL_ID(0, 1));
	cr_assert_eq(fix_word(&c.fixed.events), 101);
	cr_assert_eq(fix_total(), 101);
	inv_lane_copy_free(&c);
}

static jmp_buf back;

static __attribute__((noinline)) void jump_out(void)
{
	struct inv_call call;
	fix_begin(&call, "jumper", 1);
	longjmp(back, 1);
}

Test(record, a_call_that_was_jumped_over_is_abandoned_by_the_next_entry)
{
	struct inv_event e;
	fix_open();
	if (!setjmp(back))
		jump_out();
	fix_call("after", false);
	struct inv_lane_copy c = fix_lane(0);
	cr_assert_eq(fix_word(&c.fixed.abandoned), 1);
	cr_assert_eq(fix_word(&c.fixed.returned), 1);
	cr_assert_eq(inv_lane_copy_open_calls(&c), 0);
	inv_view_event(&fix_view, 0, 1, &e);
	cr_assert_eq(e.state, INV_SLOT_ABANDONED);
	inv_lane_copy_free(&c);
}

Test(record, a_return_takes_back_that_it_was_abandoned)
{
	struct inv_call outer, second;
	fix_open();
	fix_begin(&outer, "outer", 1);
	/* The same frame begins again: the first is judged jumped over. */
	fix_begin(&second, "second", 1);
	struct inv_lane_copy c = fix_lane(0);
	uint64_t abandoned = fix_word(&c.fixed.abandoned);
	inv_lane_copy_free(&c);
	fix_end(&second, false, NULL);
	fix_end(&outer, false, NULL);
	c = fix_lane(0);
	cr_assert_eq(abandoned, 1);
	cr_assert_eq(fix_word(&c.fixed.abandoned), 0);
	cr_assert_eq(fix_word(&c.fixed.returned), 2);
	cr_assert_eq(inv_lane_copy_open_calls(&c), 0);
	inv_lane_copy_free(&c);
	cr_assert_eq(fix_total(), 2);
}

Test(record, a_fork_inside_a_call_returns_in_both_each_in_its_own_lane)
{
	struct inv_call call;
	int status;
	fix_open();
	fix_begin(&call, "forker", 1);
	pid_t child = fork();
	fix_end(&call, false, NULL);
	if (!child)
		_exit(0);
	waitpid(child, &status, 0);
	cr_assert_eq(inv_view_lane_count(&fix_view), 2);
	struct inv_lane_copy parent = fix_lane(0), other = fix_lane(1);
	cr_assert_eq(fix_word(&parent.fixed.returned), 1);
	cr_assert_eq(fix_word(&parent.fixed.inherited), 0);
	cr_assert_eq(fix_word(&other.fixed.returned), 1);
	cr_assert_eq(fix_word(&other.fixed.inherited), 1);
	cr_assert_eq(fix_total(), 2);
	inv_lane_copy_free(&parent);
	inv_lane_copy_free(&other);
}

static void *end_it(void *call)
{
	fix_end(call, false, NULL);
	return NULL;
}

Test(record, a_call_ended_by_another_thread_is_recorded_there_and_moved_here)
{
	struct inv_call call;
	pthread_t thread;
	fix_open();
	fix_begin(&call, "mover", 1);
	pthread_create(&thread, NULL, end_it, &call);
	pthread_join(thread, NULL);
	struct inv_lane_copy first = fix_lane(0), second = fix_lane(1);
	cr_assert_eq(fix_word(&first.fixed.moved), 1);
	cr_assert_eq(inv_lane_copy_open_calls(&first), 0);
	cr_assert_eq(fix_word(&second.fixed.inherited), 1);
	cr_assert_eq(fix_total(), 1);
	inv_lane_copy_free(&first);
	inv_lane_copy_free(&second);
	fix_call("after", false);
	cr_assert_eq(fix_total(), 2);
}

static pthread_barrier_t barrier;

static void *many_calls(void *arg)
{
	fix_call("thread", false);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 99; i++)
		fix_call(i & 1 ? "thread" : "other", i % 5 == 0);
	return NULL;
}

Test(record, three_hundred_threads_at_once_are_exact)
{
	enum { THREADS = 300 };
	pthread_t threads[THREADS];
	struct inv_segment_options options = {.session = "unit"};
	fix_open_with(&options);
	fix_attach();
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, many_calls, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(fix_total(), THREADS * 100);
	cr_assert_gt(fix_word(&fix_segment.overflow->begun), 0);
}

Test(record, short_lived_threads_share_a_lane)
{
	pthread_t thread;
	fix_open();
	pthread_barrier_init(&barrier, NULL, 1);
	for (int i = 0; i < 200; i++) {
		pthread_create(&thread, NULL, many_calls, NULL);
		pthread_join(thread, NULL);
	}
	cr_assert_eq(fix_total(), 20000);
	cr_assert_eq(inv_view_lane_count(&fix_view), 1);
}

Test(record, the_lane_of_a_killed_process_is_taken_over_and_its_call_named)
{
	int status;
	fix_open();
	pid_t child = fork();
	if (!child) {
		struct inv_call call;
		fix_call("done", false);
		fix_begin(&call, "doomed", 9);
		kill(getpid(), SIGKILL);
	}
	waitpid(child, &status, 0);
	fix_call("next", false);
	struct inv_lane_copy c = fix_lane(0);
	cr_assert_eq(inv_view_lane_count(&fix_view), 1);
	cr_assert_eq(fix_word(&c.fixed.never_returned), 1);
	cr_assert_eq(fix_word(&c.fixed.ended[1].tick), 9);
	cr_assert_eq(fix_word(&c.fixed.ended[1].ordinal_1), 2);
	cr_assert_eq(inv_lane_copy_open_calls(&c), 0);
	cr_assert_eq(fix_total(), 2);
	inv_lane_copy_free(&c);
}

Test(record, an_observed_program_keeps_its_errno)
{
	fix_open();
	errno = 1234;
	fix_call("first", false);
	fix_call("second", true);
	cr_assert_eq(errno, 1234);
}

static __attribute__((noinline)) void killed_inside(void)
{
	struct inv_call inner;
	fix_begin(&inner, "inner", 101);
	kill(getpid(), SIGKILL);
}

static void deep_then_killed(void)
{
	struct inv_call outer;
	fix_begin(&outer, "outer", 100);
	for (int i = 0; i < 31; i++)
		fix_call("between", false);
	/* 32 calls later: the same place by ordinal, while the outer one is still open. */
	killed_inside();
}

Test(record, calls_lost_together_keep_their_names_apart)
{
	int status;
	fix_open();
	pid_t child = fork();
	if (!child)
		deep_then_killed();
	waitpid(child, &status, 0);
	fix_call("next", false);
	struct inv_lane_copy c = fix_lane(0);
	bool outer = false, inner = false;
	for (int i = 0; i < 32; i++) {
		outer |= fix_word(&c.fixed.ended[i].tick) == 100;
		inner |= fix_word(&c.fixed.ended[i].tick) == 101;
	}
	cr_assert(outer);
	cr_assert(inner);
	inv_lane_copy_free(&c);
}

Test(record, a_fork_child_that_has_not_called_shows_no_binding_as_its_parents)
{
	struct inv_binding_row bound = {.tier = INV_TIER_GOT, .sites = 3}, late = bound;
	fix_open();
	inv_record_set_binding(0, &bound);
	late.sites = 4;
	pid_t pid = fork();
	if (pid == 0) {
		inv_record_set_binding(0, &late); /* by a dlopen */
		fix_call("anvil", false);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	cr_expect_eq(fix_segment.procs[0].bindings[0].sites, 3);
	cr_expect_eq(fix_segment.procs[1].bindings[0].sites, 4);
}
