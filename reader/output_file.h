/* SPDX-License-Identifier: MIT */
/*
 * output_file.h - the file that a verb was told to write, put in place when it is whole.
 *
 * A regular file is written under a temporary name beside it and renamed: nobody ever finds
 * half of it, and an old one stays until then, with its owner and its mode. A symlink is
 * followed first. What a rename would take away from somebody is written in place, as `>`
 * does it: a device, a FIFO, a file with several names, a file whose owner cannot be given
 * to another, what the standard streams or /proc/<pid>/fd lead to, and a file in a
 * directory where nothing can be made. A dangling link is, too: there is nothing to lose.
 *
 * That the link is followed is left to the kernel, which refuses what others have planted in
 * a sticky directory; reading the links here was rejected for that.
 *
 * One thread. Prints nothing.
 */
#ifndef INV_READER_OUTPUT_FILE_H
#define INV_READER_OUTPUT_FILE_H

#include <stdbool.h>

struct inv_output_file {
	int fd;		 /* for writing */
	bool regular;	 /* an empty file, which may be written in any order */
	char *path;	 /* what the temporary file becomes; NULL: written in place */
	char *temporary; /* or NULL */
};

/*
 * What writing to path would destroy: the file that is read through source (-1: none), or
 * a file of a session that lives, whose program has it mapped. A session that may live, in
 * another pid namespace, counts as one that does.
 * Returns: a text for "PATH: text", or NULL.
 */
const char *inv_output_file_harm(const char *path, int source);

/*
 * Returns: 0, -ENOMEM, or -errno of opening: -EACCES also of a file that may not be written
 * to, though it could be replaced. On failure there is nothing to close.
 */
int inv_output_file_open(struct inv_output_file *file, const char *path);

/* result: of writing, 0 or -errno; then nothing is put in place. Returns: it, or -errno. */
int inv_output_file_close(struct inv_output_file *file, int result);

#endif
