/* SPDX-License-Identifier: MIT */
#include "diff.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "significance.h"

/* Two runs of one machine measure their tick's length anew: bounds of one bucket, converted,
 * differ by less than this. */
#define CLOCKS_AGREE 0.001

/* ---- judging ------------------------------------------------------------------------------ */

/* The bucket that holds the value of a rank, 1 the smallest. */
static uint32_t bucket_of_rank(const struct inv_hist *hist, uint64_t rank)
{
	uint64_t seen = 0;
	for (uint32_t i = 0; i < INV_HIST_BUCKETS; i++) {
		seen += hist->bucket[i];
		if (seen >= rank)
			return i;
	}
	return INV_HIST_BUCKETS - 1;
}

struct inv_diff_bounds inv_diff_percentile_bounds(const struct inv_hist *hist, double unit,
						  double fraction, double confidence)
{
	struct inv_sig_ranks ranks = inv_sig_quantile(hist->count, fraction, confidence);
	struct inv_diff_bounds bounds = {0, INFINITY};
	if (ranks.low > 0) {
		double low = (double)inv_bucket_low(bucket_of_rank(hist, ranks.low));
		bounds.low = fmax(low, (double)hist->min) * unit;
	}
	if (ranks.high <= hist->count) {
		uint32_t last = bucket_of_rank(hist, ranks.high);
		double high = last < INV_HIST_BUCKETS - 1 ? (double)inv_bucket_low(last + 1)
							  : (double)hist->max;
		bounds.high = fmin(high, (double)hist->max) * unit;
	}
	return bounds;
}

static enum inv_diff_verdict judge_bounds(struct inv_diff_bounds a, struct inv_diff_bounds b)
{
	if (b.low > a.high * (1 + CLOCKS_AGREE))
		return INV_DIFF_WORSE;
	if (a.low > b.high * (1 + CLOCKS_AGREE))
		return INV_DIFF_BETTER;
	return isinf(a.high) && isinf(b.high) ? INV_DIFF_UNJUDGED : INV_DIFF_NOISE;
}

struct sides {
	double unit_a, unit_b;
	double alpha; /* of one measure */
};

static void judge_percentile(struct inv_diff_measure *m, const struct inv_diff_row *row,
			     const struct sides *s, double fraction)
{
	const struct inv_hist *a = &row->a->hist, *b = &row->b->hist;
	m->a = inv_hist_percentile(a, fraction) * s->unit_a;
	m->b = inv_hist_percentile(b, fraction) * s->unit_b;
	m->in_a = inv_diff_percentile_bounds(a, s->unit_a, fraction, 1 - s->alpha / 2);
	m->in_b = inv_diff_percentile_bounds(b, s->unit_b, fraction, 1 - s->alpha / 2);
	m->verdict = judge_bounds(m->in_a, m->in_b);
}

static double share_failed(const struct inv_stats *s)
{
	uint64_t total = inv_stats_total(s);
	return total ? (double)s->failed / (double)total : 0.0;
}

static void judge_failures(struct inv_diff_measure *m, const struct inv_diff_row *row,
			   const struct sides *s)
{
	m->a = share_failed(row->a);
	m->b = share_failed(row->b);
	m->p_value = inv_sig_shares(row->a->failed, inv_stats_total(row->a), row->b->failed,
				    inv_stats_total(row->b));
	m->verdict = m->p_value >= s->alpha ? INV_DIFF_NOISE
		     : m->b > m->a	    ? INV_DIFF_WORSE
					    : INV_DIFF_BETTER;
}

static bool has(const struct inv_diff_row *row, enum inv_diff_verdict verdict)
{
	return row->a && row->b &&
	       (row->failures.verdict == verdict || row->p50.verdict == verdict ||
		row->p99.verdict == verdict);
}

static void judge_all(struct inv_diff *diff, double unit_a, double unit_b)
{
	size_t both = 0;
	for (size_t i = 0; i < diff->count; i++)
		both += diff->rows[i].a && diff->rows[i].b;
	diff->comparisons = 3 * both;
	struct sides s = {unit_a, unit_b, INV_DIFF_ALPHA / (double)(both ? 3 * both : 1)};
	for (size_t i = 0; i < diff->count; i++) {
		struct inv_diff_row *row = &diff->rows[i];
		if (!row->a || !row->b)
			continue;
		judge_failures(&row->failures, row, &s);
		judge_percentile(&row->p50, row, &s, 0.5);
		judge_percentile(&row->p99, row, &s, 0.99);
		diff->worse += has(row, INV_DIFF_WORSE);
		diff->better += has(row, INV_DIFF_BETTER);
	}
}

double inv_diff_change(const struct inv_diff_measure *m)
{
	if (m->a <= 0)
		return m->b > 0 ? INFINITY : 0.0;
	return m->b / m->a - 1;
}

static bool measure_above(const struct inv_diff_measure *m, double fraction)
{
	return m->verdict == INV_DIFF_WORSE && inv_diff_change(m) > fraction;
}

bool inv_diff_above(const struct inv_diff_row *row, double fraction)
{
	return row->a && row->b &&
	       (measure_above(&row->failures, fraction) || measure_above(&row->p50, fraction) ||
		measure_above(&row->p99, fraction));
}

/* ---- joining ------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	int artifacts = inv_stats_compare_artifacts(a, b);
	return artifacts ? artifacts : inv_stats_compare_names(a, b);
}

static void sort_by_name(struct inv_stats_list *list)
{
	if (list->count)
		qsort(list->rows, list->count, sizeof(*list->rows), by_name);
}

static int join(struct inv_diff *diff)
{
	size_t i = 0, k = 0, room = diff->a.count + diff->b.count;
	diff->rows = calloc(room ? room : 1, sizeof(*diff->rows));
	if (!diff->rows)
		return -ENOMEM;
	while (i < diff->a.count || k < diff->b.count) {
		int order = i == diff->a.count	 ? 1
			    : k == diff->b.count ? -1
						 : by_name(&diff->a.rows[i], &diff->b.rows[k]);
		struct inv_diff_row *row = &diff->rows[diff->count++];
		row->a = order <= 0 ? &diff->a.rows[i++] : NULL;
		row->b = order >= 0 ? &diff->b.rows[k++] : NULL;
	}
	return 0;
}

/* ---- order --------------------------------------------------------------------------------- */

static int class_of(const struct inv_diff_row *row)
{
	if (has(row, INV_DIFF_WORSE))
		return 0;
	if (has(row, INV_DIFF_BETTER))
		return 1;
	return row->a && row->b ? 3 : 2;
}

/* How many times as much or as little, of what is more than noise. */
static double size_of(const struct inv_diff_measure *m, enum inv_diff_verdict verdict)
{
	if (m->verdict != verdict)
		return 0;
	return m->a > 0 && m->b > 0 ? fabs(log(m->b / m->a)) : INFINITY;
}

static double size_of_row(const struct inv_diff_row *row)
{
	enum inv_diff_verdict verdict = has(row, INV_DIFF_WORSE) ? INV_DIFF_WORSE : INV_DIFF_BETTER;
	return fmax(size_of(&row->failures, verdict),
		    fmax(size_of(&row->p50, verdict), size_of(&row->p99, verdict)));
}

static uint64_t calls_of(const struct inv_diff_row *row)
{
	return (row->a ? inv_stats_total(row->a) : 0) + (row->b ? inv_stats_total(row->b) : 0);
}

static int by_importance(const void *a, const void *b)
{
	const struct inv_diff_row *x = a, *y = b;
	int class_x = class_of(x), class_y = class_of(y);
	if (class_x != class_y)
		return class_x - class_y;
	double size_x = class_x < 2 ? size_of_row(x) : 0, size_y = class_x < 2 ? size_of_row(y) : 0;
	if (size_x < size_y || size_x > size_y)
		return size_x < size_y ? 1 : -1;
	if (calls_of(x) != calls_of(y))
		return calls_of(x) < calls_of(y) ? 1 : -1;
	return by_name(x->a ? x->a : x->b, y->a ? y->a : y->b);
}

/* ---- all ----------------------------------------------------------------------------------- */

int inv_diff_make(struct inv_diff *diff, struct inv_registry *a, struct inv_registry *b,
		  enum inv_group by)
{
	*diff = (struct inv_diff){0};
	int result = inv_registry_group(a, by, (struct inv_text){0}, &diff->a);
	if (result == 0)
		result = inv_registry_group(b, by, (struct inv_text){0}, &diff->b);
	sort_by_name(&diff->a);
	sort_by_name(&diff->b);
	if (result == 0)
		result = join(diff);
	if (result < 0) {
		inv_diff_free(diff);
		return result;
	}
	judge_all(diff, inv_registry_ns_per_unit(a), inv_registry_ns_per_unit(b));
	if (diff->count)
		qsort(diff->rows, diff->count, sizeof(*diff->rows), by_importance);
	return 0;
}

void inv_diff_free(struct inv_diff *diff)
{
	inv_stats_list_free(&diff->a);
	inv_stats_list_free(&diff->b);
	free(diff->rows);
	*diff = (struct inv_diff){0};
}
