/* SPDX-License-Identifier: MIT */
/*
 * session.c - the directory of sessions, and which of them are over.
 *
 * Liveness is read with pread from the file, never through a mapping: another process
 * may unlink or (a hostile one) truncate it meanwhile, and we run in constructors of
 * programs that must not die of it.
 */
#include "session.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "layout.h"
#include "proc.h"
#include "segment.h"

#define PRUNE_CHUNK	  64
#define TEMPORARY_SECONDS 60 /* making a session takes milliseconds */
#define STRAY_SECONDS	  60

enum inv_result inv_session_dir(char *buf, size_t size, const char *override)
{
	const char *dir = override ? override : getenv("INVREG_DIR");
	int n;
	if (dir && *dir)
		n = snprintf(buf, size, "%s", dir);
	else
		n = snprintf(buf, size, "/dev/shm/invreg-%lu", (unsigned long)geteuid());
	return n > 0 && (size_t)n < size ? INV_OK : INV_E_USAGE;
}

enum inv_result inv_session_ensure_dir(const char *dir)
{
	struct stat st;
	if (mkdir(dir, 0700) && errno != EEXIST)
		return errno == ENOSPC ? INV_E_FULL : INV_E_SYSTEM;
	if (lstat(dir, &st))
		return INV_E_SYSTEM;
	if (!S_ISDIR(st.st_mode))
		return INV_E_KIND;
	if (st.st_uid != geteuid())
		return INV_E_OWNER;
	/* sticky (/tmp, as root): others add files, which joining refuses, but rename none */
	return (st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX) ? INV_E_MODE : INV_OK;
}

bool inv_session_name_valid(const char *name)
{
	size_t n = strnlen(name, INV_SESSION_NAME_MAX + 1);
	if (n == 0 || n > INV_SESSION_NAME_MAX || name[0] == '.')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return false;
	return true;
}

enum inv_result inv_session_path(char *buf, size_t size, const char *dir, const char *name)
{
	if (!inv_session_name_valid(name))
		return INV_E_USAGE;
	int n = snprintf(buf, size, "%s/%s.seg", dir, name);
	return n > 0 && (size_t)n < size ? INV_OK : INV_E_USAGE;
}

void inv_session_default_name(char *buf, size_t size)
{
	struct inv_self self;
	inv_self_read(&self);
	char *comm = self.comm;
	for (char *p = comm; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			*p = '_';
	if (comm[0] == '.' || comm[0] == 0)
		comm[0] = '_';
	snprintf(buf, size, "%s-%u-%llu", comm, self.pid, (unsigned long long)self.start_time);
}

bool inv_session_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMG";
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (end == text || !isdigit((unsigned char)*text) || errno)
		return false;
	const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	unsigned shift = unit ? 10u * (unsigned)(unit - units + 1) : 0;
	if (end[unit ? 1 : 0] || value > INV_SEGMENT_MOST_BYTES >> shift ||
	    value << shift < INV_SEGMENT_LEAST_BYTES)
		return false;
	*bytes = value << shift;
	return true;
}

bool inv_session_budget(uint64_t *bytes)
{
	const char *text = getenv("INVREG_SIZE");
	return !text || !*text || inv_session_size(text, bytes);
}

/*
 * By asking for a read lease, which the kernel refuses while the file is open for writing; what
 * is mapped is open. Rejected: to look for the file in /proc/PID/maps, which ends at other users
 * and at pid namespaces; a row for each fork child, which most leave by execve at once.
 */
bool inv_session_has_writers(int fd)
{
	/* who opens it in between breaks the lease: told by SIGIO it would end us */
	if (fcntl(fd, F_SETSIG, SIGURG))
		return false;
	if (fcntl(fd, F_SETLEASE, F_RDLCK))
		return errno == EAGAIN;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}

static enum inv_liveness worse(enum inv_liveness a, enum inv_liveness b)
{
	if (a == INV_LIVENESS_ALIVE || b == INV_LIVENESS_ALIVE)
		return INV_LIVENESS_ALIVE;
	return a == INV_LIVENESS_UNKNOWN || b == INV_LIVENESS_UNKNOWN ? INV_LIVENESS_UNKNOWN
								      : INV_LIVENESS_DEAD;
}

enum inv_liveness inv_session_liveness(int fd)
{
	struct inv_header h;
	struct inv_self self;
	struct stat st;
	if (fstat(fd, &st) || pread(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) ||
	    inv_segment_check(&h, (uint64_t)st.st_size) || (h.flags & INV_HEADER_SNAPSHOT))
		return INV_LIVENESS_DEAD;
	h.boot_id[sizeof(h.boot_id) - 1] = 0;
	inv_self_read(&self);
	enum inv_liveness all =
		inv_proc_liveness(&self, h.boot_id, h.pid_ns, h.creator_pid, h.creator_start);
	for (unsigned i = 0; i < INV_PROCS_MAX && all != INV_LIVENESS_ALIVE; i++) {
		struct inv_proc row;
		off_t at = (off_t)(h.regions[INV_REGION_PROCS].offset + i * sizeof(row));
		if (pread(fd, &row, sizeof(row), at) != (ssize_t)sizeof(row))
			break;
		all = worse(all, inv_proc_liveness_of(&self, h.boot_id, &row));
	}
	/* a fork child has no row before its first call */
	return all == INV_LIVENESS_DEAD && inv_session_has_writers(fd) ? INV_LIVENESS_ALIVE : all;
}

/* ---- pruning -------------------------------------------------------------------- */

struct ended {
	char name[INV_SESSION_NAME_MAX + 8];
	struct timespec when;
};

static bool older(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);
	return n > m && strcmp(name + n - m, suffix) == 0;
}

/* `.<name>.<nonce>.<pid>.tmp` whose maker is gone: not young either, for in another pid
 * namespace the maker has another number, and it lives. */
static bool stale_temporary(int dirfd, const char *name)
{
	struct stat st;
	if (name[0] != '.' || !has_suffix(name, ".tmp"))
		return false;
	const char *end = name + strlen(name) - 4;
	const char *dot = end;
	while (dot > name && isdigit((unsigned char)dot[-1]))
		dot--;
	if (dot == end || dot == name || dot[-1] != '.')
		return false;
	long pid = strtol(dot, NULL, 10);
	return pid > 0 && pid <= INT32_MAX && kill((pid_t)pid, 0) && errno == ESRCH &&
	       fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_mtim.tv_sec + TEMPORARY_SECONDS < time(NULL);
}

/* Saved copies, what is no segment, and another version's, which may be live, are not ours. */
static bool may_remove(int fd)
{
	struct inv_header h;
	return pread(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) && h.magic == INV_MAGIC &&
	       h.version == INV_FORMAT_VERSION && h.byte_order == INV_BYTE_ORDER &&
	       !(h.flags & INV_HEADER_SNAPSHOT);
}

/* What else a session has: its control page, and its probe file if names in it were resolved. */
static const char *const companions[] = {".ctl", ".ini"};

/* Of a session that is gone; a young one may belong to a session being created. */
static bool stray_companion(int dirfd, const char *name)
{
	char segment[INV_SESSION_NAME_MAX + 8];
	struct stat st;
	size_t n = strlen(name);
	bool known = has_suffix(name, companions[0]) || has_suffix(name, companions[1]);
	if (name[0] == '.' || !known || n >= sizeof(segment))
		return false;
	snprintf(segment, sizeof(segment), "%.*s.seg", (int)n - 4, name);
	return fstatat(dirfd, segment, &st, AT_SYMLINK_NOFOLLOW) && errno == ENOENT &&
	       fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       st.st_uid == geteuid() && time(NULL) - st.st_mtime > STRAY_SECONDS;
}

static bool session_ended(int dirfd, const char *name, struct ended *out)
{
	struct stat st;
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	bool over = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
		    may_remove(fd) && inv_session_liveness(fd) == INV_LIVENESS_DEAD;
	close(fd);
	if (!over || strlen(name) >= sizeof(out->name))
		return false;
	strcpy(out->name, name);
	out->when = st.st_mtim;
	return true;
}

/* Unlinks the oldest of the ended until `keep` are left. */
static int unlink_oldest(int dirfd, struct ended *list, int count, int keep)
{
	int gone = 0;
	while (count > keep) {
		int oldest = 0;
		for (int i = 1; i < count; i++)
			if (older(&list[i].when, &list[oldest].when))
				oldest = i;
		for (int i = 0; i < 2; i++) {
			char other[sizeof(list->name) + 4];
			snprintf(other, sizeof(other), "%.*s%s", (int)strlen(list[oldest].name) - 4,
				 list[oldest].name, companions[i]);
			/* first: killed in between, the session is still listed */
			unlinkat(dirfd, other, 0);
		}
		if (unlinkat(dirfd, list[oldest].name, 0) == 0)
			gone++;
		list[oldest] = list[--count];
	}
	return gone;
}

int inv_session_prune(const char *dir, int keep)
{
	int saved = errno, gone = 0, count = 0;
	DIR *d = opendir(dir);
	if (!d)
		return errno == ENOENT ? 0 : -1;
	struct ended *list = NULL;
	for (struct dirent *e; (e = readdir(d));) {
		if (stale_temporary(dirfd(d), e->d_name) || stray_companion(dirfd(d), e->d_name)) {
			unlinkat(dirfd(d), e->d_name, 0);
			continue;
		}
		if (e->d_name[0] == '.' || !has_suffix(e->d_name, ".seg"))
			continue;
		if (count % PRUNE_CHUNK == 0) {
			struct ended *more =
				realloc(list, (size_t)(count + PRUNE_CHUNK) * sizeof(*more));
			if (!more) /* fewer than all are known: none is known to be old */
				goto out;
			list = more;
		}
		if (session_ended(dirfd(d), e->d_name, &list[count]))
			count++;
	}
	gone = unlink_oldest(dirfd(d), list, count, keep);
out:
	free(list);
	closedir(d);
	errno = saved;
	return gone;
}
