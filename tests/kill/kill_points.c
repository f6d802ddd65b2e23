/* SPDX-License-Identifier: MIT */
/*
 * kill_points.c - kills a writer at every INV_TEST_POINT, and at random, and judges what is left.
 *
 * The host makes calls whose every field, duration included, follows from the call's number,
 * and notes in a shared truth page how far each has come. After the kill the parent builds the
 * tallies that must be there from the truth alone and compares all of them. Then other
 * processes take the lanes over (some are killed in the middle of settling) and all is
 * compared again.
 *
 *   kill_points points | random COUNT
 *
 * lint: long file: the writer, its truth and its judge share one idea of what a call is.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shm/record.h"
#include "shm/tally.h"
#include "shm/testpoint.h"
#include "shm/view.h"

#define THREADS	     24u
#define CALLS	     8192u
#define KINDS	     4u
#define DEEP_NESTING 36u

enum step { UNUSED = 0, ENTERING, BEGUN, ENDING, ENDED, JUMPED };

struct thread_truth {
	_Atomic uint32_t used;
	_Atomic uint32_t last_ended; /* number of the call that completed last, plus 1 */
	_Atomic uint8_t step[CALLS];
	_Atomic uint8_t unnamed[CALLS]; /* too deep, in overflow or taken back */
};

static struct truth {
	_Atomic uint64_t passed[INV_TP_COUNT];
	_Atomic uint64_t killed[INV_TP_COUNT];
	struct thread_truth thread[THREADS];
} * truth;

static struct inv_segment segment;
static struct inv_view view;
static char path[128];
static enum inv_test_point kill_at = INV_TP_COUNT;
static uint64_t kill_count;
static bool died_at[INV_TP_COUNT]; /* in this session */
static unsigned passed_checks, failed_checks;
static char what_runs[160];
static __thread uint32_t my_thread;
static pthread_barrier_t gate;

/* ---- what a call is, by its number --------------------------------------------------- */

static uint64_t seed_of(uint64_t tick)
{
	tick = (tick + 1) * UINT64_C(0x9e3779b97f4a7c15);
	return tick ^ tick >> 29;
}

static uint64_t duration_of(uint64_t tick)
{
	return seed_of(tick) >> 17 & ((UINT64_C(1) << (tick % 40)) - 1);
}

static unsigned kind_of(uint64_t tick, unsigned field)
{
	return (unsigned)(seed_of(tick) >> (8 + 4 * field)) % KINDS;
}

static bool failed_of(uint64_t tick)
{
	return tick % 3 == 0;
}

static bool nameless(uint64_t tick)
{
	return tick % 13 == 5;
}

static const char *const texts[3][KINDS] = {
	{"alice", "bob", "carol-the-third",
	 "a name that is longer than a cache line of sixty-four bytes"},
	{"anvil", "bellows", "crucible", "drill"},
	{"use", "strike", "heat", "turn"},
};

static size_t message_of(uint64_t tick, char *out)
{
	size_t length = tick % 5 ? 0 : 20 + tick % 600;
	for (size_t i = 0; i < length; i++)
		out[i] = (char)('a' + (tick + i) % 26);
	return length;
}

/* ---- the host ------------------------------------------------------------------------ */

static void kill_here(enum inv_test_point point)
{
	uint64_t count = atomic_fetch_add(&truth->passed[point], 1) + 1;
	if (point != kill_at || count != kill_count)
		return;
	atomic_fetch_add(&truth->killed[point], 1);
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static void fill(struct inv_call *call, struct inv_call_fields *f, uint64_t tick)
{
	memset(f, 0, sizeof(*f));
	f->invoker =
		inv_name_of_string(call->names, &segment, texts[0][kind_of(tick, 0)], &f->miss[0]);
	f->artifact =
		inv_name_of_string(call->names, &segment, texts[1][kind_of(tick, 1)], &f->miss[1]);
	f->method =
		inv_name_of_string(call->names, &segment, texts[2][kind_of(tick, 2)], &f->miss[2]);
	f->tick = (int64_t)tick;
	f->args_count = (uint16_t)(tick * 7);
	f->probe = (uint8_t)(tick % 60);
	if (nameless(tick)) { /* as if the dictionary were full */
		f->artifact = 0;
		f->missed = 2;
		f->miss[1].overflow = true;
		f->miss[1].text = texts[1][kind_of(tick, 1)];
		f->miss[1].length = (uint32_t)strlen(f->miss[1].text);
	}
}

static __attribute__((noinline)) uint64_t host_begin(struct inv_call *call, uintptr_t frame)
{
	struct thread_truth *t = &truth->thread[my_thread];
	struct inv_call_fields fields;
	uint32_t n = t->used;
	uint64_t tick = (uint64_t)my_thread << 32 | n;
	while (n + 1 >= CALLS)
		pause();
	t->step[n] = ENTERING;
	t->used = n + 1;
	if (!inv_record_enter_at(call, frame, NULL))
		abort();
	fill(call, &fields, tick);
	t->unnamed[n] = call->mode == INV_CALL_OVERFLOW;
	inv_record_begin(call, &fields);
	if (!call->place_1)
		t->unnamed[n] = 1;
	t->step[n] = BEGUN;
	return tick;
}

static __attribute__((noinline)) void host_end(struct inv_call *call, uint64_t tick)
{
	struct thread_truth *t = &truth->thread[my_thread];
	char message[1024];
	struct inv_call_outcome o = {.failed = failed_of(tick), .type = (uint16_t)kind_of(tick, 3)};
	o.message_length = (uint32_t)message_of(tick, message);
	o.message = o.message_length ? message : NULL;
	t->step[(uint32_t)tick] = ENDING;
	inv_record_reenter(call);
	inv_record_end(call, &o, call->start_ticks + duration_of(tick));
	t->step[(uint32_t)tick] = ENDED;
	t->last_ended = (uint32_t)tick + 1;
}

static __attribute__((noinline)) void nest(unsigned depth, unsigned width)
{
	struct inv_call call;
	uint64_t tick = host_begin(&call, inv_call_frame(&call));
	for (unsigned i = 0; depth && i < width; i++)
		nest(depth - 1, i ? 1 : width);
	host_end(&call, tick);
}

static jmp_buf out_of_it;

static __attribute__((noinline)) void jump_out(unsigned depth)
{
	struct inv_call call;
	uint64_t tick = host_begin(&call, inv_call_frame(&call));
	truth->thread[my_thread].step[(uint32_t)tick] = JUMPED;
	if (depth)
		jump_out(depth - 1);
	else
		longjmp(out_of_it, 1);
	host_end(&call, tick); /* never reached; keeps this from being a tail call */
}

static __attribute__((noinline)) uint64_t leave_open(struct inv_call *call)
{
	uint64_t tick = host_begin(call, inv_call_frame(call));
	truth->thread[my_thread].unnamed[(uint32_t)tick] = 1;
	return tick;
}

/* A call judged jumped over by the next one, which then returns after all. */
static __attribute__((noinline)) void take_back(void)
{
	struct inv_call call;
	uint64_t tick = leave_open(&call);
	struct inv_call above;
	uint64_t second = host_begin(&above, inv_call_frame(&above));
	host_end(&above, second);
	host_end(&call, tick);
}

static struct inv_control control; /* of each host by itself: no page is shared here */

/* Calls without events: tallied like all others. */
static void filter_some(void)
{
	struct inv_control_setting s = {.rules = {.flags = 0}};
	inv_control_add(&s, INV_CONTROL_INVOKER, "nobody");
	inv_control_publish(&control, &s);
	nest(2, 2);
	memset(&s, 0, sizeof(s));
	inv_control_publish(&control, &s);
}

/* Calls of which nothing must be found: the truth does not know them. */
static __attribute__((noinline)) void pause_some(void)
{
	struct inv_control_setting s = {.rules = {.flags = INV_CONTROL_PAUSED}};
	struct inv_call call;
	struct inv_call_fields fields = {.args_count = 1};
	inv_control_publish(&control, &s);
	for (unsigned i = 0; i < 3; i++) {
		if (!inv_record_enter_at(&call, inv_call_frame(&call), NULL))
			abort();
		inv_record_begin(&call, &fields);
		if (call.mode)
			abort();
	}
	s.rules.flags = 0;
	inv_control_publish(&control, &s);
}

static __attribute__((noinline)) void some_of_all(void)
{
	for (int i = 0; i < 20; i++)
		nest(0, 0);
	nest(3, 2);
	nest(1, 90); /* laps its own slot */
	nest(DEEP_NESTING, 1);
	if (!setjmp(out_of_it))
		jump_out(3);
	nest(0, 0);
	filter_some();
	pause_some();
	take_back();
	for (int i = 0; i < 20; i++)
		nest(1, 2);
}

static void *helper(void *arg)
{
	my_thread = (uint32_t)(uintptr_t)arg;
	for (int i = 0; i < 20; i++)
		nest(i % 2, 1);
	if (my_thread == 1) { /* keeps its lane while the other finds none */
		pthread_barrier_wait(&gate);
		pthread_barrier_wait(&gate);
	}
	return NULL;
}

static void attach(void)
{
	struct inv_record_options options = {.segment = &segment, .control = &control};
	inv_test_hook = kill_here;
	if (inv_record_attach(&options))
		_exit(9);
}

/* One thread at a time, so that the passages are the same in each run; two lanes. */
static void host_points(void)
{
	pthread_t a, b;
	attach();
	some_of_all();
	pthread_barrier_init(&gate, NULL, 2);
	pthread_create(&a, NULL, helper, (void *)1);
	pthread_barrier_wait(&gate);
	pthread_create(&b, NULL, helper, (void *)2); /* to the overflow region */
	pthread_join(b, NULL);
	pthread_barrier_wait(&gate);
	pthread_join(a, NULL);
	pthread_create(&a, NULL, helper, (void *)3);
	pthread_join(a, NULL);
	some_of_all();
	_exit(0);
}

static void *run_on(void *arg)
{
	my_thread = (uint32_t)(uintptr_t)arg;
	for (unsigned i = 0;; i++)
		nest(i % 4, 1 + i % 3);
	return NULL;
}

static void host_random(unsigned count)
{
	pthread_t id;
	attach();
	for (unsigned i = 1; i < count; i++)
		pthread_create(&id, NULL, run_on, (void *)(uintptr_t)i);
	run_on(NULL);
}

/* A second life: as many threads as lanes, all alive together, so that each lane is taken. */
static void *take_one(void *arg)
{
	my_thread = (uint32_t)(uintptr_t)arg;
	nest(2, 1);
	pthread_barrier_wait(&gate);
	nest(0, 0);
	return NULL;
}

static void host_takeover(uint32_t first, uint32_t lanes)
{
	pthread_t id[THREADS];
	attach();
	pthread_barrier_init(&gate, NULL, lanes);
	for (uint32_t i = 0; i < lanes; i++)
		pthread_create(&id[i], NULL, take_one, (void *)(uintptr_t)(first + i));
	for (uint32_t i = 0; i < lanes; i++)
		pthread_join(id[i], NULL);
	_exit(0);
}

/* ---- the judge ----------------------------------------------------------------------- */

#define CHECK(cond, ...)                                                                           \
	do {                                                                                       \
		if (cond)                                                                          \
			break;                                                                     \
		if (!bad++) {                                                                      \
			printf("FAIL %s line %d: %s: ", what_runs, __LINE__, #cond);               \
			printf(__VA_ARGS__);                                                       \
			printf("\n");                                                              \
		}                                                                                  \
	} while (0)

struct totals {
	uint64_t calls[KINDS + 1][KINDS][KINDS][2], sum[KINDS + 1][KINDS][KINDS][2];
	uint64_t min[KINDS + 1][KINDS][KINDS][2], max[KINDS + 1][KINDS][KINDS][2];
	uint64_t pair_calls[KINDS][KINDS + 1], pair_failures[KINDS][KINDS + 1],
		pair_sum[KINDS][KINDS + 1];
	uint64_t buckets[INV_HIST_BUCKETS];
	uint64_t returned, overflow;
};

static struct totals expected, found;
static uint8_t named[THREADS][CALLS], done_event[THREADS][CALLS], in_ended[THREADS][CALLS];
static uint64_t lost_names; /* in-flight entries that share a place in `ended` */

static int text_kind(uint32_t id, unsigned field)
{
	size_t length;
	const char *text = inv_view_name(&view, id, &length);
	if (!id)
		return KINDS;
	for (unsigned k = 0; k < KINDS; k++)
		if (strlen(texts[field][k]) == length && !memcmp(texts[field][k], text, length))
			return (int)k;
	return -1;
}

static void expect_call(uint64_t tick)
{
	unsigned a = nameless(tick) ? KINDS : kind_of(tick, 1), m = kind_of(tick, 2),
		 y = kind_of(tick, 3), f = failed_of(tick), i = kind_of(tick, 0);
	uint64_t d = duration_of(tick), least = d ? d : 1;
	uint64_t *min = &expected.min[a][m][y][f], *max = &expected.max[a][m][y][f];
	expected.returned++;
	expected.calls[a][m][y][f]++;
	expected.sum[a][m][y][f] += d;
	*min = *min && *min < least ? *min : least;
	*max = *max > d ? *max : d;
	expected.buckets[inv_bucket_of(d)]++;
	expected.pair_calls[i][a]++;
	expected.pair_failures[i][a] += f;
	expected.pair_sum[i][a] += d;
}

static unsigned find_cell(const struct inv_cell *c, uint64_t *calls_out)
{
	unsigned bad = 0;
	uint64_t calls = inv_cell_calls(c), least = c->min_ticks;
	*calls_out += calls;
	if (!calls)
		return 0;
	int a = text_kind(INV_CELL_ARTIFACT(c->key), 1), m = text_kind(INV_CELL_METHOD(c->key), 2);
	unsigned y = INV_CELL_TYPE(c->key), f = INV_CELL_FAILED(c->key);
	CHECK(a >= 0 && m >= 0 && m < (int)KINDS && y < KINDS, "strange cell %#lx", c->key);
	if (bad)
		return bad;
	uint64_t *min = &found.min[a][m][y][f], *max = &found.max[a][m][y][f];
	found.calls[a][m][y][f] += calls;
	found.sum[a][m][y][f] += c->sum_ticks;
	*min = *min && *min < least ? *min : least;
	*max = *max > c->max_ticks ? *max : c->max_ticks;
	for (unsigned i = 0; i < INV_HIST_BUCKETS; i++)
		found.buckets[i] += c->bucket[i];
	return 0;
}

static unsigned find_pair(const struct inv_pair *p, uint64_t *calls_out)
{
	unsigned bad = 0;
	*calls_out += p->calls;
	if (!p->calls)
		return 0;
	int i = text_kind(INV_PAIR_INVOKER(p->key), 0), a = text_kind(INV_PAIR_ARTIFACT(p->key), 1);
	CHECK(i >= 0 && i < (int)KINDS && a >= 0, "strange pair %#lx", p->key);
	if (bad)
		return bad;
	found.pair_calls[i][a] += p->calls;
	found.pair_failures[i][a] += p->failures;
	found.pair_sum[i][a] += p->sum_ticks;
	return 0;
}

static unsigned check_entry(const struct inv_inflight *e, uint8_t seen[THREADS][CALLS])
{
	unsigned bad = 0;
	uint64_t tick = e->tick;
	uint32_t t = (uint32_t)(tick >> 32), n = (uint32_t)tick;
	CHECK(t < THREADS && n < truth->thread[t].used, "names no call: %#lx", tick);
	if (bad)
		return bad;
	seen[t][n]++;
	CHECK(text_kind((uint32_t)e->who, 0) == (int)kind_of(tick, 0), "invoker of %#lx", tick);
	CHECK(text_kind((uint32_t)e->what, 2) == (int)kind_of(tick, 2), "method of %#lx", tick);
	CHECK(INV_WHERE_ARGS(e->where) == (uint16_t)(tick * 7), "args of %#lx", tick);
	return bad;
}

static unsigned check_message(const struct inv_event *e, const struct inv_event_text *text)
{
	unsigned bad = 0;
	char message[1024];
	size_t length = message_of((uint64_t)e->tick, message);
	if (text->lapped || e->state != INV_SLOT_DONE)
		return 0;
	CHECK(text->message_cut == (length > text->message_length), "cut %#lx", e->tick);
	CHECK(text->message_length <= length &&
		      (length <= 400 ? text->message_length == length : text->message_length > 380),
	      "message of %#lx: %u of %zu", e->tick, text->message_length, length);
	CHECK(!memcmp(text->message, message, text->message_length), "bytes of %#lx", e->tick);
	return bad;
}

static unsigned check_event(const struct inv_event *e)
{
	unsigned bad = 0;
	uint64_t tick = (uint64_t)e->tick;
	uint32_t t = (uint32_t)(tick >> 32), n = (uint32_t)tick;
	struct inv_event_text text;
	CHECK(t < THREADS && n < truth->thread[t].used, "event of no call: %#lx", tick);
	if (bad)
		return bad;
	CHECK(text_kind(e->invoker, 0) == (int)kind_of(tick, 0), "torn invoker %#lx", tick);
	CHECK(text_kind(e->artifact, 1) == (int)(nameless(tick) ? KINDS : kind_of(tick, 1)),
	      "torn artifact %#lx", tick);
	CHECK(text_kind(e->method, 2) == (int)kind_of(tick, 2), "torn method %#lx", tick);
	CHECK(e->args_count == (uint16_t)(tick * 7) && e->probe == tick % 60, "torn where %#lx",
	      tick);
	CHECK(e->names_follow == nameless(tick) || (e->flags & INV_FLAG_REWRITTEN),
	      "torn text flag %#lx", tick);
	CHECK(e->start_ticks != 0, "no start %#lx", tick);
	inv_view_event_text(&view, e, &text);
	bad += check_message(e, &text);
	if (e->state != INV_SLOT_DONE)
		return bad;
	CHECK(e->duration_ticks == duration_of(tick) && e->type == kind_of(tick, 3) &&
		      (e->flags & INV_FLAG_FAILED) == failed_of(tick),
	      "torn outcome %#lx", tick);
	CHECK(!done_event[t][n]++, "two events of %#lx", tick);
	return bad;
}

static unsigned check_ring(uint32_t lane, uint64_t head)
{
	unsigned bad = 0;
	uint32_t slots = inv_view_ring_slots(&view, lane);
	struct inv_event e;
	CHECK(slots || !head, "no ring");
	for (uint64_t i = head > slots ? head - slots + 1 : 1; slots && i <= head; i++) {
		enum inv_slot_read r = inv_view_event(&view, lane, i, &e);
		/* What was being written when it died may have lapped the oldest. */
		CHECK(r == INV_SLOT_READ_OK ||
			      (r == INV_SLOT_READ_LAPPED && i + slots <= head + 14),
		      "slot %lu of head %lu reads %d", i, head, r);
		if (r == INV_SLOT_READ_OK && e.state != INV_SLOT_TEXT)
			bad += check_event(&e);
	}
	return bad;
}

static unsigned check_lane(uint32_t lane, bool settled, uint64_t *never, uint64_t *unnamed_open)
{
	unsigned bad = 0;
	struct inv_lane_copy c;
	uint64_t in_cells = 0, in_pairs = 0, names = 0;
	if (inv_view_lane(&view, lane, &c))
		return 0; /* claimed, nothing granted */
	uint64_t open = inv_lane_copy_open_calls(&c);
	CHECK(c.fixed.begun + c.fixed.inherited == c.fixed.returned + c.fixed.abandoned +
							   c.fixed.never_returned + c.fixed.moved +
							   open,
	      "[I1] contradicts itself");
	for (uint32_t i = 0; i < c.cell_count; i++)
		bad += find_cell(&c.cells[i], &in_cells);
	for (uint32_t i = 0; i < c.pair_count; i++)
		bad += find_pair(&c.pairs[i], &in_pairs);
	CHECK(in_cells == c.fixed.returned, "%lu in cells, %lu returned", in_cells,
	      c.fixed.returned);
	CHECK(in_pairs == c.fixed.returned, "%lu in pairs, %lu returned", in_pairs,
	      c.fixed.returned);
	found.returned += c.fixed.returned;
	*never += c.fixed.never_returned;
	for (unsigned i = 0; i < INV_INFLIGHT_MAX; i++) {
		struct inv_inflight *e = &c.fixed.inflight[i];
		if (e->ordinal_1 && e->ordinal_1 <= c.fixed.begun) {
			bad += check_entry(e, named);
			names++;
			for (unsigned k = 0; k < i; k++)
				lost_names += c.fixed.inflight[k].ordinal_1 &&
					      c.fixed.inflight[k].ordinal_1 % INV_INFLIGHT_MAX ==
						      e->ordinal_1 % INV_INFLIGHT_MAX;
		}
		if (c.fixed.ended[i].ordinal_1)
			bad += check_entry(&c.fixed.ended[i], in_ended);
	}
	/* A kill between counting and closing leaves one name more than open calls. */
	bool extra = died_at[INV_TP_abandon_counted];
	CHECK(names <= open || extra, "%lu named, %lu open", names, open);
	CHECK(!settled || open == 0, "%lu open after settling", open);
	*unnamed_open += open > names ? open - names : 0;
	bad += check_ring(lane, c.fixed.head);
	inv_lane_copy_free(&c);
	return bad;
}

static unsigned check_overflow(void)
{
	unsigned bad = 0;
	struct inv_overflow_copy c;
	uint64_t pairs = 0, cells = 0;
	inv_view_overflow(&view, &c);
	for (uint32_t i = 0; i < c.cell_count; i++)
		bad += find_cell(&c.cells[i], &cells);
	for (uint32_t i = 0; i < c.pair_count; i++)
		bad += find_pair(&c.pairs[i], &pairs);
	found.overflow = cells;
	found.returned += cells;
	CHECK(pairs == cells || pairs + 1 == cells, "%lu pairs, %lu cells", pairs, cells);
	CHECK(cells <= c.fixed.begun, "more returned than begun");
	inv_overflow_copy_free(&c);
	return bad;
}

static bool same_totals(void)
{
	if (expected.returned != found.returned ||
	    memcmp(expected.calls, found.calls, sizeof(found.calls)) ||
	    memcmp(expected.buckets, found.buckets, sizeof(found.buckets)))
		return false;
	/* [T1] of the overflow region: sums may lag by the call that was killed. */
	if (died_at[INV_TP_overflow_bucket])
		return true;
	return !memcmp(expected.sum, found.sum, sizeof(found.sum)) &&
	       !memcmp(expected.min, found.min, sizeof(found.min)) &&
	       !memcmp(expected.max, found.max, sizeof(found.max)) &&
	       !memcmp(expected.pair_calls, found.pair_calls, sizeof(found.pair_calls)) &&
	       !memcmp(expected.pair_failures, found.pair_failures, sizeof(found.pair_failures)) &&
	       !memcmp(expected.pair_sum, found.pair_sum, sizeof(found.pair_sum));
}

/* What the truth says; calls that may or may not count are tried both ways. */
static unsigned check_truth(void)
{
	unsigned bad = 0, unclear = 0;
	uint64_t maybe = 0, sure;
	memset(&expected, 0, sizeof(expected));
	for (uint32_t t = 0; t < THREADS; t++) {
		struct thread_truth *tt = &truth->thread[t];
		for (uint32_t n = 0; n < tt->used; n++) {
			uint64_t tick = (uint64_t)t << 32 | n;
			uint8_t step = tt->step[n];
			bool open = named[t][n] || in_ended[t][n];
			if (step == ENDED || (step == ENDING && !open && !tt->unnamed[n]))
				expect_call(tick);
			else if (step == ENDING && !open)
				maybe = tick, unclear++;
			CHECK(!(step == ENDED && open && !tt->unnamed[n]),
			      "%#lx returned, named open", tick);
			CHECK(step != BEGUN || open || tt->unnamed[n] || lost_names,
			      "%#lx is open and not named", tick);
			CHECK(step == ENDED || step == ENDING || !done_event[t][n],
			      "%#lx done too early", tick);
		}
		if (tt->last_ended)
			CHECK(done_event[t][tt->last_ended - 1] || t == 2 || lost_names || t >= 4 ||
				      kill_at != INV_TP_COUNT,
			      "the last event of thread %u is missing", t);
	}
	CHECK(unclear <= 1, "%u unclear calls", unclear);
	sure = expected.returned;
	if (unclear && found.returned == sure + 1)
		expect_call(maybe);
	CHECK(same_totals(), "returned %lu, truth %lu + %u", found.returned, sure, unclear);
	return bad;
}

static unsigned judge(bool settled)
{
	unsigned bad = 0;
	uint64_t never = 0, unnamed = 0;
	memset(&found, 0, sizeof(found));
	memset(named, 0, sizeof(named));
	memset(done_event, 0, sizeof(done_event));
	memset(in_ended, 0, sizeof(in_ended));
	for (uint32_t lane = 0; lane < inv_view_lane_count(&view); lane++)
		bad += check_lane(lane, settled, &never, &unnamed);
	bad += check_overflow();
	bad += check_truth();
	if (bad)
		failed_checks++;
	else
		passed_checks++;
	return bad;
}

/* ---- the runs ------------------------------------------------------------------------ */

static void open_session(uint32_t lanes)
{
	uint32_t version;
	struct inv_segment_options options = {.ring_slots = 128,
					      .lane_count = lanes,
					      .budget_bytes = UINT64_C(48) << 20};
	snprintf(path, sizeof(path), "/dev/shm/invreg-kill-%d.seg", getpid());
	unlink(path);
	for (unsigned t = 0; t < THREADS; t++) {
		struct thread_truth *tt = &truth->thread[t];
		memset((void *)tt->step, 0, tt->used);
		memset((void *)tt->unnamed, 0, tt->used);
		tt->used = tt->last_ended = 0;
	}
	lost_names = 0;
	memset(died_at, 0, sizeof(died_at));
	if (inv_segment_create(&segment, path, &options)) {
		printf("cannot create %s\n", path);
		exit(2);
	}
	int fd = open(path, O_RDONLY);
	inv_view_open(&view, fd, &version);
	close(fd);
}

static void close_session(void)
{
	inv_view_close(&view);
	inv_segment_detach(&segment);
	unlink(path);
}

static int reap(pid_t pid)
{
	int status;
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_points(enum inv_test_point point, uint64_t count)
{
	memset((void *)truth->passed, 0, sizeof(truth->passed));
	kill_at = point;
	kill_count = count;
	fflush(stdout);
	pid_t pid = fork();
	if (!pid)
		host_points();
	return reap(pid);
}

static int run_takeover(uint32_t first, uint32_t lanes, enum inv_test_point point, uint64_t count)
{
	memset((void *)truth->passed, 0, sizeof(truth->passed));
	enum inv_test_point before = kill_at;
	kill_at = point;
	kill_count = count;
	fflush(stdout);
	pid_t pid = fork();
	if (!pid)
		host_takeover(first, lanes);
	int how = reap(pid);
	kill_at = before;
	if (how == SIGKILL)
		died_at[point] = true;
	return how;
}

static void one_kill(enum inv_test_point point, uint64_t count, enum inv_test_point second)
{
	open_session(2);
	int how = run_points(point, count);
	snprintf(what_runs, sizeof(what_runs), "%s:%lu", inv_test_point_names[point], count);
	if (how != SIGKILL) {
		printf("FAIL %s: not killed (%d)\n", what_runs, how);
		failed_checks++;
	}
	died_at[point] = true;
	judge(false);
	if (second != INV_TP_COUNT) {
		strcat(what_runs, " then ");
		strcat(what_runs, inv_test_point_names[second]);
		run_takeover(4, 2, second, 1);
		judge(false);
	}
	strcat(what_runs, " then taken over");
	how = run_takeover(8, 2, INV_TP_COUNT, 0);
	if (how) {
		printf("FAIL %s: the new owner ended with %d\n", what_runs, how);
		failed_checks++;
	}
	judge(true);
	close_session();
}

static void points(void)
{
	static const enum inv_test_point seconds[] = {INV_TP_COUNT,	   INV_TP_settle_redone,
						      INV_TP_settle_named, INV_TP_settle_counted,
						      INV_TP_lane_claimed, INV_TP_settle_closed};
	uint64_t total[INV_TP_COUNT];
	open_session(2);
	if (run_points(INV_TP_COUNT, 0)) {
		printf("FAIL the host alone\n");
		failed_checks++;
	}
	memcpy(total, (void *)truth->passed, sizeof(total));
	strcpy(what_runs, "no kill");
	judge(false);
	close_session();
	for (int p = 0; p < INV_TP_COUNT; p++) {
		uint64_t counts[] = {1, 2, total[p] / 3, total[p] / 2, total[p] - 1, total[p]};
		for (unsigned i = 0; total[p] && i < 6; i++)
			if (counts[i] && counts[i] <= total[p])
				one_kill(p, counts[i], seconds[i]);
	}
	for (int p = 0; p < INV_TP_COUNT; p++)
		if (!truth->killed[p]) {
			printf("FAIL never killed at %s\n", inv_test_point_names[p]);
			failed_checks++;
		}
}

static void randomly(unsigned kills)
{
	static const unsigned threads[] = {1, 2, 8};
	srandom(1);
	for (unsigned i = 0; i < kills; i++) {
		unsigned n = threads[i % 3];
		open_session(8);
		snprintf(what_runs, sizeof(what_runs), "random %u with %u threads", i, n);
		kill_at = INV_TP_COUNT;
		fflush(stdout);
		pid_t pid = fork();
		if (!pid)
			host_random(n);
		while (!truth->thread[0].used)
			usleep(50);
		usleep((useconds_t)(random() % 2000));
		kill(pid, SIGKILL);
		reap(pid);
		judge(false);
		strcat(what_runs, " then taken over");
		run_takeover(8, 8, INV_TP_COUNT, 0);
		judge(true);
		close_session();
	}
}

int main(int argc, char **argv)
{
	truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (truth == MAP_FAILED)
		return 2;
	if (argc > 2 && !strcmp(argv[1], "random"))
		randomly((unsigned)atoi(argv[2]));
	else
		points();
	printf("%u passed, %u failed\n", passed_checks, failed_checks);
	return failed_checks != 0;
}
