/* SPDX-License-Identifier: MIT */
/*
 * web.h - the files of reader/web/, embedded by scripts/embed.sh when this is built.
 */
#ifndef INV_READER_WEB_H
#define INV_READER_WEB_H

#include <stddef.h>

struct inv_web_file {
	const char *path; /* "/index.html" */
	const char *type; /* "text/html; charset=utf-8" */
	const unsigned char *bytes;
	size_t length;
};

/* Ends with a path of NULL. */
extern const struct inv_web_file inv_web_files[];

#endif
