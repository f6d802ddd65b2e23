/* SPDX-License-Identifier: MIT */
/*
 * buf.h - bytes on their way out: in memory, or to a file descriptor in whole lines.
 *
 * With a descriptor, the buffer is written by inv_buf_line_end() once it is large and by
 * inv_buf_flush(), so that what reaches the file always ends with a whole line, but for one
 * end: Linux lets SIGKILL end a write(2) between two pages, and then the last line may be
 * cut at one. jsonl.c passes such a line over. Lines that never cross a page, padded, would
 * cost a reader's grep more than the crash is worth. Errors stick: after the first,
 * everything is a no-op and `error` says why (-errno).
 *
 * stdio was rejected: it writes where its buffer happens to be full, in the middle of a
 * line, and costs a lock and a copy a call.
 *
 * One thread at a time.
 */
#ifndef INV_READER_BUF_H
#define INV_READER_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INV_BUF_ROOM_MAX 4096u /* what inv_buf_room may be asked for */

struct inv_buf {
	char *data;
	size_t length;
	size_t capacity;
	size_t flush_at; /* with a descriptor: written when a line ends beyond this */
	int fd;		 /* -1: memory */
	int error;	 /* 0 or -errno */
};

/* fd -1: in memory. Returns: 0 or -ENOMEM. */
int inv_buf_init(struct inv_buf *buf, int fd);

/* Does not flush. The descriptor stays the caller's. */
void inv_buf_free(struct inv_buf *buf);

/* Writes all out (with a descriptor). Returns: 0 or the sticking error. */
int inv_buf_flush(struct inv_buf *buf);

/* Makes room for more than the room left, or sets the error and empties the buffer. */
void inv_buf_grow(struct inv_buf *buf, size_t bytes);

/* Room for `bytes` <= INV_BUF_ROOM_MAX: always a valid pointer; see inv_buf_took. */
static inline char *inv_buf_room(struct inv_buf *buf, size_t bytes)
{
	if (__builtin_expect(buf->capacity - buf->length < bytes, 0))
		inv_buf_grow(buf, bytes);
	return buf->data + buf->length;
}

/* What was written into the room ends at `end`. */
static inline void inv_buf_took(struct inv_buf *buf, const char *end)
{
	buf->length = (size_t)(end - buf->data);
}

void inv_buf_put(struct inv_buf *buf, const void *bytes, size_t length);
void inv_buf_puts(struct inv_buf *buf, const char *text);
void inv_buf_printf(struct inv_buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Ends a line: a newline, and perhaps a write. */
void inv_buf_line_end(struct inv_buf *buf);

#endif
