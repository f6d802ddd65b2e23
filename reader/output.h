/* SPDX-License-Identifier: MIT */
/*
 * output.h - where a verb's data goes, and how its end is judged.
 *
 * A pipe that was closed early is no error: who closed it has seen enough. main ignores
 * SIGPIPE, so that it arrives here as EPIPE.
 */
#ifndef INV_READER_OUTPUT_H
#define INV_READER_OUTPUT_H

#include "buf.h"
#include "source.h"

/* Returns: 0, or the exit code after one line on stderr. */
int inv_output_open(struct inv_buf *out);

/* Flushes and frees. Returns: the exit code. */
int inv_output_close(struct inv_buf *out);

/* One line about a failed read of a source. Returns: the exit code. */
int inv_output_source_error(const struct inv_src *src, int error);

/* The same for stdio's stdout. Returns: the exit code. */
int inv_output_stdout_done(void);

#endif
