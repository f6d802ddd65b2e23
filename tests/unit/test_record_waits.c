/* SPDX-License-Identifier: MIT */
/* test_record_waits.c - calls that wait: in any number, ended in any order, in any thread. */
#include "tests/unit/record_calls.h"

TestSuite(record_waits, .init = make, .fini = drop, .timeout = 120);

enum { WAITING = 100 }; /* more than have a place */

static void begin_waiting(struct inv_call calls[WAITING])
{
	for (int i = 0; i < WAITING; i++) {
		begin(&calls[i], inv_call_frame(&calls[i]));
		inv_record_suspend(&calls[i]);
	}
}

static __attribute__((noinline)) unsigned depth_now(void)
{
	struct inv_call call;
	begin(&call, inv_call_frame(&call));
	end(&call, 10, NULL);
	return INV_WHERE_DEPTH(call.where);
}

static uint64_t too_deep(void)
{
	return inv_segment_lane(&seg, 0)->lost[INV_LOSS_TOO_DEEP];
}

static void *end_waiting_there(void *arg)
{
	struct inv_call *calls = arg;
	call_once();
	for (int i = 0; i < WAITING; i++)
		end(&calls[i], 5, NULL);
	return NULL;
}

Test(record_waits, a_call_that_waits_has_no_children)
{
	struct inv_call first, second;
	begin(&first, inv_call_frame(&first));
	inv_record_suspend(&first);
	call_once();
	begin(&second, inv_call_frame(&second));
	inv_record_resume(&first, inv_call_frame(&first));
	inv_record_suspend(&second);
	call_once(); /* of the first, though the second lies between */
	inv_record_suspend(&first);
	end(&first, 100, NULL);
	end(&second, 1000, NULL);
	struct sums s = add_up();
	cr_expect_eq(s.sum, 1120);
	cr_expect_eq(s.self, 1110);
}

Test(record_waits, calls_that_wait_are_not_deeper_than_one_another_whoever_ends_first)
{
	struct inv_call calls[WAITING];
	begin_waiting(calls);
	for (int i = 0; i < WAITING; i++) {
		cr_expect_eq(INV_WHERE_DEPTH(calls[i].where), 0);
		end(&calls[i], 5, NULL);
		cr_expect_eq(depth_now(), 0);
	}
	struct sums s = add_up();
	cr_expect_eq(s.returned, 2 * WAITING);
	cr_expect_eq(s.abandoned, 0);
}

Test(record_waits, a_call_too_deep_for_a_place_may_wait_and_work_in_turns)
{
	struct inv_call calls[WAITING];
	begin_waiting(calls);
	for (int i = 0; i < WAITING; i++) {
		inv_record_resume(&calls[i], inv_call_frame(&calls[i]));
		cr_expect_eq(depth_now(), 1);
		inv_record_suspend(&calls[i]);
	}
	cr_expect_eq(add_up().open, WAITING);
	for (int i = WAITING; i-- > 0;)
		end(&calls[i], 5, NULL);
	struct sums s = add_up();
	cr_expect_eq(s.open, 0);
	cr_expect_eq(s.abandoned, 0);
}

Test(record_waits, a_call_that_waits_and_returns_elsewhere_leaves_its_place)
{
	struct inv_call call;
	for (int i = 0; i < WAITING; i++) {
		begin(&call, inv_call_frame(&call));
		inv_record_suspend(&call);
		in_a_thread(end_there, &call);
	}
	cr_expect_eq(depth_now(), 0);
	cr_expect_eq(too_deep(), 0);
	struct sums s = add_up();
	cr_expect_eq(s.moved, WAITING);
	cr_expect_eq(s.open, 0);
}

Test(record_waits, a_call_without_a_place_that_returns_elsewhere_is_moved_too)
{
	struct inv_call calls[WAITING];
	begin_waiting(calls);
	in_a_thread(end_waiting_there, calls);
	struct sums s = add_up();
	cr_expect_eq(s.moved, WAITING);
	cr_expect_eq(s.open, 0);
	cr_expect_eq(s.inherited, WAITING);
}

static void *end_two_there(void *calls)
{
	end(calls, 5, NULL);
	end((struct inv_call *)calls + 1, 5, NULL);
	return NULL;
}

Test(record_waits, calls_that_return_in_a_thread_without_a_lane_are_moved_too)
{
	struct inv_call calls[INV_INFLIGHT_MAX + 1];
	struct inv_overflow_copy over;
	for (uint32_t i = 0; i <= INV_INFLIGHT_MAX; i++) {
		begin(&calls[i], inv_call_frame(&calls[i]));
		inv_record_suspend(&calls[i]);
	}
	for (uint32_t i = 1; i < seg.header->lane_count; i++)
		seg.rows[i].owner = seg.rows[0].owner; /* all are taken */
	in_a_thread(end_two_there, &calls[INV_INFLIGHT_MAX - 1]);
	struct sums s = add_up();
	cr_expect_eq(s.moved, 2);
	cr_expect_eq(s.open, INV_INFLIGHT_MAX - 1);
	cr_assert_eq(inv_view_overflow(&view, &over), INV_OK);
	cr_expect_eq(over.fixed.inherited, 2);
	inv_overflow_copy_free(&over);
}
