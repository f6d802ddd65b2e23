/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "say.h"
#include "verbs.h"

static int judge(int error)
{
	if (error == 0 || error == -EPIPE)
		return INV_EXIT_OK;
	inv_say("invreg: writing the output: %s\n", strerror(-error));
	return INV_EXIT_RUNTIME;
}

int inv_output_open(struct inv_buf *out)
{
	return judge(inv_buf_init(out, STDOUT_FILENO));
}

int inv_output_close(struct inv_buf *out)
{
	int code = judge(inv_buf_flush(out));
	inv_buf_free(out);
	return code;
}

int inv_output_source_error(const struct inv_src *src, int error)
{
	if (error == -EFAULT) {
		inv_say("invreg: %s: was truncated while it was read\n", src->path);
		return INV_EXIT_REFUSED;
	}
	inv_say("invreg: %s: %s\n", src->path, strerror(-error));
	return INV_EXIT_RUNTIME;
}

int inv_output_done(const struct inv_src *src, int error)
{
	if (error == -EFAULT)
		return inv_output_source_error(src, error);
	if (error != -ENOMEM)
		return judge(error);
	fputs("invreg: out of memory\n", stderr);
	return INV_EXIT_RUNTIME;
}

int inv_output_flush(FILE *to)
{
	int before = errno; /* of a write that failed when the buffer was full: what is left fits */
	errno = 0;
	if (fflush(to) == 0 && !ferror(to))
		return 0;
	return errno ? -errno : before ? -before : -EIO;
}

int inv_output_stdout_done(void)
{
	return judge(inv_output_flush(stdout));
}

void inv_output_fill_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/", O_PATH | O_CLOEXEC) != fd)
			return;
}
