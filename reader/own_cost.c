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
#include "shm/record_path.h"

#define BATCH	     256u /* calls: long against the clock, short against a time slice */
#define WARM_UP	     8u	  /* batches, until every name and tally is known */
#define ROUNDS	     7u
#define MEDIANS	     3u
#define BATCHES	     (WARM_UP + MEDIANS * ROUNDS)
#define RING_SLOTS   16384u /* of a default session: it does not fit the first cache either */
#define BUDGET_BYTES (UINT64_C(8) << 20)
#define TIME_OUT_MS  100

#define INVOKERS     24u
#define ARTIFACTS    10u
#define METHODS	     4u
#define ORDER	     4096u /* more than a branch predictor learns */
#define NAME_BYTES   24u
#define AREA_BYTES   16384u

static const char message[] = "insufficient funds: 3 of 5";

struct planned {
	uint8_t invoker, artifact, method;
	bool failed, buffered; /* the artifact's name is where others' are at other times */
	uint32_t longer_ticks;
};

struct measuring {
	struct inv_segment segment;
	enum inv_clock_kind clock;
	uint16_t result_type, error_type;
	struct planned order[ORDER];
	uint32_t next;
	char invokers[INVOKERS][NAME_BYTES], artifacts[ARTIFACTS][NAME_BYTES];
	char methods[METHODS][NAME_BYTES];
	char buffer[NAME_BYTES];
	struct inv_vectors *kept; /* NULL: not kept */
	struct inv_vectors vectors;
	_Alignas(64) unsigned char area[AREA_BYTES];
};

/* ---- the calls ----------------------------------------------------------------------------- */

static void plan(struct measuring *m)
{
	uint64_t random = UINT64_C(88172645463325252);
	for (unsigned i = 0; i < INVOKERS; i++)
		snprintf(m->invokers[i], NAME_BYTES, "agent_%u", i);
	for (unsigned i = 0; i < ARTIFACTS; i++)
		snprintf(m->artifacts[i], NAME_BYTES, "artifact_%u", i);
	for (unsigned i = 0; i < METHODS; i++)
		snprintf(m->methods[i], NAME_BYTES, "method_%u", i);
	for (unsigned i = 0; i < ORDER; i++) {
		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		m->order[i] = (struct planned){.invoker = (uint8_t)(random >> 56) % INVOKERS,
					       .artifact = (uint8_t)(random >> 48) % ARTIFACTS,
					       .method = (uint8_t)(random >> 40) % METHODS,
					       .failed = (random >> 32) % 8 == 0,
					       .buffered = (random >> 36) % 2,
					       .longer_ticks = (uint32_t)(random >> 20) % 4096};
	}
}

static const struct planned *next_of(struct measuring *m)
{
	const struct planned *p = &m->order[m->next++ % ORDER];
	if (p->buffered)
		memcpy(m->buffer, m->artifacts[p->artifact], NAME_BYTES);
	return p;
}

/* The program's own function: the least that is called at all. */
static __attribute__((noinline)) void call_nothing(const struct measuring *m,
						   const struct planned *p)
{
	__asm__ volatile("" : : "r"(m), "r"(p) : "memory");
}

static inline uint32_t name_of(struct measuring *m, struct inv_name_cache *cache, const char *text,
			       struct inv_name_miss *miss)
{
	uint32_t id = inv_name_hit(cache, text);
	if (!id)
		id = inv_name_find(cache, &m->segment, text);
	if (id)
		return id;
	return INV_SLOW(m->kept, inv_name_of_string_slow(cache, &m->segment, text, miss));
}

static void give_back(struct measuring *m)
{
#if defined(__x86_64__)
	if (m->vectors.saved)
		inv_vectors_restore(&m->vectors);
#endif
	m->vectors.saved = false;
}

/* As plan_call.c does it: at entry and at return one function with the whole path in it. */
static __attribute__((noinline)) void begin(struct measuring *m, const struct planned *p,
					    struct inv_call *call)
{
	struct inv_call_fields missed;
	const char *artifact = p->buffered ? m->buffer : m->artifacts[p->artifact];
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	if (!inv_path_enter(call, frame, m->kept) &&
	    !(inv_record_enter_at(call, frame, m->kept) && call->mode == INV_CALL_LANE))
		return;
	missed.amiss = 0;
	struct inv_path_fields f = {.args_count = 2};
	f.invoker = name_of(m, call->names, m->invokers[p->invoker], &missed.miss[0]);
	f.artifact = name_of(m, call->names, artifact, &missed.miss[1]);
	f.method = name_of(m, call->names, m->methods[p->method], &missed.miss[2]);
	inv_path_begin(call, &f, &missed);
}

static __attribute__((noinline)) void end(struct measuring *m, const struct planned *p,
					  struct inv_call *call, uint64_t now)
{
	struct inv_call_outcome outcome = {.type = m->result_type};
	if (!inv_path_back(call))
		return;
	if (!p->failed) {
		inv_path_end(call, &outcome, now);
		return;
	}
	inv_vectors_keep(m->kept);
	outcome = (struct inv_call_outcome){true, m->error_type, 0, message, sizeof(message) - 1};
	inv_record_end(call, &outcome, now);
}

static __attribute__((noinline)) void call_recorded(struct measuring *m, const struct planned *p)
{
	struct inv_call call;
	begin(m, p, &call);
	give_back(m);
	call_nothing(m, p);
	if (call.mode == INV_CALL_UNOBSERVED)
		return;
	end(m, p, &call, inv_path_now() + p->longer_ticks);
	give_back(m);
}

static uint64_t time_batch(struct measuring *m,
			   void (*call)(struct measuring *m, const struct planned *p))
{
	uint64_t begun = inv_clock_ticks(m->clock);
	for (unsigned i = 0; i < BATCH; i++)
		call(m, next_of(m));
	return inv_clock_ticks(m->clock) - begun;
}

static void call_bare(struct measuring *m, const struct planned *p)
{
	call_nothing(m, p);
}

/* ---- the time they take ---------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* How much longer a recorded batch takes: the least disturbed of a few medians. */
static uint64_t measure(struct measuring *m)
{
	int64_t least = INT64_MAX;
	for (unsigned i = 0; i < WARM_UP; i++)
		time_batch(m, call_recorded);
	for (unsigned i = 0; i < MEDIANS; i++) {
		int64_t added[ROUNDS];
		for (unsigned k = 0; k < ROUNDS; k++) {
			int64_t bare = (int64_t)time_batch(m, call_bare);
			added[k] = (int64_t)time_batch(m, call_recorded) - bare;
		}
		qsort(added, ROUNDS, sizeof(added[0]), by_value);
		least = added[ROUNDS / 2] < least ? added[ROUNDS / 2] : least;
	}
	return least > 0 ? (uint64_t)least * 1024 / BATCH : 0;
}

/* Where no function is patched, or its area were larger than any known processor's. */
static uint64_t measure_entry(struct measuring *m)
{
#if defined(__x86_64__)
	if (inv_vectors_bytes() > AREA_BYTES)
		return 0;
	m->vectors = (struct inv_vectors){.area = m->area};
	m->kept = &m->vectors;
	return measure(m);
#else
	return 0;
#endif
}

/* Whether the calls went where a program's go: to a lane, each with an event. */
static bool in_a_lane(const struct measuring *m, uint64_t calls)
{
	const struct inv_lane *lane = inv_segment_lane(&m->segment, 0);
	return atomic_load_explicit(&lane->returned, memory_order_relaxed) == calls &&
	       atomic_load_explicit(&lane->events, memory_order_relaxed) == calls;
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

static struct inv_own_cost measure_in(const char *path)
{
	static struct measuring m;
	const struct inv_segment_options options = {.session = "cost",
						    .budget_bytes = BUDGET_BYTES,
						    .ring_slots = RING_SLOTS,
						    .lane_count = 1};
	struct inv_record_options record = {.segment = &m.segment};
	struct inv_own_cost cost = {0};
	stay_here();
	if (inv_segment_create(&m.segment, path, &options) || inv_record_attach(&record))
		return cost;
	m.clock = (enum inv_clock_kind)m.segment.header->clock_kind;
	m.result_type = inv_type_intern(&m.segment, "int", 3);
	m.error_type = inv_type_intern(&m.segment, "validation", 10);
	plan(&m);
	uint64_t plain = measure(&m);
	if (!in_a_lane(&m, (uint64_t)BATCH * BATCHES))
		return cost;
	cost.ticks_x1024 = plain;
	cost.entry_ticks_x1024 = measure_entry(&m);
	return cost;
}

/* ---- in a child ------------------------------------------------------------------------------ */

static struct inv_own_cost hear(int from)
{
	struct pollfd p = {.fd = from, .events = POLLIN};
	struct inv_own_cost cost = {0};
	if (poll(&p, 1, TIME_OUT_MS) != 1 ||
	    read(from, &cost, sizeof(cost)) != (ssize_t)sizeof(cost))
		return (struct inv_own_cost){0};
	return cost;
}

static _Noreturn void be_the_child(const char *path, int to)
{
	struct inv_own_cost cost = measure_in(path);
	ssize_t n = write(to, &cost, sizeof(cost));
	_exit(n != (ssize_t)sizeof(cost));
}

struct inv_own_cost inv_own_cost_measure(const char *dir)
{
	struct inv_own_cost cost = {0};
	char path[512];
	int ends[2];
	/* A name that prune takes for what it is, should we be killed. */
	int n = snprintf(path, sizeof(path), "%s/.cost.0.%d.tmp", dir, (int)getpid());
	if (n < 0 || (size_t)n >= sizeof(path) || pipe2(ends, O_CLOEXEC))
		return cost;
	pid_t child = fork();
	if (child == 0)
		be_the_child(path, ends[1]);
	close(ends[1]);
	if (child > 0) {
		cost = hear(ends[0]);
		kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
		unlink(path);
	}
	close(ends[0]);
	return cost;
}
