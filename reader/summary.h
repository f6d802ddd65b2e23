/* SPDX-License-Identifier: MIT */
/*
 * summary.h - what a human sees of a session: the artifacts with their totals, what is in
 * flight or never returned, losses with their remedies, and what each probe is bound to
 * or why it is not.
 */
#ifndef INV_READER_SUMMARY_H
#define INV_READER_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cut.h"
#include "shm/view.h"

/* What processes did with probes: bit i of each. */
struct inv_summary_probes {
	uint64_t bound; /* probe i is bound in some process */
	uint64_t told;	/* a note says why not: an interpreter's, or of a function that was found */
};

/* Prints a cut. */
void inv_summary_show(const struct inv_cut *cut, FILE *to, bool color);

/*
 * The same of a segment, cut now.
 * Returns: whether it is certain that no call began, and none was held back by a pause.
 */
bool inv_summary_print(struct inv_view *view, FILE *to, bool color,
		       struct inv_summary_probes *probes);

/*
 * Totals for a progress line: a few words a lane for calls and losses, the tallies for
 * failures. Copies nothing; a call that returns meanwhile may be missed by one.
 */
void inv_progress_counts(struct inv_view *view, uint64_t *calls, uint64_t *failures,
			 uint64_t *lost);

#endif
