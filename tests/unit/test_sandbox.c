/* SPDX-License-Identifier: MIT */
/* test_sandbox.c - calls where the kernel may not be asked, and where the clock may not be read. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "shm/sandbox.h"
#include "tests/unit/segment_fixture.h"

static void forbid(uint32_t what)
{
	atomic_store_explicit(&inv_sandbox_forbidden, what, memory_order_relaxed);
}

static uint64_t shared_loss(enum inv_loss reason)
{
	return atomic_load_explicit(&fix_segment.shared->lost[reason], memory_order_relaxed);
}

static void *ten_calls(void *unused)
{
	for (int i = 0; i < 10; i++)
		fix_call("anvil", i % 2);
	return unused;
}

static void ten_in_a_thread(void)
{
	pthread_t thread;
	cr_assert_eq(pthread_create(&thread, NULL, ten_calls, NULL), 0);
	pthread_join(thread, NULL);
}

Test(sandbox, a_thread_that_may_not_ask_for_a_lane_is_tallied_without_one)
{
	fix_open();
	fix_call("anvil", false);
	forbid(INV_ASK_LANE);
	ten_in_a_thread();
	cr_expect_eq(fix_total(), 11);
	cr_expect_eq(shared_loss(INV_LOSS_NO_LANE), 10);
	forbid(0);
	ten_in_a_thread();
	cr_expect_eq(shared_loss(INV_LOSS_NO_LANE), 10);
	cr_expect_eq(fix_total(), 21);
}

Test(sandbox, a_text_in_a_page_not_seen_before_is_unreadable)
{
	struct inv_name_miss miss = {0};
	static struct inv_name_cache names;
	fix_open();
	char *text = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(text, "anvil");
	forbid(INV_ASK_PAGE);
	cr_expect_eq(inv_name_of_string(&names, &fix_segment, text, &miss), 0);
	cr_expect(miss.unreadable);
}

Test(sandbox, a_fork_child_that_may_not_look_is_tallied_without_a_row)
{
	fix_open();
	fix_call("anvil", false);
	forbid(INV_ASK_LOOK);
	pid_t pid = fork();
	if (pid == 0) {
		ten_calls(NULL);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	cr_expect_eq(shared_loss(INV_LOSS_NO_PROC), 10);
	cr_expect_eq(fix_total(), 11);
}

Test(sandbox, settling_gives_the_lane_before_the_first_call)
{
	fix_open();
	inv_record_settle();
	forbid(INV_ASK_ALL);
	ten_calls(NULL);
	cr_expect_eq(fix_total(), 10);
	cr_expect_eq(shared_loss(INV_LOSS_NO_LANE), 0);
}

Test(sandbox, settling_in_a_signal_handler_leaves_the_record_that_it_interrupts_alone)
{
	struct inv_call call;
	fix_open();
	fix_call("anvil", false);
	cr_assert(inv_record_enter(&call)); /* busy: as in the middle of one */
	inv_record_settle();
	struct inv_call_fields f = {.tick = 1};
	inv_record_begin(&call, &f);
	fix_end(&call, false, NULL);
	cr_expect_eq(fix_total(), 2);
}

Test(sandbox, without_a_clock_calls_are_paused_and_those_open_still_end)
{
	struct inv_call call;
	fix_open();
	fix_begin(&call, "anvil", 7);
	cr_expect_not(inv_record_silence(true));
	ten_calls(NULL);
	cr_expect(inv_record_silence(true));
	fix_end(&call, false, NULL);
	struct inv_lane_copy lane = fix_lane(0);
	cr_expect_eq(fix_word(&lane.fixed.lost[INV_LOSS_PAUSED]), 10);
	cr_expect_eq(fix_word(&lane.fixed.returned), 1);
	inv_lane_copy_free(&lane);
	cr_expect(inv_record_silence(false));
	ten_calls(NULL);
	cr_expect_eq(fix_total(), 11);
}

/* The kernel is the judge: any system call but write and exit kills, and so does rdtsc. */
Test(sandbox, nothing_is_asked_of_the_kernel_when_all_is_forbidden)
{
	int status = -1;
	fix_open();
	ten_calls(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		fix_call("anvil", false); /* has its row and lane */
		forbid(INV_ASK_ALL);
		inv_record_silence(true);
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			_exit(77);
		ten_calls(NULL);
		syscall(SYS_exit, 0);
	}
	waitpid(pid, &status, 0);
	cr_expect(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
	cr_expect_eq(fix_total(), 11);
}

static uint32_t names_from(uint32_t first)
{
	char text[32];
	uint32_t known = 0;
	for (uint32_t i = first; i < first + 10000; i++) {
		snprintf(text, sizeof(text), "name %u", i);
		known += inv_name_intern(&fix_segment, text, strlen(text)) != 0;
	}
	return known;
}

Test(sandbox, who_may_not_ask_for_room_for_names_leaves_it_to_the_others)
{
	fix_open();
	forbid(INV_ASK_LANE);
	cr_expect_lt(names_from(0), 10000);
	uint64_t used = fix_segment.shared->arena_used;
	cr_expect_leq(used, fix_segment.shared->arena_reserved);
	forbid(0);
	cr_expect_eq(names_from(20000), 10000);
}

static void skip_without_seccomp(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		cr_skip_test("this kernel has no seccomp");
}

Test(sandbox, whether_memory_is_borrowed_is_not_asked_where_nothing_may_be)
{
	int status = -1;
	fix_open();
	pid_t pid = fork();
	if (pid == 0) {
		fix_call("anvil", false);
		forbid(INV_ASK_ALL);
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			_exit(77);
		bool borrowed = inv_record_borrowed();
		syscall(SYS_exit, borrowed);
	}
	waitpid(pid, &status, 0);
	skip_without_seccomp(status);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}

/* From here on. */
static void answer_advice(uint32_t advice, uint32_t answer)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, advice, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(*code), code};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(77);
}

/* MADV_POPULATE_WRITE may be all that a filter allows. */
Test(sandbox, room_is_asked_for_by_no_advice_but_the_one_that_is_wanted)
{
	int status = -1;
	fix_open();
	pid_t pid = fork();
	if (pid == 0) {
		answer_advice((uint32_t)-1, SECCOMP_RET_KILL_PROCESS);
		ten_in_a_thread();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	skip_without_seccomp(status);
	cr_expect(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
	cr_expect_eq(fix_total(), 10);
}

static void call_each(uint32_t first, uint32_t last)
{
	char artifact[16];
	for (uint32_t i = first; i < last; i++) {
		snprintf(artifact, sizeof(artifact), "anvil %u", i);
		fix_call(artifact, false);
	}
}

/* The kernel is the judge of this, too. */
Test(sandbox, where_there_is_no_room_for_cells_it_is_not_asked_for_in_each_call)
{
	int status = -1;
	fix_open();
	pid_t pid = fork();
	if (pid == 0) {
		fix_call("anvil", false);
		answer_advice(23, SECCOMP_RET_ERRNO | EFAULT); /* the file system is full */
		call_each(0, 100);
		answer_advice(23, SECCOMP_RET_KILL_PROCESS);
		call_each(100, 200);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	skip_without_seccomp(status);
	cr_expect(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
	cr_expect_eq(WEXITSTATUS(status), 0);
	cr_expect_eq(fix_total(), 201);
}
