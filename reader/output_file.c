/* SPDX-License-Identifier: MIT */
#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "shm/session.h"

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* ---- in place --------------------------------------------------------------------------- */

static int open_in_place(struct inv_output_file *file, const char *path, int flags)
{
	struct stat st;
	file->fd = open(path, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC | flags, 0666);
	if (file->fd < 0)
		return -errno;
	file->regular = fstat(file->fd, &st) == 0 && S_ISREG(st.st_mode);
	return 0;
}

/* A standard stream by another name; opened anew, it would be written from its start. */
static int stream_that_is(const struct stat *st)
{
	struct stat stream;
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (fstat(fd, &stream) == 0 && same(st, &stream) &&
		    (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
			return fd;
	return -1;
}

/* Others have written to it, and will: it has no beginning of ours. */
static int share(struct inv_output_file *file, int stream)
{
	file->fd = fcntl(stream, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return file->fd < 0 ? -errno : 0;
}

/* What /proc/<pid>/fd/N names is open somewhere, whatever name it has. */
static bool is_of_proc(const char *path)
{
	struct statfs fs;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool found = fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
	close(fd);
	return found;
}

/* ---- beside it -------------------------------------------------------------------------- */

static int create(struct inv_output_file *file, const char *path, mode_t mode)
{
	if (asprintf(&file->temporary, "%s.tmp-%d", path, (int)getpid()) < 0) {
		file->temporary = NULL;
		return -ENOMEM;
	}
	file->path = strdup(path);
	if (!file->path)
		return -ENOMEM;
	file->fd =
		open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	file->regular = true;
	return file->fd < 0 ? -errno : 0;
}

static void forget(struct inv_output_file *file)
{
	if (file->fd >= 0) {
		close(file->fd);
		unlink(file->temporary);
	}
	free(file->path);
	free(file->temporary);
	*file = (struct inv_output_file){.fd = -1};
}

/* Returns: whether it belongs to whom the old one belonged to, with the same mode. */
static bool resemble(int fd, const struct stat *old)
{
	struct stat st;
	if (fstat(fd, &st))
		return false;
	if ((st.st_uid != old->st_uid || st.st_gid != old->st_gid) &&
	    fchown(fd, old->st_uid, old->st_gid))
		return false;
	return fchmod(fd, old->st_mode & 0777) == 0;
}

static int open_beside(struct inv_output_file *file, const char *path, const struct stat *old)
{
	int result = create(file, path, 0600);
	if (result == 0 && !resemble(file->fd, old))
		result = -EPERM;
	if (result == 0)
		return 0;
	forget(file);
	/* The file itself may be ours to write all the same. */
	bool in_place = result == -EACCES || result == -EPERM || result == -ENAMETOOLONG;
	return in_place ? open_in_place(file, path, 0) : result;
}

/* ---- what must not be written to -------------------------------------------------------- */

static bool is_live(const char *segment)
{
	int fd = open(segment, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool live = inv_session_liveness(fd) != INV_LIVENESS_DEAD;
	close(fd);
	return live;
}

/* Its control page or its copy of the probes: NAME.ctl and NAME.ini beside NAME.seg. */
static bool is_of_live(const char *path)
{
	char segment[4096];
	const char *dot = strrchr(path, '.');
	if (!dot || (strcmp(dot, ".ctl") && strcmp(dot, ".ini")))
		return false;
	int n = snprintf(segment, sizeof(segment), "%.*s.seg", (int)(dot - path), path);
	return n > 0 && (size_t)n < sizeof(segment) && is_live(segment);
}

const char *inv_output_file_harm(const char *path, int source)
{
	struct stat st, read_from;
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return NULL;
	if (source >= 0 && fstat(source, &read_from) == 0 && same(&st, &read_from))
		return "this is what is read: name another file";
	char *real = realpath(path, NULL);
	bool live = is_live(path) || (real && is_of_live(real));
	free(real);
	return live ? "a session that is live has this file: name another" : NULL;
}

/* ---- all -------------------------------------------------------------------------------- */

static int open_existing(struct inv_output_file *file, const char *path, const struct stat *st)
{
	struct stat found;
	int stream = stream_that_is(st);
	if (stream >= 0)
		return share(file, stream);
	if (!S_ISREG(st->st_mode) || st->st_nlink != 1 || is_of_proc(path))
		return open_in_place(file, path, 0);
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS))
		return -errno;
	char *real = realpath(path, NULL);
	int result = real && lstat(real, &found) == 0 && same(st, &found)
			     ? open_beside(file, real, st)
			     : open_in_place(file, path, 0);
	free(real);
	return result;
}

static int open_new(struct inv_output_file *file, const char *path)
{
	struct stat link;
	if (lstat(path, &link) == 0)
		return open_in_place(file, path, O_CREAT);
	int result = create(file, path, 0666);
	if (result)
		forget(file);
	return result == -ENAMETOOLONG ? open_in_place(file, path, O_CREAT) : result;
}

int inv_output_file_open(struct inv_output_file *file, const char *path)
{
	struct stat st;
	*file = (struct inv_output_file){.fd = -1};
	/* Neither does a FIFO wait for it, nor does a device notice it. */
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? open_new(file, path) : -errno;
	int result = fstat(fd, &st) ? -errno : open_existing(file, path, &st);
	close(fd);
	return result;
}

int inv_output_file_close(struct inv_output_file *file, int result)
{
	if (close(file->fd) && result == 0)
		result = -errno;
	file->fd = -1;
	if (result == 0 && file->temporary && rename(file->temporary, file->path))
		result = -errno;
	if (result && file->temporary)
		unlink(file->temporary);
	forget(file);
	return result;
}
