/* SPDX-License-Identifier: MIT */
/*
 * bench.h - a program run bare and observed, in turn, and what observing it costs.
 *
 * Runs come in pairs, in the order bare, observed, observed, bare (ABBA): what drifts while
 * they go on, clock frequency or a neighbour, falls on both sides alike. Two runs to warm up
 * come before and do not count. Each pair gives one ratio; the overhead is the median of the
 * ratios, with the interval of the sign test [O1]: that asks nothing of how the times of a
 * program are distributed, and one run that something disturbed moves it little. Means, and
 * a t interval, were rejected for that; a bootstrap of so few pairs covers less than it says.
 *
 * The clock of a run begins before its fork and ends when it is waited for; the session is
 * made before, as `run` does. CPU time is the program's, with its children that it waited
 * for.
 */
#ifndef INV_READER_BENCH_H
#define INV_READER_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "launch.h"
#include "run_probes.h"
#include "significance.h"

#define INV_BENCH_PAIRS_MAX  10000u
#define INV_BENCH_CONFIDENCE 0.95

struct inv_bench_run {
	double wall_ns, cpu_ns;
	uint64_t calls; /* recorded, when observed */
};

struct inv_bench_pair {
	struct inv_bench_run bare, observed;
};

struct inv_bench {
	const char *dir;   /* of sessions; NULL: the default */
	const char *input; /* of each run; NULL: none */
	bool show;	   /* the program's output goes where ours goes */
	bool progress;
	struct inv_launch_signals signals; /* of writes: by inv_launch_ignore_write_signals */
	char **command;
	struct inv_run_probes *probes;
	size_t pair_count;
	struct inv_bench_pair *pairs; /* of pair_count; filled by inv_bench_run */
	int status;		      /* of each run */
};

/* Returns: 0, or the exit code after one line on stderr. */
int inv_bench_run(struct inv_bench *bench);

/* What the pairs say of wall time, or of CPU time. */
struct inv_bench_result {
	double bare_ns, observed_ns;	/* medians */
	struct inv_sig_median ratio;	/* observed to bare */
	struct inv_sig_median added_ns; /* observed less bare */
	struct inv_sig_median call_ns;	/* the same for each call recorded */
	bool has_calls;			/* each observed run recorded some */
};

/* Returns: 0 or -ENOMEM. */
int inv_bench_judge(const struct inv_bench *bench, bool cpu, struct inv_bench_result *out);

#endif
