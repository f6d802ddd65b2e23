/* SPDX-License-Identifier: MIT */
/*
 * seccomp.c - classic BPF as seccomp has it, and the list of what we ask the kernel.
 *
 * Arguments are given where a filter may look at them: the advice of madvise, the way a file
 * is opened. A filter that looks at others sees zeros. An answer by errno counts as no, too:
 * the cold half would take it for trouble, and try again.
 */
#include "preload/seccomp.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "shm/sandbox.h"

#if defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#define OUR_ARCH AUDIT_ARCH_X86_64
#endif

struct machine {
	uint32_t a, x, memory[BPF_MEMWORDS];
	const struct seccomp_data *call;
};

/* Returns: false: no such instruction. */
static bool load(const struct machine *m, const struct sock_filter *i, uint32_t *to)
{
	switch (BPF_MODE(i->code)) {
	case BPF_ABS:
		if (i->k % 4 || i->k > sizeof(*m->call) - 4)
			return false;
		memcpy(to, (const char *)m->call + i->k, 4);
		return true;
	case BPF_LEN:
		*to = sizeof(*m->call);
		return true;
	case BPF_IMM:
		*to = i->k;
		return true;
	case BPF_MEM:
		if (i->k >= BPF_MEMWORDS)
			return false;
		*to = m->memory[i->k];
		return true;
	default:
		return false;
	}
}

static bool compute(struct machine *m, const struct sock_filter *i)
{
	uint32_t b = BPF_SRC(i->code) == BPF_X ? m->x : i->k;
	switch (BPF_OP(i->code)) {
	case BPF_ADD:
		m->a += b;
		return true;
	case BPF_SUB:
		m->a -= b;
		return true;
	case BPF_MUL:
		m->a *= b;
		return true;
	case BPF_DIV:
		m->a = b ? m->a / b : 0;
		return b != 0;
	case BPF_AND:
		m->a &= b;
		return true;
	case BPF_OR:
		m->a |= b;
		return true;
	case BPF_XOR:
		m->a ^= b;
		return true;
	case BPF_LSH:
		m->a = b < 32 ? m->a << b : 0;
		return true;
	case BPF_RSH:
		m->a = b < 32 ? m->a >> b : 0;
		return true;
	case BPF_NEG:
		m->a = -m->a;
		return true;
	default:
		return false;
	}
}

/* Returns: how many instructions to pass over, or UINT64_MAX: no such instruction. */
static uint64_t jump(const struct machine *m, const struct sock_filter *i)
{
	uint32_t b = BPF_SRC(i->code) == BPF_X ? m->x : i->k;
	switch (BPF_OP(i->code)) {
	case BPF_JA:
		return i->k;
	case BPF_JEQ:
		return m->a == b ? i->jt : i->jf;
	case BPF_JGT:
		return m->a > b ? i->jt : i->jf;
	case BPF_JGE:
		return m->a >= b ? i->jt : i->jf;
	case BPF_JSET:
		return m->a & b ? i->jt : i->jf;
	default:
		return UINT64_MAX;
	}
}

static bool store(struct machine *m, const struct sock_filter *i)
{
	if (i->k >= BPF_MEMWORDS)
		return false;
	m->memory[i->k] = BPF_CLASS(i->code) == BPF_ST ? m->a : m->x;
	return true;
}

/* All but jumps and the answer. Returns: false: no such instruction. */
static bool step(struct machine *m, const struct sock_filter *i)
{
	switch (BPF_CLASS(i->code)) {
	case BPF_LD:
		return load(m, i, &m->a);
	case BPF_LDX:
		return load(m, i, &m->x);
	case BPF_ST:
	case BPF_STX:
		return store(m, i);
	case BPF_ALU:
		return compute(m, i);
	case BPF_MISC:
		if (BPF_MISCOP(i->code) == BPF_TAX)
			m->x = m->a;
		else
			m->a = m->x;
		return true;
	default:
		return false;
	}
}

/* Jumps lead forwards only, so that every program ends. */
uint32_t inv_seccomp_answer(const struct sock_fprog *filter, const struct seccomp_data *call)
{
	struct machine m = {.call = call};
	uint64_t over;
	for (size_t at = 0; at < filter->len; at++) {
		const struct sock_filter *i = &filter->filter[at];
		switch (BPF_CLASS(i->code)) {
		case BPF_RET:
			return BPF_RVAL(i->code) == BPF_A ? m.a : i->k;
		case BPF_JMP:
			over = jump(&m, i);
			if (over == UINT64_MAX)
				return SECCOMP_RET_KILL_PROCESS;
			at += over;
			break;
		default:
			if (!step(&m, i))
				return SECCOMP_RET_KILL_PROCESS;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static const struct {
	uint32_t ask;
	int number;
	uint64_t args[3];
} ours[] = {
	{INV_ASK_LANE, SYS_gettid, {0}},
	{INV_ASK_LANE, SYS_madvise, {4096, 4096, MADV_POPULATE_WRITE}},
	{INV_ASK_PAGE, SYS_rt_sigprocmask, {0x494e56, 4096, 0}},
	{INV_ASK_LOOK, SYS_openat, {(uint32_t)AT_FDCWD, 4096, O_RDONLY | O_CLOEXEC}},
	{INV_ASK_LOOK, SYS_openat, {(uint32_t)AT_FDCWD, 4096, O_RDWR | O_CLOEXEC | O_NOFOLLOW}},
	{INV_ASK_LOOK, SYS_read, {3, 4096, 1023}},
	{INV_ASK_LOOK, SYS_close, {3}},
	{INV_ASK_LOOK, SYS_newfstatat, {(uint32_t)AT_FDCWD, 4096, 4096}},
	{INV_ASK_LOOK, SYS_readlinkat, {(uint32_t)AT_FDCWD, 4096, 4096}},
#ifdef SYS_readlink
	{INV_ASK_LOOK, SYS_readlink, {4096, 4096, 4095}},
#endif
	{INV_ASK_LOOK, SYS_fallocate, {3}},
	{INV_ASK_LOOK, SYS_getpid, {0}},
	{INV_ASK_LOOK, SYS_getppid, {0}},
	{INV_ASK_LOOK, SYS_prlimit64, {0, RLIMIT_STACK, 0}},
	{INV_ASK_LOOK, SYS_kill, {1}},
	{INV_ASK_LOOK, SYS_tgkill, {1}},
	{INV_ASK_LOOK, SYS_getrandom, {4096, 8, 1}},
	{INV_ASK_LOOK, SYS_sigaltstack, {0, 4096}},
	{INV_ASK_LOOK, SYS_sched_getaffinity, {1, 4096, 4096}},
	{INV_ASK_HOLD, SYS_rt_sigprocmask, {SIG_BLOCK, 4096, 4096}},
	{INV_ASK_HOLD, SYS_rt_sigprocmask, {SIG_SETMASK, 4096, 4096}},
	{INV_ASK_HOLD, SYS_sched_yield, {0}},
	{INV_ASK_HOLD, SYS_nanosleep, {4096}},
	{INV_ASK_BIND, SYS_mincore, {4096, 1, 4096}},
	{INV_ASK_BIND, SYS_futex, {4096, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0}},
	{INV_ASK_BIND, SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE}},
	{INV_ASK_BIND, SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC}},
	{INV_ASK_BIND, SYS_munmap, {4096, 4096}},
	{INV_ASK_BIND, SYS_mprotect, {4096, 4096, PROT_READ}},
	{INV_ASK_BIND, SYS_mprotect, {4096, 4096, PROT_READ | PROT_WRITE}},
	{INV_ASK_BIND, SYS_mprotect, {4096, 4096, PROT_READ | PROT_EXEC}},
	{INV_ASK_BIND, SYS_mprotect, {4096, 4096, PROT_READ | PROT_WRITE | PROT_EXEC}},
	{INV_ASK_BIND, SYS_openat, {(uint32_t)AT_FDCWD, 4096, O_RDONLY | O_CLOEXEC}},
	{INV_ASK_BIND, SYS_openat, {(uint32_t)AT_FDCWD, 4096, O_RDWR | O_CLOEXEC}},
	{INV_ASK_BIND, SYS_read, {3, 4096, 1023}},
	{INV_ASK_BIND, SYS_pread64, {3, 4096, 64}},
	{INV_ASK_BIND, SYS_pwrite64, {3, 4096, 5}},
	{INV_ASK_BIND, SYS_newfstatat, {3, 4096, 4096}},
	{INV_ASK_BIND, SYS_close, {3}},
#ifdef SYS_arch_prctl
	{INV_ASK_BIND, SYS_arch_prctl, {0x5005, 4096}},
#endif
};

uint32_t inv_seccomp_forbids(const struct sock_fprog *filter)
{
	uint32_t forbids = 0;
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		struct seccomp_data call = {.nr = ours[i].number, .arch = OUR_ARCH};
		memcpy(call.args, ours[i].args, sizeof(ours[i].args));
		uint32_t answer = inv_seccomp_answer(filter, &call) & SECCOMP_RET_ACTION_FULL;
		if (answer != SECCOMP_RET_ALLOW && answer != SECCOMP_RET_LOG)
			forbids |= ours[i].ask;
	}
	return forbids;
}
