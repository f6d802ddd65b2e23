/* SPDX-License-Identifier: MIT */
/*
 * top.h - `invreg top`: looks at a source again and again, and shows it.
 *
 * A look is a cut (cut.h); the one before it is kept for the rates. A session that ends is
 * looked at once more and then stands still, to be read at leisure; so does a file.
 * Following the events instead was rejected: totals are in the tallies, exact, at a cost
 * that does not grow with the calls.
 */
#ifndef INV_READER_TOP_H
#define INV_READER_TOP_H

#include "source.h"
#include "top_rows.h"

#define INV_TOP_FILTER_BYTES 128

struct inv_top_options {
	struct inv_top_query query;
	unsigned delay_ms;
};

/* On a terminal, until q or a signal. Returns: -1: the terminal is not fit for it; else the
 * exit code. */
int inv_top_watch(struct inv_src *src, const struct inv_top_options *options);

/* Once, on stdout. Returns: the exit code. */
int inv_top_once(struct inv_src *src, const struct inv_top_options *options);

#endif
