/* SPDX-License-Identifier: MIT */
/* test_lane.c - half-finished lanes, forged word by word, and who may take them. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shm/lane.h"
#include "shm/view.h"

static char path[64];
static struct inv_segment seg;
static struct inv_view view;
static struct inv_self self;
static uint32_t row;
static uint64_t owner;
static struct inv_lane *lane;

static void make(void)
{
	uint32_t version;
	uint16_t generation;
	struct inv_segment_options o = {.ring_slots = 64,
					.lane_count = 2,
					.budget_bytes = 16 << 20};
	snprintf(path, sizeof(path), "/dev/shm/invreg-unit-%d.seg", getpid());
	cr_assert_eq(inv_segment_create(&seg, path, &o), INV_OK);
	int fd = open(path, O_RDONLY);
	cr_assert_eq(inv_view_open(&view, fd, &version), INV_OK);
	close(fd);
	inv_self_read(&self);
	cr_assert_eq(inv_proc_claim(&seg, &self, 1, 0, &row, &generation), INV_OK);
	owner = INV_OWNER(row, generation, syscall(SYS_gettid));
	cr_assert_eq(inv_lane_claim(&seg, &self, owner), 0);
	lane = inv_segment_lane(&seg, 0);
}

static void drop(void)
{
	inv_view_close(&view);
	inv_segment_detach(&seg);
	unlink(path);
}

TestSuite(lane, .init = make, .fini = drop);

/* One call begun, its commit decided, nothing of it applied. */
static void forge_commit(void)
{
	lane->begun = 1;
	lane->inflight[0].ordinal_1 = 1;
	lane->redo.bucket = (UINT64_C(1) << 32) | 3;
	lane->redo.bucket_value = 1;
	lane->redo.sum_ticks = lane->redo.min_ticks = lane->redo.max_ticks = 3;
	lane->redo.pair_calls = 1;
	lane->redo.returned = 1;
	lane->in_slot = 1;
}

static void make_owner_dead(void)
{
	seg.procs[row].start_time += 1; /* that process is gone, its pid is ours now */
}

Test(lane, a_reader_finishes_the_commit_in_its_copy)
{
	struct inv_lane_copy c;
	forge_commit();
	cr_assert_eq(inv_view_lane(&view, 0, &c), INV_OK);
	cr_expect(c.redone);
	cr_expect_eq(c.fixed.returned, 1);
	cr_expect_eq(inv_cell_calls(&c.cells[0]), 1);
	cr_expect_eq(c.cells[0].sum_ticks, 3);
	cr_expect_eq(inv_lane_copy_open_calls(&c), 0);
	cr_expect_eq(lane->returned, 0, "the segment itself is untouched");
	inv_lane_copy_free(&c);
}

Test(lane, settling_twice_is_harmless)
{
	forge_commit();
	lane->begun = 2;
	lane->inflight[1].ordinal_1 = 2;
	for (int i = 0; i < 2; i++) {
		inv_lane_settle(&seg, 0);
		cr_expect_eq(lane->returned, 1);
		cr_expect_eq(lane->never_returned, 1);
		cr_expect_eq(lane->ended[1].ordinal_1, 2);
		cr_expect_eq(inv_segment_cells(&seg, 0)[0].bucket[3], 1);
		cr_expect_eq(lane->in_slot, 0);
	}
}

Test(lane, a_slot_left_half_written_becomes_an_empty_text)
{
	struct inv_slot *slot = &inv_segment_ring(&seg, 0)[1];
	struct inv_event e;
	slot->seq = INV_SEQ(1, INV_SLOT_BUSY);
	cr_expect_eq(inv_view_event(&view, 0, 1, &e), INV_SLOT_READ_PENDING);
	inv_lane_settle(&seg, 0);
	cr_expect_eq(inv_view_event(&view, 0, 1, &e), INV_SLOT_READ_OK);
	cr_expect_eq(e.state, INV_SLOT_TEXT);
	cr_expect_eq(lane->head, 1);
}

Test(lane, an_entry_beyond_begun_counts_for_nothing)
{
	lane->inflight[0].ordinal_1 = 1;
	inv_lane_settle(&seg, 0);
	cr_expect_eq(lane->never_returned, 0);
	cr_expect_eq(lane->ended[0].ordinal_1, 0);
}

Test(lane, a_dead_owners_lane_is_taken_over_and_settled)
{
	uint32_t mine;
	uint16_t generation;
	forge_commit();
	make_owner_dead();
	cr_assert_eq(inv_proc_claim(&seg, &self, 2, 0, &mine, &generation), INV_OK);
	cr_expect_eq(inv_lane_claim(&seg, &self, INV_OWNER(mine, generation, 5)), 0);
	cr_expect_eq(lane->returned, 1);
	cr_expect_eq(lane->in_slot, 0);
}

Test(lane, unknown_liveness_takes_nothing)
{
	seg.procs[row].pid_ns += 1;
	make_owner_dead();
	seg.rows[1].owner = owner + 1; /* another thread of that process */
	cr_expect_eq(inv_lane_claim(&seg, &self, INV_OWNER(201, 1, 5)), INV_LANE_NONE);
	cr_expect_eq(seg.rows[0].owner, owner);
}

/* As a stray store of the program may leave them: the next owner must not believe them. */
Test(lane, sizes_that_cannot_be_are_granted_anew)
{
	inv_lane_release(&seg, 0);
	seg.rows[0].ring_slots = UINT32_MAX;
	seg.rows[0].pair_slots = 3u << 20;
	seg.rows[0].cells_reserved = UINT32_MAX;
	lane->cell_count = UINT64_MAX;
	lane->redo.places = (UINT64_C(1) << 55) | (UINT32_MAX / 2);
	lane->redo.slot = UINT64_C(1) << 30;
	lane->in_slot = 1;
	cr_assert_eq(inv_lane_claim(&seg, &self, owner), 0);
	cr_expect_eq(seg.rows[0].ring_slots, 64);
	cr_expect_leq(seg.rows[0].pair_slots, seg.header->pair_slots);
	cr_expect_leq(seg.rows[0].cells_reserved, seg.header->cell_slots);
	cr_expect_leq(lane->cell_count, seg.rows[0].cells_reserved);
	cr_expect_eq(lane->in_slot, 0);
}

/* Of the fixture's two lanes the first has a dead owner, and for the second there is no room. */
Test(lane, one_without_room_does_not_stand_in_front_of_a_dead_owners)
{
	uint32_t mine;
	uint16_t generation;
	cr_assert_eq(inv_proc_claim(&seg, &self, 1, 0, &mine, &generation), INV_OK);
	seg.shared->reserved_bytes = seg.header->budget_bytes;
	cr_expect_eq(inv_lane_claim(&seg, &self, INV_OWNER(mine, generation, 5)), INV_LANE_NONE);
	make_owner_dead();
	cr_expect_eq(inv_lane_claim(&seg, &self, INV_OWNER(mine, generation, 5)), 0);
}

/* At each claim it is asked who lives of some rows only: not always of the same ones. */
Test(lane, a_dead_owners_is_found_behind_those_of_many_that_live)
{
	struct inv_segment many;
	struct inv_self neighbour = self; /* whoever has the number: no start time */
	char other[80];
	uint32_t found = INV_LANE_NONE, at = 0;
	uint16_t generation = 0;
	struct inv_segment_options o = {.ring_slots = 64,
					.lane_count = 40,
					.budget_bytes = 64 << 20};
	snprintf(other, sizeof(other), "%s.many.seg", path);
	cr_assert_eq(inv_segment_create(&many, other, &o), INV_OK);
	neighbour.pid = (uint32_t)getppid();
	neighbour.start_time = 0;
	for (uint32_t i = 0; i < o.lane_count; i++) {
		cr_assert_eq(inv_proc_claim(&many, &neighbour, i + 1, 0, &at, &generation), INV_OK);
		many.rows[i].owner = INV_OWNER(at, generation, neighbour.pid);
	}
	many.shared->lanes_touched = o.lane_count;
	many.procs[at].state = INV_PROC_STATE(generation, INV_PROC_LIVE, INT32_MAX); /* nobody */
	cr_assert_eq(inv_proc_claim(&many, &self, 99, 0, &at, &generation), INV_OK);
	for (uint32_t tid = 1; tid < 40 && found == INV_LANE_NONE; tid++)
		found = inv_lane_claim(&many, &self, INV_OWNER(at, generation, tid));
	cr_expect_eq(found, 39);
	inv_segment_detach(&many);
	unlink(other);
}
