/* SPDX-License-Identifier: MIT */
/*
 * launch.h - starts the program that `run` observes.
 *
 * Called once, from the one thread of `run`. The program inherits what `run` was given:
 * standard streams, signal mask and dispositions, environment; what is added to its
 * environment is added in the child only.
 */
#ifndef INV_READER_LAUNCH_H
#define INV_READER_LAUNCH_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

/* What `run` does to signals, and what they were before. */
struct inv_launch_signals {
	sigset_t mask;
	struct sigaction interrupt, quit, pipe, file_size, child;
};

struct inv_launch {
	char **argv;	     /* NULL-terminated */
	const char *preload; /* absolute path of the shim; NULL: unobserved */
	const char *probes;  /* absolute */
	const char *session;
	const char *dir;    /* absolute, or NULL: the default */
	const int *streams; /* three descriptors to be its standard ones; NULL: it has ours */
};

/*
 * Finds libinvreg_preload.so beside our own executable, in ../lib/invreg or in ../lib.
 * Returns: 0; -ENOENT; -EINVAL: its path (in buf) has a space or a colon, which LD_PRELOAD
 * cannot hold; -errno.
 */
int inv_launch_find_shim(char *buf, size_t size);

/*
 * First of all: ignores SIGPIPE and SIGXFSZ. A write that fails, of a message too, does so
 * by its error.
 */
void inv_launch_ignore_write_signals(struct inv_launch_signals *before);

/*
 * Blocks what is forwarded and SIGCHLD (for a signalfd), ignores SIGINT and SIGQUIT. The
 * terminal sends those two to the program as well: it decides.
 * blocked: the set for the signalfd.
 */
void inv_launch_take_signals(struct inv_launch_signals *before, sigset_t *blocked);

/* After the program has ended: SIGINT and SIGQUIT do what they did before. */
void inv_launch_give_back_terminal(const struct inv_launch_signals *before);

/*
 * Starts the program, with the signals of `before`.
 * Returns: 0 and *pid; -errno of execvp in *exec_error and 0 as *pid; -errno of fork or
 * pipe itself.
 */
int inv_launch_start(const struct inv_launch *launch, const struct inv_launch_signals *before,
		     pid_t *pid, int *exec_error);

#endif
