/* SPDX-License-Identifier: MIT */
/*
 * diff.h - two runs compared: what is called, how often it fails, how long it takes.
 *
 * Rows are of an artifact and a method (or of an artifact), joined by name. Three measures of
 * a row are judged: the share of calls that failed, and the durations p50 and p99.
 *
 * [O3] Failures: two shares, by [O2].
 * [O4] A percentile of each run lies in an interval by [O1], widened to whole buckets of the
 *      histogram: that is all that is known of a duration. It has changed when the intervals
 *      of A and B do not even touch; so what is smaller than a bucket is never a change.
 * [O5] Of `comparisons` measures, each may be wrong with a probability of 5 % divided by
 *      their number (Bonferroni): where nothing changed, one report of twenty names a change
 *      at all. Of the two intervals of a measure each has half of that.
 *
 * Holm's procedure was rejected: it names a little more, but wants a p-value, which [O4] has
 * none of. Numbers of calls are not judged: they are counts of what the program did, not
 * samples of it.
 *
 * What this does not know is what two runs of one program differ in anyhow: clock
 * frequency, neighbours, a warm cache. It is more than the noise within the runs.
 *
 * One thread.
 */
#ifndef INV_READER_DIFF_H
#define INV_READER_DIFF_H

#include "registry.h"

#define INV_DIFF_ALPHA 0.05 /* of the whole report [O5] */

enum inv_diff_verdict {
	INV_DIFF_UNJUDGED, /* too few calls to tell any change */
	INV_DIFF_NOISE,
	INV_DIFF_BETTER,
	INV_DIFF_WORSE
};

struct inv_diff_bounds {
	double low, high; /* high may be infinite */
};

struct inv_diff_measure {
	double a, b;			   /* a share; durations in ns */
	struct inv_diff_bounds in_a, in_b; /* of durations [O4] */
	double p_value;			   /* of shares [O3] */
	enum inv_diff_verdict verdict;
};

struct inv_diff_row {
	const struct inv_stats *a, *b; /* one of them may be NULL; units are the registries' */
	struct inv_diff_measure failures, p50, p99; /* when in both */
};

struct inv_diff {
	struct inv_diff_row *rows; /* worse first, then better, then those in one, then the rest */
	size_t count;
	struct inv_stats_list a, b;
	uint64_t comparisons;
	size_t worse, better; /* rows with such a measure */
};

/*
 * by: INV_BY_METHOD or INV_BY_ARTIFACT. The registries outlive the diff.
 * Returns: 0 or -ENOMEM. On failure the diff is empty.
 */
int inv_diff_make(struct inv_diff *diff, struct inv_registry *a, struct inv_registry *b,
		  enum inv_group by);
void inv_diff_free(struct inv_diff *diff);

/* b against a, as a fraction: 0.5 is half as much again; infinite from 0, 0 between zeros. */
double inv_diff_change(const struct inv_diff_measure *measure);

/* Whether a measure of the row is worse by more than this fraction, and by more than noise. */
bool inv_diff_above(const struct inv_diff_row *row, double fraction);

/* A percentile and where it surely lies, in ns [O4]. */
struct inv_diff_bounds inv_diff_percentile_bounds(const struct inv_hist *hist, double unit,
						  double fraction, double confidence);

#endif
