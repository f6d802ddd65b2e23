/* SPDX-License-Identifier: MIT */
/*
 * reader_fixture.h - forged states for the reader: a segment written by hand, and calls
 * made of thin air. (segment_fixture.h drives the real writer; this one writes what a
 * writer never would, too.)
 */
#ifndef TESTS_READER_FIXTURE_H
#define TESTS_READER_FIXTURE_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reader/call.h"
#include "shm/clock.h"
#include "shm/names.h"
#include "shm/view.h"

#define FORGE_RING 64u

static struct inv_segment forge_seg;
static struct inv_view forge_view;
static char forge_path[128];

static inline void forge_view_open(void)
{
	uint32_t found;
	int fd = open(forge_path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(inv_view_open(&forge_view, fd, &found), INV_OK);
	close(fd);
}

static inline void forge_open(void)
{
	static struct inv_probe_row probe = {.name = "executor",
					     .target = "executor_invoke",
					     .result_type = "int"};
	struct inv_segment_options options = {.session = "forged",
					      .command = "forge",
					      .ring_slots = FORGE_RING,
					      .probes = &probe,
					      .probe_count = 1,
					      .clock_kind = INV_CLOCK_MONOTONIC};
	snprintf(forge_path, sizeof(forge_path), "/dev/shm/invreg-forge-%d.seg", getpid());
	unlink(forge_path);
	cr_assert_eq(inv_segment_create(&forge_seg, forge_path, &options), INV_OK);
	forge_view_open();
}

/* A view has a header of its own: to be opened anew when the segment's is written to. */
static inline void forge_view_anew(void)
{
	inv_view_close(&forge_view);
	forge_view_open();
}

static inline void forge_close(void)
{
	inv_view_close(&forge_view);
	inv_segment_detach(&forge_seg);
	unlink(forge_path);
}

static inline uint32_t forge_name(const char *text)
{
	return inv_name_intern(&forge_seg, text, strlen(text));
}

static inline uint16_t forge_type(const char *text)
{
	return inv_type_intern(&forge_seg, text, strlen(text));
}

/* Lane `lane` as if its owner had claimed it. */
static inline struct inv_lane *forge_lane(uint32_t lane)
{
	atomic_store(&forge_seg.rows[lane].ring_slots, FORGE_RING);
	atomic_store(&forge_seg.rows[lane].pair_slots, 8);
	atomic_store(&forge_seg.rows[lane].cells_reserved, 4);
	if (atomic_load(&forge_seg.shared->lanes_touched) <= lane)
		atomic_store(&forge_seg.shared->lanes_touched, lane + 1);
	struct inv_lane *l = inv_segment_lane(&forge_seg, lane);
	atomic_store(&l->cell_count, 2);
	return l;
}

static inline struct inv_slot *forge_slot(uint32_t lane, uint64_t index)
{
	return &inv_segment_ring(&forge_seg, lane)[index & (FORGE_RING - 1)];
}

/* A call that has begun, at place `index`, which becomes the lane's head. */
static inline void forge_attempt(uint32_t lane, uint64_t index, uint64_t start)
{
	struct inv_slot *s = forge_slot(lane, index);
	atomic_store(&s->start_ticks, start);
	atomic_store(&s->tick, index);
	atomic_store(&s->who, forge_name("agent") | (uint64_t)forge_name("wheat") << 32);
	atomic_store(&s->what, forge_name("buy") | UINT64_C(77) << 32);
	atomic_store(&s->where, INV_WHERE(INV_PROC_NONE, 0, 3, 0, 0));
	atomic_store(&s->seq, INV_SEQ(index, INV_SLOT_ATTEMPT));
	atomic_store(&inv_segment_lane(&forge_seg, lane)->head, index);
	atomic_fetch_add(&inv_segment_lane(&forge_seg, lane)->events, 1);
	atomic_fetch_add(&inv_segment_lane(&forge_seg, lane)->begun, 1);
}

static inline void forge_return(uint32_t lane, uint64_t index, uint64_t ticks, bool failed)
{
	struct inv_slot *s = forge_slot(lane, index);
	uint16_t type = forge_type(failed ? "timeout" : "int");
	atomic_store(&s->duration_ticks, ticks);
	atomic_store(&s->outcome, INV_OUTCOME(type, failed ? INV_FLAG_FAILED : 0, 0, 0));
	atomic_store(&s->seq, INV_SEQ(index, INV_SLOT_DONE));
	atomic_fetch_add(&inv_segment_lane(&forge_seg, lane)->returned, 1);
}

/* The only text slot of the event at `event`: one item, its head included. */
static inline void forge_text(uint32_t lane, uint64_t index, uint64_t event,
			      const unsigned char item[INV_TEXT_BYTES])
{
	struct inv_slot *s = forge_slot(lane, index);
	atomic_store(&s->start_ticks, INV_TEXT_META(event, 0, 1));
	memcpy((char *)s + sizeof(*s) - INV_TEXT_BYTES, item, INV_TEXT_BYTES);
	atomic_store(&s->seq, INV_SEQ(index, INV_SLOT_TEXT));
	atomic_store(&inv_segment_lane(&forge_seg, lane)->head, index);
}

/* A tally of `count` calls that took `ticks` each, in cell 2 + place. */
static inline void forge_cell(uint32_t lane, uint32_t place, const char *artifact,
			      const char *method, const char *type, bool failed, uint64_t count,
			      uint64_t ticks, uint32_t bucket)
{
	struct inv_cell *c = &inv_segment_cells(&forge_seg, lane)[2 + place];
	atomic_store(&c->key, INV_CELL_KEY(forge_name(artifact), forge_name(method),
					   forge_type(type), failed));
	atomic_store(&c->sum_ticks, count * ticks);
	atomic_store(&c->self_ticks, count * ticks / 2);
	atomic_store(&c->min_ticks, ticks);
	atomic_store(&c->max_ticks, ticks);
	atomic_store(&c->last_tick, 9);
	atomic_store(&c->bucket[bucket], count);
	struct inv_lane *l = inv_segment_lane(&forge_seg, lane);
	if (atomic_load(&l->cell_count) < 3 + place)
		atomic_store(&l->cell_count, 3 + place);
}

static inline void forge_pair(uint32_t lane, uint32_t place, const char *invoker,
			      const char *artifact, uint64_t calls, uint64_t failures)
{
	struct inv_pair *p = &inv_segment_pairs(&forge_seg, lane)[place];
	atomic_store(&p->key, INV_PAIR_KEY(forge_name(invoker), forge_name(artifact)));
	atomic_store(&p->calls, calls);
	atomic_store(&p->failures, failures);
	atomic_store(&p->sum_ticks, calls * 100);
}

/* A call that is done. type NULL: a success of type "int". */
static inline struct inv_call made_call(struct inv_words *words, const char *invoker,
					const char *artifact, const char *type, uint64_t ms)
{
	static uint64_t next;
	next++;
	return (struct inv_call){
		.id = next,
		.sequence = next,
		.start_ns = INT64_C(1700000000000000000) + (int64_t)next * 1000000,
		.duration_ns = ms * 1000000,
		.tick = (int64_t)next,
		.invoker = inv_words_str(words, invoker),
		.artifact = inv_words_str(words, artifact),
		.method = inv_words_str(words, "buy"),
		.type = inv_words_str(words, type ? type : "int"),
		.probe = inv_words_str(words, "executor"),
		.session = inv_words_str(words, "unit"),
		.message = type ? "no" : "",
		.message_length = type ? 2 : 0,
		.state = INV_CALL_DONE,
		.flags = type ? INV_FLAG_FAILED : 0,
	};
}

#endif
