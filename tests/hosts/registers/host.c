/* SPDX-License-Identifier: MIT */
/*
 * host.c - calls each target and its unprobed twin with the same values in every register,
 * and compares what both saw, what both returned and what both left: by every way through a
 * wrapper. Prints each difference and, at the end, how many calls of each target were made.
 */
#include "registers.h"

#include <cpuid.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

struct state registers_in, registers_out, registers_seen;
struct result registers_result;
uint32_t registers_results, registers_words, registers_level, registers_plain_mxcsr = 0x1f80;
uint64_t registers_saved[3];
void (*registers_inside)(void);

#define TARGETS(X)                                                                                 \
	X(plain, 0, 0)                                                                             \
	X(rewritten, 0, 0)                                                                         \
	X(garbage, 0, 1)                                                                           \
	X(floats, 0, 0)                                                                            \
	X(seven, 1, 1)                                                                             \
	X(sixteen, 10, 0)                                                                          \
	X(wide, 20, 0)                                                                             \
	X(mixed, 3, 0)                                                                             \
	X(variadic, 5, 0)                                                                          \
	X(double, 0, 6)                                                                            \
	X(long_double, 0, 8)                                                                       \
	X(typed, 0, 1)

#define DECLARE(name, words, results) void r_##name(void);
#define NUMBER(name, words, results)  T_##name,
#define ROW(name, words, results)     {#name, r_##name, words, results},

TARGETS(DECLARE)
void r_twin(void);
enum { TARGETS(NUMBER) T_COUNT };
static const struct {
	const char *name;
	void (*function)(void);
	uint32_t words, results;
} targets[] = {TARGETS(ROW)};

static unsigned long calls[T_COUNT], filled, differences;
static uint64_t seed = 88172645463325252u;

static uint64_t any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* ---- one comparison ---------------------------------------------------------------------- */

static void differ(int target, const char *when, const char *what, int number)
{
	if (differences++ < 20)
		printf("%s %s: %s%d\n", targets[target].name, when, what, number);
}

/* At entry the frame's registers are the thunk's: no convention passes anything in them. */
static bool may_differ(const char *when, int i)
{
	return (i == RSP || i == RBX || i == RBP) && !strcmp(when, "seen");
}

static void compare(int target, const char *when, const struct state *a, const struct state *b)
{
	int vectors = registers_level == 2 ? 32 : 16;
	size_t bytes = 16u << registers_level;

	for (int i = 0; i < GENERAL; i++)
		if (a->general[i] != b->general[i] && !may_differ(when, i))
			differ(target, when, "general ", i);
	if ((a->flags ^ b->flags) & 0x40400) /* DF, AC */
		differ(target, when, "flags", 0);
	if (a->mxcsr != b->mxcsr)
		differ(target, when, "mxcsr", 0);
	if (a->x87_control != b->x87_control || a->x87_status != b->x87_status)
		differ(target, when, "x87", 0);
	for (int i = 0; i < 8 && registers_level == 2; i++)
		if (a->mask[i] != b->mask[i])
			differ(target, when, "mask ", i);
	for (int i = 0; i < vectors; i++)
		if (memcmp(a->vector[i], b->vector[i], bytes) != 0)
			differ(target, when, "vector ", i);
	for (uint32_t i = 0; i < targets[target].words; i++)
		if (a->stack[i] != b->stack[i])
			differ(target, when, "stack word ", (int)i);
	if (memcmp(a->st0, b->st0, 10) != 0)
		differ(target, when, "st0", 0);
}

static void call(void (*function)(void), int target, uint32_t misaligned, struct state *seen,
		 struct state *out)
{
	memset(&registers_seen, 0, sizeof(registers_seen));
	memset(&registers_out, 0, sizeof(registers_out));
	registers_words = targets[target].words;
	registers_results = targets[target].results;
	registers_call(registers_words, misaligned, function);
	*seen = registers_seen;
	*out = registers_out;
}

static const uint32_t mxcsrs[] = {
	0x1f80, /* as usual */
	0xffc0, /* rounds to zero, flushes, denormals are zero */
	0x0000, /* every exception is one */
	0x5fbf, /* rounds up, all sticky bits are set */
};

static char invoker[32], artifact[32] = "artifact", method[32] = "method", message[64];

static void fill(int target)
{
	uint64_t *words = (uint64_t *)&registers_in;

	for (size_t i = 0; i < sizeof(registers_in) / 8; i++)
		words[i] = any();
	registers_in.flags = 0x246;
	registers_in.mxcsr = mxcsrs[any() % 4];
	registers_in.x87_control = 0x37f;
	memset(registers_in.st0, 0, sizeof(registers_in.st0));
	registers_in.general[RDI] = (uint64_t)invoker;
	registers_in.general[RSI] = (uint64_t)artifact;
	registers_in.general[RDX] = (uint64_t)method;
	if (target == T_garbage) {
		registers_in.general[RDI] = any() % 3 ? any() : 1;
		registers_in.general[RSI] = any() % 3 ? 0 : 4095;
	} else {
		registers_in.general[R_9] = (uint64_t)message;
	}
}

/* Succeeds with a result of 0, else fails. */
static void checked(int target, uint64_t result)
{
	struct state seen[2], out[2];
	uint32_t misaligned = any() & 1;

	fill(target);
	registers_result = (struct result){result, any(), result ? -1.5 : 2.25, 1e300, 1.0L / 3};
	call(r_twin, target, misaligned, &seen[0], &out[0]);
	call(targets[target].function, target, misaligned, &seen[1], &out[1]);
	__atomic_fetch_add(&calls[target], 1, __ATOMIC_RELAXED);
	compare(target, "seen", &seen[0], &seen[1]);
	compare(target, "after", &out[0], &out[1]);
}

static void checked_all(uint64_t result)
{
	for (int t = 0; t < T_COUNT; t++)
		checked(t, result);
}

/* ---- ways ---------------------------------------------------------------------------------- */

/* More events than a ring has, in the middle of a call. */
void r_filler(int n);
__attribute__((noinline)) void r_filler(int n)
{
	__asm__ volatile("" : : "r"(n) : "memory");
	__asm__ volatile(".nops 8");
}

static void fill_ring(void)
{
	for (int i = 0; i < 20000; i++)
		r_filler(i);
	filled += 20000;
}

static void lapped(void)
{
	for (int t = 0; t < T_COUNT; t++) {
		registers_inside = fill_ring;
		checked(t, t & 1);
		registers_inside = NULL;
	}
}

static void *first_of_thread(void *arg)
{
	checked((int)(intptr_t)arg, 0);
	return NULL;
}

static void threads(void)
{
	for (int t = 0; t < T_COUNT; t++) {
		pthread_t thread;

		pthread_create(&thread, NULL, first_of_thread, (void *)(intptr_t)t);
		pthread_join(thread, NULL);
	}
}

static void children(void)
{
	for (int t = 0; t < T_COUNT; t++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			differences = 0;
			checked(t, 1);
			fflush(stdout);
			_exit(differences != 0);
		}
		calls[t]++;
		if (waitpid(pid, &status, 0) != pid || status)
			differ(t, "child", "status ", status);
	}
}

static void load(void)
{
	for (int t = 0; t < T_COUNT; t++) {
		void *handle = dlopen("libm.so.6", RTLD_LAZY);

		checked(t, 0);
		if (handle)
			dlclose(handle);
	}
}

struct everything {
	struct state in, out, seen;
	struct result result;
	uint32_t results, words;
	uint64_t saved[3], seed;
	void (*inside)(void);
};

/* The handler interrupts comparisons, and makes some itself. */
static void on_timer(int signal)
{
	static int next;
	struct everything e = {
		registers_in,	 registers_out, registers_seen, registers_result, registers_results,
		registers_words, {0},		seed,		registers_inside};

	(void)signal;
	memcpy(e.saved, registers_saved, sizeof(e.saved));
	registers_inside = NULL;
	next++;
	checked(next % T_COUNT, next & 1);
	registers_in = e.in;
	registers_out = e.out;
	registers_seen = e.seen;
	registers_result = e.result;
	registers_results = e.results;
	registers_words = e.words;
	registers_inside = e.inside;
	memcpy(registers_saved, e.saved, sizeof(e.saved));
	seed = e.seed;
}

static void interrupted(int rounds)
{
	struct itimerval tick = {{0, 100}, {0, 100}}, none = {{0, 0}, {0, 0}};
	static char stack[1 << 17];
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_ONSTACK | SA_RESTART};

	sigaltstack(&alternate, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
	for (int i = 0; i < rounds; i++)
		checked_all(i & 1);
	setitimer(ITIMER_REAL, &none, NULL);
}

static uint32_t level(void)
{
	uint32_t a, b, c, d, low, high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 0;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	if ((low & 6) != 6 || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return 0;
	return (low & 0xe6) == 0xe6 && b & bit_AVX512F && b & bit_AVX512BW ? 2 : 1;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1000;

	registers_level = level();
	strcpy(invoker, "first");
	strcpy(message, "no room for 12 more");
	checked_all(0);
	for (int i = 0; i < rounds; i++) /* nothing new */
		checked_all(0);
	for (int i = 0; i < rounds; i++) { /* new names */
		snprintf(invoker, sizeof(invoker), "invoker %d", i);
		snprintf(artifact, sizeof(artifact), "artifact %d", i % 4);
		checked_all(0);
	}
	for (int i = 0; i < rounds; i++) { /* failures, each with a message of its own */
		snprintf(message, sizeof(message), "no room for %d more", i);
		checked_all(1);
	}
	load();
	threads();
	children();
	lapped();
	interrupted(rounds);
	for (int t = 0; argc > 2 && t < T_COUNT; t++)
		fprintf(stderr, "%s %lu\n", targets[t].name, calls[t]);
	if (argc > 2)
		fprintf(stderr, "filler %lu\n", filled);
	printf("differences %lu\n", differences);
	return differences != 0;
}
