/* SPDX-License-Identifier: MIT */
/*
 * use.h - all that the reader does with a source once it is open: what `snapshot`, `stats`,
 * `events`, `top -1` and the server print of it, and whether that may leave the program.
 *
 * [F11] JSON is JSON and lines of events are JSON, whatever a source holds.
 * [F12] Nothing that is printed for people has a control character but newlines: a name
 *      cannot move a terminal's cursor.
 * [F13] Metrics are lines of Prometheus' text format, in UTF-8.
 */
#ifndef TESTS_FUZZ_USE_H
#define TESTS_FUZZ_USE_H

#include "reader/source.h"

/* The reports of a cut; variant: which of its lists. Returns: 0, or -errno of inv_cut_take. */
int fuzz_use_cut(struct inv_src *src, unsigned variant);

/* Its calls as event lines, loaded before; they are read back and all of them are good. */
void fuzz_use_calls(struct inv_src *src);

/* Half of the answers of the server, by variant. Returns: 0, or -errno of the cut. */
int fuzz_use_server(struct inv_src *src, unsigned variant);

#endif
