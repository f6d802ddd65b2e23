/* SPDX-License-Identifier: MIT */
/*
 * run_probes.c - the file as it is where it has no names, else a copy with offsets.
 *
 * A temporary file that goes at the end of the run was rejected: processes may outlive it.
 */
#include "reader/run_probes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reader/check.h"
#include "reader/run.h"
#include "reader/say.h"

int inv_run_probes_read(struct inv_run_probes *out, const char *path, char *const *command)
{
	if (inv_check_read(&out->file, path, command, &out->resolved))
		return INV_RUN_EXIT_OWN;
	out->path = realpath(path, NULL);
	if (out->path)
		return 0;
	inv_say("invreg: %s: %s\n", path, strerror(errno));
	return INV_RUN_EXIT_OWN;
}

static bool write_text(const char *path, const char *text)
{
	size_t length = strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	ssize_t n = write(fd, text, length);
	int err = n < 0 ? errno : ENOSPC;
	close(fd);
	errno = err;
	return n == (ssize_t)length;
}

bool inv_run_probes_keep(struct inv_run_probes *probes, const char *dir, const char *session)
{
	char *path;
	if (!probes->resolved)
		return true;
	if (asprintf(&path, "%s/%s.ini", dir, session) < 0)
		return false;
	free(probes->path);
	probes->path = path;
	probes->kept = true;
	return write_text(path, probes->resolved);
}

void inv_run_probes_drop(const struct inv_run_probes *probes)
{
	if (probes->kept)
		unlink(probes->path);
}

void inv_run_probes_free(struct inv_run_probes *probes)
{
	free(probes->path);
	free(probes->resolved);
	inv_probe_file_free(&probes->file);
}
