/* SPDX-License-Identifier: MIT */
/*
 * run.c - the verb `run`.
 *
 * prepare (all that can be refused) -> session -> start -> watch -> sum up.
 *
 * One thread and one poll: a signalfd tells of the child's end and of signals to pass on,
 * and the time-out is what the follower suggests. A thread for following was rejected:
 * the child's end and the last drain would have to be ordered between the two.
 *
 * Without a session (a full /dev/shm, no right to write) the program is started as if
 * invreg were not there, and one line says so. No pipe or socket leads to the program:
 * killing `run` does not reach it.
 */
#include "reader/run.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "preload/probe.h"
#include "reader/check.h"
#include "reader/doctor.h"
#include "reader/doctor_signature.h"
#include "reader/follow.h"
#include "reader/guard.h"
#include "reader/launch.h"
#include "reader/now.h"
#include "reader/output.h"
#include "reader/output_file.h"
#include "reader/run_options.h"
#include "reader/run_probes.h"
#include "reader/run_serve.h"
#include "reader/run_session.h"
#include "reader/say.h"
#include "reader/sessions.h"
#include "reader/summary.h"
#include "shm/proc.h"

#define PROGRESS_MS 250

struct run {
	struct inv_run_options options;
	char shim[1024];
	struct inv_run_probes probes;
	struct inv_run_session session;
	int output; /* -1: none */
	bool observed;
	bool viewed;
	struct inv_view view;
	struct inv_follow *follow;
	struct inv_serve *serve;
	struct inv_launch_signals signals;
	int signal_fd;
	pid_t pid; /* 0: reaped */
	int status;
	uid_t user; /* whose the program was at its end */
	int pruned; /* ended sessions that went when this one was made */
	bool progress;
	bool progress_shown;
	time_t began;
	int64_t started_ms;
	int64_t shown_ms;
};

/* ---- prepare: what can be refused --------------------------------------------------- */

static int open_output(struct run *run)
{
	if (!run->options.output)
		return 0;
	const char *harm = inv_output_file_harm(run->options.output, -1);
	if (harm) {
		inv_say("invreg: %s: %s\n", run->options.output, harm);
		return INV_RUN_EXIT_OWN;
	}
	run->output = open(run->options.output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (run->output >= 0)
		return 0;
	inv_say("invreg: %s: %s\n", run->options.output, strerror(errno));
	return INV_RUN_EXIT_OWN;
}

static int prepare(struct run *run)
{
	int r = inv_run_probes_read(&run->probes, run->options.probes, run->options.command);
	if (!r)
		r = inv_run_session_shim(run->shim, sizeof(run->shim));
	if (!r)
		r = open_output(run);
	if (!r)
		inv_doctor_warn(stderr, &run->probes.file, run->options.command);
	return r;
}

/* ---- session ------------------------------------------------------------------------ */

static void remove_session(const struct run *run)
{
	inv_run_probes_drop(&run->probes);
	inv_run_session_remove(&run->session);
}

static enum inv_result make_session(struct run *run)
{
	struct inv_run_session_options options = {
		.dir = run->options.dir,
		.name = run->options.session,
		.budget_bytes = run->options.budget_bytes,
		.command = run->options.command,
		.probes = &run->probes.file,
		.measure_cost = true,
	};
	enum inv_result r = inv_run_session_make(&run->session, &options);
	if (!r)
		run->pruned = inv_session_prune(run->session.dir, INV_SESSION_KEEP);
	return r;
}

static void say_unobserved(const struct run *run, enum inv_result why, int err)
{
	const char *dir = run->session.dir;
	inv_say("invreg: warning: %s: no session: %s: the program runs unobserved; %s\n",
		dir[0] ? dir : "session directory", inv_run_session_why(why, err),
		inv_run_session_remedy(why));
}

static int refuse_name(const struct run *run)
{
	inv_say("invreg: session %s exists already in %s: give another name, or remove it by "
		"`invreg prune --keep 0` when it has ended\n",
		run->session.name, run->session.dir);
	return INV_RUN_EXIT_OWN;
}

static bool keep_probes(struct run *run)
{
	const struct inv_run_session *s = &run->session;
	return inv_run_probes_keep(&run->probes, s->dir_absolute ? s->dir_absolute : s->dir,
				   s->name);
}

/* Returns: 0, observed or not; INV_RUN_EXIT_OWN: the name is taken. */
static int open_session(struct run *run)
{
	enum inv_result r = make_session(run);
	int err = errno;
	if (r == INV_E_EXISTS)
		return refuse_name(run);
	if (r == INV_OK && !keep_probes(run)) {
		err = errno;
		r = INV_E_SYSTEM;
		remove_session(run);
	}
	run->observed = r == INV_OK;
	if (!run->observed)
		say_unobserved(run, r, err);
	return 0;
}

/* A small /dev/shm, as containers have, is why rings are short. */
static void say_small(const struct run *run)
{
	uint64_t bytes = run->view.seg.header->budget_bytes;
	if (run->options.quiet || run->options.budget_bytes || bytes >= INV_SEGMENT_DEFAULT_BYTES)
		return;
	inv_say("invreg: session %s takes at most %.1f MB, half of what is free in %s: rings are "
		"shorter for it; --size or --dir give more\n",
		run->session.name, (double)bytes / 1048576, run->session.dir);
}

/* Our read-only view; without it the program is still observed, but nothing is followed. */
static void open_view(struct run *run)
{
	int fd = open(run->session.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		inv_say("invreg: warning: %s: %s: not followed\n", run->session.path,
			strerror(errno));
		return;
	}
	run->viewed = inv_sessions_view(fd, run->session.path, &run->view) == 0;
	memcpy(run->view.seg.path, run->session.path, sizeof(run->session.path));
	close(fd);
	if (run->viewed)
		say_small(run);
	if (!run->viewed || run->output < 0)
		return;
	run->follow = inv_follow_open(&run->view, run->output);
	if (!run->follow)
		inv_say("invreg: warning: %s: out of memory: not followed\n", run->options.output);
}

/* ---- progress ------------------------------------------------------------------------ */

static bool plain_terminal(void)
{
	const char *term = getenv("TERM");
	return isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

static bool colored(void)
{
	const char *no = getenv("NO_COLOR");
	return plain_terminal() && !(no && *no);
}

/* Not from the background, and not over a program that draws the screen itself. */
static bool may_draw(void)
{
	struct termios t;
	return tcgetpgrp(STDERR_FILENO) == getpgrp() && tcgetattr(STDERR_FILENO, &t) == 0 &&
	       (t.c_lflag & ICANON);
}

static void put_terminal(const char *text, size_t length)
{
	ssize_t n = write(STDERR_FILENO, text, length);
	(void)n; /* a terminal that went away: nothing to do about it */
}

/* The cursor is left at the line's start: what the program prints goes over it. */
static void show_progress(struct run *run)
{
	int64_t now = inv_now_ms();
	uint64_t calls, failures, lost;
	char line[160];
	if (!run->progress || now - run->shown_ms < PROGRESS_MS || !may_draw())
		return;
	run->shown_ms = now;
	inv_progress_counts(&run->view, &calls, &failures, &lost);
	int n = snprintf(line, sizeof(line),
			 "%.1f s  %" PRIu64 " calls  %" PRIu64 " failures  %" PRIu64 " lost"
			 "\033[K\r",
			 (double)(now - run->started_ms) / 1000, calls, failures, lost);
	put_terminal(line, (size_t)n);
	run->progress_shown = true;
}

static void erase_progress(const struct run *run)
{
	if (run->progress_shown && may_draw())
		put_terminal("\r\033[K", 4);
}

/* ---- watch --------------------------------------------------------------------------- */

/* Passed on unless the program has it already: from the kernel (a hang-up) or by itself. */
static void pass_on(const struct run *run, const struct signalfd_siginfo *info)
{
	if (info->ssi_signo == SIGCHLD || info->ssi_code == SI_KERNEL || !run->pid ||
	    info->ssi_pid == (uint32_t)run->pid)
		return;
	kill(run->pid, (int)info->ssi_signo);
}

static void read_signals(const struct run *run)
{
	struct signalfd_siginfo info;
	while (read(run->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		pass_on(run, &info);
}

/* A process that is waited for has its /proc entry still. */
static void note_user(struct run *run)
{
	siginfo_t info = {.si_pid = 0};
	char path[32];
	struct stat st;
	if (waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid)
		return;
	snprintf(path, sizeof(path), "/proc/%d", (int)run->pid);
	if (stat(path, &st) == 0)
		run->user = st.st_uid;
}

static bool ended(struct run *run)
{
	note_user(run);
	pid_t r = waitpid(run->pid, &run->status, WNOHANG);
	if (r == 0 || (r < 0 && errno == EINTR))
		return false;
	run->pid = 0; /* its number may be another's from now on */
	return true;
}

static const char *follow_error(int err)
{
	return err == -EFAULT ? "the segment was truncated" : strerror(-err);
}

/* A closed pipe is no error: who read it has seen enough. */
static void stop_following(struct run *run, int err)
{
	if (err != -EPIPE)
		inv_say("invreg: %s: %s: events are written no more, the program goes on\n",
			run->options.output, follow_error(err));
	inv_follow_close(run->follow);
	run->follow = NULL;
}

/* Returns: how long to sleep, in ms; -1: until something happens. */
static int follow_once(struct run *run)
{
	int wait = run->progress ? PROGRESS_MS : -1;
	if (!run->follow)
		return wait;
	int r = inv_follow_poll(run->follow);
	if (r >= 0)
		return r ? r : 1;
	stop_following(run, r);
	return wait;
}

static void watch(struct run *run)
{
	struct pollfd p = {.fd = run->signal_fd, .events = POLLIN};
	while (!ended(run)) {
		int wait = follow_once(run);
		show_progress(run);
		poll(&p, 1, wait);
		read_signals(run);
	}
}

/* ---- sum up -------------------------------------------------------------------------- */

/* Runs under the guard. Returns: how many processes of the session are alive. */
static int still_running(void *arg)
{
	const struct run *run = arg;
	struct inv_self self;
	int count = 0;
	inv_self_read(&self);
	for (uint32_t i = 0; i < INV_PROCS_MAX; i++)
		count += inv_proc_row_liveness(&run->view.seg, &self, i) == INV_LIVENESS_ALIVE;
	return count;
}

static bool has_writers(const struct run *run)
{
	int fd = open(run->session.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool has = fd >= 0 && inv_session_has_writers(fd);
	if (fd >= 0)
		close(fd);
	return has;
}

static void say_pruned(const struct run *run)
{
	if (run->pruned > 0 && !run->options.quiet)
		fprintf(stderr,
			"invreg: %d ended session%s, older than the newest %d, %s removed; `invreg "
			"snapshot SESSION -o FILE` keeps one\n",
			run->pruned, run->pruned == 1 ? "" : "s", INV_SESSION_KEEP,
			run->pruned == 1 ? "was" : "were");
}

static void say_still_running(struct run *run)
{
	int n = run->options.quiet ? 0 : inv_guard_call(still_running, run);
	if (!n && !run->options.quiet && has_writers(run))
		n = 1; /* at least: forked, and without a call so far */
	if (n > 0)
		inv_say("invreg: %d process%s of the program still run%s: this is the state now; "
			"`invreg snapshot %s` tells more later\n",
			n, n == 1 ? "" : "es", n == 1 ? "s" : "", run->session.name);
}

/* Runs under the guard. Returns: whether any process had the shim in it and bound nothing. */
static int shim_was_loaded(void *arg)
{
	const struct run *run = arg;
	return inv_view_lost(&run->view, INV_LOSS_UNBOUND_PROC) != 0;
}

/* A setuid program is another user from its start, without the shim: the doctor knows it. */
static bool changed_user(struct run *run)
{
	return run->user != geteuid() && inv_guard_call(shim_was_loaded, run) > 0;
}

/*
 * A process that gave root up finds the default directory of the user that it is now, and makes
 * a session of our name there. Returns: whether there is one.
 */
static bool say_others(const struct run *run)
{
	char pattern[512];
	glob_t found = {.gl_pathc = 0};
	bool any = false;
	if (geteuid() || run->session.dir_absolute)
		return false;
	snprintf(pattern, sizeof(pattern), "/dev/shm/invreg-[1-9]*/%s.seg", run->session.name);
	if (!glob(pattern, 0, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc; i++) {
			struct stat st;
			if (stat(found.gl_pathv[i], &st) || st.st_mtime < run->began)
				continue;
			any = true;
			fprintf(stderr,
				"invreg: what became user %lu has a session of its own: `invreg "
				"snapshot %s`\n",
				(unsigned long)st.st_uid, found.gl_pathv[i]);
		}
	globfree(&found);
	return any;
}

static void sum_up(struct run *run)
{
	if (run->follow) {
		int r = inv_follow_finish(run->follow);
		if (r && r != -EPIPE)
			inv_say("invreg: %s: %s: the last events are missing there\n",
				run->options.output, follow_error(r));
	}
	if (!run->viewed)
		return;
	say_still_running(run);
	say_pruned(run);
	struct inv_summary_probes probes = {0};
	if (run->options.quiet)
		return;
	bool nothing = inv_summary_print(&run->view, stderr, colored(), &probes);
	if (say_others(run) || !nothing)
		return;
	if (changed_user(run))
		inv_say("invreg: nothing was seen: the program became user %lu, who may not write "
			"to a session of user %lu: start invreg as that user\n",
			(unsigned long)run->user, (unsigned long)geteuid());
	else
		inv_doctor_explain(stderr, &run->probes.file, run->options.command, probes.bound,
				   probes.told);
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? INV_RUN_EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- start --------------------------------------------------------------------------- */

static int say_not_started(struct run *run, int err)
{
	inv_say("invreg: %s: %s\n", run->options.command[0],
		err == -ENOENT ? "not found" : strerror(-err));
	if (run->observed)
		remove_session(run); /* nobody ever wrote to it */
	return err == -ENOENT ? INV_RUN_EXIT_NOT_FOUND : INV_RUN_EXIT_NOT_EXECUTABLE;
}

/* Returns: 0, or the exit status. */
static int start(struct run *run)
{
	sigset_t blocked;
	int exec_error;
	struct inv_launch launch = {
		.argv = run->options.command,
		.preload = run->observed ? run->shim : NULL,
		.probes = run->probes.path,
		.session = run->session.name,
		.dir = run->session.dir_absolute,
	};
	inv_launch_take_signals(&run->signals, &blocked);
	run->signal_fd = signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK);
	int r = run->signal_fd < 0
			? -errno
			: inv_launch_start(&launch, &run->signals, &run->pid, &exec_error);
	if (r) {
		inv_say("invreg: cannot start %s: %s\n", launch.argv[0], strerror(-r));
		if (run->observed)
			remove_session(run);
		return INV_RUN_EXIT_OWN;
	}
	return exec_error ? say_not_started(run, exec_error) : 0;
}

static int observe(struct run *run)
{
	int r = open_session(run);
	if (r)
		return r;
	if (run->observed)
		open_view(run);
	if (run->observed && inv_run_serve_open(&run->serve, &run->options, run->session.name)) {
		remove_session(run); /* nobody ever wrote to it */
		return INV_RUN_EXIT_OWN;
	}
	run->began = time(NULL);
	r = start(run);
	if (r)
		return r;
	inv_run_serve_start(&run->serve);
	run->progress = run->viewed && !run->options.quiet && plain_terminal();
	run->started_ms = run->shown_ms = inv_now_ms();
	run->user = geteuid();
	watch(run);
	erase_progress(run);
	inv_launch_give_back_terminal(&run->signals);
	sum_up(run);
	if (run->options.linger)
		inv_run_serve_linger(run->serve, run->session.name);
	return exit_status(run->status);
}

static void release(struct run *run)
{
	inv_serve_close(run->serve);
	if (run->follow)
		inv_follow_close(run->follow);
	if (run->viewed)
		inv_view_close(&run->view);
	if (run->output >= 0)
		close(run->output);
	if (run->signal_fd >= 0)
		close(run->signal_fd);
	inv_run_session_free(&run->session);
	inv_run_probes_free(&run->probes);
}

int inv_verb_run(int argc, char **argv)
{
	static struct run run = {.output = -1, .signal_fd = -1};
	inv_launch_ignore_write_signals(&run.signals);
	inv_output_fill_streams();
	int r = inv_run_options(&run.options, argc, argv);
	if (r >= 0)
		return r;
	r = prepare(&run);
	if (!r)
		r = observe(&run);
	release(&run);
	return r;
}
