/* SPDX-License-Identifier: MIT */
/*
 * top_private.h - the looks that top.c and top_once.c share.
 */
#ifndef INV_READER_TOP_PRIVATE_H
#define INV_READER_TOP_PRIVATE_H

#include "top.h"

struct inv_top_look {
	struct inv_src *src;
	struct inv_cut now, before; /* before.registry: NULL: there is none */
	bool moving;		    /* a live session: the next look may differ */
	const char *life;
};

/* Takes a look; the last one becomes the one before. Returns: 0 or -errno. */
int inv_top_look(struct inv_top_look *look);
void inv_top_look_free(struct inv_top_look *look);

struct inv_top_looks inv_top_looks(const struct inv_top_look *look);

#endif
