/* SPDX-License-Identifier: MIT */
#include "reader/cut.h"
#include "reader/raw.h"
#include "reader/report.h"
#include "reader_fixture.h"

static struct inv_src src;
static struct inv_cut cut;

TestSuite(cut, .init = forge_open, .fini = forge_close);

static void take(void)
{
	cr_assert_eq(inv_src_borrow(&src, &forge_view), 0);
	cr_assert_eq(inv_cut_take(&cut, &src), 0);
}

static void drop(void)
{
	inv_cut_free(&cut);
	inv_src_close(&src);
}

static void two_lanes(void)
{
	forge_lane(0);
	forge_lane(1);
	forge_cell(0, 0, "wheat", "buy", "int", false, 10, 5, 5);
	forge_cell(1, 0, "wheat", "buy", "int", false, 20, 5, 5);
	forge_cell(1, 1, "wheat", "sell", "timeout", true, 3, 7, 7);
	forge_pair(0, 1, "alice", "wheat", 10, 0);
	forge_pair(1, 1, "bob", "wheat", 23, 3);
}

Test(cut, lanes_are_added_up)
{
	two_lanes();
	take();
	cr_assert_eq(cut.artifacts.count, 1);
	cr_assert_eq(inv_cut_total(&cut), 33);
	cr_assert_eq(cut.artifacts.rows[0].failed, 3);
	cr_assert_eq(cut.artifacts.rows[0].unique, 2);
	cr_assert_eq(cut.invokers.count, 2);
	cr_assert_str_eq(cut.invokers.rows[0].name, "bob");
	cr_assert_not(cut.from_events);
	drop();
}

Test(cut, an_in_flight_entry_beyond_begun_counts_for_nothing)
{
	struct inv_lane *l = forge_lane(0);
	atomic_store(&l->begun, 5);
	atomic_store(&l->returned, 4);
	atomic_store(&l->inflight[0].ordinal_1, 5);
	atomic_store(&l->inflight[1].ordinal_1, 6);
	take();
	cr_assert_eq(cut.in_flight.count + cut.never.count, 1);
	drop();
}

Test(cut, an_open_call_of_a_dead_process_never_returns_and_is_named)
{
	struct inv_lane *l = forge_lane(0);
	atomic_store(&l->begun, 1);
	atomic_store(&l->inflight[0].who, (uint64_t)forge_name("wheat") << 32);
	atomic_store(&l->inflight[0].ordinal_1, 1);
	atomic_store(&l->inflight[0].owner, INV_OWNER(3, 1, 99));
	take();
	cr_assert_eq(cut.never.count, 1);
	cr_assert_eq(cut.in_flight.count, 0);
	cr_assert_str_eq(cut.never.calls[0].artifact->text, "wheat");
	drop();
}

Test(cut, lapped_events_are_counted_exactly)
{
	forge_lane(0);
	for (uint64_t i = 1; i <= 1000; i++)
		forge_attempt(0, i, i);
	take();
	cr_assert_eq(cut.events_kept, FORGE_RING);
	cr_assert_eq(cut.lost_count, 1);
	cr_assert_str_eq(cut.lost[0].name, "lapped");
	cr_assert_eq(cut.lost[0].count, 1000 - FORGE_RING);
	drop();
}

Test(cut, losses_of_lanes_and_of_none_add_up)
{
	struct inv_lane *l = forge_lane(0);
	atomic_store(&l->lost[INV_LOSS_UNREADABLE], 2);
	inv_segment_lose(&forge_seg, INV_LOSS_UNREADABLE, 5);
	take();
	cr_assert_eq(cut.lost_count, 1);
	cr_assert_eq(cut.lost[0].count, 7);
	drop();
}

/* The text of a report; the caller frees. */
static char *object_of(const struct inv_cut *of)
{
	struct inv_buf out;
	cr_assert_eq(inv_buf_init(&out, -1), 0);
	inv_report_object(of, &out, false);
	inv_buf_put(&out, "", 1);
	return out.data;
}

static char *artifacts_in(char *object)
{
	char *from = strstr(object, "\"artifacts\":"), *to = strstr(object, "\"in_flight\":[");
	cr_assert(from && to);
	*to = '\0';
	return from;
}

Test(cut, a_raw_snapshot_says_the_same)
{
	two_lanes();
	forge_attempt(0, 1, 1000);
	forge_return(0, 1, 50, true);
	take();
	char *live = object_of(&cut);
	drop();
	int fd = memfd_create("seg", 0);
	cr_assert_eq(inv_raw_write(&forge_view, fd), 0);
	struct inv_view view;
	uint32_t found;
	cr_assert_eq(inv_view_open(&view, fd, &found), INV_OK);
	cr_assert_eq(inv_src_borrow(&src, &view), 0);
	cr_assert_eq(src.kind, INV_SRC_SNAPSHOT);
	cr_assert_eq(inv_cut_take(&cut, &src), 0);
	char *saved = object_of(&cut);
	cr_assert_str_eq(artifacts_in(saved), artifacts_in(live));
	cr_assert_eq(inv_src_load(&src), 0);
	cr_assert_eq(src.call_count, 1);
	cr_assert_str_eq(src.calls[0].type->text, "timeout");
	drop();
	inv_view_close(&view);
	close(fd);
	free(live);
	free(saved);
}

Test(cut, a_raw_snapshot_of_another_machines_clock_takes_no_time_from_ours)
{
	struct inv_view view;
	uint32_t found;
	two_lanes();
	forge_seg.header->clock_kind =
		inv_clock_usable(INV_CLOCK_TSC) ? INV_CLOCK_CNTVCT : INV_CLOCK_TSC;
	forge_view_anew();
	forge_attempt(0, 1, 1000);
	forge_return(0, 1, 50, true);
	int fd = memfd_create("seg", 0);
	cr_assert_eq(inv_raw_write(&forge_view, fd), 0);
	cr_assert_eq(inv_view_open(&view, fd, &found), INV_OK);
	cr_expect_eq(view.seg.header->taken.ticks, 0);
	cr_expect_gt(view.seg.header->taken.realtime_ns, 0);
	cr_assert_eq(inv_src_borrow(&src, &view), 0);
	cr_expect_eq(src.decoder.timeline.count, 1); /* created */
	cr_assert_eq(inv_cut_take(&cut, &src), 0);
	cr_expect_eq(cut.taken_ns, view.seg.header->taken.realtime_ns);
	drop();
	inv_view_close(&view);
	close(fd);
}

Test(cut, a_segment_cut_short_under_us_is_refused)
{
	two_lanes();
	cr_assert_eq(inv_src_borrow(&src, &forge_view), 0);
	cr_assert_eq(truncate(forge_path, 8192), 0);
	cr_assert_eq(inv_cut_take(&cut, &src), -EFAULT);
	inv_src_close(&src);
}

Test(cut, a_segment_cut_short_before_it_is_a_source_is_refused)
{
	struct inv_buf out;
	cr_assert_eq(inv_buf_init(&out, -1), 0);
	cr_assert_eq(truncate(forge_path, 8192), 0);
	cr_expect_eq(inv_src_borrow(&src, &forge_view), -EFAULT);
	cr_expect_eq(inv_report_lines(&forge_view, &out), -EFAULT);
	inv_buf_free(&out);
}

Test(cut, a_lane_with_the_largest_head_is_read_to_its_end)
{
	int fd = memfd_create("seg", 0);
	two_lanes();
	forge_attempt(0, 1, 1000);
	atomic_store(&inv_segment_lane(&forge_seg, 0)->head, UINT64_MAX);
	take();
	cr_expect_eq(cut.events_kept, 1);
	cr_expect_eq(inv_src_load(&src), 0);
	cr_expect_eq(inv_raw_write(&forge_view, fd), 0);
	close(fd);
	drop();
}

Test(cut, random_bytes_behind_the_header_do_no_harm)
{
	srand(11);
	two_lanes();
	for (unsigned round = 0; round < 20; round++) {
		unsigned char *lane = (unsigned char *)inv_segment_lane(&forge_seg, 0);
		for (unsigned i = 0; i < 4000; i++)
			lane[(unsigned)rand() % 60000] = (unsigned char)rand();
		unsigned char *rows = (unsigned char *)forge_seg.procs;
		for (unsigned i = 0; i < 4000; i++)
			rows[(unsigned)rand() % (INV_PROCS_MAX * 1024)] = (unsigned char)rand();
		forge_seg.names[(unsigned)rand() % INV_NAMES_MAX] = (uint64_t)rand() << 20;
		take();
		cr_assert_eq(inv_src_load(&src), 0);
		free(object_of(&cut));
		drop();
	}
}
