/* SPDX-License-Identifier: MIT */
#include "own_cost.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shm/clock.h"
#include "shm/record.h"

#define BATCH	     1000u /* calls: long against the clock, short against a time slice */
#define ROUNDS	     9u
#define MEDIANS	     3u
#define RING_SLOTS   16384u /* of a default session: it does not fit the first cache either */
#define BUDGET_BYTES (UINT64_C(8) << 20)
#define TIME_OUT_MS  100

static const char *const invokers[] = {"alice", "bob", "carol", "dave"};
static const char *const artifacts[] = {"market_escrow", "oracle", "genesis_ledger"};
static const char *const methods[] = {"transfer", "query"};

struct measuring {
	struct inv_segment segment;
	enum inv_clock_kind clock;
	uint16_t type;
};

/* ---- in the child ------------------------------------------------------------------------ */

/* The program's own function: the least that is called at all. */
static __attribute__((noinline)) int call_nothing(const char *invoker, const char *artifact,
						  const char *method)
{
	__asm__ volatile("" : : "r"(invoker), "r"(artifact), "r"(method) : "memory");
	return 0;
}

static __attribute__((noinline)) int call_recorded(struct measuring *m, const char *invoker,
						   const char *artifact, const char *method)
{
	struct inv_call call;
	struct inv_call_fields fields = {.args_count = 2};
	if (inv_record_enter(&call)) {
		struct inv_segment *seg = &m->segment;
		fields.invoker = inv_name_of_string(call.names, seg, invoker, &fields.miss[0]);
		fields.artifact = inv_name_of_string(call.names, seg, artifact, &fields.miss[1]);
		fields.method = inv_name_of_string(call.names, seg, method, &fields.miss[2]);
		inv_record_begin(&call, &fields);
	}
	int result = call_nothing(invoker, artifact, method);
	if (call.mode != INV_CALL_UNOBSERVED) {
		struct inv_call_outcome outcome = {.failed = result != 0, .type = m->type};
		uint64_t now = inv_record_now();
		inv_record_reenter(&call);
		inv_record_end(&call, &outcome, now);
	}
	return result;
}

static uint64_t time_bare(const struct measuring *m)
{
	uint64_t begun = inv_clock_ticks(m->clock);
	for (unsigned i = 0; i < BATCH; i++)
		call_nothing(invokers[i & 3], artifacts[i % 3], methods[i & 1]);
	return inv_clock_ticks(m->clock) - begun;
}

static uint64_t time_recorded(struct measuring *m)
{
	uint64_t begun = inv_clock_ticks(m->clock);
	for (unsigned i = 0; i < BATCH; i++)
		call_recorded(m, invokers[i & 3], artifacts[i % 3], methods[i & 1]);
	return inv_clock_ticks(m->clock) - begun;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* Ticks that a batch takes longer when it is recorded: the least disturbed of a few medians. */
static int64_t measure(struct measuring *m)
{
	int64_t least = INT64_MAX;
	for (unsigned i = 0; i < MEDIANS; i++) {
		int64_t added[ROUNDS];
		for (unsigned k = 0; k < ROUNDS; k++) {
			int64_t bare = (int64_t)time_bare(m);
			added[k] = (int64_t)time_recorded(m) - bare;
		}
		qsort(added, ROUNDS, sizeof(added[0]), by_value);
		least = added[ROUNDS / 2] < least ? added[ROUNDS / 2] : least;
	}
	return least;
}

/* Whether the calls went where a program's go: to a lane. */
static bool in_a_lane(const struct measuring *m, uint64_t calls)
{
	const struct inv_lane *lane = inv_segment_lane(&m->segment, 0);
	return atomic_load_explicit(&lane->returned, memory_order_relaxed) == calls;
}

static void stay_here(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();
	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static uint64_t measure_in(const char *path)
{
	static struct measuring m;
	const struct inv_segment_options options = {.session = "cost",
						    .budget_bytes = BUDGET_BYTES,
						    .ring_slots = RING_SLOTS,
						    .lane_count = 1};
	stay_here();
	if (inv_segment_create(&m.segment, path, &options))
		return 0;
	struct inv_record_options record = {.segment = &m.segment};
	if (inv_record_attach(&record))
		return 0;
	m.clock = (enum inv_clock_kind)m.segment.header->clock_kind;
	m.type = inv_type_intern(&m.segment, "int", 3);
	time_recorded(&m);
	int64_t added = measure(&m);
	if (added <= 0 || !in_a_lane(&m, BATCH * (1 + (uint64_t)MEDIANS * ROUNDS)))
		return 0;
	return (uint64_t)added * 1024 / BATCH;
}

/* ---- in the parent ------------------------------------------------------------------------- */

static uint64_t hear(int from)
{
	struct pollfd p = {.fd = from, .events = POLLIN};
	uint64_t cost = 0;
	if (poll(&p, 1, TIME_OUT_MS) != 1 ||
	    read(from, &cost, sizeof(cost)) != (ssize_t)sizeof(cost))
		return 0;
	return cost;
}

static _Noreturn void be_the_child(const char *path, int to)
{
	uint64_t cost = measure_in(path);
	ssize_t n = write(to, &cost, sizeof(cost));
	_exit(n != (ssize_t)sizeof(cost));
}

uint64_t inv_own_cost_measure(const char *dir)
{
	char path[512];
	int ends[2];
	/* A name that prune takes for what it is, should we be killed. */
	int n = snprintf(path, sizeof(path), "%s/.cost.0.%d.tmp", dir, (int)getpid());
	if (n < 0 || (size_t)n >= sizeof(path) || pipe2(ends, O_CLOEXEC))
		return 0;
	pid_t child = fork();
	if (child == 0)
		be_the_child(path, ends[1]);
	close(ends[1]);
	uint64_t cost = child < 0 ? 0 : hear(ends[0]);
	close(ends[0]);
	if (child > 0) {
		kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
		unlink(path);
	}
	return cost;
}
