/* SPDX-License-Identifier: MIT */
/*
 * record_thread.c - the cold half of record: which process, which thread, which lane.
 *
 * Everything that the hot path can skip ends here: the first call of a thread, the first
 * call after a fork, a call from a signal handler in the middle of a record, and calls
 * that somebody jumped out of. May run inside a signal handler: nothing here allocates
 * or takes a lock; what takes room waits for a call that is on no small signal stack, and those
 * before it are tallied as without a lane (signal_stack.h).
 *
 * Fork is noticed by a page that the kernel wipes in the child (MADV_WIPEONFORK), so that
 * _Fork and raw clone count too; where the kernel refuses, pthread_atfork has to do.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "advise.h"
#include "cancel.h"
#include "record_private.h"
#include "sandbox.h"
#include "signal_stack.h"

#define RETRY_LANE_AFTER    4096u
#define KEYS_WITHOUT_MALLOC 32u /* glibc keeps the values of the first 32 keys inline */

static struct inv_thread threads[INV_LANES_MAX];
static _Alignas(INV_PAGE_BYTES) const struct inv_control no_control; /* nothing is ever on */

static struct {
	struct inv_self self;
	uint64_t nonce;
	bool children_ignored, ignored; /* this one is such a child */
	bool has_key;
	pthread_key_t key;
	struct inv_binding_row bindings[INV_PROBES_MAX];
} local;

struct inv_segment *inv_record_segment(void)
{
	return inv_process.segment;
}

/* ---- process ---------------------------------------------------------------------- */

static uint64_t fresh_nonce(void)
{
	uint64_t nonce = 0;
	int cancel = inv_cancel_hold();
	ssize_t n = getrandom(&nonce, sizeof(nonce), GRND_NONBLOCK);
	inv_cancel_restore(cancel);
	if (n != (ssize_t)sizeof(nonce))
		nonce = inv_clock_ticks(inv_process.clock) ^ ((uint64_t)getpid() << 40);
	return nonce | 1;
}

static enum inv_result take_row(uint32_t forked_from)
{
	struct inv_segment *seg = inv_process.segment;
	uint32_t row = INV_PROC_NONE;
	uint16_t generation = 0;
	inv_self_read(&local.self);
	local.nonce = fresh_nonce();
	INV_TEST_POINT(proc_claiming);
	enum inv_result r =
		inv_proc_claim(seg, &local.self, local.nonce, forked_from, &row, &generation);
	INV_TEST_POINT(proc_live);
	inv_process.row = r ? INV_PROC_NONE : row;
	inv_process.generation = generation;
	if (!r)
		memcpy(seg->procs[row].bindings, local.bindings, sizeof(local.bindings));
	return r;
}

/* In the same page, since a fork wipes out who was about it: the epoch to come. */
static inline inv_a32 *forking(void)
{
	return inv_process.alive + 1;
}

static void wiped_by_atfork(void)
{
	atomic_store_explicit(inv_process.alive, 0, memory_order_relaxed);
	atomic_store_explicit(forking(), 0, memory_order_relaxed);
}

static inv_a32 *make_alive_page(void)
{
	void *page = mmap(NULL, INV_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	if (page == MAP_FAILED)
		return NULL;
	if (inv_advise(page, INV_PAGE_BYTES, MADV_WIPEONFORK) &&
	    pthread_atfork(NULL, NULL, wiped_by_atfork)) {
		munmap(page, INV_PAGE_BYTES);
		return NULL;
	}
	return page;
}

/* Runs at thread exit. Later destructors may call in again: then we run once more. */
static void thread_ends(void *unused)
{
	struct inv_thread *t = inv_tls.thread;
	if (!t || !inv_process.segment || t->epoch != inv_process.epoch ||
	    !atomic_load_explicit(inv_process.alive, memory_order_relaxed))
		return;
	inv_set_busy(INV_FRAME_START());
	inv_tls.thread = NULL;
	inv_lane_release(inv_process.segment, t->lane_index);
	inv_clear_busy();
}

enum inv_result inv_record_attach(const struct inv_record_options *options)
{
	inv_process.clock = (enum inv_clock_kind)options->segment->header->clock_kind;
	if (!inv_process.alive)
		inv_process.alive = make_alive_page();
	if (!inv_process.alive)
		return INV_E_SYSTEM;
	if (!local.has_key && pthread_key_create(&local.key, thread_ends) == 0) {
		local.has_key = local.key < KEYS_WITHOUT_MALLOC;
		if (!local.has_key) /* threads then leave dead lanes, which claimers take */
			pthread_key_delete(local.key);
	}
	local.children_ignored = options->children_ignored;
	local.ignored = false;
	inv_tls.full_below = 0;
	if (options->bindings)
		memcpy(local.bindings, options->bindings, sizeof(local.bindings));
	inv_process.control = options->control ? options->control : &no_control;
	inv_process.segment = options->segment;
	inv_process.epoch++;
	enum inv_result r = take_row(0);
	/* [B15] release: the process before its epoch; pairs with settle_thread */
	atomic_store_explicit(inv_process.alive, inv_process.epoch, memory_order_release);
	return r;
}

void inv_record_detach(void)
{
	thread_ends(NULL);
	if (inv_process.row != INV_PROC_NONE && inv_process.segment) {
		inv_a64 *state = &inv_process.segment->procs[inv_process.row].state;
		inv_put(state,
			INV_PROC_STATE(inv_process.generation, INV_PROC_ENDED, local.self.pid));
	}
	inv_process.segment = NULL;
	inv_tls.thread = NULL;
	inv_tls.busy = 0;
	/* Ids and places belong to the segment that is gone. */
	memset(threads, 0, sizeof(threads));
	inv_overflow_forget();
}

void inv_record_set_binding(uint32_t probe, const struct inv_binding_row *binding)
{
	if (probe >= INV_PROBES_MAX)
		return;
	local.bindings[probe] = *binding;
	/* A fork child has its parent's row, until it takes its own. */
	if (inv_process.segment && inv_process.row != INV_PROC_NONE &&
	    atomic_load_explicit(inv_process.alive, memory_order_relaxed))
		inv_process.segment->procs[inv_process.row].bindings[probe] = *binding;
}

/*
 * A fork child becomes a process of its own, by the first of its threads that calls: it may have
 * started some before. Returns: false while another thread, or the frame that this one
 * interrupted, is about it; the epoch is the new one then, too.
 */
static bool after_fork(void)
{
	uint32_t parent = inv_process.row, next = inv_process.epoch + 1, none = 0;
	/* [B15] acquire: what the last one about it did; pairs with the end of this function */
	bool ours =
		atomic_compare_exchange_strong_explicit(forking(), &none, next,
							memory_order_acquire, memory_order_relaxed);
	if (!ours) {
		inv_process.epoch = none;
		return false;
	}
	if (!atomic_load_explicit(inv_process.alive, memory_order_relaxed)) {
		inv_tls.thread = NULL;
		inv_tls.busy = 0;
		inv_process.epoch = next;
		local.ignored = local.children_ignored;
		if (local.ignored)
			inv_process.segment = NULL;
		else if (!inv_sandbox_allows(INV_ASK_LOOK))
			inv_process.row = INV_PROC_NONE;
		else
			take_row(parent == INV_PROC_NONE ? 0 : parent + 1);
		/* [B15] release: the process before its epoch; pairs with settle_thread */
		atomic_store_explicit(inv_process.alive, next, memory_order_release);
	}
	/* [B15] release: the epoch before the next look at it; pairs with the exchange above */
	atomic_store_explicit(forking(), 0, memory_order_release);
	return true;
}

/* Returns: whether this process is one that records, or does not, for itself. */
static inline bool settle_process(void)
{
	/* [B15] acquire: the process as its epoch has it; pairs with after_fork and attach */
	return atomic_load_explicit(inv_process.alive, memory_order_acquire) ||
	       (!inv_is_cramped() && after_fork());
}

/* ---- thread ----------------------------------------------------------------------- */

static struct inv_thread *adopt_lane(uint32_t index, uint32_t tid, uint64_t owner)
{
	struct inv_segment *seg = inv_process.segment;
	struct inv_lane_row *row = &seg->rows[index];
	struct inv_thread *t = &threads[index];
	uint32_t claims = atomic_load_explicit(&row->claims, memory_order_relaxed);
	uint32_t ring_slots = atomic_load_explicit(&row->ring_slots, memory_order_relaxed);
	uint32_t pair_slots = atomic_load_explicit(&row->pair_slots, memory_order_relaxed);
	bool index_holds = t->epoch == inv_process.epoch && t->claims + 1 == claims;
	t->lane = inv_segment_lane(seg, index);
	t->cells = inv_segment_cells(seg, index);
	t->pairs = inv_segment_pairs(seg, index);
	t->ring = ring_slots ? inv_segment_ring(seg, index) : NULL;
	t->ring_mask = ring_slots ? ring_slots - 1 : 0;
	t->owner = owner;
	t->lane_index = index;
	t->tid = tid;
	t->what_base = (uint64_t)tid << 32;
	t->where_base = INV_WHERE(inv_process.row, inv_process.generation, 0, 0, 0);
	t->id_base = INV_CALL_ID(index, 0);
	t->cell_count = (uint32_t)inv_get(&t->lane->cell_count);
	t->cells_reserved = atomic_load_explicit(&row->cells_reserved, memory_order_relaxed);
	t->calls_without_cell = 0;
	t->pair_bits = 31u - (uint32_t)__builtin_clz(pair_slots);
	t->top = t->deep = t->aside = t->deep_most = 0;
	t->epoch = inv_process.epoch;
	t->claims = claims;
	t->stack_low = t->stack_high = 0;
	memset(t->frames, 0, sizeof(t->frames));
	inv_control_forget(t);
	if (!index_holds)
		inv_cells_index(t);
	return t;
}

/* Tries to give the thread a lane, not more often than lanes change hands. */
static bool claim_lane(void)
{
	struct inv_segment *seg = inv_process.segment;
	uint32_t changes = atomic_load_explicit(&seg->shared->lane_changes, memory_order_relaxed);
	if (inv_process.row == INV_PROC_NONE || !inv_sandbox_allows(INV_ASK_LANE))
		return false;
	if (inv_tls.calls_without_lane && inv_tls.lane_changes == changes &&
	    inv_tls.calls_without_lane++ % RETRY_LANE_AFTER)
		return false;
	/* To a vfork child our threads are another process's and look dead, as it will to them. */
	if (inv_record_borrowed() || inv_is_cramped())
		return false;
	uint32_t tid = (uint32_t)syscall(SYS_gettid);
	uint64_t owner = INV_OWNER(inv_process.row, inv_process.generation, tid);
	uint32_t lane = inv_lane_claim(seg, &local.self, owner);
	if (lane == INV_LANE_NONE) {
		inv_tls.lane_changes = changes;
		inv_tls.calls_without_lane++;
		return false;
	}
	inv_tls.thread = adopt_lane(lane, tid, owner);
	inv_tls.full_below = 0;
	inv_tls.calls_without_lane = 0;
	if (local.has_key)
		pthread_setspecific(local.key, &local);
	return true;
}

/* ---- deep recursions [C5] ------------------------------------------------------------- */

#define WRAPPER_BYTES 1280u /* the frame of a wrapper, of the larger kind */
#define STACK_UNKNOWN                                                                              \
	(256u << 10) /* taken for the size of a stack that is none of the thread's                 \
		      */

/* Of the stack that holds `at`; the main thread's grows as far as its limit. */
static size_t stack_bytes(struct inv_thread *t, uintptr_t at)
{
	struct rlimit limit;
	if (!t->stack_low || at < t->stack_low)
		inv_find_stack(t, at);
	if (at < t->stack_low || at >= t->stack_high)
		return STACK_UNKNOWN;
	size_t mapped = t->stack_high - t->stack_low;
	if (t->tid != local.self.pid || !inv_sandbox_allows(INV_ASK_LOOK) ||
	    getrlimit(RLIMIT_STACK, &limit))
		return mapped;
	return limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur < mapped ? mapped : limit.rlim_cur;
}

void inv_deep_begun(struct inv_thread *t, const struct inv_call *call)
{
	int saved = errno;
	t->deep++;
	if (!t->deep_most)
		t->deep_most = (uint32_t)(stack_bytes(t, call->frame) / 4 / WRAPPER_BYTES);
	if (t->deep >= t->deep_most) {
		inv_tls.passed = &t->lane->lost[INV_LOSS_NO_STACK];
		inv_tls.full_below = call->frame;
	}
	errno = saved;
}

/* Whether a and b are frames of this thread's own stack; errs to no. */
static bool same_stack(struct inv_thread *t, uintptr_t a, uintptr_t b)
{
	/* The main thread's stack grows downwards: look again below its known end. */
	bool below = t->stack_high > 1 && a < t->stack_low && t->stack_low - a < (64u << 20);
	if ((below || !t->stack_low) && !inv_signal_stack())
		inv_find_stack(t, a);
	return a >= t->stack_low && a < t->stack_high && b >= t->stack_low && b < t->stack_high &&
	       inv_sandbox_allows(INV_ASK_LOOK) && !inv_signal_stack();
}

/* ---- jumps ------------------------------------------------------------------------ */

static void abandon(struct inv_thread *t, uint32_t place)
{
	struct inv_inflight *e = &t->lane->inflight[place];
	uint64_t index = INV_CALL_INDEX(inv_get(&e->call));
	if (t->ring && !(index & INV_CALL_FILTERED)) {
		struct inv_slot *slot = inv_ring_slot(t->ring, t->ring_mask, index);
		if (inv_get(&slot->seq) == INV_SEQ(index, INV_SLOT_ATTEMPT))
			inv_slot_publish(&slot->seq, index, INV_SLOT_ABANDONED);
	}
	INV_TEST_POINT(abandon_slot);
	inv_bump(&t->lane->abandoned, 1);
	inv_put(&t->lane->redo.abandoned, inv_get(&t->lane->abandoned));
	INV_TEST_POINT(abandon_counted);
	inv_put(&e->ordinal_1, 0);
	inv_fence_reuse();
	t->frames[place].ordinal_1 = 0;
}

void inv_abandon_deep(struct inv_thread *t)
{
	inv_bump(&t->lane->abandoned, t->deep);
	inv_put(&t->lane->redo.abandoned, inv_get(&t->lane->abandoned));
	t->deep = 0;
	inv_tls.full_below = 0;
}

void inv_abandon_jumped(struct inv_thread *t, uintptr_t frame)
{
	int saved = errno;
	while (t->top) {
		struct inv_frame *f = &t->frames[t->top - 1];
		if (f->ordinal_1 && (f->address > frame || !same_stack(t, frame, f->address)))
			break;
		if (f->ordinal_1)
			abandon(t, t->top - 1);
		else
			t->aside--;
		t->top--;
		if (t->deep)
			inv_abandon_deep(t); /* they lay below that one */
	}
	errno = saved;
}

/* Somebody jumped out of our own functions: finish or drop what was half done. */
static void recover(struct inv_thread *t)
{
	inv_lane_redo(inv_process.segment, t->lane_index);
	uint64_t begun = inv_get(&t->lane->begun);
	for (uint32_t i = 0; i < INV_INFLIGHT_MAX; i++) {
		uint64_t ordinal_1 = inv_get(&t->lane->inflight[i].ordinal_1);
		if (!ordinal_1 || ordinal_1 > begun) {
			inv_put(&t->lane->inflight[i].ordinal_1, 0);
			t->frames[i].ordinal_1 = 0;
		} else if (t->frames[i].ordinal_1 != ordinal_1) {
			abandon(t, i); /* begun, but its frame was never noted */
		}
	}
	t->cell_count = (uint32_t)inv_get(&t->lane->cell_count);
	inv_cells_index(t);
	t->top = INV_INFLIGHT_MAX;
	while (t->top && !t->frames[t->top - 1].ordinal_1)
		t->top--;
	t->aside = 0;
	for (uint32_t i = 0; i < t->top; i++)
		t->aside += !inv_on_stack(&t->frames[i]);
	inv_tls.busy = 0;
}

/* Busy was set by a frame that is gone: it lay at or below `frame` on the same stack. */
static bool jumped_out_of_us(uintptr_t frame)
{
	struct inv_thread *t = inv_tls.thread;
	return t && inv_tls.busy <= frame && same_stack(t, frame, inv_tls.busy);
}

/* ---- calls left from outside ---------------------------------------------------------- */

bool inv_record_find(struct inv_call *call, uintptr_t pointer)
{
	struct inv_thread *t = inv_tls.thread;
	if (!t || inv_tls.busy)
		return false;
	for (uint32_t place = t->top; place-- > 0;) {
		if (!t->frames[place].ordinal_1 || t->frames[place].pointer != pointer)
			continue;
		*call = *t->frames[place].call;
		call->vectors = NULL; /* of the frame that began it */
		/* Else that one was jumped over, and another's frame is at its place. */
		return call->mode == INV_CALL_LANE && call->thread == t &&
		       call->place_1 == place + 1 && call->ordinal_1 == t->frames[place].ordinal_1;
	}
	return false;
}

/* ---- enter and reenter ---------------------------------------------------------------- */

/* The state of the thread for a call at `frame`: LANE with busy set, or why not. */
static enum inv_loss settle_thread(uintptr_t frame)
{
	if (!settle_process())
		return local.children_ignored ? INV_LOSS_COUNT : INV_LOSS_NO_PROC;
	if (!inv_process.segment)
		return INV_LOSS_COUNT;
	/* The thread that forked, where another has noticed: its lane is one of the parent's. */
	if (inv_tls.thread && inv_tls.thread->epoch != inv_process.epoch) {
		inv_tls.thread = NULL;
		inv_tls.busy = 0;
	}
	if (inv_tls.busy && !jumped_out_of_us(frame))
		return INV_LOSS_REENTERED;
	if (inv_tls.busy)
		recover(inv_tls.thread);
	inv_set_busy(frame);
	if (inv_tls.thread || claim_lane())
		return INV_LOSS_NO_RING; /* stands for: nothing is lost */
	inv_clear_busy();
	return inv_process.row == INV_PROC_NONE ? INV_LOSS_NO_PROC : INV_LOSS_NO_LANE;
}

void inv_record_settle(void)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	int saved = errno;
	if (inv_process.segment && settle_thread(frame) == INV_LOSS_NO_RING) {
		if (!inv_tls.thread->stack_low)
			inv_find_stack(inv_tls.thread, frame);
		inv_clear_busy();
	}
	errno = saved;
}

bool inv_record_borrowed(void)
{
	return inv_process.segment && inv_sandbox_allows(INV_ASK_LOOK) &&
	       atomic_load_explicit(inv_process.alive, memory_order_relaxed) &&
	       (uint32_t)getpid() != local.self.pid;
}

bool inv_enter_nothing(void)
{
	if (local.ignored) {
		inv_tls.passed = NULL;
		inv_tls.full_below = UINTPTR_MAX;
	}
	return false;
}

bool inv_enter_slow(struct inv_call *call, uintptr_t frame)
{
	int saved = errno;
	enum inv_loss why = settle_thread(frame);
	errno = saved;
	call->frame = frame;
	call->epoch = inv_process.epoch;
	if (why == INV_LOSS_COUNT)
		return false;
	if (why != INV_LOSS_NO_RING) {
		inv_overflow_enter(call);
		call->lane = why;
		return true;
	}
	call->mode = INV_CALL_LANE;
	call->thread = inv_tls.thread;
	call->names = &inv_tls.thread->names;
	return true;
}

void inv_reenter_slow(struct inv_call *call)
{
	if (!call->mode)
		return;
	int saved = errno;
	enum inv_loss why = INV_LOSS_NO_LANE;
	if (call->mode == INV_CALL_LANE)
		why = settle_thread(call->frame);
	else if (!settle_process() && local.children_ignored)
		why = INV_LOSS_COUNT;
	errno = saved;
	if (why == INV_LOSS_COUNT || !inv_process.segment) {
		call->mode = INV_CALL_UNOBSERVED;
	} else if (why == INV_LOSS_NO_RING) {
		call->names = &inv_tls.thread->names;
	} else if (call->mode == INV_CALL_LANE) {
		if (call->epoch == inv_process.epoch && call->thread != inv_tls.thread)
			inv_tell_first_lane(call);
		inv_overflow_enter(call);
		call->epoch = inv_process.epoch - 1; /* begun elsewhere: counted inherited there */
	} else {
		inv_overflow_enter(call);
	}
}
