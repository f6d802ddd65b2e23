/* SPDX-License-Identifier: MIT */
/*
 * verb_control.c - the verbs `pause`, `resume` and `filter`.
 *
 * Each changes the setting on a session's control page under flock of its file, and leaves
 * alone what it is not about: a filter outlasts a pause. The file is never truncated or
 * replaced, since the program has it mapped; and our own mapping is read and written inside
 * the SIGBUS guard, since others may do what we do not.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"
#include "help.h"
#include "options.h"
#include "output.h"
#include "say.h"
#include "sessions.h"
#include "setting.h"
#include "table.h"
#include "verbs.h"

#define LOCK_TRIES   500u
#define LOCK_WAIT_NS 10000000

enum action { PAUSE, RESUME, SHOW_FILTER, SET_FILTER, CLEAR_FILTER };

struct request {
	const char *verb;
	enum action action;
	const char *dir, *session;
	struct inv_setting filter; /* SET_FILTER */
};

struct target {
	int fd; /* of the segment */
	char path[512];
	char name[512]; /* of the session, for messages */
	struct inv_header header;
	enum inv_liveness liveness;
	int control_fd;
	struct inv_control *page;
	bool changed;
	struct inv_setting now;
};

/* ---- words -------------------------------------------------------------------------- */

static int refuse(const struct target *t, const char *what)
{
	inv_say("invreg: %s: %s\n", t->path, what);
	return INV_EXIT_REFUSED;
}

static int usage(const char *verb, const char *what, const char *which)
{
	inv_say("invreg: %s: %s '%s'; see `invreg %s --help`\n", verb, what, which, verb);
	return INV_EXIT_USAGE;
}

static void say_filter(const struct target *t)
{
	inv_table_say(stdout, t->name, strlen(t->name));
	if (!inv_setting_filters(&t->now)) {
		puts(": no filter: all events are kept");
		return;
	}
	fputs(": only events of ", stdout);
	inv_setting_say_filter(&t->now, stdout);
	puts(" are kept; totals are of all calls");
}

static void say_done(const struct target *t, enum action action)
{
	if (action == PAUSE || action == RESUME) {
		inv_table_say(stdout, t->name, strlen(t->name));
		if (action == PAUSE)
			puts(t->changed ? ": paused; `invreg resume` goes on" : ": paused already");
		else
			puts(t->changed ? ": goes on" : ": was not paused");
		return;
	}
	say_filter(t);
	if (action == SHOW_FILTER && inv_setting_paused(&t->now)) {
		inv_table_say(stdout, t->name, strlen(t->name));
		puts(": paused");
	}
}

/* ---- which session ------------------------------------------------------------------ */

static void name_of(struct target *t)
{
	const char *slash = strrchr(t->path, '/');
	snprintf(t->name, sizeof(t->name), "%s", slash ? slash + 1 : t->path);
	size_t n = strlen(t->name);
	if (n > 4 && !strcmp(t->name + n - 4, ".seg"))
		t->name[n - 4] = 0;
}

static int find_session(struct target *t, const struct request *request)
{
	struct inv_header *h = &t->header;
	int code =
		inv_sessions_open(request->dir, request->session, &t->fd, t->path, sizeof(t->path));
	if (code)
		return code;
	name_of(t);
	ssize_t n = pread(t->fd, h, sizeof(*h), 0);
	off_t end = lseek(t->fd, 0, SEEK_END);
	enum inv_result r =
		n == (ssize_t)sizeof(*h) ? inv_segment_check(h, (uint64_t)end) : INV_E_MAGIC;
	if (r)
		return inv_sessions_refuse(t->path, r, h->version);
	if (h->flags & INV_HEADER_SNAPSHOT)
		return refuse(t, "a saved snapshot has no control: name a session (`invreg ls`)");
	t->liveness = inv_session_liveness(t->fd);
	if (t->liveness != INV_LIVENESS_DEAD || request->action == SHOW_FILTER)
		return 0;
	inv_say("invreg: %s has ended: there is nothing to %s; `invreg ls` lists sessions\n",
		t->name, request->verb);
	return INV_EXIT_NO_SESSION;
}

static int open_page(struct target *t, enum inv_control_access access)
{
	enum inv_result r = inv_control_open(t->path, t->header.session_nonce, access, &t->page,
					     &t->control_fd);
	if (!r)
		return 0;
	int err = errno;
	inv_say("invreg: %s: no control page that can be used: %s\n", t->name,
		r == INV_E_SYSTEM ? strerror(err) : inv_result_text(r));
	return INV_EXIT_REFUSED;
}

/* Another verb holds the lock for microseconds; one that was stopped must not hang us. */
static int lock_page(const struct target *t)
{
	const struct timespec rest = {.tv_nsec = LOCK_WAIT_NS};
	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (flock(t->control_fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			break;
		nanosleep(&rest, NULL);
	}
	inv_say("invreg: %s: its control page is locked: %s\n", t->name, strerror(errno));
	return INV_EXIT_RUNTIME;
}

/* ---- the change --------------------------------------------------------------------- */

static void apply(struct inv_control_setting *s, const struct request *request)
{
	uint64_t flags = s->rules.flags;
	if (request->action == PAUSE)
		s->rules.flags = flags | INV_CONTROL_PAUSED;
	else if (request->action == RESUME)
		s->rules.flags = flags & ~INV_CONTROL_PAUSED;
	else
		*s = request->filter.is;
	if (request->action == SET_FILTER || request->action == CLEAR_FILTER)
		s->rules.flags = flags;
}

struct change {
	struct target *target;
	const struct request *request;
};

/* Runs under the guard. */
static int change(void *arg)
{
	const struct change *c = arg;
	struct target *t = c->target;
	struct inv_control_setting before;
	uint64_t generation;
	t->now.known = inv_control_load(t->page, &t->now.is, &generation);
	if (!t->now.known)
		return -EBUSY;
	if (c->request->action == SHOW_FILTER)
		return 0;
	before = t->now.is;
	apply(&t->now.is, c->request);
	t->changed = memcmp(&before, &t->now.is, sizeof(before)) != 0;
	if (t->changed)
		inv_control_publish(t->page, &t->now.is);
	return 0;
}

static int change_page(struct target *t, const struct request *request)
{
	struct change c = {t, request};
	int r = inv_guard_call(change, &c);
	if (r == -EFAULT)
		return refuse(t, "its control page was truncated");
	if (r) { /* only without the lock: to be shown */
		inv_say("invreg: %s: its setting is being changed, ask again\n", t->name);
		return INV_EXIT_RUNTIME;
	}
	return 0;
}

/* ---- names that nobody has ---------------------------------------------------------- */

struct search {
	const struct target *target;
	const struct inv_control_setting *setting;
	bool seen[INV_CONTROL_KINDS][INV_CONTROL_NAMES];
};

static void note_name(struct search *s, const char *text, size_t length)
{
	for (unsigned kind = 0; kind < INV_CONTROL_KINDS; kind++)
		for (unsigned i = 0; i < INV_CONTROL_NAMES; i++) {
			const char *name =
				inv_control_name(s->setting, (enum inv_control_kind)kind, i);
			if (!name)
				break;
			s->seen[kind][i] |= strlen(name) == length && !memcmp(name, text, length);
		}
}

/* Runs under the guard. */
static int search_names(void *arg)
{
	struct search *s = arg;
	struct inv_view view;
	uint32_t found;
	if (inv_view_open(&view, s->target->fd, &found))
		return -EINVAL;
	for (uint32_t id = 1; id < INV_NAMES_MAX; id++) {
		size_t length = 0;
		if (!atomic_load_explicit(&view.seg.names[id], memory_order_relaxed))
			continue;
		const char *text = inv_view_name(&view, id, &length);
		note_name(s, text, length);
	}
	inv_view_close(&view);
	return 0;
}

/* A slip of the pen would keep nothing, in silence. */
static void say_unknown(const struct target *t)
{
	struct search s = {.target = t, .setting = &t->now.is};
	if (inv_guard_call(search_names, &s))
		return;
	for (unsigned kind = 0; kind < INV_CONTROL_KINDS; kind++)
		for (unsigned i = 0; i < INV_CONTROL_NAMES; i++) {
			const char *name =
				inv_control_name(s.setting, (enum inv_control_kind)kind, i);
			if (!name || s.seen[kind][i])
				continue;
			inv_say("invreg: no call has had %s '",
				inv_setting_kind((enum inv_control_kind)kind));
			inv_table_say(stderr, name, strlen(name));
			fputs("' so far\n", stderr);
		}
}

/* ---- the verbs ---------------------------------------------------------------------- */

static int carry_out(const struct request *request)
{
	struct target t = {.fd = -1, .control_fd = -1};
	bool shows = request->action == SHOW_FILTER;
	int code = find_session(&t, request);
	if (!code)
		code = open_page(&t, shows ? INV_CONTROL_SHOW : INV_CONTROL_CHANGE);
	if (!code && !shows)
		code = lock_page(&t);
	if (!code)
		code = change_page(&t, request);
	inv_control_close(t.page);
	if (t.control_fd >= 0)
		close(t.control_fd); /* and with it the lock */
	if (!code) {
		say_done(&t, request->action);
		if (request->action == SET_FILTER)
			say_unknown(&t);
		code = inv_output_stdout_done();
	}
	if (t.fd >= 0)
		close(t.fd);
	return code;
}

static int want_name(struct request *request, enum inv_control_kind kind, const char *name)
{
	request->action = SET_FILTER;
	if (inv_control_add(&request->filter.is, kind, name) == INV_OK)
		return -1;
	inv_say("invreg: filter: too much: at most %u names of a kind, and %u bytes of names\n",
		INV_CONTROL_NAMES, INV_CONTROL_TEXT_BYTES);
	return INV_EXIT_USAGE;
}

/* Returns: -1 to go on, else an exit code. */
static int take_option(struct request *request, int c, char **argv)
{
	static const char kinds[] = "iam"; /* as enum inv_control_kind */
	const char *kind = strchr(kinds, c);
	if (c == 'h')
		return inv_help(request->verb);
	if (c == 'd')
		return inv_options_dir(request->verb, optarg, &request->dir);
	if (kind && *kind)
		return want_name(request, (enum inv_control_kind)(kind - kinds), optarg);
	return usage(request->verb, c == ':' ? "value missing after" : "unknown option",
		     argv[optind - 1]);
}

static int parse(struct request *request, int argc, char **argv)
{
	static const struct option longs[] = {{"dir", required_argument, NULL, 'd'},
					      {"help", no_argument, NULL, 'h'},
					      {"artifact", required_argument, NULL, 'a'},
					      {"invoker", required_argument, NULL, 'i'},
					      {"method", required_argument, NULL, 'm'},
					      {"clear", no_argument, NULL, 'c'},
					      {NULL, 0, NULL, 0}};
	struct option few[3] = {longs[0], longs[1], {NULL, 0, NULL, 0}};
	bool filters = request->action == SHOW_FILTER, clear = false;
	request->verb = argv[0];
	opterr = 0;
	optind = 0;
	for (int c; (c = getopt_long(argc, argv, ":h", filters ? longs : few, NULL)) != -1;) {
		int code = c == 'c' ? -1 : take_option(request, c, argv);
		clear |= c == 'c';
		if (code >= 0)
			return code;
	}
	if (optind < argc)
		request->session = argv[optind++];
	if (optind < argc)
		return usage(request->verb, "one argument too many:", argv[optind]);
	if (clear && request->action == SET_FILTER)
		return usage(request->verb, "names to keep, and", "--clear");
	if (clear)
		request->action = CLEAR_FILTER;
	return -1;
}

static int run(enum action action, int argc, char **argv)
{
	struct request request = {.action = action, .filter = {.known = true}};
	int code = parse(&request, argc, argv);
	return code >= 0 ? code : carry_out(&request);
}

int inv_verb_pause(int argc, char **argv)
{
	return run(PAUSE, argc, argv);
}

int inv_verb_resume(int argc, char **argv)
{
	return run(RESUME, argc, argv);
}

int inv_verb_filter(int argc, char **argv)
{
	return run(SHOW_FILTER, argc, argv);
}
