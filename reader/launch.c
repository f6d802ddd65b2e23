/* SPDX-License-Identifier: MIT */
/*
 * launch.c - fork, environment, exec; where the shim is.
 *
 * A close-on-exec pipe tells a failed exec from a program that exits 127 by itself: the
 * exec closes it, or the child writes errno. It is gone once the program runs, so that
 * nothing ties the program to us: `run` may be killed at any time.
 *
 * posix_spawn was rejected: it gives an ENOENT of execvp well, but cannot change the
 * environment without building a second one by hand.
 */
#include "reader/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHIM	   "libinvreg_preload.so"
#define ASAN_ORDER "verify_asan_link_order=0"

/* ---- the shim -------------------------------------------------------------------- */

/* Our own path; where there is no /proc, the one that we were executed by. */
static ssize_t own_path(char *buf, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", buf, size - 1);
	const char *given = (const char *)getauxval(AT_EXECFN);
	if (n > 0 || !given || !realpath(given, buf))
		return n;
	return (ssize_t)strlen(buf);
}

int inv_launch_find_shim(char *buf, size_t size)
{
	static const char *const places[] = {"", "/../lib/invreg", "/../lib"};
	char self[PATH_MAX], candidate[sizeof(self) + 64], real[4096];
	ssize_t n = own_path(self, sizeof(self));
	if (n <= 0)
		return n ? -errno : -ENOENT;
	self[n] = 0;
	*strrchr(self, '/') = 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(candidate, sizeof(candidate), "%s%s/" SHIM, self, places[i]);
		if (access(candidate, R_OK) || !realpath(candidate, real))
			continue;
		if (strlen(real) >= size)
			return -ENAMETOOLONG;
		strcpy(buf, real);
		return strpbrk(real, " :\t\n") ? -EINVAL : 0;
	}
	return -ENOENT;
}

/* ---- signals --------------------------------------------------------------------- */

void inv_launch_ignore_write_signals(struct inv_launch_signals *before)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGPIPE, &ignore, &before->pipe);
	sigaction(SIGXFSZ, &ignore, &before->file_size);
}

void inv_launch_take_signals(struct inv_launch_signals *before, sigset_t *blocked)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN}, standard = {.sa_handler = SIG_DFL};
	sigemptyset(blocked);
	sigaddset(blocked, SIGTERM);
	sigaddset(blocked, SIGHUP);
	sigaddset(blocked, SIGUSR1);
	sigaddset(blocked, SIGUSR2);
	sigaddset(blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, blocked, &before->mask);
	sigaction(SIGINT, &ignore, &before->interrupt);
	sigaction(SIGQUIT, &ignore, &before->quit);
	sigaction(SIGCHLD, &standard, &before->child); /* ignored: there is nothing to wait for */
}

void inv_launch_give_back_terminal(const struct inv_launch_signals *before)
{
	sigaction(SIGINT, &before->interrupt, NULL);
	sigaction(SIGQUIT, &before->quit, NULL);
}

static void give_back_all(const struct inv_launch_signals *before)
{
	inv_launch_give_back_terminal(before);
	sigaction(SIGPIPE, &before->pipe, NULL);
	sigaction(SIGXFSZ, &before->file_size, NULL);
	sigaction(SIGCHLD, &before->child, NULL);
	sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

/* ---- the child ------------------------------------------------------------------- */

static int add_preload(const char *shim)
{
	const char *others = getenv("LD_PRELOAD");
	char *both;
	if (!others || !*others)
		return setenv("LD_PRELOAD", shim, 1);
	if (asprintf(&both, "%s:%s", shim, others) < 0)
		return -1;
	return setenv("LD_PRELOAD", both, 1);
}

/*
 * AddressSanitizer's runtime, where it is a library, ends a program in which another one was
 * loaded before it. What it fears is that its functions are hidden; ours are few, and each
 * passes on to the next of its name. In every environment, not only in that of a program
 * which needs the library: what a script starts is not known. The user's own setting wins.
 * Preloading the runtime itself before the shim was rejected: it would get into every child.
 */
static int allow_asan(void)
{
	const char *given = getenv("ASAN_OPTIONS");
	char *both;
	if (!given || !*given)
		return setenv("ASAN_OPTIONS", ASAN_ORDER, 1);
	if (asprintf(&both, ASAN_ORDER ":%s", given) < 0)
		return -1;
	return setenv("ASAN_OPTIONS", both, 1);
}

static int add_environment(const struct inv_launch *launch)
{
	if (!launch->preload)
		return 0;
	if (launch->dir && setenv("INVREG_DIR", launch->dir, 1))
		return -1;
	if (setenv("INVREG_PROBES", launch->probes, 1) ||
	    setenv("INVREG_SESSION", launch->session, 1))
		return -1;
	return add_preload(launch->preload) || allow_asan() ? -1 : 0;
}

static bool take_streams(const int *streams)
{
	for (int fd = 0; streams && fd < 3; fd++)
		if (streams[fd] != fd && dup2(streams[fd], fd) < 0)
			return false;
	return true;
}

static _Noreturn void become(const struct inv_launch *launch,
			     const struct inv_launch_signals *before, int tell)
{
	give_back_all(before);
	if (take_streams(launch->streams) && add_environment(launch) == 0)
		execvp(launch->argv[0], launch->argv);
	int why = errno;
	while (write(tell, &why, sizeof(why)) < 0 && errno == EINTR)
		;
	_exit(127);
}

/* Returns: 0: it runs; else errno of its exec. */
static int hear(int from)
{
	int why = 0;
	ssize_t n;
	do {
		n = read(from, &why, sizeof(why));
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(why) ? why : 0;
}

int inv_launch_start(const struct inv_launch *launch, const struct inv_launch_signals *before,
		     pid_t *pid, int *exec_error)
{
	int ends[2];
	*exec_error = 0;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	*pid = fork();
	if (*pid == 0)
		become(launch, before, ends[1]);
	int err = *pid < 0 ? errno : 0;
	close(ends[1]);
	if (!err)
		*exec_error = -hear(ends[0]);
	close(ends[0]);
	if (*exec_error) {
		while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
			;
		*pid = 0;
	}
	return -err;
}
