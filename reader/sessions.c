/* SPDX-License-Identifier: MIT */
/*
 * sessions.c - finding, opening and listing sessions; the verbs `ls` and `prune`.
 *
 * Opening decides by the open file, never by its name: what was checked is what is read,
 * whoever renames files meanwhile. Listing maps each segment for a moment, inside the
 * SIGBUS guard, and reads a few words of each lane; copies of tallies are not needed for
 * a total of calls begun.
 */
#include "reader/sessions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reader/guard.h"
#include "reader/help.h"
#include "reader/options.h"
#include "reader/output.h"
#include "reader/say.h"
#include "reader/setting.h"
#include "reader/table.h"
#include "shm/proc.h"

#define SUFFIX ".seg"

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);
	return n > m && strcmp(name + n - m, suffix) == 0;
}

/* ---- refusing ------------------------------------------------------------------- */

static const char *remedy(enum inv_result why)
{
	switch (why) {
	case INV_E_OWNER:
		return "read it as its owner or as root";
	case INV_E_MODE:
		return "take that right from them: chmod go-w";
	case INV_E_KIND:
		return "give a session, a .seg or a .jsonl";
	case INV_E_MAGIC:
		return "give a session, a .seg or a .jsonl that invreg wrote";
	case INV_E_VERSION:
		return "read it with the invreg that made it";
	case INV_E_BYTE_ORDER:
		return "read it on a machine like that one";
	case INV_E_NOT_READY:
		return "remove the file and run the program again";
	case INV_E_CORRUPT:
		return "take the copy again, or remove the file";
	case INV_E_SYSTEM:
		return "see `ulimit -v` and the rights of the file";
	default:
		return "see `invreg ls`";
	}
}

int inv_sessions_refuse(const char *path, enum inv_result why, uint32_t found)
{
	char versions[64] = "";
	if (why == INV_E_VERSION)
		snprintf(versions, sizeof(versions),
			 " (%" PRIu32 ", this invreg reads %" PRIu32 ")", found,
			 (uint32_t)INV_FORMAT_VERSION);
	inv_say("invreg: %s: %s%s: %s\n", path, inv_result_text(why), versions, remedy(why));
	return INV_EXIT_REFUSED;
}

int inv_sessions_view(int fd, const char *path, struct inv_view *view)
{
	uint32_t found = 0;
	enum inv_result r = inv_view_open(view, fd, &found);
	return r ? inv_sessions_refuse(path, r, found) : 0;
}

/* ---- opening -------------------------------------------------------------------- */

static enum inv_result check_file(int fd)
{
	struct stat st;
	if (fstat(fd, &st))
		return INV_E_SYSTEM;
	if (!S_ISREG(st.st_mode))
		return INV_E_KIND;
	return st.st_uid == geteuid() || geteuid() == 0 ? INV_OK : INV_E_OWNER;
}

static int refuse_errno(const char *path, int err)
{
	if (err == ENOENT || err == ENOTDIR) {
		inv_say("invreg: %s: no such file; `invreg ls` lists sessions\n", path);
		return INV_EXIT_NO_SESSION;
	}
	if (err == ELOOP) {
		inv_say("invreg: %s: it is a link: give the file itself\n", path);
		return INV_EXIT_REFUSED;
	}
	if (err == ENXIO) /* a socket */
		return inv_sessions_refuse(path, INV_E_KIND, 0);
	inv_say("invreg: %s: %s: %s\n", path, strerror(err),
		err == EACCES ? remedy(INV_E_OWNER) : "nothing was read");
	return INV_EXIT_REFUSED;
}

void inv_sessions_say_unlisted(const char *dir, int err)
{
	inv_say("invreg: %s: %s: %s\n", dir, strerror(err),
		err == EACCES ? remedy(INV_E_OWNER) : "nothing was read");
}

int inv_sessions_say_nameless(void)
{
	fputs("invreg: the name of the session is empty; `invreg ls` lists them\n", stderr);
	return INV_EXIT_USAGE;
}

static int open_path(const char *path, int *fd)
{
	*fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0)
		return refuse_errno(path, errno);
	enum inv_result r = check_file(*fd);
	if (!r)
		return 0;
	close(*fd);
	*fd = -1;
	return inv_sessions_refuse(path, r, 0);
}

static int list_live(const struct inv_session_row *rows, size_t count)
{
	inv_say("invreg: several sessions are live, name one of them:\n");
	for (size_t i = 0; i < count; i++)
		if (!rows[i].refused && rows[i].liveness == INV_LIVENESS_ALIVE)
			inv_say("  %s  %s\n", rows[i].name, rows[i].command);
	return INV_EXIT_USAGE;
}

int inv_sessions_live(const struct inv_session_row *rows, size_t count,
		      const struct inv_session_row **live)
{
	*live = NULL;
	for (size_t i = 0; i < count; i++) {
		if (rows[i].refused || rows[i].liveness != INV_LIVENESS_ALIVE)
			continue;
		if (*live)
			return list_live(rows, count);
		*live = &rows[i];
	}
	return 0;
}

static const struct inv_session_row *newest(const struct inv_session_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!rows[i].refused)
			return &rows[i];
	return NULL;
}

static int choose(const char *dir, char name[INV_SESSION_NAME_MAX + 1])
{
	struct inv_session_row *rows = NULL;
	size_t count = 0;
	const struct inv_session_row *row;
	int r = inv_sessions_list(dir, &rows, &count);
	if (r) {
		inv_sessions_say_unlisted(dir, -r);
		return INV_EXIT_REFUSED;
	}
	r = inv_sessions_live(rows, count, &row);
	if (!row)
		row = newest(rows, count);
	if (!row && count)
		row = &rows[0]; /* opening it says why it is refused */
	if (!r && row) {
		strcpy(name, row->name);
	} else if (!r) {
		inv_say("invreg: no session in %s: make one with `invreg run -p PROBES -- CMD`\n",
			dir);
		r = INV_EXIT_NO_SESSION;
	}
	free(rows);
	return r;
}

bool inv_sessions_means_file(const char *dir, const char *name)
{
	char path[512];
	if (strchr(name, '/'))
		return true;
	if (!has_suffix(name, SUFFIX) && !has_suffix(name, ".jsonl"))
		return false;
	return inv_session_path(path, sizeof(path), dir, name) || access(path, F_OK);
}

static bool is_path(const char *dir, const char *name)
{
	return strchr(name, '/') || (inv_sessions_means_file(dir, name) && access(name, F_OK) == 0);
}

static int copy_path(char *path, size_t size, const char *name)
{
	int n = snprintf(path, size, "%s", name);
	if (n >= 0 && (size_t)n < size)
		return 0;
	inv_say("invreg: %.60s...: the path is too long\n", name);
	return INV_EXIT_REFUSED;
}

static bool is_absent(const char *path)
{
	struct stat st;
	return lstat(path, &st) && errno == ENOENT;
}

/* Of a name that is none of a session: perhaps a file was meant. */
static int say_absent(const char *dir, const char *name)
{
	if (access(name, F_OK) == 0)
		inv_say("invreg: %s: no such session in %s; the file would be ./%s\n", name, dir,
			name);
	else
		inv_say("invreg: %s: no such %ssession in %s; `invreg ls` lists them\n", name,
			inv_sessions_means_file(dir, name) ? "file, and no such " : "", dir);
	return INV_EXIT_NO_SESSION;
}

int inv_sessions_open(const char *dir, const char *name, int *fd, char *path, size_t size)
{
	char where[400], chosen[INV_SESSION_NAME_MAX + 1];
	*fd = -1;
	int r = 0;
	if (name && !*name)
		return inv_sessions_say_nameless();
	if (inv_session_dir(where, sizeof(where), dir)) {
		inv_say("invreg: the path of the session directory is too long\n");
		return INV_EXIT_REFUSED;
	}
	if (name && is_path(where, name)) {
		r = copy_path(path, size, name);
		return r ? r : open_path(path, fd);
	}
	if (!name) {
		r = choose(where, chosen);
		name = chosen;
	}
	if (r)
		return r;
	if (inv_session_path(path, size, where, name) || is_absent(path))
		return say_absent(where, name);
	return open_path(path, fd);
}

/* ---- listing -------------------------------------------------------------------- */

/* A program's arguments, or a file's name, may hold anything; a terminal must not act upon it. */
static void printable(char *to, size_t size, const char *from, size_t length)
{
	inv_table_clean(to, from, strnlen(from, length < size ? length : size - 1));
}

static uint64_t calls_begun(const struct inv_view *view)
{
	uint32_t lanes = inv_view_lane_count(view);
	uint64_t sum = atomic_load_explicit(&view->seg.overflow->begun, memory_order_relaxed);
	for (uint32_t i = 0; i < lanes; i++)
		sum += atomic_load_explicit(&inv_segment_lane(&view->seg, i)->begun,
					    memory_order_relaxed);
	return sum;
}

static uint32_t processes_seen(const struct inv_view *view)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < INV_PROCS_MAX; i++) {
		uint64_t state =
			atomic_load_explicit(&view->seg.procs[i].state, memory_order_relaxed);
		count += INV_PROC_STATUS(state) != INV_PROC_FREE;
	}
	return count;
}

struct look {
	int fd;
	uint64_t nonce;
	struct inv_session_row *row;
};

/* Runs under the guard: the file may shrink while it is mapped. */
static int look_inside(void *arg)
{
	struct look *look = arg;
	struct inv_session_row *row = look->row;
	struct inv_view view;
	uint32_t found;
	row->refused = inv_view_open(&view, look->fd, &found);
	if (row->refused)
		return 0;
	const struct inv_header *h = view.seg.header;
	row->created_ns = h->created.realtime_ns;
	look->nonce = h->session_nonce;
	row->processes = processes_seen(&view);
	row->calls = calls_begun(&view);
	row->reserved_bytes =
		atomic_load_explicit(&view.seg.shared->reserved_bytes, memory_order_relaxed);
	printable(row->command, sizeof(row->command), h->command, sizeof(h->command));
	inv_view_close(&view);
	return 0;
}

static void look_at_setting(const char *dir, const char *file, uint64_t nonce,
			    struct inv_session_row *row)
{
	struct inv_setting setting;
	char path[512];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (n < 0 || (size_t)n >= sizeof(path))
		return;
	inv_setting_read(&setting, path, nonce);
	row->paused = inv_setting_paused(&setting);
	row->filtered = inv_setting_filters(&setting);
}

static void look_at(const char *dir, int dirfd, const char *file, struct inv_session_row *row)
{
	struct stat st;
	struct look look = {.row = row};
	memset(row, 0, sizeof(*row));
	printable(row->name, sizeof(row->name), file, strlen(file) - strlen(SUFFIX));
	if (fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		row->modified = st.st_mtim;
	look.fd = openat(dirfd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (look.fd < 0) {
		row->refused = errno == ELOOP	 ? INV_E_KIND
			       : errno == EACCES ? INV_E_OWNER
						 : INV_E_SYSTEM;
		return;
	}
	row->refused = check_file(look.fd);
	if (!row->refused && inv_guard_call(look_inside, &look))
		row->refused = INV_E_CORRUPT;
	if (!row->refused) {
		row->liveness = inv_session_liveness(look.fd);
		look_at_setting(dir, file, look.nonce, row);
	}
	close(look.fd);
}

static int newest_first(const void *a, const void *b)
{
	const struct timespec *x = &((const struct inv_session_row *)a)->modified;
	const struct timespec *y = &((const struct inv_session_row *)b)->modified;
	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	return x->tv_nsec < y->tv_nsec ? 1 : x->tv_nsec > y->tv_nsec ? -1 : 0;
}

static bool session_file(const char *name)
{
	return name[0] != '.' && has_suffix(name, SUFFIX) &&
	       strlen(name) <= INV_SESSION_NAME_MAX + strlen(SUFFIX);
}

int inv_sessions_list(const char *dir, struct inv_session_row **rows, size_t *count)
{
	int r = 0;
	DIR *d = opendir(dir);
	*rows = NULL;
	*count = 0;
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	for (struct dirent *e; (e = readdir(d));) {
		if (!session_file(e->d_name))
			continue;
		struct inv_session_row *more = realloc(*rows, (*count + 1) * sizeof(*more));
		if (!more) {
			r = -ENOMEM;
			break;
		}
		*rows = more;
		look_at(dir, dirfd(d), e->d_name, &more[(*count)++]);
	}
	closedir(d);
	if (*count)
		qsort(*rows, *count, sizeof(**rows), newest_first);
	return r;
}

/* ---- ls ------------------------------------------------------------------------- */

static const char *state_of(const struct inv_session_row *row)
{
	if (row->refused)
		return "refused";
	if (row->liveness == INV_LIVENESS_ALIVE)
		return row->paused ? "paused" : row->filtered ? "filter" : "live";
	return row->liveness == INV_LIVENESS_DEAD ? "ended" : "unknown";
}

static void print_row(const struct inv_session_row *row, int width)
{
	char when[32] = "-";
	time_t seconds = (time_t)(row->created_ns / 1000000000);
	struct tm tm;
	if (row->refused) {
		printf("%-*s  %-7s  %s\n", width, row->name, state_of(row),
		       inv_result_text(row->refused));
		return;
	}
	if (localtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%-*s  %-7s  %12" PRIu64 "  %5" PRIu32 "  %6.1fM  %-19s  %s\n", width, row->name,
	       state_of(row), row->calls, row->processes, (double)row->reserved_bytes / 1048576,
	       when, row->command);
}

static void print_table(const struct inv_session_row *rows, size_t count)
{
	int width = 7;
	for (size_t i = 0; i < count; i++)
		if ((int)strlen(rows[i].name) > width)
			width = (int)strlen(rows[i].name);
	printf("%-*s  %-7s  %12s  %5s  %7s  %-19s  %s\n", width, "SESSION", "STATE", "CALLS",
	       "PROCS", "MEMORY", "STARTED", "COMMAND");
	for (size_t i = 0; i < count; i++)
		print_row(&rows[i], width);
}

/* Puts the session directory in dir. Returns: 0 or INV_EXIT_USAGE. */
static int find_dir(char *dir, size_t size, const char *given)
{
	if (inv_session_dir(dir, size, given) == INV_OK)
		return 0;
	inv_say("invreg: the path of the session directory is too long\n");
	return INV_EXIT_USAGE;
}

static int unexpected(const char *verb, const char *argument)
{
	inv_say("invreg: %s: unexpected argument '%s': see `invreg %s --help`\n", verb, argument,
		verb);
	return INV_EXIT_USAGE;
}

static int usage(const char *verb, char **argv)
{
	inv_say("invreg: %s: bad option or no value: '%s': see `invreg %s --help`\n", verb,
		argv[optind - 1], verb);
	return INV_EXIT_USAGE;
}

int inv_verb_ls(int argc, char **argv)
{
	static const struct option options[] = {{"dir", required_argument, NULL, 'd'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	const char *given = NULL;
	char dir[400];
	opterr = 0;
	optind = 0;
	for (int c; (c = getopt_long(argc, argv, "+h", options, NULL)) != -1;) {
		if (c == 'h')
			return inv_help("ls");
		if (c != 'd')
			return usage("ls", argv);
		if (inv_options_dir("ls", optarg, &given) >= 0)
			return INV_EXIT_USAGE;
	}
	if (optind < argc)
		return unexpected("ls", argv[optind]);
	if (find_dir(dir, sizeof(dir), given))
		return INV_EXIT_USAGE;
	struct inv_session_row *rows;
	size_t count;
	int r = inv_sessions_list(dir, &rows, &count);
	if (r)
		inv_sessions_say_unlisted(dir, -r);
	else if (!count)
		inv_say("invreg: no session in %s\n", dir);
	else
		print_table(rows, count);
	free(rows);
	return r ? INV_EXIT_RUNTIME : inv_output_stdout_done();
}

/* ---- prune ---------------------------------------------------------------------- */

static bool parse_keep(const char *text, int *keep)
{
	char *end;
	errno = 0;
	long value = strtol(text, &end, 10);
	if (end == text || *end || errno || value < 0 || value > 1000000)
		return false;
	*keep = (int)value;
	return true;
}

int inv_verb_prune(int argc, char **argv)
{
	static const struct option options[] = {{"keep", required_argument, NULL, 'k'},
						{"dir", required_argument, NULL, 'd'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	const char *given = NULL;
	char dir[400];
	int keep = INV_SESSION_KEEP;
	opterr = 0;
	optind = 0;
	for (int c; (c = getopt_long(argc, argv, "+h", options, NULL)) != -1;) {
		if (c == 'h')
			return inv_help("prune");
		if (c == 'd' && inv_options_dir("prune", optarg, &given) >= 0)
			return INV_EXIT_USAGE;
		if (c != 'd' && (c != 'k' || !parse_keep(optarg, &keep)))
			return usage("prune", argv);
	}
	if (optind < argc)
		return unexpected("prune", argv[optind]);
	if (find_dir(dir, sizeof(dir), given))
		return INV_EXIT_USAGE;
	int gone = inv_session_prune(dir, keep);
	if (gone < 0) {
		inv_sessions_say_unlisted(dir, errno);
		return INV_EXIT_RUNTIME;
	}
	inv_say_to(stdout, "%d session%s removed from %s\n", gone, gone == 1 ? "" : "s", dir);
	return inv_output_stdout_done();
}
