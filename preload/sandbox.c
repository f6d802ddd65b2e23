/* SPDX-License-Identifier: MIT */
/*
 * sandbox.c - the hooks of prctl and syscall.
 *
 * Both are assembly: they compare the first argument and jump on, with every register and the
 * stack as they were. What `syscall` may carry (a clone onto another stack, a vfork) returns
 * twice or elsewhere, and who observes the real functions by their entry sees the program call
 * them, not us. The numbers that matter go to a function in C.
 *
 * The real functions are looked up once, in the constructor: another preload's or a sanitizer's
 * may be next. Before that, in the constructors of others, the kernel is asked by itself:
 * an allocator may come here while it sets itself up, and dlsym could wait for it.
 *
 * Forbidden is all while the kernel decides, so that no other thread (SECCOMP_FILTER_FLAG_TSYNC)
 * asks what has just become deadly; then what the filter says, or, refused, what was before.
 */
#include "preload/sandbox.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "preload/got.h"
#include "preload/seccomp.h"
#include "shm/record.h"
#include "shm/sandbox.h"

typedef int (*prctl_fn)(int option, ...);
typedef long (*syscall_fn)(long number, ...);

/* Read by the assembly below; NULL: not looked up yet. */
syscall_fn _Atomic inv_sandbox_real_syscall __attribute__((used, visibility("hidden")));
prctl_fn _Atomic inv_sandbox_real_prctl __attribute__((used, visibility("hidden")));
static inv_sandbox_told_fn _Atomic told;

long inv_sandbox_syscall(long number, long a, long b, long c, long d, long e, long f)
	__attribute__((used, visibility("hidden")));
int inv_sandbox_prctl(int option, long a, long b, long c, long d)
	__attribute__((used, visibility("hidden")));
extern const char inv_sandbox_hook_syscall[] __attribute__((visibility("hidden")));
extern const char inv_sandbox_hook_prctl[] __attribute__((visibility("hidden")));

/*
 * A hook jumps to C for what is interesting, or while the real one is not known, else on. The
 * second name of each is what it is known by here: the first may be another preload's.
 */
#if defined(__x86_64__)
#define HOOK(name, register, first, second)                                                        \
	__asm__(".text\n"                                                                          \
		".globl " name "\n"                                                                \
		".type " name ", @function\n"                                                      \
		".globl inv_sandbox_hook_" name "\n"                                               \
		".hidden inv_sandbox_hook_" name "\n" name ":\n"                                   \
		"inv_sandbox_hook_" name ":\n"                                                     \
		"	.cfi_startproc\n"                                                                \
		"	endbr64\n"                                                                       \
		"	cmpl $" first                                                              \
		", " register "\n"                                                                 \
			      "	je 1f\n"                                                           \
			      "	cmpl $" second                                                     \
			      ", " register "\n"                                                   \
					    "	je 1f\n"                                             \
					    "	cmpq $0, inv_sandbox_real_" name "(%rip)\n"        \
					    "	je 1f\n"                                             \
					    "	jmp *inv_sandbox_real_" name "(%rip)\n"            \
					    "1:	jmp inv_sandbox_" name "\n"                        \
					    "	.cfi_endproc\n"                                      \
					    ".size " name ", . - " name "\n")

HOOK("syscall", "%edi", "317", "157"); /* seccomp, prctl */
HOOK("prctl", "%edi", "22", "26");     /* PR_SET_SECCOMP, PR_SET_TSC */
_Static_assert(SYS_seccomp == 317 && SYS_prctl == 157, "the numbers above");

static long ask_kernel(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long r;
	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return r;
}
#elif defined(__aarch64__)
#define HOOK(name, register, first, second)                                                        \
	__asm__(".text\n"                                                                          \
		".globl " name "\n"                                                                \
		".type " name ", %function\n"                                                      \
		".globl inv_sandbox_hook_" name "\n"                                               \
		".hidden inv_sandbox_hook_" name "\n" name ":\n"                                   \
		"inv_sandbox_hook_" name ":\n"                                                     \
		"	.cfi_startproc\n"                                                                \
		"	hint #34\n" /* bti c */                                                    \
		"	cmp " register ", #" first "\n"                                            \
				       "	b.eq 1f\n"                                                \
				       "	cmp " register ", #" second "\n"                   \
							       "	b.eq 1f\n"                        \
							       "	adrp x16, "                       \
							       "inv_sandbox_real_" name "\n"       \
							       "	ldr x16, [x16, "                  \
							       ":lo12:inv_sandbox_real_" name      \
							       "]\n"                               \
							       "	cbz x16, 1f\n"                    \
							       "	br x16\n"                         \
							       "1:	b inv_sandbox_" name "\n"  \
							       "	.cfi_endproc\n"                   \
							       ".size " name ", . - " name "\n")

HOOK("syscall", "w0", "277", "167"); /* seccomp, prctl */
HOOK("prctl", "w0", "22", "26");     /* PR_SET_SECCOMP, PR_SET_TSC */
_Static_assert(SYS_seccomp == 277 && SYS_prctl == 167, "the numbers above");

static long ask_kernel(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#endif
_Static_assert(PR_SET_SECCOMP == 22 && PR_SET_TSC == 26, "the numbers above");

static long ask_real(long number, long a, long b, long c, long d, long e, long f)
{
	syscall_fn real = atomic_load_explicit(&inv_sandbox_real_syscall, memory_order_relaxed);
	if (real)
		return real(number, a, b, c, d, e, f);
	long r = ask_kernel(number, a, b, c, d, e, f);
	if (r >= 0 || r < -4095)
		return r;
	errno = (int)-r;
	return -1;
}

static long ask_real_prctl(long option, long a, long b, long c, long d)
{
	prctl_fn real = atomic_load_explicit(&inv_sandbox_real_prctl, memory_order_relaxed);
	return real ? real((int)option, a, b, c, d) : ask_real(SYS_prctl, option, a, b, c, d, 0);
}

/* ---- the requests ---------------------------------------------------------------------- */

struct request {
	bool by_prctl;
	long number, args[6];
};

enum what { NOTHING, FILTER, STRICT, NO_CLOCK, CLOCK };

static enum what judge_prctl(const long *args)
{
	if (args[0] == PR_SET_SECCOMP)
		return args[1] == SECCOMP_MODE_STRICT	? STRICT
		       : args[1] == SECCOMP_MODE_FILTER ? FILTER
							: NOTHING;
	if (args[0] == PR_SET_TSC)
		return args[1] == PR_TSC_SIGSEGV ? NO_CLOCK : CLOCK;
	return NOTHING;
}

static enum what judge(const struct request *r)
{
	if (!atomic_load_explicit(&told, memory_order_relaxed))
		return NOTHING;
	if (r->by_prctl || r->number == SYS_prctl)
		return judge_prctl(r->args);
	if (r->number != SYS_seccomp)
		return NOTHING;
	return r->args[0] == SECCOMP_SET_MODE_STRICT   ? STRICT
	       : r->args[0] == SECCOMP_SET_MODE_FILTER ? FILTER
						       : NOTHING;
}

static long forward(const struct request *r)
{
	const long *a = r->args;
	return r->by_prctl ? ask_real_prctl(a[0], a[1], a[2], a[3], a[4])
			   : ask_real(r->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static uint32_t forbid(uint32_t what)
{
	return atomic_exchange_explicit(&inv_sandbox_forbidden, what, memory_order_relaxed);
}

static void tell(uint32_t forbidden, bool clockless)
{
	inv_sandbox_told_fn fn = atomic_load_explicit(&told, memory_order_relaxed);
	if (forbidden || clockless)
		fn(forbidden, clockless);
}

/* Above 0: a listener's descriptor, or, and then no filter is set, a thread that cannot follow. */
static bool is_set(const struct request *r, long answer)
{
	return answer == 0 || (answer > 0 && r->number == SYS_seccomp &&
			       r->args[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

static long enter_filter(const struct request *r)
{
	inv_record_settle();
	uint32_t before = forbid(INV_ASK_ALL | INV_ASK_REST);
	long answer = forward(r);
	if (!is_set(r, answer)) {
		forbid(before);
		return answer;
	}
	/* The kernel has read it from there; in both requests it is the third. */
	uint32_t forbids = inv_seccomp_forbids((const struct sock_fprog *)r->args[2]);
	forbid(before | forbids | INV_ASK_REST);
	tell(forbids, false);
	return answer;
}

static long enter_strict(const struct request *r)
{
	inv_record_settle();
	uint32_t before = forbid(INV_ASK_ALL | INV_ASK_REST);
	bool silent = inv_record_silence(true);
	long answer = forward(r);
	if (answer) {
		forbid(before);
		inv_record_silence(silent);
	} else {
		tell(INV_ASK_ALL, true);
	}
	return answer;
}

static long change_clock(const struct request *r, bool gone)
{
	bool silent = inv_record_silence(true);
	long answer = forward(r);
	inv_record_silence(answer ? silent : gone);
	if (!answer && gone)
		tell(0, true);
	return answer;
}

static long carry_out(const struct request *r)
{
	enum what what = judge(r);
	if (what != NOTHING && inv_record_borrowed())
		what = NOTHING;
	switch (what) {
	case FILTER:
		return enter_filter(r);
	case STRICT:
		return enter_strict(r);
	case NO_CLOCK:
		return change_clock(r, true);
	case CLOCK:
		return change_clock(r, false);
	default:
		return forward(r);
	}
}

long inv_sandbox_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	struct request r = {.number = number, .args = {a, b, c, d, e, f}};
	return carry_out(&r);
}

int inv_sandbox_prctl(int option, long a, long b, long c, long d)
{
	struct request r = {.by_prctl = true, .number = SYS_prctl, .args = {option, a, b, c, d}};
	return (int)carry_out(&r);
}

void inv_sandbox_resolve(void)
{
	static struct inv_got_stand_in stand_ins[2];
	syscall_fn by_number;
	prctl_fn by_option;
	*(void **)&by_number = inv_got_real_dlsym(RTLD_NEXT, "syscall");
	*(void **)&by_option = inv_got_real_dlsym(RTLD_NEXT, "prctl");
	atomic_store_explicit(&inv_sandbox_real_syscall, by_number, memory_order_relaxed);
	atomic_store_explicit(&inv_sandbox_real_prctl, by_option, memory_order_relaxed);
	stand_ins[0] = (struct inv_got_stand_in){(uintptr_t)inv_sandbox_hook_syscall,
						 (uintptr_t)by_number};
	stand_ins[1] =
		(struct inv_got_stand_in){(uintptr_t)inv_sandbox_hook_prctl, (uintptr_t)by_option};
	inv_got_know_stand_ins(stand_ins, 2);
}

void inv_sandbox_watch(inv_sandbox_told_fn fn)
{
	atomic_store_explicit(&told, fn, memory_order_relaxed);
}
