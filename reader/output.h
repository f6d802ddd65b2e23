/* SPDX-License-Identifier: MIT */
/*
 * output.h - where a verb's data goes, and how its end is judged.
 *
 * A pipe that was closed early is no error: who closed it has seen enough. main ignores
 * SIGPIPE, so that it arrives here as EPIPE.
 */
#ifndef INV_READER_OUTPUT_H
#define INV_READER_OUTPUT_H

#include <stdio.h>

#include "buf.h"
#include "source.h"

/* Returns: 0, or the exit code after one line on stderr. */
int inv_output_open(struct inv_buf *out);

/* Flushes and frees. Returns: the exit code. */
int inv_output_close(struct inv_buf *out);

/* One line about a failed read of a source. Returns: the exit code. */
int inv_output_source_error(const struct inv_src *src, int error);

/*
 * The end of reading src and writing to stdout: 0 or -errno. -EFAULT and -ENOMEM are of
 * the reading, all others of the writing. Returns: the exit code, after one line on stderr
 * or none.
 */
int inv_output_done(const struct inv_src *src, int error);

/* What became of all that was written to a stream of stdio. Returns: 0 or -errno. */
int inv_output_flush(FILE *to);

/* The same for stdout. Returns: the exit code. */
int inv_output_stdout_done(void);

/*
 * A standard stream that is closed is filled with what gives EBADF: else the next file that
 * is opened, a session, would have its number and be written to. Close-on-exec: a program that
 * is started finds it closed, as it was.
 */
void inv_output_fill_streams(void);

#endif
