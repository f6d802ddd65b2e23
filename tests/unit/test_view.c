/* SPDX-License-Identifier: MIT */
/* test_view.c - half-written slots, lapped ones, and segments that somebody made up. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shm/proc.h"
#include "shm/text.h"
#include "shm/view.h"

static char path[64];
static struct inv_segment seg;
static struct inv_view view;
static struct inv_slot *ring;

static void make(void)
{
	uint32_t version;
	struct inv_segment_options o = {.ring_slots = 64,
					.lane_count = 2,
					.budget_bytes = 16 << 20};
	snprintf(path, sizeof(path), "/dev/shm/invreg-unit-%d.seg", getpid());
	cr_assert_eq(inv_segment_create(&seg, path, &o), INV_OK);
	int fd = open(path, O_RDONLY);
	cr_assert_eq(inv_view_open(&view, fd, &version), INV_OK);
	close(fd);
	cr_assert_eq(inv_segment_reserve(&seg, seg.header->regions[INV_REGION_LANES].offset,
					 seg.header->lane_stride),
		     INV_OK);
	seg.shared->lanes_touched = 1;
	seg.rows[0].pair_slots = 128;
	seg.rows[0].ring_slots = 64;
	ring = inv_segment_ring(&seg, 0);
}

static void drop(void)
{
	inv_view_close(&view);
	inv_segment_detach(&seg);
	unlink(path);
}

TestSuite(view, .init = make, .fini = drop);

static enum inv_slot_read read_at(uint64_t index)
{
	struct inv_event e;
	return inv_view_event(&view, 0, index, &e);
}

Test(view, reader_skips_a_slot_left_half_written)
{
	ring[5].seq = INV_SEQ(5, INV_SLOT_BUSY);
	cr_expect_eq(read_at(5), INV_SLOT_READ_PENDING);
	ring[5].seq = INV_SEQ(5, INV_SLOT_ATTEMPT);
	cr_expect_eq(read_at(5), INV_SLOT_READ_OK);
}

Test(view, a_lapped_slot_is_a_normal_answer)
{
	ring[5].seq = INV_SEQ(69, INV_SLOT_BUSY);
	cr_expect_eq(read_at(5), INV_SLOT_READ_LAPPED);
	cr_expect_eq(read_at(69), INV_SLOT_READ_PENDING);
	cr_expect_eq(read_at(133), INV_SLOT_READ_PENDING);
	cr_expect_eq(read_at(0), INV_SLOT_READ_NONE);
}

Test(view, a_standing_commit_decides_its_attempt)
{
	struct inv_event e;
	struct inv_lane *lane = inv_segment_lane(&seg, 0);
	ring[5].seq = INV_SEQ(5, INV_SLOT_ATTEMPT);
	lane->redo.slot = 5;
	lane->redo.duration_ticks = 42;
	lane->in_slot = 1;
	cr_assert_eq(inv_view_event(&view, 0, 5, &e), INV_SLOT_READ_OK);
	cr_expect_eq(e.state, INV_SLOT_DONE);
	cr_expect_eq(e.duration_ticks, 42);
}

Test(view, text_of_another_event_or_half_written_is_lapped)
{
	struct inv_event e = {
		.index = 4, .state = INV_SLOT_DONE, .text_slots = 2, .text_distance = 1};
	struct inv_event_text text;
	struct inv_text t = {.length = 0};
	char message[80];
	memset(message, 'm', sizeof(message));
	inv_text_add(&t, INV_TEXT_MESSAGE, message, 80, 480);
	inv_text_write(ring, 63, &t, 5, 4);
	inv_view_event_text(&view, &e, &text);
	cr_expect(!text.lapped && text.message_length == 80);
	ring[6].seq = INV_SEQ(6, INV_SLOT_BUSY);
	inv_view_event_text(&view, &e, &text);
	cr_expect(text.lapped && text.message_length < 80);
	inv_text_write(ring, 63, &t, 5, 3);
	inv_view_event_text(&view, &e, &text);
	cr_expect(text.lapped && text.message_length == 0);
}

/* The creator's right to write does not end with our check. */
Test(view, sizes_that_change_after_the_check_are_not_believed)
{
	struct inv_lane_copy copy;
	struct inv_overflow_copy over;
	uint64_t stride = seg.header->lane_stride;
	seg.header->lane_stride = UINT64_C(1) << 40;
	seg.header->cell_slots = UINT32_MAX;
	seg.header->pair_slots = seg.header->ring_slots = UINT32_MAX;
	seg.header->overflow_cells = seg.header->overflow_pairs = UINT32_MAX;
	seg.header->regions[INV_REGION_ARENA].bytes = UINT64_MAX;
	cr_expect_eq(view.seg.header->lane_stride, stride);
	((struct inv_lane *)seg.lanes)->cell_count = UINT64_MAX;
	seg.rows[0].pair_slots = UINT32_MAX;
	cr_assert_eq(inv_view_lane(&view, 0, &copy), INV_OK);
	cr_expect_eq(copy.cell_count, view.seg.header->cell_slots);
	cr_expect_eq(copy.pair_count, view.seg.header->pair_slots);
	inv_lane_copy_free(&copy);
	cr_assert_eq(inv_view_overflow(&view, &over), INV_OK);
	inv_overflow_copy_free(&over);
	seg.names[7] = INV_NAME_ENTRY(0, 4, UINT32_MAX);
	size_t length;
	cr_expect_str_eq(inv_view_name(&view, 7, &length), "_other");
	seg.header->lane_stride = stride; /* for what takes it down */
}

Test(view, text_of_an_event_whose_ring_has_gone_is_lapped)
{
	struct inv_event event = {.index = 3, .text_slots = 2, .text_distance = INT32_MAX};
	struct inv_event_text text;
	seg.rows[0].ring_slots = 0;
	inv_view_event_text(&view, &event, &text);
	cr_expect(text.lapped);
	cr_expect_eq(text.message_length, 0);
}

/* A loop to a head of UINT64_MAX never ends. */
Test(view, a_head_is_bounded_by_what_a_slot_can_hold)
{
	struct inv_lane *lane = inv_segment_lane(&seg, 0);
	struct inv_lane_copy copy;
	lane->head = UINT64_MAX;
	cr_expect_eq(inv_view_head(&view, 0), INV_SEQ_INDEX_MAX);
	cr_assert_eq(inv_view_lane(&view, 0, &copy), INV_OK);
	cr_expect_eq(copy.fixed.head, INV_SEQ_INDEX_MAX);
	inv_lane_copy_free(&copy);
	/* nor one that a commit would store */
	lane->head = 3;
	lane->redo.head = UINT64_MAX;
	lane->in_slot = 1;
	cr_assert_eq(inv_view_lane(&view, 0, &copy), INV_OK);
	cr_expect(copy.redone);
	cr_expect_eq(copy.fixed.head, INV_SEQ_INDEX_MAX);
	inv_lane_copy_free(&copy);
}

/* Random bytes everywhere behind a good header: wrong answers are fine, crashes are not. */
Test(view, random_bytes_never_lead_out_of_the_mapping)
{
	srandom(1);
	for (int round = 0; round < 40; round++) {
		struct inv_lane_copy c;
		struct inv_event_text text;
		struct inv_event e;
		struct inv_proc proc;
		struct inv_note note;
		size_t length;
		uint32_t *lane = (void *)inv_segment_lane(&seg, 0);
		uint32_t *ring_words = (void *)ring, *rows = (void *)seg.rows;
		uint32_t *names = (void *)seg.names;
		for (unsigned i = 0; i < sizeof(struct inv_lane) / 4; i++)
			lane[i] = (uint32_t)random() << (random() % 32);
		for (unsigned i = 0; i < 64 * 16; i++)
			ring_words[i] = (uint32_t)random();
		for (unsigned i = 0; i < 16; i++)
			rows[i] = (uint32_t)random() >> (random() % 32);
		for (unsigned i = 0; i < 2048; i++)
			names[i] = (uint32_t)random() << (random() % 32);
		seg.shared->lanes_touched = (uint32_t)random();
		for (uint32_t l = 0; l < 5; l++) {
			if (!inv_view_lane(&view, l, &c))
				inv_lane_copy_free(&c);
			for (uint64_t i = 0; i < 70; i++) {
				ring[i & 63].seq = INV_SEQ(i, 1 + i % 3);
				if (!inv_view_event(&view, l, i, &e))
					inv_view_event_text(&view, &e, &text);
			}
		}
		for (uint32_t i = 0; i < 1100; i++)
			inv_view_name(&view, i, &length), inv_view_type(&view, i, &length);
		inv_view_proc(&view, (uint32_t)random() % 300, &proc);
		inv_view_note(&view, (uint32_t)random() % 80, &note);
	}
}
