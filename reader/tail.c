/* SPDX-License-Identifier: MIT */
#include "tail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "await.h"
#include "follow.h"
#include "now.h"
#include "output.h"
#include "say.h"
#include "sessions.h"
#include "setting.h"
#include "source.h"
#include "verbs.h"

#define ASK_MS 100 /* how often it is asked whether the session lives */

static atomic_bool stopped;
_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2, "a signal handler stores it");

static void on_stop(int number)
{
	atomic_store_explicit(&stopped, true, memory_order_relaxed);
}

/* What is ignored stays so: a shell's background job is not ended by the terminal's ^C. */
static void stop_on(int number)
{
	struct sigaction old, action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
	sigemptyset(&action.sa_mask);
	if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

/* Sleeps. Returns: false: somebody wants an end. A signal just before poll is seen after it. */
static bool rest(int ms)
{
	struct pollfd out = {.fd = STDOUT_FILENO};
	if (atomic_load_explicit(&stopped, memory_order_relaxed))
		return false;
	if (poll(&out, 1, ms) < 0 && errno != EINTR)
		return false;
	return !out.revents && !atomic_load_explicit(&stopped, memory_order_relaxed);
}

/* ---- the session -------------------------------------------------------------------------- */

struct life {
	int64_t asked_ms;
	bool warned;
};

/* To be asked before a pass that shall be the last: the dead write no more. */
static bool ended(const struct inv_src *src, struct life *life)
{
	int64_t now = inv_now_ms();
	if (life->asked_ms && now - life->asked_ms < ASK_MS)
		return false;
	life->asked_ms = now;
	enum inv_liveness l = inv_session_liveness(src->fd);
	if (l == INV_LIVENESS_UNKNOWN && !life->warned) {
		inv_say("invreg: %s: made in another pid namespace, or without a /proc: its end "
			"cannot be seen from here, stop me by Ctrl-C\n",
			src->path);
		life->warned = true;
	}
	return l == INV_LIVENESS_DEAD;
}

static int pass_until_end(const struct inv_src *src, struct inv_follow *follow, uint64_t last)
{
	struct life life = {.asked_ms = 0};
	int r = inv_follow_begin(follow, last);
	while (r >= 0) {
		if (ended(src, &life))
			return inv_follow_drain(follow);
		if (!rest(r))
			return 0;
		r = inv_follow_poll(follow);
	}
	return r;
}

/* ---- the verb -------------------------------------------------------------------------------- */

static int follow_source(const struct inv_tail *tail, struct inv_src *src)
{
	struct inv_follow *follow = inv_follow_open(&src->view, STDOUT_FILENO);
	if (!follow)
		return inv_output_done(src, -ENOMEM);
	inv_follow_only(follow, &tail->query);
	inv_setting_say_now(src);
	int code = inv_output_done(src, pass_until_end(src, follow, tail->last));
	inv_follow_close(follow);
	if (code == INV_EXIT_OK)
		inv_setting_caveats(src);
	return code;
}

static int refuse_file(const char *name)
{
	inv_say("invreg events: %s: -f follows a session, and this is a file: leave -f out, or "
		"name the session (`invreg ls`)\n",
		name);
	return INV_EXIT_USAGE;
}

static bool means_file(const struct inv_tail *tail)
{
	char dir[400];
	return tail->name && inv_session_dir(dir, sizeof(dir), tail->dir) == INV_OK &&
	       inv_sessions_means_file(dir, tail->name);
}

/* Or filled: said now, and not at the first call. */
static bool stdout_closed(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	return flags < 0 || flags & O_PATH;
}

int inv_tail_run(const struct inv_tail *tail)
{
	char name[INV_SESSION_NAME_MAX + 1];
	struct inv_src src;
	if (means_file(tail))
		return refuse_file(tail->name);
	if (stdout_closed()) {
		inv_say("invreg events: standard output is closed: nowhere to write to\n");
		return INV_EXIT_RUNTIME;
	}
	stop_on(SIGINT);
	stop_on(SIGTERM);
	int code = inv_await_session(tail->dir, tail->name, rest, name);
	if (code >= 0)
		return code;
	code = inv_src_open(&src, tail->dir, name);
	if (code)
		return code;
	code = src.kind == INV_SRC_JSONL ? refuse_file(src.path) : follow_source(tail, &src);
	inv_src_close(&src);
	return code;
}
