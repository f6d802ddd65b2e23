/* SPDX-License-Identifier: MIT */
/* test_record_edges.c - calls as threads, jumps and signals make them; totals are always exact. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shm/lane.h"
#include "shm/record_path.h"
#include "shm/view.h"
#include "tests/unit/record_calls.h"

TestSuite(record_edges, .init = make, .fini = drop, .timeout = 120);

static __attribute__((noinline)) void nest(int depth)
{
	struct inv_call call;
	begin(&call, inv_call_frame(&call));
	if (depth)
		nest(depth - 1);
	end(&call, 10u * (unsigned)(depth + 1), NULL);
}

Test(record_edges, self_time_leaves_out_nested_calls)
{
	nest(9);
	struct sums s = add_up();
	cr_expect_eq(s.returned, 10);
	cr_expect_eq(s.sum, 550);
	cr_expect_eq(s.self, 100);
}

Test(record_edges, nesting_deeper_than_the_stack_is_counted)
{
	nest(99);
	struct sums s = add_up();
	cr_expect_eq(s.returned, 100);
	cr_expect_eq(s.open, 0);
}

static jmp_buf out;
static volatile bool leave = true; /* so that the compiler sees a way to return */

static __attribute__((noinline)) void jump(int depth)
{
	struct inv_call call;
	begin(&call, inv_call_frame(&call));
	if (depth)
		jump(depth - 1);
	else if (leave)
		longjmp(out, 1);
	end(&call, 1, NULL);
}

static __attribute__((noinline)) void jump_over(int depth)
{
	if (!setjmp(out))
		jump(depth);
	call_once();
}

Test(record_edges, calls_jumped_over_are_abandoned)
{
	jump_over(4);
	struct sums s = add_up();
	cr_expect_eq(s.abandoned, 5);
	cr_expect_eq(s.returned, 1);
	cr_expect_eq(s.open, 0);
}

Test(record_edges, calls_jumped_over_beyond_the_stack_are_abandoned_too)
{
	jump_over(39);
	struct sums s = add_up();
	cr_expect_eq(s.abandoned, 40);
	cr_expect_eq(s.open, 0);
}

static __attribute__((noinline)) void leave_open(struct inv_call *call)
{
	begin(call, inv_call_frame(call));
}

/* ---- a stack for signals above the thread's own ---- */

static void handle(int signal)
{
	call_once();
}

static __attribute__((noinline)) void be_interrupted_and_jump(void)
{
	struct inv_call call;
	begin(&call, inv_call_frame(&call));
	raise(SIGUSR1);
	longjmp(out, 1);
}

static void *handle_and_jump(void *signal_stack)
{
	stack_t ss = {.ss_sp = signal_stack, .ss_size = 128 << 10};
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
	sigaltstack(&ss, NULL);
	sigaction(SIGUSR1, &action, NULL);
	if (!setjmp(out))
		be_interrupted_and_jump();
	call_once();
	return NULL;
}

Test(record_edges, a_handler_on_a_stack_of_its_own_is_not_where_the_threads_is_learnt)
{
	enum { OWN = 512 << 10, GAP = 128 << 20, HANDLERS = 128 << 10 };
	pthread_attr_t attr;
	pthread_t id;
	char *low = mmap(NULL, OWN + GAP + HANDLERS, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(low + OWN, GAP, PROT_NONE);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, low, OWN);
	cr_assert_eq(pthread_create(&id, &attr, handle_and_jump, low + OWN + GAP), 0);
	pthread_join(id, NULL);
	struct sums s = add_up();
	cr_expect_eq(s.abandoned, 1);
	cr_expect_eq(s.returned, 2);
}

Test(record_edges, a_return_takes_an_abandoned_call_back)
{
	struct inv_call call;
	leave_open(&call);
	call_once();
	cr_expect_eq(add_up().abandoned, 1);
	end(&call, 5, NULL);
	struct sums s = add_up();
	cr_expect_eq(s.abandoned, 0);
	cr_expect_eq(s.returned, 2);
}

static void *begin_there(void *arg)
{
	begin(arg, inv_call_frame(arg));
	return NULL;
}

Test(record_edges, a_call_returned_by_another_thread_is_moved)
{
	struct inv_call call;
	begin(&call, inv_call_frame(&call));
	in_a_thread(end_there, &call);
	struct sums s = add_up();
	cr_expect_eq(s.moved, 1);
	cr_expect_eq(s.inherited, 1);
	cr_expect_eq(s.returned, 2);
	cr_expect_eq(s.open, 0);
}

Test(record_edges, a_call_found_in_a_fork_child_is_its_own_and_not_the_parents_next)
{
	int gate[2], status;
	struct inv_call first, second, found;
	char go = 0;
	cr_assert_eq(pipe(gate), 0);
	begin(&first, inv_call_frame(&first));
	pid_t pid = fork();
	if (!pid) {
		bool same = read(gate[0], &go, 1) == 1 && inv_record_find(&found, first.pointer) &&
			    found.call_id == first.call_id;
		_exit(same ? 0 : 1);
	}
	end(&first, 5, NULL);
	begin(&second, inv_call_frame(&second)); /* at the same place */
	cr_assert_eq(write(gate[1], &go, 1), 1);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	end(&second, 5, NULL);
}

static void *vfork_there(void *unused)
{
	pid_t pid = vfork();
	if (!pid) {
		call_once(); /* the first of this thread */
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	call_once();
	return NULL;
}

Test(record_edges, a_vfork_child_takes_no_lane_from_a_thread_that_lives)
{
	call_once();
	uint64_t owner = seg.rows[0].owner;
	in_a_thread(vfork_there, NULL);
	cr_expect_eq(seg.rows[0].owner, owner);
	cr_expect_eq(seg.rows[0].claims, 1);
	call_once();
	cr_expect_eq(add_up().returned, 3);
	cr_expect_eq(seg.overflow->begun, 1);
}

static atomic_uint race_step;
static struct inv_call raced;

static void wait_for(unsigned step)
{
	for (unsigned i = 0; atomic_load(&race_step) != step; i++)
		if (i > 1000)
			sched_yield();
}

static void *settle_there(void *unused)
{
	begin(&raced, (uintptr_t)__builtin_frame_address(0));
	atomic_store(&race_step, 1);
	wait_for(2);
	inv_lane_settle(&seg, raced.lane); /* what its end does, a little earlier */
	return NULL;
}

/* [B14]: as often moved as it did not count as never returned. */
Test(record_edges, a_call_returned_elsewhere_as_its_lane_is_settled_counts_once)
{
	enum { ROUNDS = 20000 };
	pthread_t id;
	call_once();
	for (unsigned i = 0; i < ROUNDS; i++) {
		atomic_store(&race_step, 0);
		pthread_create(&id, NULL, settle_there, NULL);
		wait_for(1);
		atomic_store(&race_step, 2);
		for (unsigned k = 0; k < i % 64; k++)
			atomic_signal_fence(memory_order_seq_cst);
		end(&raced, 5, NULL);
		pthread_join(id, NULL);
	}
	struct sums s = add_up();
	cr_expect_eq(s.inherited, ROUNDS);
	cr_expect_eq(s.never + s.moved + s.open, ROUNDS, "%lu + %lu + %lu", (unsigned long)s.never,
		     (unsigned long)s.moved, (unsigned long)s.open);
}

Test(record_edges, a_call_returned_by_the_next_owner_of_its_lane_is_inherited)
{
	struct inv_call call;
	in_a_thread(begin_there, &call); /* its lane is freed: the call never returned there */
	cr_expect_eq(add_up().never, 1);
	in_a_thread(end_there, &call); /* the same lane, the same private state */
	struct sums s = add_up();
	cr_expect_eq(s.abandoned, 0, "%lu", s.abandoned);
	cr_expect_eq(s.inherited, 1);
	cr_expect_eq(s.returned, 2);
}

Test(record_edges, a_fork_inside_a_call_returns_twice)
{
	struct inv_call call;
	begin(&call, inv_call_frame(&call));
	pid_t pid = fork();
	end(&call, 5, NULL);
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	struct sums s = add_up();
	cr_expect_eq(s.begun, 1);
	cr_expect_eq(s.inherited, 1);
	cr_expect_eq(s.returned, 2);
}

static void *many(void *arg)
{
	for (int i = 0; i < 100; i++)
		call_once();
	return arg;
}

Test(record_edges, totals_of_300_threads_are_exact)
{
	pthread_t id[300];
	struct inv_overflow_copy o;
	uint64_t there = 0;
	for (int i = 0; i < 300; i++)
		pthread_create(&id[i], NULL, many, NULL);
	for (int i = 0; i < 300; i++)
		pthread_join(id[i], NULL);
	inv_view_overflow(&view, &o);
	for (uint32_t i = 0; i < o.cell_count; i++)
		there += inv_cell_calls(&o.cells[i]);
	inv_overflow_copy_free(&o);
	cr_expect_eq(add_up().returned + there, 30000);
}

Test(record_edges, a_ring_lapped_100_times_keeps_exact_totals)
{
	struct inv_event e;
	uint64_t kept = 0;
	for (int i = 0; i < 6400; i++)
		call_once();
	uint64_t head = inv_view_head(&view, 0);
	for (uint64_t i = 1; i <= head; i++)
		kept += inv_view_event(&view, 0, i, &e) == INV_SLOT_READ_OK;
	struct sums s = add_up();
	cr_expect_eq(s.returned, 6400);
	cr_expect_eq(s.events, 6400);
	cr_expect_eq(kept, 64);
}

Test(record_edges, messages_are_whole_or_cut_and_wrap_with_the_ring)
{
	char message[701];
	struct inv_event e;
	struct inv_event_text text;
	for (unsigned n = 0; n < 701; n++) {
		struct inv_call call;
		memset(message, 'x', sizeof(message));
		message[n] = 0;
		begin(&call, inv_call_frame(&call));
		end(&call, 5, message);
		cr_assert_eq(inv_view_event(&view, 0, call.index, &e), INV_SLOT_READ_OK);
		inv_view_event_text(&view, &e, &text);
		unsigned want = n < INV_MESSAGE_BYTES_MAX ? n : INV_MESSAGE_BYTES_MAX;
		cr_assert_eq(text.message_length, want, "%u: %u", n, text.message_length);
		cr_assert_eq(text.message_cut, n > want);
		cr_assert(!memcmp(text.message, message, want));
	}
}

static void call_often(void)
{
	for (int i = 0; i < 200; i++)
		call_once();
}

static pthread_barrier_t together;

static void *call_together(void *arg)
{
	pthread_barrier_wait(&together);
	call_often();
	return arg;
}

/* In a fork child: threads that call first, all at once, or (`main_last`) before the main one. */
static void threads_of_a_child(bool main_last)
{
	pthread_t id[3];
	pthread_barrier_init(&together, NULL, main_last ? 3 : 4);
	for (int i = 0; i < 3; i++)
		pthread_create(&id[i], NULL, call_together, NULL);
	if (!main_last)
		call_together(NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(id[i], NULL);
	if (main_last)
		call_often();
	_exit(0);
}

static uint64_t begun_in_lane(uint32_t lane)
{
	struct inv_lane_copy c;
	cr_assert_eq(inv_view_lane(&view, lane, &c), 0);
	uint64_t begun = atomic_load(&c.fixed.begun);
	inv_lane_copy_free(&c);
	return begun;
}

static void fork_into_threads(bool main_last)
{
	int status;
	pid_t pid = fork();
	if (!pid)
		threads_of_a_child(main_last);
	waitpid(pid, &status, 0);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", (unsigned)status);
}

Test(record_edges, a_fork_child_whose_threads_call_first_leaves_its_parents_lane_alone)
{
	call_once();
	for (unsigned round = 1; round <= 100; round++) {
		fork_into_threads(round % 2);
		cr_assert_eq(begun_in_lane(0), 1, "round %u", round);
	}
}

Test(record_edges, a_fork_child_that_is_not_observed_may_call_first_from_many_threads_at_once)
{
	struct inv_record_options ignoring = {.segment = &seg, .children_ignored = true};
	inv_record_detach();
	cr_assert_eq(inv_record_attach(&ignoring), INV_OK);
	call_once();
	for (unsigned round = 0; round < 300; round++)
		fork_into_threads(round % 2);
	struct sums s = add_up();
	cr_expect_eq(s.begun, 1);
	cr_expect_eq(s.returned, 1);
}

static int calls_make_no_frame(void)
{
	return inv_path_full((uintptr_t)__builtin_frame_address(0)) && !inv_tls.passed;
}

static void *call_until_known(void *unused)
{
	call_once();
	call_once();
	return (void *)(intptr_t)calls_make_no_frame();
}

Test(record_edges, calls_of_a_child_that_is_not_observed_make_no_frame_from_the_third_on)
{
	struct inv_record_options ignoring = {.segment = &seg, .children_ignored = true};
	int status;
	inv_record_detach();
	cr_assert_eq(inv_record_attach(&ignoring), INV_OK);
	call_once();
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t id;
		void *in_thread = NULL;
		bool in_main = call_until_known(NULL) != NULL;
		if (!pthread_create(&id, NULL, call_until_known, NULL))
			pthread_join(id, &in_thread);
		_exit(!in_main || !in_thread);
	}
	waitpid(pid, &status, 0);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", (unsigned)status);
	cr_expect(!calls_make_no_frame());
	cr_expect_eq(add_up().begun, 1);
}

static _Atomic int stop;

static void *read_on(void *arg)
{
	uint64_t *torn = arg;
	struct inv_event e;
	while (!stop)
		for (uint32_t lane = 0; lane < inv_view_lane_count(&view); lane++) {
			struct inv_lane_copy c;
			uint64_t head = inv_view_head(&view, lane);
			for (uint64_t i = head > 64 ? head - 63 : 1; i <= head; i++)
				if (!inv_view_event(&view, lane, i, &e) && e.state == INV_SLOT_DONE)
					*torn += e.duration_ticks != 10 || e.tick != 7;
			if (!inv_view_lane(&view, lane, &c))
				inv_lane_copy_free(&c);
		}
	return NULL;
}

Test(record_edges, a_reader_beside_four_writers_sees_nothing_torn)
{
	pthread_t reader, id[4];
	uint64_t torn = 0;
	pthread_create(&reader, NULL, read_on, &torn);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 4; i++)
			pthread_create(&id[i], NULL, many, NULL);
		for (int i = 0; i < 4; i++)
			pthread_join(id[i], NULL);
	}
	stop = 1;
	pthread_join(reader, NULL);
	cr_expect_eq(torn, 0);
	cr_expect_eq(add_up().returned, 8000);
}
