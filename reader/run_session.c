/* SPDX-License-Identifier: MIT */
#include "run_session.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reader/launch.h"
#include "reader/own_cost.h"
#include "reader/run.h"
#include "reader/say.h"
#include "shm/control.h"
#include "shm/proc.h"
#include "shm/segment.h"

#define NAME_TRIES    10
#define NAME_STEM_MAX 60

int inv_run_session_shim(char *buf, size_t size)
{
	int r = inv_launch_find_shim(buf, size);
	if (r == -EINVAL)
		inv_say("invreg: %s: LD_PRELOAD cannot hold a path with spaces or colons: "
			"install invreg elsewhere\n",
			buf);
	else if (r == -ENOENT)
		inv_say("invreg: libinvreg_preload.so is neither beside the executable "
			"nor in ../lib/invreg or ../lib: install it there\n");
	else if (r)
		inv_say("invreg: libinvreg_preload.so: %s\n", strerror(-r));
	return r ? INV_RUN_EXIT_OWN : 0;
}

static void default_name(char *buf, size_t size, const char *command, int try)
{
	struct inv_self self;
	char stem[NAME_STEM_MAX + 1], suffix[16] = "";
	const char *slash = strrchr(command, '/');
	snprintf(stem, sizeof(stem), "%s", slash && slash[1] ? slash + 1 : command);
	for (char *p = stem; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			*p = '_';
	if (stem[0] == '.')
		stem[0] = '_';
	inv_self_read(&self);
	if (try)
		snprintf(suffix, sizeof(suffix), "-%d", try + 1);
	snprintf(buf, size, "%s-%" PRIu32 "-%" PRIu64 "%s", stem, self.pid, self.start_time,
		 suffix);
}

static void command_text(char *buf, size_t size, char *const *command)
{
	size_t n = 0;
	buf[0] = 0;
	for (; *command && n + 1 < size; command++) {
		int wrote = snprintf(buf + n, size - n, "%s%s", n ? " " : "", *command);
		n += wrote > 0 ? (size_t)wrote : 0;
	}
}

/* Creates the segment under its name; the first that is free, when the name is ours to choose. */
static enum inv_result create(struct inv_run_session *s, const struct inv_run_session_options *o,
			      struct inv_segment_options *segment)
{
	struct inv_segment seg;
	enum inv_result r = INV_E_EXISTS;
	for (int try = 0; r == INV_E_EXISTS && try < NAME_TRIES; try++) {
		if (o->name)
			snprintf(s->name, sizeof(s->name), "%s", o->name);
		else
			default_name(s->name, sizeof(s->name), o->command[0], try);
		r = inv_session_path(s->path, sizeof(s->path), s->dir, s->name);
		segment->session = s->name;
		if (!r)
			r = inv_segment_create(&seg, s->path, segment);
		if (o->name)
			break;
	}
	if (r)
		return r;
	inv_control_create(&seg); /* without it the shim notes that there is no control */
	inv_segment_detach(&seg); /* we are a reader from here on */
	return INV_OK;
}

/* INVREG_DIR is for the child only where it is not the default: absolute, it may chdir. */
static enum inv_result find_absolute_dir(struct inv_run_session *s, const char *given)
{
	const char *variable = getenv("INVREG_DIR");
	if (!given && !(variable && *variable))
		return INV_OK;
	s->dir_absolute = realpath(s->dir, NULL);
	return s->dir_absolute ? INV_OK : INV_E_SYSTEM;
}

enum inv_result inv_run_session_make(struct inv_run_session *s,
				     const struct inv_run_session_options *o)
{
	static struct inv_probe_row rows[INV_PROBES_MAX];
	char command[1024];
	*s = (struct inv_run_session){0};
	enum inv_result r = inv_session_dir(s->dir, sizeof(s->dir), o->dir);
	if (!r)
		r = inv_session_ensure_dir(s->dir);
	if (!r)
		r = find_absolute_dir(s, o->dir);
	if (r)
		return r;
	uint32_t count = o->probes->count < INV_PROBES_MAX ? o->probes->count : INV_PROBES_MAX;
	for (uint32_t i = 0; i < count; i++)
		inv_probe_describe(&rows[i], &o->probes->probes[i]);
	command_text(command, sizeof(command), o->command);
	struct inv_segment_options segment = {
		.budget_bytes = o->budget_bytes,
		.probes = rows,
		.probe_count = count,
		.probes_hash = o->probes->hash,
		.command = command,
	};
	if (o->measure_cost) {
		struct inv_own_cost cost = inv_own_cost_measure(s->dir);
		segment.cost_ticks_x1024 = cost.ticks_x1024;
		segment.cost_entry_ticks_x1024 = cost.entry_ticks_x1024;
	}
	return create(s, o, &segment);
}

void inv_run_session_remove(const struct inv_run_session *s)
{
	char control[sizeof(s->path)];
	if (!inv_control_path(control, sizeof(control), s->path))
		unlink(control);
	unlink(s->path);
}

void inv_run_session_free(struct inv_run_session *s)
{
	free(s->dir_absolute);
	s->dir_absolute = NULL;
}

const char *inv_run_session_why(enum inv_result why, int err)
{
	return why == INV_E_SYSTEM ? strerror(err) : inv_result_text(why);
}

const char *inv_run_session_remedy(enum inv_result why)
{
	if (why == INV_E_FULL)
		return "make room there (`invreg prune`), take less by --size 4M, or give --dir";
	if (why == INV_E_LIMIT)
		return "raise `ulimit -f` and `ulimit -v`";
	if (why == INV_E_MODE)
		return "take that right from them by chmod go-w, or give another --dir";
	return "give a directory of yours by --dir";
}
