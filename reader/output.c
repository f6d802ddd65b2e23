/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verbs.h"

static int judge(int error)
{
	if (error == 0 || error == -EPIPE)
		return INV_EXIT_OK;
	fprintf(stderr, "invreg: writing the output: %s\n", strerror(-error));
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
		fprintf(stderr, "invreg: %s: was truncated while it was read\n", src->path);
		return INV_EXIT_REFUSED;
	}
	fprintf(stderr, "invreg: %s: %s\n", src->path, strerror(-error));
	return INV_EXIT_RUNTIME;
}

int inv_output_stdout_done(void)
{
	errno = 0;
	if (fflush(stdout) == 0)
		return INV_EXIT_OK;
	return judge(errno ? -errno : -EIO);
}
