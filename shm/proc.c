/* SPDX-License-Identifier: MIT */
/*
 * proc.c - process rows, liveness, notes, and the words for reasons.
 *
 * A row is claimed by one CAS that puts our pid, the next generation and CLAIMING in its
 * state; nobody else then writes the rest until we are dead. [B7] orders the rest before
 * LIVE for readers. (pid, start time) tells a process from a later one of the same pid.
 */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cancel.h"
#include "clock.h"

static ssize_t read_file(const char *path, char *buf, size_t size)
{
	ssize_t n = -1;
	int cancel = inv_cancel_hold(), fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, buf, size - 1);
		close(fd);
		buf[n > 0 ? n : 0] = 0;
	}
	inv_cancel_restore(cancel);
	return n;
}

/* Of a stat file; all 0: it cannot be read. */
struct life {
	char state;	     /* field 3 */
	uint64_t threads;    /* field 20: of the process, a main thread that has ended too */
	uint64_t start_time; /* field 22 */
};

/* comm (field 2) may hold spaces and brackets. */
static struct life life_in(const char *path)
{
	struct life life = {0};
	char text[1024];
	if (read_file(path, text, sizeof(text)) <= 0)
		return life;
	char *p = strrchr(text, ')');
	for (int field = 2; p && field < 22; field++) {
		p = strchr(p + 1, ' ');
		if (p && field + 1 == 3)
			life.state = p[1];
		else if (p && field + 1 == 20)
			life.threads = strtoull(p + 1, NULL, 10);
	}
	life.start_time = p ? strtoull(p + 1, NULL, 10) : 0;
	return life;
}

/*
 * A process is as old as its main thread. Its own stat file would say the same, but qemu-user
 * makes up that of the process which asks, with another time than all others are told: they
 * would take it for dead.
 */
static struct life life_of(uint32_t pid)
{
	char path[48];
	snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", pid, pid);
	return life_in(path);
}

/*
 * A pid namespace entered without a /proc of its own (`unshare -p -f`) shows the outer
 * one's, where our neighbours' numbers are other processes. "NSpid:" then has several
 * numbers; a kernel without it has one kind of number only.
 */
static bool proc_is_own(uint32_t pid)
{
	char text[1024], *end;
	if (read_file("/proc/self/status", text, sizeof(text)) <= 0)
		return false;
	const char *p = strstr(text, "\nNSpid:");
	if (!p)
		p = strstr(text, "\nPid:");
	p = p ? strchr(p, ':') : NULL;
	return p && strtoul(p + 1, &end, 10) == pid && *end == '\n';
}

void inv_self_read(struct inv_self *self)
{
	int saved = errno;
	struct stat st;
	memset(self, 0, sizeof(*self));
	self->pid = (uint32_t)getpid();
	self->ppid = (uint32_t)getppid();
	if (stat("/proc/self/ns/pid", &st) == 0)
		self->pid_ns = (uint64_t)st.st_ino;
	self->own_proc = proc_is_own(self->pid);
	/* In another one's /proc our number is somebody else's. */
	self->start_time =
		(self->own_proc ? life_of(self->pid) : life_in("/proc/self/stat")).start_time;
	if (read_file("/proc/sys/kernel/random/boot_id", self->boot_id, sizeof(self->boot_id)) > 0)
		self->boot_id[strcspn(self->boot_id, "\n")] = 0;
	if (read_file("/proc/self/comm", self->comm, sizeof(self->comm)) > 0)
		self->comm[strcspn(self->comm, "\n")] = 0;
	ssize_t n = readlink("/proc/self/exe", self->exe, sizeof(self->exe) - 1);
	self->exe[n > 0 ? n : 0] = 0;
	errno = saved;
}

/* Start times are told in the time namespace of who asks: another's cannot be compared. */
static bool other_time_namespace(uint32_t pid)
{
	char path[48];
	struct stat ours, its;
	snprintf(path, sizeof(path), "/proc/%u/ns/time", pid);
	return stat("/proc/self/ns/time", &ours) == 0 && stat(path, &its) == 0 &&
	       ours.st_ino != its.st_ino;
}

/*
 * One of our own pid namespace, as it looks today. The number of a namespace is given out
 * again only when nobody is left in the former, so that its processes are rightly DEAD.
 */
static enum inv_liveness process_liveness(const struct inv_self *self, uint32_t pid,
					  uint64_t start_time)
{
	if (kill((pid_t)pid, 0) && errno == ESRCH)
		return INV_LIVENESS_DEAD;
	if (!start_time || !self->own_proc)
		return INV_LIVENESS_ALIVE;
	struct life now = life_of(pid);
	if (!now.start_time)
		return INV_LIVENESS_ALIVE;
	if (now.start_time == start_time) /* one whose parent has not waited for it is dead */
		return now.state == 'Z' && now.threads <= 1 ? INV_LIVENESS_DEAD
							    : INV_LIVENESS_ALIVE;
	/* else the pid was given out again */
	return other_time_namespace(pid) ? INV_LIVENESS_UNKNOWN : INV_LIVENESS_DEAD;
}

enum inv_liveness inv_proc_liveness(const struct inv_self *self, const char *boot_id,
				    uint64_t pid_ns, uint32_t pid, uint64_t start_time)
{
	if (!self->pid_ns || self->pid_ns != pid_ns || !pid || pid > INT32_MAX)
		return INV_LIVENESS_UNKNOWN;
	int saved = errno;
	enum inv_liveness alive = process_liveness(self, pid, start_time);
	errno = saved;
	/* Since restarted: its numbers are others' now. But containers may be shown a boot id
	 * of their own: one that is here all the same is not given up. */
	bool other_boot = self->boot_id[0] && boot_id[0] &&
			  strncmp(self->boot_id, boot_id, sizeof(self->boot_id)) != 0;
	return other_boot && alive == INV_LIVENESS_ALIVE ? INV_LIVENESS_UNKNOWN : alive;
}

/* A row that is being claimed says no more than its state: whose pid, by the tag. */
static enum inv_liveness claimer_liveness(const struct inv_self *self, const char *boot_id,
					  uint64_t state)
{
	if (INV_PROC_NS_TAG(state) != INV_PROC_NS_TAG(INV_PROC_CLAIM(0, self->pid_ns, 0)))
		return INV_LIVENESS_UNKNOWN;
	return inv_proc_liveness(self, boot_id, self->pid_ns, INV_PROC_PID(state), 0);
}

enum inv_liveness inv_proc_liveness_of(const struct inv_self *self, const char *boot_id,
				       const struct inv_proc *row)
{
	/* [B7] acquire: start_time and pid_ns are read after LIVE; pairs with claim */
	uint64_t state = atomic_load_explicit(&row->state, memory_order_acquire);
	switch (INV_PROC_STATUS(state)) {
	case INV_PROC_LIVE:
		return inv_proc_liveness(self, boot_id, row->pid_ns, INV_PROC_PID(state),
					 row->start_time);
	case INV_PROC_CLAIMING:
		return claimer_liveness(self, boot_id, state);
	default:
		return INV_LIVENESS_DEAD;
	}
}

enum inv_liveness inv_proc_row_liveness(const struct inv_segment *seg, const struct inv_self *self,
					uint32_t row)
{
	if (row >= INV_PROCS_MAX)
		return INV_LIVENESS_UNKNOWN;
	return inv_proc_liveness_of(self, seg->header->boot_id, &seg->procs[row]);
}

static void end_former_image(struct inv_proc *p, const struct inv_self *self, uint64_t nonce)
{
	/* [B7] acquire: pairs with the claim of our former image */
	uint64_t state = atomic_load_explicit(&p->state, memory_order_acquire);
	if (INV_PROC_STATUS(state) != INV_PROC_LIVE || INV_PROC_PID(state) != self->pid)
		return;
	if (!self->pid_ns || !self->start_time)
		return; /* without a /proc our pid and start name any container's first process */
	if (p->pid_ns != self->pid_ns || p->start_time != self->start_time || p->nonce == nonce)
		return;
	uint64_t ended = INV_PROC_STATE(INV_PROC_GENERATION(state), INV_PROC_ENDED, self->pid);
	atomic_compare_exchange_strong_explicit(&p->state, &state, ended, memory_order_relaxed,
						memory_order_relaxed);
}

static void fill_row(struct inv_segment *seg, struct inv_proc *p, const struct inv_self *self,
		     uint64_t nonce, uint32_t forked_from)
{
	p->start_time = self->start_time;
	p->pid_ns = self->pid_ns;
	p->nonce = nonce;
	p->ppid = self->ppid;
	p->forked_from = forked_from;
	memcpy(p->comm, self->comm, sizeof(p->comm));
	memcpy(p->exe, self->exe, sizeof(p->exe));
	memset(p->bindings, 0, sizeof(p->bindings));
	inv_clock_anchor((enum inv_clock_kind)seg->header->clock_kind, &p->anchor);
}

static bool try_row(struct inv_segment *seg, const struct inv_self *self, uint32_t row,
		    uint16_t *generation)
{
	struct inv_proc *p = &seg->procs[row];
	uint64_t state = atomic_load_explicit(&p->state, memory_order_relaxed);
	unsigned status = INV_PROC_STATUS(state);
	if (status == INV_PROC_LIVE || status == INV_PROC_CLAIMING)
		if (inv_proc_row_liveness(seg, self, row) != INV_LIVENESS_DEAD)
			return false;
	uint16_t next = (uint16_t)(INV_PROC_GENERATION(state) + 1);
	uint64_t mine = INV_PROC_CLAIM(next, self->pid_ns, self->pid);
	if (!atomic_compare_exchange_strong_explicit(&p->state, &state, mine, memory_order_relaxed,
						     memory_order_relaxed))
		return false;
	*generation = next;
	return true;
}

enum inv_result inv_proc_claim(struct inv_segment *seg, const struct inv_self *self, uint64_t nonce,
			       uint32_t forked_from, uint32_t *row, uint16_t *generation)
{
	for (uint32_t i = 0; i < INV_PROCS_MAX; i++)
		end_former_image(&seg->procs[i], self, nonce);
	/* Fresh rows first: what a dead process left is worth keeping while there is room. */
	for (int taken = 0; taken < 2; taken++)
		for (uint32_t i = 0; i < INV_PROCS_MAX; i++) {
			struct inv_proc *p = &seg->procs[i];
			uint64_t state = atomic_load_explicit(&p->state, memory_order_relaxed);
			if ((INV_PROC_STATUS(state) != INV_PROC_FREE) != taken)
				continue;
			if (!try_row(seg, self, i, generation))
				continue;
			fill_row(seg, p, self, nonce, forked_from);
			uint64_t live = INV_PROC_STATE(*generation, INV_PROC_LIVE, self->pid);
			/* [B7] release: the row before LIVE; pairs with row liveness */
			atomic_store_explicit(&p->state, live, memory_order_release);
			*row = i;
			return INV_OK;
		}
	return INV_E_FULL;
}

/* ---- notes ---------------------------------------------------------------------- */

static void cut_copy(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);
	memcpy(to, from, n);
	to[n] = 0;
}

static bool same_note(struct inv_note *n, const struct inv_self *self, enum inv_reason reason,
		      int probe, const char *detail)
{
	char exe[sizeof(n->exe)], text[sizeof(n->detail)];
	cut_copy(exe, sizeof(exe), self->exe);
	cut_copy(text, sizeof(text), detail);
	/* [B8] acquire: the note's text is read after 2; pairs with inv_note_add */
	return atomic_load_explicit(&n->state, memory_order_acquire) == 2 && n->reason == reason &&
	       n->probe == (uint16_t)probe && strcmp(n->exe, exe) == 0 &&
	       strcmp(n->detail, text) == 0;
}

struct inv_note *inv_note_add(struct inv_segment *seg, const struct inv_self *self,
			      enum inv_reason reason, int probe, const char *detail)
{
	if (!detail)
		detail = "";
	for (unsigned i = 0; i < INV_NOTES_MAX; i++) {
		struct inv_note *n = &seg->notes[i];
		uint32_t free_state = 0;
		if (same_note(n, self, reason, probe, detail)) {
			atomic_fetch_add_explicit(&n->count, 1, memory_order_relaxed);
			return n;
		}
		if (!atomic_compare_exchange_strong_explicit(
			    &n->state, &free_state, 1, memory_order_relaxed, memory_order_relaxed))
			continue;
		atomic_store_explicit(&n->count, 1, memory_order_relaxed);
		n->pid = self->pid;
		n->reason = (uint16_t)reason;
		n->probe = (uint16_t)probe;
		cut_copy(n->exe, sizeof(n->exe), self->exe);
		cut_copy(n->detail, sizeof(n->detail), detail);
		/* [B8] release: the text before 2; pairs with same_note and inv_view_note */
		atomic_store_explicit(&n->state, 2, memory_order_release);
		return n;
	}
	return NULL;
}

void inv_note_withdraw(struct inv_note *note)
{
	if (note)
		atomic_fetch_sub_explicit(&note->count, 1, memory_order_relaxed);
}

/* ---- words ---------------------------------------------------------------------- */

const char *inv_reason_text(enum inv_reason reason)
{
	static const char *const text[INV_REASON_COUNT] = {
		[INV_REASON_NONE] = "bound",
		[INV_REASON_NO_SYMBOL] = "no loaded object defines the symbol",
		[INV_REASON_NO_SITES] = "the symbol is there, but no call to it crosses objects",
		[INV_REASON_PROTOTYPE] = "this prototype cannot be served",
		[INV_REASON_PROTECTED] = "a call site could not be made writable",
		[INV_REASON_NO_STUBS] = "more definitions than wrappers",
		[INV_REASON_TIER] = "the tier that the probe asks for is not available",
		[INV_REASON_PROBE_FILE] = "the probe file does not parse",
		[INV_REASON_NO_PROBE_FILE] = "there is no readable probe file",
		[INV_REASON_PROBE_UNKNOWN] = "the session was made with other probes",
		[INV_REASON_PROC_TABLE] = "the session has no free process row",
		[INV_REASON_CLOCK] = "the session's clock cannot be read in this process",
		[INV_REASON_ADDRESS_SPACE] = "RLIMIT_AS leaves no room for the mapping",
		[INV_REASON_CHILDREN] = "children are ignored (INVREG_CHILDREN)",
		[INV_REASON_UNSUPPORTED] = "this kind of target is not supported by this build",
		[INV_REASON_NOT_IMPORTED] = "no module of that name was imported",
		[INV_REASON_NO_ATTRIBUTE] = "the module has no such function",
		[INV_REASON_NOT_FUNCTION] = "the target is not a function written in Python",
		[INV_REASON_INTERPRETER] = "this Python is left alone",
		[INV_REASON_PARAMETER] = "a field names no parameter of the function",
		[INV_REASON_ENTRY] = "the function itself cannot be patched",
		[INV_REASON_CONTROL] = "it cannot be paused or filtered: no usable control page",
		[INV_REASON_SANDBOX] = "the program shut itself into a sandbox",
		[INV_REASON_PROPERTY] =
			"a field takes Python code, which `properties = yes` allows",
		[INV_REASON_NO_VARIABLE] = "a field reads a variable that is not there",
		[INV_REASON_FIELD] = "a field could not be read in some call: nothing has that "
				     "attribute or key, or it is no text or number",
	};
	return (unsigned)reason < INV_REASON_COUNT ? text[reason] : "unknown reason";
}

static const struct {
	const char *name, *text;
} loss_words[INV_LOSS_COUNT] = {
	[INV_LOSS_NO_RING] = {"no_ring", "events not kept: no memory was left for a ring; totals "
					 "are exact; give the session more with --size"},
	[INV_LOSS_NO_LANE] = {"no_lane", "calls of threads beyond the lanes: totals are exact, "
					 "their events are not kept"},
	[INV_LOSS_REENTERED] = {"reentered", "calls from a signal handler that interrupted our own "
					     "record: totals are exact, their events are not kept"},
	[INV_LOSS_NO_PROC] = {"no_proc",
			      "calls of processes beyond the process table, or of a fork's "
			      "child while one of its threads enters it there: totals are "
			      "exact, their events are not kept"},
	[INV_LOSS_NAME_OVERFLOW] = {"name_overflow",
				    "names beyond the table are tallied as _other; normalise "
				    "the field or name fewer things"},
	[INV_LOSS_NAME_TRUNCATED] = {"name_truncated", "names cut at 1,023 bytes, or at the end of "
						       "what can be read"},
	[INV_LOSS_TALLY_OVERFLOW] = {"tally_overflow",
				     "calls whose (artifact, method, outcome) has no cell of its "
				     "own: they are in the totals, under _other; --size gives "
				     "more room, up to 16,384 a thread"},
	[INV_LOSS_PAIR_OVERFLOW] = {"pair_overflow",
				    "calls whose (invoker, artifact) has no row of its own: they "
				    "are in the totals, under _other; --size gives more room"},
	[INV_LOSS_TYPE_OVERFLOW] = {"type_overflow",
				    "error or result types beyond 255 are shown as _other"},
	[INV_LOSS_UNREADABLE] = {"unreadable", "fields that could not be read are shown as _other; "
					       "check the probe's signature and expressions (for "
					       "Python, the notes say which)"},
	[INV_LOSS_TEXT_TRUNCATED] = {"text_truncated", "messages cut at 480 bytes"},
	[INV_LOSS_TOO_DEEP] = {"too_deep",
			       "calls nested deeper than 32 are counted, but not named in flight"},
	[INV_LOSS_CLOCK_BACKWARDS] = {"clock_backwards",
				      "durations that came out negative are counted as 0"},
	[INV_LOSS_PAUSED] = {"paused", "calls made while the session was paused"},
	[INV_LOSS_FILTERED] = {"filtered", "events dropped by a filter; totals are exact"},
	[INV_LOSS_UNBOUND_PROC] = {"unbound_proc", "processes in which no probe was bound"},
	[INV_LOSS_STACK] = {"stack",
			    "times that a Python probe was off in a deep recursion, for want "
			    "of stack: calls below are not counted"},
	[INV_LOSS_NO_STACK] = {"no_stack",
			       "calls deep in a recursion that are not counted: the wrappers of "
			       "the calls around them have a quarter of the stack"},
};

const char *inv_loss_name(enum inv_loss reason)
{
	return (unsigned)reason < INV_LOSS_COUNT ? loss_words[reason].name : "unknown";
}

const char *inv_loss_text(enum inv_loss reason)
{
	return (unsigned)reason < INV_LOSS_COUNT ? loss_words[reason].text : "unknown";
}
