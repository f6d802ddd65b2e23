/* SPDX-License-Identifier: MIT */
/*
 * base.h - a small segment as its writers left it, to be damaged and made whole again.
 *
 * Made by the real writer (shm/record.h) in a geometry of its own: three lanes with rings of
 * 64 slots, 24 cells and 128 pairs, an arena that is nearly full: all that a large one has in
 * few pages that are not holes. It has calls that succeeded and failed, with messages, nested,
 * lapped, still open, of names that found no room; a process that lives (this one), an overflow
 * region, notes.
 *
 * It lives in one memfd for all runs. A run notes the pages that it writes to, and only these
 * are copied back from the pristine bytes.
 */
#ifndef TESTS_FUZZ_BASE_H
#define TESTS_FUZZ_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run of bytes that a mutation may write to. */
struct fuzz_place {
	const char *name;
	uint64_t offset, bytes;
};

struct fuzz_base {
	int fd;
	unsigned char *live;	 /* the memfd, to be written to */
	unsigned char *pristine; /* what it is made whole from */
	uint64_t bytes;
	bool *dirty; /* a page each */
	bool shrunk;
	const struct fuzz_place *places;
	unsigned place_count;
};

/* Makes it at the first call; aborts when it cannot. */
struct fuzz_base *fuzz_base(void);

/* Writes; what lies beyond the end is cut off. */
void fuzz_base_write(struct fuzz_base *base, uint64_t offset, const void *bytes, uint64_t length);

/* Cuts the file short; it is written to no more until it is made whole. */
void fuzz_base_shrink(struct fuzz_base *base, uint64_t bytes);

void fuzz_base_restore(struct fuzz_base *base);

#endif
