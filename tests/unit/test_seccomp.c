/* SPDX-License-Identifier: MIT */
/* test_seccomp.c - filters as programs, and what of ours they forbid. */
#include <criterion/criterion.h>
#include <linux/audit.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "preload/seccomp.h"
#include "shm/sandbox.h"

#define NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define LOW(argument)                                                                              \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[argument]))
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define ANSWER(what)	   BPF_STMT(BPF_RET | BPF_K, what)
#define YES		   ANSWER(SECCOMP_RET_ALLOW)
#define NO		   ANSWER(SECCOMP_RET_KILL_PROCESS)

#define FORBIDS(...)                                                                               \
	({                                                                                         \
		struct sock_filter code_[] = {__VA_ARGS__};                                        \
		struct sock_fprog program_ = {sizeof(code_) / sizeof(*code_), code_};              \
		inv_seccomp_forbids(&program_);                                                    \
	})

static uint32_t answer(struct sock_filter *code, size_t count, int number, uint64_t first)
{
	struct sock_fprog program = {(unsigned short)count, code};
	struct seccomp_data call = {.nr = number, .args = {first}};
	return inv_seccomp_answer(&program, &call);
}
#define RUN(number, first, ...)                                                                    \
	({                                                                                         \
		struct sock_filter code_[] = {__VA_ARGS__};                                        \
		answer(code_, sizeof(code_) / sizeof(*code_), number, first);                      \
	})

Test(seccomp, a_filter_that_lets_all_pass_forbids_nothing)
{
	cr_expect_eq(FORBIDS(YES), 0);
	cr_expect_eq(FORBIDS(ANSWER(SECCOMP_RET_LOG)), 0);
}

Test(seccomp, every_other_answer_forbids)
{
	cr_expect_eq(FORBIDS(NO), INV_ASK_ALL);
	cr_expect_eq(FORBIDS(ANSWER(SECCOMP_RET_KILL_THREAD)), INV_ASK_ALL);
	cr_expect_eq(FORBIDS(ANSWER(SECCOMP_RET_TRAP)), INV_ASK_ALL);
	cr_expect_eq(FORBIDS(ANSWER(SECCOMP_RET_TRACE)), INV_ASK_ALL);
	cr_expect_eq(FORBIDS(ANSWER(SECCOMP_RET_USER_NOTIF)), INV_ASK_ALL);
	cr_expect_eq(FORBIDS(ANSWER(SECCOMP_RET_ERRNO | 1)), INV_ASK_ALL);
}

Test(seccomp, one_forbidden_call_forbids_what_needs_it_and_no_more)
{
	cr_expect_eq(FORBIDS(NUMBER, IS(SYS_gettid, 0, 1), NO, YES), INV_ASK_LANE);
	cr_expect_eq(FORBIDS(NUMBER, IS(SYS_rt_sigprocmask, 0, 1), NO, YES),
		     INV_ASK_PAGE | INV_ASK_HOLD);
	cr_expect_eq(FORBIDS(NUMBER, IS(SYS_mincore, 0, 1), NO, YES), INV_ASK_BIND);
	cr_expect_eq(FORBIDS(NUMBER, IS(SYS_tgkill, 0, 1), NO, YES), INV_ASK_LOOK);
	cr_expect_eq(FORBIDS(NUMBER, IS(SYS_socket, 0, 1), NO, YES), 0);
}

Test(seccomp, a_filter_that_looks_at_an_argument_sees_ours)
{
	/* madvise is for MADV_DONTNEED only */
	cr_expect_eq(FORBIDS(NUMBER, IS(SYS_madvise, 0, 3), LOW(2), IS(MADV_DONTNEED, 1, 0), NO,
			     YES),
		     INV_ASK_LANE);
	cr_expect_eq(FORBIDS(NUMBER, IS(SYS_madvise, 0, 3), LOW(2), IS(23, 1, 0), NO, YES), 0);
}

Test(seccomp, the_machine_is_ours)
{
#if defined(__x86_64__)
	const uint32_t ours = AUDIT_ARCH_X86_64;
#else
	const uint32_t ours = AUDIT_ARCH_AARCH64;
#endif
	cr_expect_eq(FORBIDS(BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
				      offsetof(struct seccomp_data, arch)),
			     IS(ours, 1, 0), NO, YES),
		     0);
}

Test(seccomp, arithmetic_memory_and_jumps_are_those_of_bpf)
{
	/* ((n + 5) * 3) ^ 1, kept in memory, compared with itself by way of x */
	cr_expect_eq(RUN(7, 0, NUMBER, BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 5),
			 BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 3),
			 BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 1), BPF_STMT(BPF_ST, 3),
			 BPF_STMT(BPF_LDX | BPF_MEM, 3), BPF_STMT(BPF_LD | BPF_IMM, 37),
			 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0), NO,
			 BPF_STMT(BPF_RET | BPF_A, 0)),
		     37);
	cr_expect_eq(RUN(12, 0, NUMBER, BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 4),
			 BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 2),
			 BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 1),
			 BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x7e),
			 BPF_STMT(BPF_ALU | BPF_OR | BPF_K, 1), BPF_STMT(BPF_MISC | BPF_TAX, 0),
			 BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), BPF_STMT(BPF_ALU | BPF_NEG, 0),
			 BPF_STMT(BPF_RET | BPF_A, 0)),
		     UINT32_MAX);
	cr_expect_eq(RUN(9, 0, NUMBER, BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 9, 0, 1), NO,
			 BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 9, 1, 0), NO,
			 BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 8, 1, 0), NO,
			 BPF_STMT(BPF_JMP | BPF_JA, 1), NO, BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
			 BPF_STMT(BPF_RET | BPF_A, 0)),
		     sizeof(struct seccomp_data));
}

Test(seccomp, a_broken_filter_kills_and_harms_nobody)
{
	cr_expect_eq(RUN(1, 0, NUMBER), SECCOMP_RET_KILL_PROCESS);
	cr_expect_eq(RUN(1, 0, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(struct seccomp_data)),
			 YES),
		     SECCOMP_RET_KILL_PROCESS);
	cr_expect_eq(RUN(1, 0, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), YES),
		     SECCOMP_RET_KILL_PROCESS);
	cr_expect_eq(RUN(1, 0, BPF_STMT(BPF_ST, BPF_MEMWORDS), YES), SECCOMP_RET_KILL_PROCESS);
	cr_expect_eq(RUN(1, 0, BPF_STMT(BPF_LDX | BPF_MEM, UINT32_MAX), YES),
		     SECCOMP_RET_KILL_PROCESS);
	cr_expect_eq(RUN(1, 0, BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), YES),
		     SECCOMP_RET_KILL_PROCESS);
	cr_expect_eq(RUN(1, 0, BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX), YES),
		     SECCOMP_RET_KILL_PROCESS);
	cr_expect_eq(RUN(1, 0, BPF_STMT(BPF_LD | BPF_IND, 0), YES), SECCOMP_RET_KILL_PROCESS);
}
