/* SPDX-License-Identifier: MIT */
/*
 * damage.h - a file that is right, damaged word by word, and made whole again.
 *
 * The subject lives in one memfd for all runs. A run notes the pages that it writes to, and
 * only these are copied back from the pristine bytes. An input is a list of damages: which
 * structure, which word of it, what is stored there; some ten bytes, each of which counts.
 *
 *   damage = kind u8, place u8, at u16, then by kind: a byte, a word, a length and bytes
 */
#ifndef TESTS_FUZZ_DAMAGE_H
#define TESTS_FUZZ_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUZZ_PAGE 4096u

/* A run of bytes that a damage may be done to. */
struct fuzz_place {
	uint64_t offset, bytes; /* at least 8 */
};

struct fuzz_subject {
	int fd;
	unsigned char *live;	 /* the memfd, to be written to */
	unsigned char *pristine; /* what it is made whole from */
	uint64_t bytes;		 /* a multiple of FUZZ_PAGE */
	bool *dirty;		 /* a page each */
	bool shrunk;
	const struct fuzz_place *places;
	unsigned place_count;
};

struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

/* The next bytes of the input, the first one lowest; 0 beyond its end. */
uint64_t fuzz_take(struct fuzz_input *in, unsigned bytes);

/* Takes a copy of bytes[length]; the places stay the caller's. */
void fuzz_subject_make(struct fuzz_subject *subject, const void *bytes, uint64_t length,
		       const struct fuzz_place *places, unsigned count);

/* Does as many damages as the input holds, 64 at most. */
void fuzz_damage(struct fuzz_subject *subject, struct fuzz_input *in);

/* Cuts the file short; it is written to no more until it is made whole. */
void fuzz_shrink(struct fuzz_subject *subject, uint64_t bytes);

void fuzz_restore(struct fuzz_subject *subject);

#endif
