/* SPDX-License-Identifier: MIT */
/*
 * result.h - what functions of shm/ return: no errno, no output, one enum.
 */
#ifndef INV_SHM_RESULT_H
#define INV_SHM_RESULT_H

enum inv_result {
	INV_OK = 0,
	INV_E_SYSTEM,	  /* a system call failed; where stated, errno still holds why */
	INV_E_EXISTS,	  /* the session exists already */
	INV_E_NOT_FOUND,  /* no such file, row or name */
	INV_E_FULL,	  /* no room: table, budget or file system */
	INV_E_OWNER,	  /* the file or directory belongs to another user */
	INV_E_MODE,	  /* users other than its owner may write to it */
	INV_E_KIND,	  /* a symlink, a FIFO, a directory: not a regular file */
	INV_E_MAGIC,	  /* not an invreg segment */
	INV_E_VERSION,	  /* a segment of another format version */
	INV_E_BYTE_ORDER, /* made on a machine of other byte order */
	INV_E_NOT_READY,  /* its creator has not finished (or died creating) */
	INV_E_CORRUPT,	  /* truncated, or sizes and offsets that contradict each other */
	INV_E_CLOCK,	  /* this process cannot read the session's clock */
	INV_E_LIMIT,	  /* RLIMIT_FSIZE, RLIMIT_AS or a sandbox forbids it */
	INV_E_USAGE	  /* an argument is out of range */
};

/* Returns: a static English phrase for r, without a full stop; never NULL. */
const char *inv_result_text(enum inv_result r);

#endif
