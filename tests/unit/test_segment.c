/* SPDX-License-Identifier: MIT */
/* test_segment.c - every refusal of a header, of a file, and the budget. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/segment.h"
#include "shm/view.h"

static char path[64];
static struct inv_segment seg;

static void make(void)
{
	struct inv_segment_options o = {.ring_slots = 64, .lane_count = 4, .budget_bytes = 8 << 20};
	snprintf(path, sizeof(path), "/dev/shm/invreg-unit-%d.seg", getpid());
	cr_assert_eq(inv_segment_create(&seg, path, &o), INV_OK);
}

static void drop(void)
{
	inv_segment_detach(&seg);
	unlink(path);
}

TestSuite(segment, .init = make, .fini = drop);

#define REFUSED(field, value, why)                                                                 \
	do {                                                                                       \
		struct inv_header h;                                                               \
		memcpy(&h, seg.header, sizeof(h));                                                 \
		h.field = (value);                                                                 \
		cr_expect_eq(inv_segment_check(&h, seg.bytes), why, #field);                       \
	} while (0)

Test(segment, a_good_header_is_accepted)
{
	cr_assert_eq(inv_segment_check(seg.header, seg.bytes), INV_OK);
}

Test(segment, each_bad_field_is_refused_with_its_reason)
{
	REFUSED(magic, 1, INV_E_MAGIC);
	REFUSED(version, 99, INV_E_VERSION);
	REFUSED(header_size, 64, INV_E_VERSION);
	REFUSED(byte_order, 0x04030201, INV_E_BYTE_ORDER);
	REFUSED(ready, 0, INV_E_NOT_READY);
	REFUSED(lane_count, INV_LANES_MAX + 1, INV_E_CORRUPT);
	REFUSED(lane_count, 5, INV_E_CORRUPT);
	REFUSED(cell_slots, 1, INV_E_CORRUPT);
	REFUSED(pair_slots, 3, INV_E_CORRUPT);
	REFUSED(ring_slots, 0, INV_E_CORRUPT);
	REFUSED(ring_slots, 1u << 27, INV_E_CORRUPT);
	REFUSED(overflow_cells, 0, INV_E_CORRUPT);
	REFUSED(overflow_pairs, 5, INV_E_CORRUPT);
	REFUSED(probe_count, INV_PROBES_MAX + 1, INV_E_CORRUPT);
	REFUSED(segment_bytes, seg.bytes + 1, INV_E_CORRUPT);
	REFUSED(lane_stride, seg.header->lane_stride + 1, INV_E_CORRUPT);
	REFUSED(lane_stride, seg.header->lane_stride + INV_PAGE_BYTES, INV_E_CORRUPT);
}

Test(segment, a_region_outside_the_file_or_out_of_order_is_refused)
{
	for (unsigned i = 0; i < INV_REGION_COUNT; i++) {
		REFUSED(regions[i].offset, 0, INV_E_CORRUPT);
		REFUSED(regions[i].offset, UINT64_MAX & ~4095ul, INV_E_CORRUPT);
		REFUSED(regions[i].bytes, UINT64_MAX, INV_E_CORRUPT);
		REFUSED(regions[i].bytes, 0, INV_E_CORRUPT);
	}
}

/* A file with holes may be of any size; what is copied of it may not. */
Test(segment, a_region_larger_than_its_counts_is_refused)
{
	struct inv_header h;
	uint64_t more = UINT64_C(1) << 30;
	for (unsigned i = 0; i < INV_REGION_COUNT; i++) {
		memcpy(&h, seg.header, sizeof(h));
		h.segment_bytes += more;
		h.regions[i].bytes += more;
		for (unsigned k = i + 1; k < INV_REGION_COUNT; k++)
			h.regions[k].offset += more;
		cr_expect_eq(inv_segment_check(&h, h.segment_bytes), INV_E_CORRUPT, "region %u", i);
	}
}

static uint64_t pages(uint64_t bytes)
{
	return (bytes + INV_PAGE_BYTES - 1) & ~(uint64_t)(INV_PAGE_BYTES - 1);
}

/* Returns: what is said of a header whose regions and stride agree with these tables. */
static enum inv_result check_tables(uint32_t pairs, uint32_t shared_cells, uint32_t shared_pairs)
{
	struct inv_header h;
	memcpy(&h, seg.header, sizeof(h));
	h.pair_slots = pairs;
	h.overflow_cells = shared_cells;
	h.overflow_pairs = shared_pairs;
	h.lane_stride = sizeof(struct inv_lane) + pages(h.cell_slots * sizeof(struct inv_cell)) +
			pages(pairs * sizeof(struct inv_pair)) +
			pages(h.ring_slots * sizeof(struct inv_slot));
	h.regions[INV_REGION_OVERFLOW].bytes =
		pages(sizeof(struct inv_overflow) + shared_cells * sizeof(struct inv_cell) +
		      shared_pairs * sizeof(struct inv_pair));
	h.regions[INV_REGION_LANES].bytes = h.lane_stride * h.lane_count;
	for (unsigned i = 1; i < INV_REGION_COUNT; i++)
		h.regions[i].offset = h.regions[i - 1].offset + h.regions[i - 1].bytes;
	h.segment_bytes =
		h.regions[INV_REGION_COUNT - 1].offset + h.regions[INV_REGION_COUNT - 1].bytes;
	return inv_segment_check(&h, h.segment_bytes);
}

/* The place of a key in it would be anywhere: what is counted there is stored there. */
Test(segment, a_table_of_one_place_is_refused_though_all_sizes_agree)
{
	cr_expect_eq(check_tables(2, 2, 2), INV_OK);
	cr_expect_eq(check_tables(1, 2, 2), INV_E_CORRUPT);
	cr_expect_eq(check_tables(2, 1, 2), INV_E_CORRUPT);
	cr_expect_eq(check_tables(2, 2, 1), INV_E_CORRUPT);
}

Test(segment, a_lane_stride_whose_product_wraps_is_refused)
{
	struct inv_header h;
	memcpy(&h, seg.header, sizeof(h));
	h.lane_stride = UINT64_C(1) << 62; /* times 4 lanes is 0 */
	cr_assert_eq(inv_segment_check(&h, seg.bytes), INV_E_CORRUPT);
}

Test(segment, regions_beyond_what_is_mapped_are_refused)
{
	struct inv_header h;
	memcpy(&h, seg.header, sizeof(h));
	h.segment_bytes = 64 << 10; /* the file is longer, the mapping would not be */
	cr_assert_eq(inv_segment_check(&h, seg.bytes), INV_E_CORRUPT);
}

Test(segment, a_truncated_file_is_refused)
{
	struct inv_segment again;
	cr_assert_eq(truncate(path, 4096), 0);
	cr_expect_eq(inv_segment_join(&again, path), INV_E_CORRUPT);
	cr_assert_eq(truncate(path, 100), 0);
	cr_expect_eq(inv_segment_join(&again, path), INV_E_MAGIC);
}

Test(segment, a_symlink_a_fifo_and_nothing_are_refused_without_waiting)
{
	struct inv_segment again;
	char other[80];
	snprintf(other, sizeof(other), "%s.x", path);
	cr_expect_eq(inv_segment_join(&again, other), INV_E_NOT_FOUND);
	cr_assert_eq(symlink(path, other), 0);
	cr_expect_eq(inv_segment_join(&again, other), INV_E_KIND);
	unlink(other);
	cr_assert_eq(mkfifo(other, 0600), 0);
	cr_expect_eq(inv_segment_join(&again, other), INV_E_KIND);
	unlink(other);
}

Test(segment, the_second_creator_is_told_to_join)
{
	struct inv_segment again;
	struct inv_segment_options o = {.lane_count = 1};
	cr_expect_eq(inv_segment_create(&again, path, &o), INV_E_EXISTS);
	cr_expect_eq(inv_segment_join(&again, path), INV_OK);
	cr_expect_eq(again.header->session_nonce, seg.header->session_nonce);
	inv_segment_detach(&again);
}

Test(segment, the_budget_is_never_exceeded)
{
	uint64_t lanes = seg.header->regions[INV_REGION_LANES].offset;
	unsigned granted = 0;
	while (!inv_segment_reserve(&seg, lanes, 64 << 10) && granted < 10000)
		granted++;
	cr_expect_gt(granted, 0);
	cr_expect_leq(seg.shared->reserved_bytes, seg.header->budget_bytes);
	cr_expect_lt(inv_segment_budget_left(&seg), 64 << 10);
	cr_expect_neq(inv_segment_reserve(&seg, seg.bytes, 1), INV_OK);
}

Test(segment, a_view_refuses_what_a_joiner_refuses)
{
	struct inv_view view;
	uint32_t version;
	seg.header->version = 7;
	int fd = open(path, O_RDONLY);
	cr_expect_eq(inv_view_open(&view, fd, &version), INV_E_VERSION);
	cr_expect_eq(version, 7);
	close(fd);
}
