/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/wait.h>

#include "reader/cost.h"
#include "reader/own_cost.h"
#include "reader_fixture.h"

static struct inv_cut cut;

static const char *said(void)
{
	static char text[256];
	FILE *to = fmemopen(text, sizeof(text), "w");
	cr_assert_not_null(to);
	inv_cost_say(&cut, to);
	fclose(to);
	return text;
}

/* A cut of `calls` calls of one artifact. */
static void set(uint64_t calls, double cost_ns, uint64_t elapsed_ns)
{
	static struct inv_stats row;
	row.successful = calls;
	cut = (struct inv_cut){.cost_ns = cost_ns,
			       .elapsed_ns = elapsed_ns,
			       .artifacts = {.rows = &row, .count = 1}};
}

Test(own_cost, is_measured_in_a_child_that_leaves_nothing)
{
	char dir[] = "/dev/shm/invreg-unit-XXXXXX";
	cr_assert_not_null(mkdtemp(dir));
	double ns = 0;
	for (int tries = 0; tries < 20 && ns == 0; tries++) { /* a busy machine may take too long */
		struct inv_anchor a, b;
		enum inv_clock_kind kind = inv_clock_detect();
		inv_clock_anchor(kind, &a);
		struct inv_own_cost cost = inv_own_cost_measure(dir);
		inv_clock_anchor(kind, &b);
		ns = (double)cost.ticks_x1024 / 1024 * (double)(b.boottime_ns - a.boottime_ns) /
		     (double)(b.ticks - a.ticks);
	}
	if (ns == 0)
		cr_skip_test("too busy to measure anything within 100 ms");
	cr_assert(ns > 2 && ns < 20000, "%f ns", ns);
	cr_assert_eq(rmdir(dir), 0, "something is left in %s", dir);
	errno = 0;
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_assert_eq(errno, ECHILD);
}

Test(own_cost, where_there_is_no_room_for_it_is_unknown_and_no_error)
{
	cr_assert_eq(inv_own_cost_measure("/nonexistent/directory").ticks_x1024, 0);
	cr_assert_eq(inv_own_cost_measure("/proc").ticks_x1024, 0);
}

Test(own_cost, is_said_by_call_in_all_and_as_a_share_of_the_run)
{
	struct inv_cost cost;
	set(1000000, 41.2, 1000000000);
	cr_assert(inv_cost_of(&cut, 1000000, &cost));
	cr_assert_float_eq(cost.all_ns, 41.2e6, 1);
	cr_assert_float_eq(cost.percent, 4.12, 1e-9);
	cr_assert_str_eq(said(),
			 "Observing cost about 41 ns a call, 41.2ms in all: 4.1 % of the run\n");
	set(1000, 41.2, 1000000000);
	cr_assert_str_eq(
		said(),
		"Observing cost about 41 ns a call, 41.2us in all: less than 0.01 % of the run\n");
	set(1000000, 41.2, 200000000);
	cr_assert_str_eq(said(),
			 "Observing cost about 41 ns a call, 41.2ms in all: 21 % of the run\n");
}

Test(own_cost, that_nobody_measured_is_not_said)
{
	struct inv_cost cost;
	set(1000, 0, 1000000000);
	cr_assert_not(inv_cost_of(&cut, 1000, &cost));
	cr_assert_eq(cost.all_ns, 0);
	cr_assert_str_eq(said(), "");
	set(0, 41, 1000000000);
	cr_assert_str_eq(said(), "");
	set(1000, 41, 0);
	cr_assert_str_eq(said(), "Observing cost about 41 ns a call, 41.0us in all\n");
}

Test(own_cost, of_python_probes_is_said_to_be_more)
{
	set(1000, 41, 0);
	cut.cost_at_least = true;
	cr_assert_str_eq(said(), "Observing cost at least 41 ns a call, 41.0us in all; a call in "
				 "Python costs more: `invreg bench` measures it\n");
}

TestSuite(own_cost_of_a_segment, .init = forge_open, .fini = forge_close);

/* 20 calls of the one probe, which is bound by this tier. */
static void take(enum inv_tier tier)
{
	struct inv_src src;
	uint64_t created = forge_seg.header->created.ticks;
	forge_seg.header->cost_ticks_x1024 = 41 * 1024;
	forge_lane(0);
	forge_cell(0, 0, "wheat", "buy", "int", false, 10, 5, 5);
	forge_cell(0, 1, "wheat", "sell", "int", false, 10, 5, 5);
	struct inv_cell *cells = inv_segment_cells(&forge_seg, 0);
	atomic_store(&cells[2].last_ticks, created + 2000000);
	atomic_store(&cells[3].last_ticks, created + 1000000);
	forge_seg.procs[0].bindings[0].tier = (uint8_t)tier;
	atomic_store(&forge_seg.procs[0].state, INV_PROC_STATE(1, INV_PROC_ENDED, 1));
	forge_view_anew();
	cr_assert_eq(inv_src_borrow(&src, &forge_view), 0);
	cr_assert_eq(inv_cut_take(&cut, &src), 0);
	inv_src_close(&src);
}

Test(own_cost_of_a_segment, its_run_ends_with_the_last_call)
{
	take(INV_TIER_GOT);
	cr_assert_float_eq(cut.cost_ns, 41, 0.1);
	cr_assert_float_eq((double)cut.elapsed_ns, 2e6, 1e4);
	cr_assert_not(cut.cost_at_least);
	inv_cut_free(&cut);
}

Test(own_cost_of_a_segment, a_patched_function_has_a_cost_of_its_own_where_it_was_measured)
{
	take(INV_TIER_ENTRY);
	cr_assert_float_eq(cut.cost_ns, 41, 0.1);
	inv_cut_free(&cut);
	forge_seg.header->cost_entry_ticks_x1024 = 97 * 1024;
	take(INV_TIER_ENTRY);
	cr_assert_float_eq(cut.cost_ns, 97, 0.2);
	inv_cut_free(&cut);
	take(INV_TIER_GOT);
	cr_assert_float_eq(cut.cost_ns, 41, 0.1);
	inv_cut_free(&cut);
}

Test(own_cost_of_a_segment, of_python_it_is_at_least_that)
{
	take(INV_TIER_PYTHON);
	cr_assert(cut.cost_at_least);
	inv_cut_free(&cut);
}

Test(own_cost_of_a_segment, a_wild_number_is_bounded_and_harmless)
{
	struct inv_cost cost;
	take(INV_TIER_GOT);
	inv_cut_free(&cut);
	forge_seg.header->cost_ticks_x1024 = UINT64_MAX;
	atomic_store(&inv_segment_cells(&forge_seg, 0)[2].last_ticks, UINT64_MAX);
	struct inv_src src;
	forge_view_anew();
	cr_assert_eq(inv_src_borrow(&src, &forge_view), 0);
	cr_assert_eq(inv_cut_take(&cut, &src), 0);
	cr_assert(inv_cost_of(&cut, UINT64_MAX, &cost));
	cr_assert_eq(strlen(said()) > 0, true);
	inv_cut_free(&cut);
	inv_src_close(&src);
}
