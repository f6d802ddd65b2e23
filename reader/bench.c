/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "launch.h"
#include "run.h"
#include "run_session.h"
#include "say.h"
#include "sessions.h"
#include "summary.h"

struct benching {
	struct inv_bench *bench;
	char shim[1024];
	sigset_t blocked;
	int null;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	interrupted = signal;
}

/* ---- one run --------------------------------------------------------------------------- */

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double cpu_ns(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e9 +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1e3;
}

/* Until it has ended. What would end us is passed on; the terminal sends its own to both. */
static void wait_for(const struct benching *b, pid_t pid, int *status, struct rusage *usage)
{
	siginfo_t info;
	while (wait4(pid, status, WNOHANG, usage) != pid)
		if (sigwaitinfo(&b->blocked, &info) > 0 && info.si_signo != SIGCHLD) {
			kill(pid, info.si_signo);
			if (info.si_signo == SIGTERM || info.si_signo == SIGHUP)
				interrupted = info.si_signo;
		}
}

static int open_input(const struct benching *b)
{
	const char *input = b->bench->input;
	int fd = input ? open(input, O_RDONLY | O_CLOEXEC) : b->null;
	if (fd < 0)
		inv_say("invreg: %s: %s\n", input, strerror(errno));
	return fd;
}

static int say_not_started(const struct benching *b, int error)
{
	inv_say("invreg: bench: %s: %s\n", b->bench->command[0],
		error == -ENOENT ? "not found" : strerror(-error));
	return INV_EXIT_RUNTIME;
}

/* session: NULL: bare. Returns: 0, or the exit code; the program's is in *exit_status. */
static int time_one(struct benching *b, const struct inv_run_session *session,
		    struct inv_bench_run *run, int *exit_status)
{
	struct rusage usage = {0};
	pid_t pid;
	int exec_error, status = 0, input = open_input(b);
	if (input < 0)
		return INV_EXIT_RUNTIME;
	int streams[3] = {input, b->bench->show ? 1 : b->null, b->bench->show ? 2 : b->null};
	struct inv_launch launch = {.argv = b->bench->command, .streams = streams};
	if (session) {
		launch.preload = b->shim;
		launch.probes = b->bench->probes->path;
		launch.session = session->name;
		launch.dir = session->dir_absolute;
	}
	double begun = now_ns();
	int r = inv_launch_start(&launch, &b->bench->signals, &pid, &exec_error);
	if (r == 0 && exec_error == 0) {
		wait_for(b, pid, &status, &usage);
		*run = (struct inv_bench_run){.wall_ns = now_ns() - begun,
					      .cpu_ns = cpu_ns(&usage)};
	}
	if (input != b->null)
		close(input);
	*exit_status =
		WIFSIGNALED(status) ? INV_RUN_EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
	return r || exec_error ? say_not_started(b, r ? r : exec_error) : 0;
}

static int count_calls(const struct inv_run_session *session, uint64_t *calls)
{
	struct inv_view view;
	uint64_t failures, lost;
	int fd = open(session->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		inv_say("invreg: %s: %s\n", session->path, strerror(errno));
		return INV_EXIT_RUNTIME;
	}
	int code = inv_sessions_view(fd, session->path, &view);
	close(fd);
	if (code)
		return code;
	inv_progress_counts(&view, calls, &failures, &lost);
	inv_view_close(&view);
	return 0;
}

static int say_no_session(const struct inv_run_session *session, enum inv_result why)
{
	inv_say("invreg: bench: %s: no session: %s; %s\n",
		session->dir[0] ? session->dir : "session directory",
		inv_run_session_why(why, errno), inv_run_session_remedy(why));
	return INV_EXIT_RUNTIME;
}

static int time_observed(struct benching *b, struct inv_bench_run *run, int *exit_status)
{
	struct inv_run_session session;
	struct inv_run_session_options options = {.dir = b->bench->dir,
						  .command = b->bench->command,
						  .probes = &b->bench->probes->file};
	enum inv_result r = inv_run_session_make(&session, &options);
	const char *dir = session.dir_absolute ? session.dir_absolute : session.dir;
	int code;
	if (r == INV_OK && !inv_run_probes_keep(b->bench->probes, dir, session.name)) {
		inv_run_session_remove(&session);
		r = INV_E_SYSTEM;
	}
	if (r == INV_OK) {
		code = time_one(b, &session, run, exit_status);
		if (code == 0)
			code = count_calls(&session, &run->calls);
		inv_run_probes_drop(b->bench->probes);
		inv_run_session_remove(&session);
	} else {
		code = say_no_session(&session, r);
	}
	inv_run_session_free(&session);
	return code;
}

/* ---- all of them -------------------------------------------------------------------------- */

/* What ends differently does not do the same work: there is nothing to compare. */
static int judge_status(struct benching *b, bool first, bool observed, int status)
{
	if (interrupted) {
		inv_say("invreg: bench: stopped by signal %d\n", (int)interrupted);
		return INV_EXIT_RUNTIME;
	}
	if (first)
		b->bench->status = status;
	if (status == b->bench->status)
		return 0;
	inv_say("invreg: bench: %s ended with %d when %s, after %d when bare: %s\n",
		b->bench->command[0], status, observed ? "observed" : "bare again",
		b->bench->status, b->bench->show ? "nothing to compare" : "see --show-output");
	return INV_EXIT_RUNTIME;
}

static int one(struct benching *b, bool first, bool observed, struct inv_bench_run *run)
{
	int status;
	int code = observed ? time_observed(b, run, &status) : time_one(b, NULL, run, &status);
	return code ? code : judge_status(b, first, observed, status);
}

static int one_pair(struct benching *b, bool first, bool swapped, struct inv_bench_pair *pair)
{
	struct inv_bench_run *runs[] = {&pair->bare, &pair->observed};
	int code = one(b, first, swapped, runs[swapped]);
	return code ? code : one(b, false, !swapped, runs[!swapped]);
}

static void say_progress(const struct inv_bench *bench, size_t done)
{
	if (bench->progress)
		inv_say("%zu of %zu pairs\033[K\r", done, bench->pair_count);
}

static int all(struct benching *b)
{
	struct inv_bench_pair warm_up;
	say_progress(b->bench, 0);
	int code = one_pair(b, true, false, &warm_up);
	for (size_t i = 0; code == 0 && i < b->bench->pair_count; i++) {
		code = one_pair(b, false, i % 2, &b->bench->pairs[i]);
		say_progress(b->bench, i + 1);
	}
	if (b->bench->progress)
		fputs("\033[K", stderr);
	return code;
}

int inv_bench_run(struct inv_bench *bench)
{
	const struct sigaction note = {.sa_handler = interrupt};
	struct benching b = {.bench = bench};
	if (inv_run_session_shim(b.shim, sizeof(b.shim)))
		return INV_EXIT_RUNTIME;
	b.null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (b.null < 0) {
		inv_say("invreg: /dev/null: %s\n", strerror(errno));
		return INV_EXIT_RUNTIME;
	}
	inv_launch_take_signals(&bench->signals, &b.blocked);
	sigaction(SIGINT, &note, NULL);
	sigaction(SIGQUIT, &note, NULL);
	int code = all(&b);
	inv_launch_give_back_terminal(&bench->signals);
	close(b.null);
	return code;
}

/* ---- what it says ---------------------------------------------------------------------------- */

static double time_of(const struct inv_bench_run *run, bool cpu)
{
	return cpu ? run->cpu_ns : run->wall_ns;
}

enum what { BARE, OBSERVED, RATIO, ADDED, EACH_CALL };

static double value_of(const struct inv_bench_pair *pair, bool cpu, enum what what)
{
	double bare = time_of(&pair->bare, cpu), observed = time_of(&pair->observed, cpu);
	if (what == BARE)
		return bare;
	if (what == OBSERVED)
		return observed;
	if (what == RATIO)
		return bare > 0 ? observed / bare : 1;
	return what == ADDED ? observed - bare : (observed - bare) / (double)pair->observed.calls;
}

int inv_bench_judge(const struct inv_bench *bench, bool cpu, struct inv_bench_result *out)
{
	size_t n = bench->pair_count;
	double *values = malloc(n * sizeof(*values));
	struct inv_sig_median median[EACH_CALL + 1] = {0};
	if (!values)
		return -ENOMEM;
	*out = (struct inv_bench_result){.has_calls = true};
	for (size_t i = 0; i < n; i++)
		out->has_calls = out->has_calls && bench->pairs[i].observed.calls;
	for (int what = BARE; what <= (out->has_calls ? EACH_CALL : ADDED); what++) {
		for (size_t i = 0; i < n; i++)
			values[i] = value_of(&bench->pairs[i], cpu, (enum what)what);
		median[what] = inv_sig_median(values, n, INV_BENCH_CONFIDENCE);
	}
	out->bare_ns = median[BARE].value;
	out->observed_ns = median[OBSERVED].value;
	out->ratio = median[RATIO];
	out->added_ns = median[ADDED];
	out->call_ns = median[EACH_CALL];
	free(values);
	return 0;
}
