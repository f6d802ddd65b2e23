/* SPDX-License-Identifier: MIT */
/* test_record_control.c - calls that begin in a pause or under a filter, however they end. */
#include <pthread.h>
#include <setjmp.h>
#include <sys/wait.h>

#include "tests/unit/segment_fixture.h"

static struct inv_control control; /* a page that is no file: the protocol is the same */
static struct inv_control_setting setting;

static void open_controlled(void)
{
	struct inv_segment_options options = {.session = "unit", .ring_slots = 64};
	struct inv_record_options attach = {.segment = &fix_segment, .control = &control};
	fix_open_with(&options);
	cr_assert_eq(inv_record_attach(&attach), INV_OK);
}

static void set_pause(bool on)
{
	setting.rules.flags = on ? INV_CONTROL_PAUSED : 0;
	inv_control_publish(&control, &setting);
}

static void set_filter(enum inv_control_kind kind, const char *name)
{
	uint64_t flags = setting.rules.flags;
	memset(&setting, 0, sizeof(setting));
	setting.rules.flags = flags;
	if (name)
		cr_assert_eq(inv_control_add(&setting, kind, name), INV_OK);
	inv_control_publish(&control, &setting);
}

static uint64_t lost(uint32_t lane, enum inv_loss reason)
{
	struct inv_lane_copy c = fix_lane(lane);
	uint64_t count = fix_word(&c.fixed.lost[reason]);
	inv_lane_copy_free(&c);
	return count;
}

/* begun, returned, abandoned, events, paused, filtered; nothing is open */
static void expect_lane(uint32_t lane, const uint64_t want[6])
{
	struct inv_lane_copy c = fix_lane(lane);
	const uint64_t have[6] = {fix_word(&c.fixed.begun),
				  fix_word(&c.fixed.returned),
				  fix_word(&c.fixed.abandoned),
				  fix_word(&c.fixed.events),
				  fix_word(&c.fixed.lost[INV_LOSS_PAUSED]),
				  fix_word(&c.fixed.lost[INV_LOSS_FILTERED])};
	for (unsigned i = 0; i < 6; i++)
		cr_expect_eq(have[i], want[i], "lane %u counter %u: %lu, not %lu", lane, i, have[i],
			     want[i]);
	cr_expect_eq(inv_lane_copy_open_calls(&c), 0);
	inv_lane_copy_free(&c);
}
#define EXPECT_LANE(lane, ...) expect_lane(lane, (const uint64_t[6]){__VA_ARGS__})

/* ---- pause ---------------------------------------------------------------------------- */

Test(record_control, a_paused_call_is_counted_and_nothing_else)
{
	open_controlled();
	fix_call("escrow", false);
	set_pause(true);
	fix_call("escrow", false);
	fix_call("oracle", true);
	set_pause(false);
	fix_call("escrow", false);
	EXPECT_LANE(0, 2, 2, 0, 2, 2, 0);
	cr_assert_eq(fix_total(), 2);
}

Test(record_control, a_session_that_is_paused_from_the_start_records_nothing)
{
	set_pause(true);
	open_controlled();
	fix_call("escrow", false);
	EXPECT_LANE(0, 0, 0, 0, 0, 1, 0);
}

Test(record_control, a_call_that_was_open_completes_in_the_pause)
{
	struct inv_call call;
	struct inv_event e;
	open_controlled();
	fix_begin(&call, "escrow", 3);
	set_pause(true);
	fix_call("inner", false);
	fix_end(&call, true, "no scrip");
	EXPECT_LANE(0, 1, 1, 0, 1, 1, 0);
	cr_assert_eq(inv_view_event(&fix_view, 0, 1, &e), INV_SLOT_READ_OK);
	cr_assert_eq(e.state, INV_SLOT_DONE);
	cr_assert(e.flags & INV_FLAG_FAILED);
}

Test(record_control, a_call_begun_in_the_pause_is_not_recorded_when_it_returns_after_it)
{
	struct inv_call call;
	open_controlled();
	set_pause(true);
	fix_begin(&call, "escrow", 3);
	cr_assert_eq(call.mode, INV_CALL_UNOBSERVED);
	set_pause(false);
	fix_call("inner", false);
	fix_end(&call, false, NULL);
	EXPECT_LANE(0, 1, 1, 0, 1, 1, 0);
}

static jmp_buf back;

static __attribute__((noinline)) void jump_out(void)
{
	struct inv_call call;
	fix_begin(&call, "jumper", 1);
	longjmp(back, 1);
}

Test(record_control, a_paused_call_that_was_jumped_over_is_not_abandoned)
{
	open_controlled();
	set_pause(true);
	if (!setjmp(back))
		jump_out();
	set_pause(false);
	fix_call("after", false);
	EXPECT_LANE(0, 1, 1, 0, 1, 1, 0);
}

static __attribute__((noinline)) bool found_by_unwinder(void)
{
	struct inv_call call, found;
	fix_begin(&call, "unwound", 1);
	return inv_record_find(&found, (uintptr_t)__builtin_frame_address(0));
}

/* The paused one lies where the jumped-over one lay: an unwinder must not end that. */
static __attribute__((noinline)) bool jump_or_find(bool jump)
{
	if (jump)
		jump_out();
	bool found = found_by_unwinder();
	__asm__ volatile("" : : : "memory"); /* no tail call: it would leave this frame first */
	return found;
}

Test(record_control, an_unwinder_finds_no_paused_call_nor_an_old_one_in_its_place)
{
	open_controlled();
	if (!setjmp(back))
		jump_or_find(true);
	set_pause(true);
	cr_assert_not(jump_or_find(false));
	set_pause(false);
	fix_call("after", false);
	EXPECT_LANE(0, 2, 1, 1, 2, 1, 0);
}

Test(record_control, a_fork_in_a_paused_call_returns_unrecorded_in_both)
{
	struct inv_call call;
	int status;
	open_controlled();
	set_pause(true);
	fix_begin(&call, "forker", 1);
	pid_t child = fork();
	if (child)
		waitpid(child, &status, 0);
	set_pause(false); /* in each: the page of this test is no shared memory */
	fix_end(&call, false, NULL);
	fix_call("after", false);
	if (!child)
		_exit(0);
	EXPECT_LANE(0, 1, 1, 0, 1, 1, 0);
	EXPECT_LANE(1, 1, 1, 0, 1, 0, 0);
}

static void *end_it(void *call)
{
	fix_end(call, false, NULL);
	return NULL;
}

Test(record_control, a_paused_call_ended_by_another_thread_is_not_recorded_there)
{
	struct inv_call call;
	pthread_t thread;
	open_controlled();
	set_pause(true);
	fix_begin(&call, "mover", 1);
	set_pause(false);
	pthread_create(&thread, NULL, end_it, &call);
	pthread_join(thread, NULL);
	EXPECT_LANE(0, 0, 0, 0, 0, 1, 0);
	cr_assert_eq(inv_view_lane_count(&fix_view), 1);
	cr_assert_eq(fix_total(), 0);
}

Test(record_control, a_paused_call_without_a_lane_is_paused_and_not_one_without_a_lane)
{
	struct inv_call first, handler;
	struct inv_call_fields f = {.args_count = 0};
	uint64_t reentered = 0;
	open_controlled();
	set_pause(true);
	cr_assert(inv_record_enter(&first));
	/* A signal handler on a stack of its own comes in: it goes to the overflow region. */
	cr_assert(inv_record_enter_at(&handler, 64, NULL));
	cr_assert_eq(handler.mode, INV_CALL_OVERFLOW);
	inv_record_begin(&handler, &f);
	cr_assert_eq(handler.mode, INV_CALL_UNOBSERVED);
	inv_record_begin(&first, &f);
	reentered = inv_view_lost(&fix_view, INV_LOSS_REENTERED);
	cr_assert_eq(reentered, 0);
	cr_assert_eq(inv_view_lost(&fix_view, INV_LOSS_PAUSED), 1);
	cr_assert_eq(lost(0, INV_LOSS_PAUSED), 1);
	set_pause(false);
	cr_assert(inv_record_enter(&first));
	cr_assert(inv_record_enter_at(&handler, 64, NULL));
	inv_record_begin(&handler, &f);
	cr_assert_eq(handler.mode, INV_CALL_OVERFLOW);
	cr_assert_eq(inv_view_lost(&fix_view, INV_LOSS_REENTERED), 1);
}

/* ---- filter ----------------------------------------------------------------------------- */

Test(record_control, a_filter_drops_events_and_never_tallies)
{
	struct inv_event e;
	open_controlled();
	set_filter(INV_CONTROL_ARTIFACT, "oracle"); /* a name that no call has had yet */
	for (int i = 0; i < 30; i++)
		fix_call(i % 3 ? "escrow" : "oracle", i % 5 == 0);
	EXPECT_LANE(0, 30, 30, 0, 10, 0, 20);
	cr_assert_eq(fix_total(), 30);
	for (uint64_t i = 1; i <= 10; i++) {
		size_t length;
		cr_assert_eq(inv_view_event(&fix_view, 0, i, &e), INV_SLOT_READ_OK);
		cr_assert_eq(e.state, INV_SLOT_DONE);
		cr_assert_str_eq(inv_view_name(&fix_view, e.artifact, &length), "oracle");
	}
	set_filter(INV_CONTROL_ARTIFACT, NULL);
	fix_call("escrow", false);
	EXPECT_LANE(0, 31, 31, 0, 11, 0, 20);
}

Test(record_control, each_kind_of_name_has_to_be_wanted)
{
	static const enum inv_control_kind kinds[] = {INV_CONTROL_INVOKER, INV_CONTROL_ARTIFACT,
						      INV_CONTROL_METHOD};
	static const char *const names[] = {"alice", "escrow", "run"};
	open_controlled();
	for (unsigned i = 0; i < 3; i++) {
		set_filter(kinds[i], names[i]);
		fix_call("escrow", false); /* alice, escrow, run */
		EXPECT_LANE(0, i * 2 + 1, i * 2 + 1, 0, i + 1, 0, i);
		set_filter(kinds[i], "nobody");
		fix_call("escrow", false);
		EXPECT_LANE(0, i * 2 + 2, i * 2 + 2, 0, i + 1, 0, i + 1);
	}
	set_filter(INV_CONTROL_INVOKER, "alice");
	inv_control_add(&setting, INV_CONTROL_METHOD, "stop");
	inv_control_publish(&control, &setting);
	fix_call("escrow", false);
	EXPECT_LANE(0, 7, 7, 0, 3, 0, 4);
}

Test(record_control, a_filter_outlasts_a_pause)
{
	open_controlled();
	set_filter(INV_CONTROL_ARTIFACT, "oracle");
	set_pause(true);
	fix_call("oracle", false);
	set_pause(false);
	fix_call("escrow", false);
	fix_call("oracle", false);
	EXPECT_LANE(0, 2, 2, 0, 1, 1, 1);
}

Test(record_control, an_open_call_without_an_event_is_named_in_flight_and_takes_no_slot)
{
	struct inv_call quiet, loud;
	struct inv_event e;
	open_controlled();
	set_filter(INV_CONTROL_ARTIFACT, "oracle");
	fix_begin(&quiet, "escrow", 3);
	struct inv_lane_copy c = fix_lane(0);
	cr_assert_eq(inv_lane_copy_open_calls(&c), 1);
	cr_assert_eq(fix_word(&c.fixed.inflight[0].tick), 3);
	uint64_t id = fix_word(&c.fixed.inflight[0].call);
	inv_lane_copy_free(&c);
	set_filter(INV_CONTROL_ARTIFACT, NULL);
	fix_begin(&loud, "oracle", 4);
	cr_assert_neq(id, loud.call_id);
	cr_assert_eq(inv_view_event(&fix_view, 0, 1, &e), INV_SLOT_READ_OK);
	cr_assert_eq(e.tick, 4);
	fix_end(&loud, false, NULL);
	fix_end(&quiet, true, "a message of an event that is none");
	EXPECT_LANE(0, 2, 2, 0, 1, 0, 1);
	c = fix_lane(0);
	cr_assert_eq(fix_word(&c.fixed.head), 1);
	inv_lane_copy_free(&c);
}

static __attribute__((noinline)) void jump_out_filtered(void)
{
	struct inv_call call;
	set_filter(INV_CONTROL_ARTIFACT, "oracle");
	fix_begin(&call, "escrow", 1);
	set_filter(INV_CONTROL_ARTIFACT, NULL);
	longjmp(back, 1);
}

/* Its id must not be taken for the index of the event that the next call gets. */
Test(record_control, a_filtered_call_that_was_jumped_over_leaves_the_next_event_alone)
{
	struct inv_event e;
	open_controlled();
	for (unsigned i = 0; i < 3; i++) {
		if (!setjmp(back))
			jump_out_filtered();
		fix_call("after", false);
	}
	EXPECT_LANE(0, 6, 3, 3, 3, 0, 3);
	for (uint64_t i = 1; i <= 3; i++) {
		cr_assert_eq(inv_view_event(&fix_view, 0, i, &e), INV_SLOT_READ_OK);
		cr_assert_eq(e.state, INV_SLOT_DONE);
	}
}

Test(record_control, a_filtered_call_that_was_jumped_over_leaves_an_open_event_alone)
{
	struct inv_call first, outer;
	struct inv_event e;
	open_controlled();
	fix_begin(&first, "escrow", 1);
	fix_end(&first, true, "a message"); /* takes an index, so that index 3 is the second call */
	fix_begin(&outer, "outer", 2);
	cr_assert_eq(outer.index, 3);
	if (!setjmp(back))
		jump_out_filtered(); /* the third call */
	fix_call("after", false);
	cr_assert_eq(inv_view_event(&fix_view, 0, 3, &e), INV_SLOT_READ_OK);
	cr_assert_eq(e.state, INV_SLOT_ATTEMPT);
	fix_end(&outer, false, NULL);
	EXPECT_LANE(0, 4, 3, 1, 3, 0, 1);
}

Test(record_control, a_filtered_call_that_is_unwound_is_tallied_without_an_event)
{
	struct inv_call call, found;
	open_controlled();
	set_filter(INV_CONTROL_ARTIFACT, "oracle");
	fix_begin(&call, "escrow", 1);
	cr_assert(inv_record_find(&found, (uintptr_t)__builtin_frame_address(0)));
	fix_end(&found, true, "unwound");
	EXPECT_LANE(0, 1, 1, 0, 0, 0, 1);
	cr_assert_eq(inv_view_head(&fix_view, 0), 0); /* not even its message */
}

Test(record_control, a_filtered_call_ended_by_another_thread_is_tallied_there_without_an_event)
{
	struct inv_call call;
	pthread_t thread;
	open_controlled();
	set_filter(INV_CONTROL_ARTIFACT, "oracle");
	fix_begin(&call, "escrow", 1);
	set_filter(INV_CONTROL_ARTIFACT, NULL);
	pthread_create(&thread, NULL, end_it, &call);
	pthread_join(thread, NULL);
	struct inv_lane_copy first = fix_lane(0), second = fix_lane(1);
	cr_assert_eq(fix_word(&first.fixed.moved), 1);
	cr_assert_eq(inv_lane_copy_open_calls(&first), 0);
	inv_lane_copy_free(&first);
	inv_lane_copy_free(&second);
	EXPECT_LANE(1, 0, 1, 0, 0, 0, 1);
	cr_assert_eq(fix_total(), 1);
}

Test(record_control, a_name_without_an_id_is_held_against_the_filter_by_its_text)
{
	struct inv_call call;
	struct inv_call_fields f = {.missed = 2};
	f.miss[1] = (struct inv_name_miss){.text = "oracle", .length = 6, .overflow = true};
	open_controlled();
	set_filter(INV_CONTROL_ARTIFACT, "oracle");
	cr_assert(inv_record_enter(&call));
	inv_record_begin(&call, &f);
	fix_end(&call, false, NULL);
	f.miss[1] = (struct inv_name_miss){.text = "escrow", .length = 6, .overflow = true};
	cr_assert(inv_record_enter(&call));
	inv_record_begin(&call, &f);
	fix_end(&call, false, NULL);
	f.miss[1] = (struct inv_name_miss){.unreadable = true};
	cr_assert(inv_record_enter(&call));
	inv_record_begin(&call, &f);
	fix_end(&call, false, NULL);
	EXPECT_LANE(0, 3, 3, 0, 1, 0, 2);
	cr_assert_eq(lost(0, INV_LOSS_NAME_OVERFLOW), 2);
	cr_assert_eq(lost(0, INV_LOSS_UNREADABLE), 1);
}

/* ---- threads ---------------------------------------------------------------------------- */

static _Atomic int stop;
static _Atomic uint64_t made;

static void *call_on(void *artifact)
{
	uint64_t n = 0;
	for (; !stop; n++)
		fix_call(artifact, n % 7 == 0);
	atomic_fetch_add(&made, n);
	return NULL;
}

Test(record_control, four_threads_at_full_speed_lose_no_call_to_a_thousand_changes)
{
	static const char *const artifacts[] = {"escrow", "oracle", "ledger", "escrow"};
	pthread_t thread[4];
	uint64_t paused = 0, filtered = 0, events = 0;
	open_controlled();
	for (unsigned i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, call_on, (void *)(uintptr_t)artifacts[i]);
	for (unsigned i = 0; i < 1000; i++) {
		if (i % 3 == 0)
			set_filter(INV_CONTROL_ARTIFACT, i % 2 ? "oracle" : NULL);
		else
			set_pause(i % 3 == 1);
		usleep(50);
	}
	stop = 1;
	for (unsigned i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (uint32_t i = 0; i < inv_view_lane_count(&fix_view); i++) {
		struct inv_lane_copy c = fix_lane(i);
		paused += fix_word(&c.fixed.lost[INV_LOSS_PAUSED]);
		filtered += fix_word(&c.fixed.lost[INV_LOSS_FILTERED]);
		events += fix_word(&c.fixed.events);
		inv_lane_copy_free(&c);
	}
	cr_assert_eq(fix_total() + paused, made);
	cr_assert_eq(events + filtered, fix_total());
	cr_assert_gt(paused, 0);
	cr_assert_gt(filtered, 0);
}
