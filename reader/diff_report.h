/* SPDX-License-Identifier: MIT */
/*
 * diff_report.h - two runs compared, for a human and as JSON.
 */
#ifndef INV_READER_DIFF_REPORT_H
#define INV_READER_DIFF_REPORT_H

#include <stdio.h>

#include "buf.h"
#include "cut.h"
#include "diff.h"

/* What is compared: the cuts say where it came from. */
struct inv_diff_report {
	const struct inv_diff *diff;
	const struct inv_cut *a, *b;
	enum inv_group by;
	double fail_above; /* a fraction, negative: none */
};

void inv_diff_report_table(const struct inv_diff_report *report, FILE *to, bool color);

/* One object and a newline. Members that no number fits (a change from 0, a bound that is
 * infinite) are left out. */
void inv_diff_report_json(const struct inv_diff_report *report, struct inv_buf *out);

#endif
