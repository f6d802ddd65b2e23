/* SPDX-License-Identifier: MIT */
#include "buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST_CAPACITY	(320u << 10)
#define MEMORY_CAPACITY (2u * INV_BUF_ROOM_MAX)
#define FLUSH_AT	(256u << 10)

int inv_buf_init(struct inv_buf *buf, int fd)
{
	*buf = (struct inv_buf){.fd = fd, .flush_at = FLUSH_AT};
	size_t capacity = fd < 0 ? MEMORY_CAPACITY : FIRST_CAPACITY;
	buf->data = malloc(capacity);
	if (!buf->data)
		return -ENOMEM;
	buf->capacity = capacity;
	return 0;
}

void inv_buf_free(struct inv_buf *buf)
{
	free(buf->data);
	*buf = (struct inv_buf){.fd = -1};
}

static int write_all(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t n = write(fd, data, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

int inv_buf_flush(struct inv_buf *buf)
{
	if (!buf->error && buf->fd >= 0)
		buf->error = write_all(buf->fd, buf->data, buf->length);
	if (buf->fd >= 0)
		buf->length = 0;
	return buf->error;
}

void inv_buf_grow(struct inv_buf *buf, size_t bytes)
{
	size_t wanted = buf->capacity * 2;
	while (wanted - buf->length < bytes)
		wanted *= 2;
	char *data = realloc(buf->data, wanted);
	if (data) {
		buf->data = data;
		buf->capacity = wanted;
		return;
	}
	/* The old block is large enough for any one room: stay in bounds, lose the bytes. */
	buf->error = -ENOMEM;
	buf->length = 0;
}

void inv_buf_put(struct inv_buf *buf, const void *bytes, size_t length)
{
	const char *from = bytes;
	while (length) {
		size_t n = length < INV_BUF_ROOM_MAX ? length : INV_BUF_ROOM_MAX;
		char *p = inv_buf_room(buf, n);
		memcpy(p, from, n);
		inv_buf_took(buf, p + n);
		from += n;
		length -= n;
	}
}

void inv_buf_puts(struct inv_buf *buf, const char *text)
{
	inv_buf_put(buf, text, strlen(text));
}

void inv_buf_printf(struct inv_buf *buf, const char *format, ...)
{
	char text[INV_BUF_ROOM_MAX];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0)
		return;
	inv_buf_put(buf, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

void inv_buf_line_end(struct inv_buf *buf)
{
	char *p = inv_buf_room(buf, 1);
	*p = '\n';
	inv_buf_took(buf, p + 1);
	if (buf->fd >= 0 && buf->length >= buf->flush_at)
		inv_buf_flush(buf);
}
