/* SPDX-License-Identifier: MIT */
/*
 * metrics.h - the state of /metrics: which series there are, so that none comes and goes.
 */
#ifndef INV_READER_METRICS_H
#define INV_READER_METRICS_H

#include <stdint.h>

struct inv_metrics;

/* Returns: NULL: out of memory. */
struct inv_metrics *inv_metrics_new(uint32_t max_series);
void inv_metrics_free(struct inv_metrics *metrics);

#endif
