/* SPDX-License-Identifier: MIT */
/*
 * shim.c - the constructor: from environment to bound probes, and what Python probes need.
 *
 * Reads INVREG_PROBES, INVREG_SESSION, INVREG_DIR, INVREG_SIZE, INVREG_CHILDREN and
 * INVREG_DEBUG once. A session that exists already (`invreg run`, or a parent that bound a
 * probe) is joined at once, so that even a process that binds nothing can say why; without
 * one, the session is made when the first probe binds, which may be at a later dlopen. A
 * row of the process table is taken only then.
 *
 * On any trouble the program runs as if we were not there. What went wrong is said in the
 * session where there is one, and on stderr with INVREG_DEBUG=1.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload/children.h"
#include "preload/closure.h"
#include "preload/command_line.h"
#include "preload/entry_symbols.h"
#include "preload/globals.h"
#include "preload/got.h"
#include "preload/plan.h"
#include "preload/probe.h"
#include "preload/python/python.h"
#include "preload/quiet_write.h"
#include "preload/sandbox.h"
#include "preload/wrap.h"
#include "shm/control.h"
#include "shm/sandbox.h"
#include "shm/session.h"

static struct {
	bool debug, attached, unbound_counted;
	bool tried; /* to get a session */
	struct inv_probe_file file;
	struct inv_segment segment;
	struct inv_control *control; /* NULL: the session cannot be paused in this process */
	struct inv_self self;
	struct inv_plan plans[INV_PROBES_MAX];
	struct inv_got_want wants[INV_PROBES_MAX];
	uint32_t want_probe[INV_PROBES_MAX]; /* want -> probe */
	uint32_t want_count;
	uint8_t place[INV_PROBES_MAX]; /* probe -> place in the segment; 0xff: not there */
	struct inv_binding_row rows[INV_PROBES_MAX]; /* by probe */
	bool no_stubs[INV_PROBES_MAX];		     /* by probe: a wrapper was refused */
	uint32_t patched[INV_PROBES_MAX];	     /* functions, by probe */
	const char *entry_why[INV_PROBES_MAX];	     /* the last one that could not be */
	struct inv_note *notes[INV_PROBES_MAX];	     /* of unbound probes */
} shim;

static void __attribute__((format(printf, 1, 2))) debug(const char *format, ...)
{
	char line[512];
	va_list args;
	if (!shim.debug)
		return;
	va_start(args, format);
	int n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (!inv_quiet_write(STDERR_FILENO, line, (size_t)n))
		shim.debug = false;
}

/* ---- session ---------------------------------------------------------------------- */

static enum inv_result create_session(const char *dir, const char *name)
{
	static struct inv_probe_row rows[INV_PROBES_MAX];
	char path[512], command[1024];
	enum inv_result r = inv_session_ensure_dir(dir);
	if (!r)
		r = inv_session_path(path, sizeof(path), dir, name);
	if (r)
		return r;
	for (uint32_t i = 0; i < shim.file.count; i++)
		inv_probe_describe(&rows[i], &shim.file.probes[i]);
	inv_command_line(command, sizeof(command));
	struct inv_segment_options options = {
		.probes = rows,
		.probe_count = shim.file.count,
		.probes_hash = shim.file.hash,
		.session = name,
		.command = command,
	};
	if (!inv_session_budget(&options.budget_bytes))
		debug("invreg: INVREG_SIZE is no size of 4M to 1024G: the default is taken");
	r = inv_segment_create(&shim.segment, path, &options);
	if (r == INV_E_EXISTS)
		return inv_segment_join(&shim.segment, path);
	if (!r) {
		inv_control_create(&shim.segment); /* what goes wrong, have_control finds */
		inv_session_prune(dir, INV_SESSION_KEEP);
	}
	return r;
}

static enum inv_result join_session(const char *dir, const char *name)
{
	char path[512];
	enum inv_result r = inv_session_path(path, sizeof(path), dir, name);
	return r ? r : inv_segment_join(&shim.segment, path);
}

/* Which place each of our probes has in the segment; the same file: the same places. */
static void match_probes(void)
{
	const struct inv_header *h = shim.segment.header;
	for (uint32_t i = 0; i < shim.file.count; i++) {
		const struct inv_probe *p = &shim.file.probes[i];
		shim.place[i] = 0xff;
		for (uint32_t j = 0; j < h->probe_count && shim.place[i] == 0xff; j++) {
			const struct inv_probe_row *row = &shim.segment.probes[j];
			if (h->probes_hash == shim.file.hash
				    ? i == j
				    : !strncmp(row->name, p->name, sizeof(row->name)) &&
					      !strncmp(row->target, p->target, sizeof(row->target)))
				shim.place[i] = (uint8_t)j;
		}
	}
}

/* Finds or makes the session. `make`: a probe is about to bind. */
static bool have_session(bool make)
{
	char dir[400], name[INV_SESSION_NAME_MAX + 1];
	const char *given = getenv("INVREG_SESSION");
	if (shim.segment.base)
		return true;
	if (shim.tried || inv_session_dir(dir, sizeof(dir), NULL))
		return false;
	enum inv_result r = INV_E_NOT_FOUND;
	if (given && *given)
		r = join_session(dir, given);
	if (r == INV_E_NOT_FOUND && make) {
		if (given && inv_session_name_valid(given))
			snprintf(name, sizeof(name), "%s", given);
		else
			inv_session_default_name(name, sizeof(name));
		r = create_session(dir, name);
		if (!r)
			setenv("INVREG_SESSION", name, 1); /* children join */
	}
	if (make || (r && r != INV_E_NOT_FOUND))
		shim.tried = true;
	if (r && shim.tried)
		debug("invreg: not observed: no session in %s: %s", dir,
		      r == INV_E_SYSTEM ? strerror(errno) : inv_result_text(r));
	if (!r)
		match_probes();
	return !r;
}

/* ---- bindings --------------------------------------------------------------------- */

static void show_binding(uint32_t probe)
{
	if (shim.place[probe] != 0xff)
		inv_record_set_binding(shim.place[probe], &shim.rows[probe]);
}

/* A child of a fork has counted and noted nothing itself yet: what its parent did stays. */
static void know_self(void)
{
	if (!inv_sandbox_allows(INV_ASK_ALL) || shim.self.pid == (uint32_t)getpid())
		return;
	inv_self_read(&shim.self);
	memset(shim.notes, 0, sizeof(shim.notes));
	shim.unbound_counted = false;
}

static void withdraw_note(uint32_t probe)
{
	know_self();
	inv_note_withdraw(shim.notes[probe]);
	shim.notes[probe] = NULL;
}

static void refuse(uint32_t probe, enum inv_reason reason, const char *detail)
{
	know_self();
	shim.rows[probe].tier = INV_TIER_NONE;
	shim.rows[probe].reason = (uint8_t)reason;
	debug("invreg: probe %s is not bound: %s%s%s", shim.file.probes[probe].name,
	      inv_reason_text(reason), *detail ? ": " : "", detail);
	if (shim.segment.base && !shim.notes[probe])
		shim.notes[probe] =
			inv_note_add(&shim.segment, &shim.self, reason,
				     shim.place[probe] == 0xff ? -1 : shim.place[probe], detail);
	show_binding(probe);
}

/* Without control the program is observed all the same. */
static void have_control(void)
{
	if (shim.control)
		return;
	enum inv_result r = inv_control_open(shim.segment.path, shim.segment.header->session_nonce,
					     INV_CONTROL_OWN, &shim.control, NULL);
	if (!r)
		return;
	debug("invreg: the session cannot be paused or filtered here: %s", inv_result_text(r));
	inv_note_add(&shim.segment, &shim.self, INV_REASON_CONTROL, -1, inv_result_text(r));
}

/* Makes no system call: debug() would. */
static void sandboxed(uint32_t forbidden, bool clockless)
{
	char detail[160] = "the clock may not be read: calls from then on are counted as paused";
	if (!clockless)
		snprintf(detail, sizeof(detail), "without%s%s%s%s",
			 forbidden & INV_ASK_LANE ? " lanes for new threads," : "",
			 forbidden & INV_ASK_PAGE ? " texts in pages not seen before," : "",
			 forbidden & INV_ASK_LOOK ? " a look at stacks and processes," : "",
			 forbidden & (INV_ASK_HOLD | INV_ASK_BIND) ? " what comes later" : "");
	if (shim.segment.base)
		inv_note_add(&shim.segment, &shim.self, INV_REASON_SANDBOX, -1, detail);
}

/* The first binding of this process: from here on it is a writer. */
static bool attach(void)
{
	if (shim.attached)
		return true;
	if (!inv_sandbox_allows(INV_ASK_ALL | INV_ASK_REST) || !have_session(true))
		return false;
	know_self();
	have_control();
	struct inv_record_options options = {
		.segment = &shim.segment,
		.control = shim.control,
		.children_ignored = inv_children_ignored(&shim.self),
	};
	enum inv_result r = inv_record_attach(&options);
	if (r && r != INV_E_FULL) {
		debug("invreg: not observed: %s", inv_result_text(r));
		return false;
	}
	if (r)
		inv_note_add(&shim.segment, &shim.self, INV_REASON_PROC_TABLE, -1, "");
	if (shim.unbound_counted) { /* it said that it binds nothing */
		atomic_fetch_sub_explicit(&shim.segment.shared->lost[INV_LOSS_UNBOUND_PROC], 1,
					  memory_order_relaxed);
		shim.unbound_counted = false;
	}
	shim.attached = true;
	for (uint32_t i = 0; i < shim.file.count; i++)
		show_binding(i);
	return true;
}

static void *find_variable(const char *symbol)
{
	void *address = inv_globals_find(symbol);
	if (!address) {
		debug("invreg: %s: %s", inv_reason_text(INV_REASON_NO_VARIABLE), symbol);
		inv_note_add(&shim.segment, &shim.self, INV_REASON_NO_VARIABLE, -1, symbol);
	}
	return address;
}

/* The plan of a probe that is about to bind; NULL: this process is not observed. */
static struct inv_plan *plan_of(uint32_t probe)
{
	struct inv_plan *plan = &shim.plans[probe];
	if (!attach() || shim.place[probe] == 0xff)
		return NULL;
	if (!plan->probe)
		inv_plan_make(plan, &shim.file.probes[probe], shim.place[probe], &shim.segment,
			      find_variable);
	return plan;
}

static void *wrapper_for(uint32_t want, void *real, const char *object)
{
	uint32_t probe = shim.want_probe[want];
	struct inv_plan *plan = plan_of(probe);
	if (shim.file.probes[probe].bind == INV_BIND_ENTRY)
		return real;
	if (!plan)
		return NULL;
	if (inv_entry_is(plan, inv_got_behind((uintptr_t)real)))
		return real; /* seen already, whoever calls it */
	debug("invreg: probe %s wraps %p of %s", plan->probe->name, real, object);
	void *stub = inv_wrap_stub(plan, real);
	shim.no_stubs[probe] |= !stub;
	return stub;
}

/* Why a slot of the probe, whose place is known, was left as it is. */
static enum inv_reason refused_for(uint32_t probe)
{
	return shim.no_stubs[probe] ? INV_REASON_NO_STUBS : INV_REASON_PROTECTED;
}

/* An unloaded object takes its slots out of the status: what was once refused is kept. */
static void bound(uint32_t want, const struct inv_got_status *status)
{
	uint32_t probe = shim.want_probe[want];
	struct inv_binding_row *row = &shim.rows[probe];
	uint32_t sites = status->sites + shim.patched[probe];
	row->tier = shim.patched[probe] ? INV_TIER_ENTRY : INV_TIER_GOT;
	if (sites)
		row->sites = sites > UINT16_MAX ? UINT16_MAX : (uint16_t)sites;
	if (status->refused > row->refused)
		row->refused = status->refused;
	row->reason = (uint8_t)(row->refused ? refused_for(probe) : INV_REASON_NONE);
	withdraw_note(probe);
	show_binding(probe);
}

static void changed(uint32_t want, const struct inv_got_status *status)
{
	uint32_t probe = shim.want_probe[want];
	bool again = status->refused && shim.rows[probe].tier == INV_TIER_GOT;
	if (shim.attached && (status->sites || again))
		bound(want, status);
}

static void judge(uint32_t want, const struct inv_got_status *status)
{
	uint32_t probe = shim.want_probe[want];
	const struct inv_probe *p = &shim.file.probes[probe];
	if ((status->sites || shim.patched[probe]) && shim.attached)
		bound(want, status);
	else if (shim.tried && !shim.segment.base)
		debug("invreg: probe %s is not bound: this process has no session", p->name);
	else if (shim.entry_why[probe] && (p->bind == INV_BIND_ENTRY || !status->refused))
		refuse(probe, INV_REASON_ENTRY, shim.entry_why[probe]);
	else if (status->sites || status->refused)
		refuse(probe,
		       shim.segment.base && shim.place[probe] == 0xff ? INV_REASON_PROBE_UNKNOWN
								      : refused_for(probe),
		       p->target);
	else
		refuse(probe, status->definitions ? INV_REASON_NO_SITES : INV_REASON_NO_SYMBOL,
		       p->target);
}

/* ---- functions themselves ----------------------------------------------------------- */

/* Where the probe's function is in this object. Returns: whether it is there. */
static bool find_place(uint32_t probe, const struct inv_elf_object *object, const char *path,
		       struct inv_entry_place *out)
{
	const struct inv_probe *p = &shim.file.probes[probe];
	struct inv_elf_definition definition;
	bool named = p->object[0] && inv_elf_object_is(object, p->object);
	if (p->object[0] && !named)
		return false;
	if (p->target_kind == INV_TARGET_OFFSET) {
		*out = (struct inv_entry_place){.address = object->base + p->offset};
		return true;
	}
	if (inv_elf_object_find(object, p->symbol, &definition)) {
		*out = (struct inv_entry_place){definition.address, definition.size};
		if (definition.ifunc)
			shim.entry_why[probe] =
				"an ifunc: which function it is, the loader chooses";
		return !definition.ifunc;
	}
	if (!named && !inv_elf_object_is(object, "program"))
		return false; /* a local function of any library is not what was meant */
	switch (inv_entry_find_local(out, object, path, p->symbol)) {
	case INV_ENTRY_FOUND:
		return true;
	case INV_ENTRY_CLONE:
		shim.entry_why[probe] = "the compiler left only a clone of it";
		return false;
	case INV_ENTRY_SEVERAL:
		shim.entry_why[probe] = "several functions have the name: give object+0xOFFSET";
		return false;
	default:
		return false;
	}
}

static void show_patched(uint32_t probe)
{
	struct inv_binding_row *row = &shim.rows[probe];
	row->tier = INV_TIER_ENTRY;
	row->sites = (uint16_t)shim.patched[probe];
	row->reason = INV_REASON_NONE;
	withdraw_note(probe);
	show_binding(probe);
}

/* Why a function that came late is not patched; at the start the judgement says it. */
static void explain(uint32_t probe, const char *known, bool initial)
{
	if (initial || shim.entry_why[probe] == known || shim.rows[probe].tier != INV_TIER_NONE)
		return;
	withdraw_note(probe); /* what is known now says more */
	refuse(probe, INV_REASON_ENTRY, shim.entry_why[probe]);
}

static void patch_in(uint32_t probe, const struct inv_elf_object *object, const char *path,
		     bool initial)
{
	struct inv_entry_place place;
	struct inv_plan *plan;
	const char *known = shim.entry_why[probe];
	if (!find_place(probe, object, path, &place)) {
		explain(probe, known, initial);
		return;
	}
	plan = plan_of(probe);
	if (!plan || inv_entry_is(plan, place.address))
		return;
	const char *why = inv_entry_is_go(object, path)
				  ? "a Go program moves its stacks"
				  : inv_entry_patch(plan, object, &place, initial);
	debug("invreg: probe %s: function %p of %s %s%s", shim.file.probes[probe].name,
	      (void *)place.address, path, why ? "is not patched: " : "is patched", why ? why : "");
	if (why) {
		shim.entry_why[probe] = why;
		explain(probe, known, initial);
		return;
	}
	shim.patched[probe]++;
	show_patched(probe);
}

static void see_object(const struct inv_elf_object *object, const char *path, bool initial)
{
	for (uint32_t want = 0; want < shim.want_count; want++)
		if (shim.file.probes[shim.want_probe[want]].bind != INV_BIND_GOT)
			patch_in(shim.want_probe[want], object, path, initial);
}

/* ---- Python ------------------------------------------------------------------------- */

static const struct inv_plan *python_plan(uint32_t probe)
{
	struct inv_plan *plan = plan_of(probe);
	if (!plan && shim.segment.base && shim.place[probe] == 0xff)
		refuse(probe, INV_REASON_PROBE_UNKNOWN, shim.file.probes[probe].target);
	return plan;
}

static void python_remark(uint32_t probe, enum inv_reason reason, const char *detail)
{
	debug("invreg: probe %s: %s: %s", shim.file.probes[probe].name, inv_reason_text(reason),
	      detail);
	if (shim.segment.base && shim.place[probe] != 0xff)
		inv_note_add(&shim.segment, &shim.self, reason, shim.place[probe], detail);
}

static void python_bound(uint32_t probe, uint32_t functions, const char *missing)
{
	struct inv_binding_row *row = &shim.rows[probe];
	row->tier = INV_TIER_PYTHON;
	row->sites = functions > UINT16_MAX ? UINT16_MAX : (uint16_t)functions;
	row->reason = missing ? INV_REASON_PARAMETER : INV_REASON_NONE;
	withdraw_note(probe);
	if (missing)
		python_remark(probe, INV_REASON_PARAMETER, missing);
	show_binding(probe);
}

static void python_refused(uint32_t probe, enum inv_reason reason, const char *detail)
{
	withdraw_note(probe); /* what is known now says more */
	refuse(probe, reason, detail);
}

static const struct inv_py_host python_host = {
	.plan = python_plan,
	.bound = python_bound,
	.refused = python_refused,
	.remark = python_remark,
};

/* ---- start ------------------------------------------------------------------------- */

/* Probes that the got tier can take become wants; the others are refused with a reason. */
static void sort_probes(void)
{
	char why[256];
	for (uint32_t i = 0; i < shim.file.count; i++) {
		const struct inv_probe *p = &shim.file.probes[i];
		const char *refusal;
		if (p->target_kind == INV_TARGET_PYTHON)
			continue; /* see inv_py_install */
		bool by_entry =
			p->bind != INV_BIND_GOT && !inv_signature_entry_refusal(&p->signature);
		if (p->target_kind == INV_TARGET_OFFSET && p->bind == INV_BIND_GOT) {
			refuse(i, INV_REASON_UNSUPPORTED, p->target);
		} else if (!by_entry &&
			   (p->bind == INV_BIND_ENTRY || p->target_kind == INV_TARGET_OFFSET)) {
			refuse(i, INV_REASON_TIER, inv_signature_entry_refusal(&p->signature));
		} else if ((refusal = inv_signature_refusal(&p->signature, why, sizeof(why)))) {
			refuse(i, INV_REASON_PROTOTYPE, refusal);
		} else if (inv_signature_needs_closure(&p->signature) &&
			   !inv_closure_prepare(i, &p->signature) && !by_entry) {
			refuse(i, INV_REASON_PROTOTYPE, "libffi cannot call it");
		} else {
			struct inv_got_want *w = &shim.wants[shim.want_count];
			w->symbol = p->symbol; /* of an offset: none */
			w->object = p->object[0] ? p->object : NULL;
			shim.want_probe[shim.want_count++] = i;
		}
	}
	inv_closure_prepared();
}

static bool read_probes(void)
{
	struct inv_probe_error error = {.line = 0};
	char detail[128];
	const char *path = getenv("INVREG_PROBES");
	if (!path || !*path) {
		debug("invreg: not observed: INVREG_PROBES is not set");
		return false;
	}
	int r = inv_probe_file_read(&shim.file, path, &error);
	if (r == 0)
		return true;
	snprintf(detail, sizeof(detail), "%.40s:%u:%u: %.60s", path, error.line, error.column,
		 error.text);
	debug("invreg: not observed: %s", detail);
	if (have_session(false))
		inv_note_add(&shim.segment, &shim.self,
			     r == -EINVAL ? INV_REASON_PROBE_FILE : INV_REASON_NO_PROBE_FILE, -1,
			     detail);
	return false;
}

static void start(void)
{
	static struct inv_got_status statuses[INV_PROBES_MAX];
	const char *text = getenv("INVREG_DEBUG");
	shim.debug = text && *text && strcmp(text, "0") != 0;
	text = getenv("LD_PRELOAD");
	if (text && strstr(text, "/vgpreload_"))
		inv_name_cache_ask_quietly();
	inv_self_read(&shim.self);
	memset(shim.place, 0xff, sizeof(shim.place));
	if (inv_children_is_ignored(&shim.self)) {
		debug("invreg: not observed: %s", inv_reason_text(INV_REASON_CHILDREN));
		if (have_session(false))
			inv_note_add(&shim.segment, &shim.self, INV_REASON_CHILDREN, -1, "");
		return;
	}
	if (!read_probes())
		return;
	if (have_session(false)) {
		inv_segment_lose(&shim.segment, INV_LOSS_UNBOUND_PROC, 1);
		shim.unbound_counted = true; /* until a probe binds */
	}
	inv_sandbox_watch(sandboxed);
	sort_probes();
	inv_globals_resolve(&shim.file);
	inv_got_install(shim.wants, shim.want_count, wrapper_for, see_object, changed, statuses);
	for (uint32_t i = 0; i < shim.want_count; i++)
		judge(i, &statuses[i]);
	inv_py_install(shim.file.probes, shim.file.count, &python_host);
}

static void __attribute__((constructor)) shim_constructor(void)
{
	int saved = errno;
	inv_sandbox_resolve();
	start();
	errno = saved;
}
