/* SPDX-License-Identifier: MIT */
/* record_calls.h - a segment of one test, calls in it, and what they add up to. */
#ifndef TESTS_RECORD_CALLS_H
#define TESTS_RECORD_CALLS_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shm/lane.h"
#include "shm/record.h"
#include "shm/view.h"

static char path[64];
static struct inv_segment seg;
static struct inv_view view;

static inline void make(void)
{
	uint32_t version;
	struct inv_segment_options o = {.ring_slots = 64,
					.lane_count = 256,
					.budget_bytes = 256 << 20};
	struct inv_record_options r = {.segment = &seg};
	snprintf(path, sizeof(path), "/dev/shm/invreg-unit-%d.seg", getpid());
	cr_assert_eq(inv_segment_create(&seg, path, &o), INV_OK);
	int fd = open(path, O_RDONLY);
	cr_assert_eq(inv_view_open(&view, fd, &version), INV_OK);
	close(fd);
	cr_assert_eq(inv_record_attach(&r), INV_OK);
}

static inline void drop(void)
{
	inv_record_detach();
	inv_view_close(&view);
	inv_segment_detach(&seg);
	unlink(path);
}

static inline void begin(struct inv_call *call, uintptr_t frame)
{
	struct inv_call_fields f = {.tick = 7};
	if (!inv_record_enter_at(call, frame, NULL))
		return;
	f.invoker = inv_name_of_string(call->names, &seg, "alice", &f.miss[0]);
	f.artifact = inv_name_of_string(call->names, &seg, "anvil", &f.miss[1]);
	f.method = inv_name_of_string(call->names, &seg, "use", &f.miss[2]);
	inv_record_begin(call, &f);
}

static inline void end(struct inv_call *call, uint64_t duration, const char *message)
{
	struct inv_call_outcome o = {.message = message};
	o.message_length = message ? (uint32_t)strlen(message) : 0;
	inv_record_reenter(call);
	inv_record_end(call, &o, call->start_ticks + duration);
}

static __attribute__((noinline)) void call_once(void)
{
	struct inv_call call;
	begin(&call, inv_call_frame(&call));
	end(&call, 10, NULL);
}

struct sums {
	uint64_t begun, returned, abandoned, inherited, never, moved, open, calls, self, sum,
		events;
};

static inline struct sums add_up(void)
{
	struct sums s = {0};
	struct inv_lane_copy c;
	for (uint32_t i = 0; i < inv_view_lane_count(&view); i++) {
		if (inv_view_lane(&view, i, &c))
			continue;
		s.begun += c.fixed.begun, s.returned += c.fixed.returned;
		s.abandoned += c.fixed.abandoned, s.inherited += c.fixed.inherited;
		s.never += c.fixed.never_returned, s.moved += c.fixed.moved;
		s.open += inv_lane_copy_open_calls(&c), s.events += c.fixed.events;
		for (uint32_t k = 0; k < c.cell_count; k++) {
			s.calls += inv_cell_calls(&c.cells[k]);
			s.self += c.cells[k].self_ticks, s.sum += c.cells[k].sum_ticks;
		}
		inv_lane_copy_free(&c);
	}
	cr_expect_eq(s.calls, s.returned);
	cr_expect_eq(s.begun + s.inherited, s.returned + s.abandoned + s.never + s.moved + s.open);
	return s;
}

static inline void *end_there(void *arg)
{
	call_once();
	end(arg, 5, NULL);
	return NULL;
}

static inline void in_a_thread(void *(*run)(void *), void *arg)
{
	pthread_t id;
	pthread_create(&id, NULL, run, arg);
	pthread_join(id, NULL);
}

#endif
