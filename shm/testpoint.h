/* SPDX-License-Identifier: MIT */
/*
 * testpoint.h - places where a test may stop or kill a writer.
 *
 * One after each step that another process can see. In a normal build they are nothing;
 * with -DINV_TEST_POINTS each calls inv_test_point(), which runs inv_test_hook if a test
 * set one, or raises SIGKILL on its own process when INVREG_TEST_POINT=name:count says so
 * and this is the count-th passage.
 */
#ifndef INV_SHM_TESTPOINT_H
#define INV_SHM_TESTPOINT_H

#define INV_TEST_POINTS_LIST(X)                                                                    \
	X(begin_slot_busy)                                                                         \
	X(begin_slot_filled)                                                                       \
	X(begin_inflight_filled)                                                                   \
	X(begin_inflight_open)                                                                     \
	X(begin_counted)                                                                           \
	X(begin_slot_attempt)                                                                      \
	X(begin_head)                                                                              \
	X(begin_filtered)                                                                          \
	X(begin_paused)                                                                            \
	X(control_copied)                                                                          \
	X(end_cell_added)                                                                          \
	X(end_pair_added)                                                                          \
	X(end_text_busy)                                                                           \
	X(end_text_written)                                                                        \
	X(end_redo_filled)                                                                         \
	X(end_committed)                                                                           \
	X(end_slot_filled)                                                                         \
	X(end_slot_done)                                                                           \
	X(end_bucket)                                                                              \
	X(end_sums)                                                                                \
	X(end_pair)                                                                                \
	X(end_inflight_closed)                                                                     \
	X(end_returned)                                                                            \
	X(end_closed)                                                                              \
	X(abandon_slot)                                                                            \
	X(abandon_counted)                                                                         \
	X(name_stored)                                                                             \
	X(name_published)                                                                          \
	X(proc_claiming)                                                                           \
	X(proc_live)                                                                               \
	X(lane_claimed)                                                                            \
	X(lane_reserved)                                                                           \
	X(settle_redone)                                                                           \
	X(settle_named)                                                                            \
	X(settle_closed)                                                                           \
	X(settle_counted)                                                                          \
	X(lane_released)                                                                           \
	X(overflow_begun)                                                                          \
	X(overflow_cell)                                                                           \
	X(overflow_bucket)                                                                         \
	X(inside_call)

enum inv_test_point {
#define INV_TEST_POINT_ID(name) INV_TP_##name,
	INV_TEST_POINTS_LIST(INV_TEST_POINT_ID)
#undef INV_TEST_POINT_ID
		INV_TP_COUNT
};

#ifdef INV_TEST_POINTS
void inv_test_point(enum inv_test_point point);
extern void (*inv_test_hook)(enum inv_test_point point);
extern const char *const inv_test_point_names[INV_TP_COUNT];
#define INV_TEST_POINT(name) inv_test_point(INV_TP_##name)
#else
#define INV_TEST_POINT(name) ((void)0)
#endif

#endif
