/* SPDX-License-Identifier: MIT */
/*
 * raw.h - a raw snapshot: a copy of a segment that is itself a segment.
 *
 * The same format, so that every command reads it like a live one: lanes are copied
 * settled (a commit in progress is finished in the copy), slots that were not whole at the
 * moment are left empty, lanes never used are left out, and `taken` holds the clock of the
 * copy; its ticks are 0 where the session's clock is not this machine's. The file is sparse.
 */
#ifndef INV_READER_RAW_H
#define INV_READER_RAW_H

#include "shm/view.h"

/* Writes view to fd, an empty file. Returns: 0, or -errno (-EFAULT: truncated under us). */
int inv_raw_write(const struct inv_view *view, int fd);

#endif
