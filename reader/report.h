/* SPDX-License-Identifier: MIT */
/*
 * report.h - a cut as data: the JSON object of `snapshot` and `stats`, the exact lines at
 * the end of a file of events, CSV.
 *
 * Durations are milliseconds, counts are integers, nothing is null. Percentiles are
 * midpoints of buckets 12.5 % wide, which each output says ("bucket_width_percent").
 */
#ifndef INV_READER_REPORT_H
#define INV_READER_REPORT_H

#include "buf.h"
#include "cut.h"
#include "json.h"

/* One JSON object and a newline. with_status: the "status" member, too. */
void inv_report_object(const struct inv_cut *cut, struct inv_buf *out, bool with_status);

/*
 * `invoke_stats` lines, one an artifact, largest first, then one `invoke_losses` line.
 * They hold every bucket, so that a file of events reads back as exactly as its segment.
 * Returns: 0 or -ENOMEM.
 */
int inv_report_cut_lines(const struct inv_cut *cut, struct inv_buf *out);

/* The same of a segment, cut now. Returns: 0, -ENOMEM, -EFAULT. */
int inv_report_lines(const struct inv_view *view, struct inv_buf *out);

/* Rows of a group as a JSON object with one array, or as CSV with a header line. */
void inv_report_group_json(const struct inv_cut *cut, enum inv_group by,
			   const struct inv_stats_list *list, struct inv_buf *out);
void inv_report_group_csv(const struct inv_cut *cut, enum inv_group by,
			  const struct inv_stats_list *list, struct inv_buf *out);

/*
 * The members that say how often and how well something was called, in the order that readers
 * rely on: total_invocations, successful, failed, success_rate, avg_duration_ms; the totals
 * have failure_types besides. `unit`: nanoseconds per unit of the statistics.
 */
void inv_report_counts(struct inv_json *json, const struct inv_stats *stats, double unit);

/* The member `percentiles` of an invoker. */
void inv_report_sample(struct inv_json *json, const struct inv_sample *sample);
void inv_report_totals(struct inv_json *json, const struct inv_stats *stats, double unit);

/* The members "control", "probes" and "notes" of an object. */
void inv_report_control(struct inv_json *json, const struct inv_cut *cut);
void inv_report_probes(struct inv_json *json, const struct inv_cut *cut);
void inv_report_notes(struct inv_json *json, const struct inv_cut *cut);

/* "artifact_id", "method", "error_type", "invoker_id". */
const char *inv_report_key(enum inv_group by);

#endif
