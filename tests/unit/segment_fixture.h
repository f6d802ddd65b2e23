/* SPDX-License-Identifier: MIT */
/*
 * segment_fixture.h - a segment of one test, in a directory of its own in tmpfs.
 *
 * Criterion runs each test in a process of its own, so that one static segment and one
 * attached process are enough. The file goes with the process: without
 * MADV_POPULATE_WRITE room in it is reserved by its path.
 */
#ifndef TESTS_SEGMENT_FIXTURE_H
#define TESTS_SEGMENT_FIXTURE_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shm/record.h"
#include "shm/view.h"

static struct inv_segment fix_segment;
static struct inv_view fix_view;

static char fix_path[128];
static pid_t fix_pid;

static __attribute__((destructor)) void fix_unlink(void)
{
	if (getpid() == fix_pid)
		unlink(fix_path);
}

static inline void fix_open_with(const struct inv_segment_options *options)
{
	uint32_t found;
	snprintf(fix_path, sizeof(fix_path), "/dev/shm/invreg-unit-%d.seg", getpid());
	unlink(fix_path);
	fix_pid = getpid();
	cr_assert_eq(inv_segment_create(&fix_segment, fix_path, options), INV_OK);
	int fd = open(fix_path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(inv_view_open(&fix_view, fd, &found), INV_OK);
	close(fd);
}

static inline void fix_attach(void)
{
	struct inv_record_options options = {.segment = &fix_segment};
	cr_assert_eq(inv_record_attach(&options), INV_OK);
}

/* A segment with small rings (64 slots), and this process its writer. */
static inline void fix_open(void)
{
	struct inv_segment_options options = {.session = "unit", .ring_slots = 64};
	fix_open_with(&options);
	fix_attach();
}

static inline uint16_t fix_type(const char *text)
{
	return inv_type_intern(&fix_segment, text, strlen(text));
}

/* Begins a call the way a wrapper does: inlined, so that the frame is the test's own. */
static inline __attribute__((always_inline)) void fix_begin(struct inv_call *call,
							    const char *artifact, int64_t tick)
{
	struct inv_call_fields f = {.tick = tick, .args_count = 2};
	if (!inv_record_enter(call))
		return;
	if (call->names) {
		f.invoker = inv_name_of_string(call->names, &fix_segment, "alice", &f.miss[0]);
		f.artifact = inv_name_of_string(call->names, &fix_segment, artifact, &f.miss[1]);
		f.method = inv_name_of_string(call->names, &fix_segment, "run", &f.miss[2]);
	}
	for (unsigned i = 0; i < 3; i++)
		if (f.miss[i].overflow || f.miss[i].unreadable)
			f.missed |= (uint8_t)(1u << i);
	inv_record_begin(call, &f);
}

static inline void fix_end(struct inv_call *call, bool failed, const char *message)
{
	struct inv_call_outcome o = {.failed = failed,
				     .type = fix_type(failed ? "permission" : "int"),
				     .message = message,
				     .message_length = message ? (uint32_t)strlen(message) : 0};
	if (!call->mode)
		return;
	uint64_t now = inv_record_now();
	inv_record_reenter(call);
	inv_record_end(call, &o, now);
}

static __attribute__((noinline, unused)) void fix_call(const char *artifact, bool failed)
{
	struct inv_call call;
	fix_begin(&call, artifact, 7);
	fix_end(&call, failed, NULL);
}

static inline uint64_t fix_word(const inv_a64 *word)
{
	return atomic_load_explicit((inv_a64 *)word, memory_order_relaxed);
}

static inline struct inv_lane_copy fix_lane(uint32_t lane)
{
	struct inv_lane_copy copy;
	cr_assert_eq(inv_view_lane(&fix_view, lane, &copy), INV_OK);
	return copy;
}

/* Calls in all cells; each lane's tallies must agree with its counters, [I1] must hold. */
static inline uint64_t fix_total(void)
{
	uint64_t total = 0;
	struct inv_overflow_copy over;
	for (uint32_t l = 0; l < inv_view_lane_count(&fix_view); l++) {
		struct inv_lane_copy c;
		uint64_t cells = 0, pairs = 0;
		if (inv_view_lane(&fix_view, l, &c))
			continue;
		for (uint32_t i = 0; i < c.cell_count; i++)
			cells += inv_cell_calls(&c.cells[i]);
		for (uint32_t i = 0; i < c.pair_count; i++)
			pairs += fix_word(&c.pairs[i].calls);
		cr_assert_eq(cells, fix_word(&c.fixed.returned));
		cr_assert_eq(pairs, cells);
		total += cells;
		inv_lane_copy_free(&c);
	}
	cr_assert_eq(inv_view_overflow(&fix_view, &over), INV_OK);
	for (uint32_t i = 0; i < over.cell_count; i++)
		total += inv_cell_calls(&over.cells[i]);
	inv_overflow_copy_free(&over);
	return total;
}

#endif
