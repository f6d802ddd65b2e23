/* SPDX-License-Identifier: MIT */
/*
 * got.c - slots and wrappers of the `got` tier.
 *
 * A scan visits each object once, in one pass over its relocations, and again only while
 * something in it is not final. What a slot's value says decides all [G1]:
 *
 *   our wrapper                    counted
 *   a known definition             final: written if a want accepts that definition
 *   own text, in a JUMP_SLOT       lazy, final as such: written if the target is certain [G4]
 *   the program's text             a canonical PLT entry: calls pass the program's own slot
 *   anything else                  unsettled: not relocated yet, or never to be (weak)
 *
 * Loader and scan may meet in one object, as dlopen runs in another thread:
 *  - RELA values are stored whole, so a known definition is what the loader has finished
 *    with. A lazy slot holds a file address until the base is added, which is no own text.
 *  - RELRO pages are protected after the object's last relocation. Whether a page is
 *    read-only is asked of the kernel without a fault (page_state): writable in RELRO means
 *    not finished, and is left for later; read-only means finished, and mprotect there
 *    disturbs nobody [G2]. Writing through /proc/self/mem was rejected: its 8 bytes may be
 *    copied one by one under a thread that is calling through the slot.
 *  - A thread already resolving a lazy slot stores the real address after us. Objects with
 *    such slots written after the start are visited once more.
 *  - dlclose cannot unmap: the list is locked. A slot is written by CAS from the value
 *    that was judged.
 *
 * When to scan: inv_got_watch is set by the dlopen hooks before the real one runs. When
 * the objects are complete is not known to a tail jump, so for some seconds after it
 * probed calls compare the loader's counters, the first 64 of each thread every time, then
 * ever fewer; each dlsym compares them always. Reading the last link_map's l_next instead
 * was rejected: dlclose frees that link_map (and libc's own dlclose calls pass no hook).
 * A load slower than the watch is caught by the next dlsym or dlopen. dlopen calls made
 * inside libc (nss, iconv) set no watch and bring no plug-ins of the program.
 *
 * Function pointers: once patched, the address of a wanted function is its wrapper's
 * everywhere but in pointers taken before, inside the defining object without a
 * relocation, and through a canonical PLT entry.
 *
 * One try-lock guards all state: a probed call that loses returns at once, so none waits, in
 * a signal handler neither; a dlsym tries a bounded number of times (got_lock).
 */
#include "preload/got_internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shm/sandbox.h"
#include "shm/signal_stack.h"

#define WRAPPERS_MAX 1024
#define TRIES_MAX    64u /* visits of an object with unsettled slots, outside of a watch */
#define WATCH_NS     10000000000ull

struct wrapper {
	uintptr_t real;
	void *wrapper; /* NULL: none was left; `real`: it needs none */
	uint32_t want;
	bool answered; /* by dlsym: counts as a site */
};

const struct inv_got_want *inv_got_wants;
uint32_t inv_got_want_count;
uintptr_t *inv_got_global;
_Atomic bool inv_got_installed;
_Atomic bool inv_got_deepbind;
_Atomic bool inv_got_late_global;
_Atomic uint32_t inv_got_watch;

static struct wrapper wrappers[WRAPPERS_MAX];
static uint32_t wrapper_count;
static inv_got_wrapper_fn make_wrapper;
static inv_got_object_fn see_object;
static inv_got_changed_fn tell_changed;
static struct inv_got_status *known_statuses;
static char program_path[4096];
static bool installing; /* single-threaded, and every object is complete */
static bool open_ends;	/* something is to be visited again */

static _Atomic uint64_t watch_end_ns;
static _Atomic uint32_t watch_count;
static __thread uint32_t watch_seen, watch_calls;

_Static_assert(sizeof(void *) == 8, "slots are 64-bit words");
_Static_assert(__atomic_always_lock_free(sizeof(void *), 0), "slots are written in one piece");

uint32_t inv_got_want_named(const char *symbol)
{
	for (uint32_t i = 0; i < inv_got_want_count; i++)
		if (strcmp(inv_got_wants[i].symbol, symbol) == 0)
			return i;
	return INV_GOT_NONE;
}

static bool accepts(uint32_t want, uint32_t object)
{
	const char *wanted = inv_got_wants[want].object;

	return !wanted || inv_elf_object_is(&inv_got_table->objects[object].elf, wanted);
}

/* The first want of the same symbol that accepts the object: one slot, one want. */
static uint32_t accepting_want(uint32_t first, uint32_t object)
{
	for (uint32_t i = first; i < inv_got_want_count; i++)
		if (strcmp(inv_got_wants[i].symbol, inv_got_wants[first].symbol) == 0 &&
		    accepts(i, object))
			return i;
	return INV_GOT_NONE;
}

/* Observed by other means: slots and answers lead to the function itself. */
static bool is_left(const struct wrapper *row)
{
	return row->wrapper == (void *)row->real;
}

static struct wrapper *wrapper_for(uint32_t want, struct inv_got_target target)
{
	const char *path = inv_got_table->objects[target.object].elf.path;
	struct wrapper *row = wrappers;

	target.real = inv_got_in_front(target.real);

	for (; row < wrappers + wrapper_count; row++)
		if (row->want == want && row->real == target.real)
			break;
	if (row < wrappers + wrapper_count && !is_left(row))
		return row;
	if (row == wrappers + WRAPPERS_MAX)
		return NULL;
	row->want = want;
	row->real = target.real;
	/* A function that was left may have gone, and another one come to its place. */
	row->wrapper = make_wrapper(want, (void *)target.real, *path ? path : program_path);
	wrapper_count += row == wrappers + wrapper_count;
	return row;
}

static const struct wrapper *wrapper_at(const void *address)
{
	for (uint32_t i = 0; address && i < wrapper_count; i++)
		if (wrappers[i].wrapper == address && !is_left(&wrappers[i]))
			return &wrappers[i];
	return NULL;
}

void *inv_got_answer(uint32_t want, struct inv_got_target target)
{
	struct wrapper *row;

	want = accepting_want(want, target.object);
	row = want == INV_GOT_NONE ? NULL : wrapper_for(want, target);
	if (!row || !row->wrapper || is_left(row))
		return NULL;
	row->answered = true;
	return row->wrapper;
}

enum page_state { PAGE_WRITABLE, PAGE_READ_ONLY, PAGE_UNKNOWN };

/*
 * An atomic `|= 0` by the kernel obeys the page's protection, and answers EFAULT where a
 * store of ours would fault. Nobody waits on the other word, so nobody is woken.
 */
static enum page_state page_state(void *address)
{
	static uint32_t nobody;

	if (syscall(SYS_futex, &nobody, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, NULL, address,
		    FUTEX_OP(FUTEX_OP_OR, 0, FUTEX_OP_CMP_EQ, 0)) >= 0)
		return PAGE_WRITABLE;
	return errno == EFAULT ? PAGE_READ_ONLY : PAGE_UNKNOWN;
}

enum written { WRITTEN, REFUSED, LATER };

static enum written exchange(void **where, void *old, void *wrapper)
{
	/* Release: the wrapper's code and data come before its address. Failed: judge again. */
	return __atomic_compare_exchange_n(where, &old, wrapper, false, __ATOMIC_RELEASE,
					   __ATOMIC_RELAXED)
		       ? WRITTEN
		       : LATER;
}

static enum written exchange_protected(void **where, void *old, void *wrapper)
{
	uintptr_t page_bytes = getauxval(AT_PAGESZ);
	void *page = (void *)((uintptr_t)where & ~(page_bytes - 1));
	enum written written;

	if (mprotect(page, page_bytes, PROT_READ | PROT_WRITE) != 0)
		return REFUSED;
	written = exchange(where, old, wrapper);
	mprotect(page, page_bytes, PROT_READ);
	return written;
}

static enum written write_slot(const struct inv_elf_object *elf, const struct inv_elf_slot *slot,
			       void *old, void *wrapper)
{
	uintptr_t where = (uintptr_t)slot->where;
	bool relro = where >= elf->relro_start && where < elf->relro_end;
	enum page_state state;

	if (slot->read_only)
		return REFUSED;
	state = page_state(slot->where);
	if (relro && state == PAGE_READ_ONLY)
		return exchange_protected(slot->where, old, wrapper); /* [G2] */
	if (relro && !installing)
		return state == PAGE_WRITABLE ? LATER : REFUSED;
	return state == PAGE_WRITABLE ? exchange(slot->where, old, wrapper) : REFUSED;
}

static bool versions_agree(const struct inv_elf_object *elf, const struct inv_elf_slot *slot,
			   uint32_t want, uint32_t definition)
{
	const char *asks = inv_elf_object_slot_version(elf, slot);
	const char *has = inv_got_cell(definition, want)->version;

	return !asks || !has || strcmp(asks, has) == 0;
}

enum judged { LEADS, SETTLED, UNSETTLED };

struct judgement {
	struct inv_got_target target;
	bool lazy;
};

static enum judged judge_lazy(uint32_t object, const struct inv_elf_slot *slot, uint32_t want,
			      struct judgement *out)
{
	out->lazy = true;
	out->target = inv_got_predict(object, want);
	if (out->target.object == INV_GOT_NONE)
		return UNSETTLED;
	return versions_agree(&inv_got_table->objects[object].elf, slot, want, out->target.object)
		       ? LEADS
		       : UNSETTLED;
}

/* Whether the address is the program's own stand-in for a function elsewhere [G3]. */
static bool is_canonical_plt(const struct inv_elf_slot *slot, uintptr_t value)
{
	return slot->kind != INV_ELF_SLOT_JUMP &&
	       inv_elf_object_contains(&inv_got_table->objects[0].elf, value, 1, PF_X);
}

static enum judged judge(uint32_t object, const struct inv_elf_slot *slot, uint32_t want,
			 uintptr_t value, struct judgement *out)
{
	const struct inv_elf_object *elf = &inv_got_table->objects[object].elf;
	bool own_text = inv_elf_object_contains(elf, value, 1, PF_X);

	out->lazy = false;
	out->target = inv_got_target_of(want, value);
	/* An own ifunc's text is also where a lazy slot points: told apart when resolved. */
	if (out->target.object != INV_GOT_NONE &&
	    !(slot->kind == INV_ELF_SLOT_JUMP && out->target.object == object &&
	      inv_got_cell(object, want)->ifunc))
		return LEADS;
	if (slot->kind == INV_ELF_SLOT_JUMP && own_text)
		return judge_lazy(object, slot, want, out);
	return is_canonical_plt(slot, value) ? SETTLED : UNSETTLED;
}

static void patch_slot(uint32_t object, const struct inv_elf_slot *slot, void *value,
		       const struct judgement *judgement, uint32_t want)
{
	struct inv_got_object *owner = &inv_got_table->objects[object];
	struct inv_got_cell *cell = inv_got_cell(object, want);
	const struct wrapper *row = wrapper_for(want, judgement->target);
	enum written written = REFUSED;

	if (row && is_left(row))
		return;
	if (row && row->wrapper)
		written = write_slot(&owner->elf, slot, value, row->wrapper);
	if (written == WRITTEN)
		cell->sites++;
	else if (written == REFUSED)
		cell->refused++;
	else
		owner->unsettled++;
	if (written == WRITTEN && judgement->lazy && !installing)
		owner->recheck = true;
}

/* Of a copied word only its value can say it. */
static uint32_t want_of_slot(const struct inv_elf_slot *slot)
{
	void *value;
	const struct wrapper *row;

	if (slot->kind != INV_ELF_SLOT_COPY)
		return inv_got_want_named(slot->name);
	value = __atomic_load_n(slot->where, __ATOMIC_RELAXED);
	row = wrapper_at(value);
	return row ? row->want : inv_got_want_at(inv_got_behind((uintptr_t)value));
}

static void visit_slot(uint32_t object, const struct inv_elf_slot *slot)
{
	uint32_t want = want_of_slot(slot);
	struct judgement judgement;
	const struct wrapper *row;
	enum judged judged;
	void *value;

	if (want == INV_GOT_NONE)
		return;
	value = __atomic_load_n(slot->where, __ATOMIC_RELAXED);
	row = wrapper_at(value);
	if (row) {
		inv_got_cell(object, row->want)->sites++;
		return;
	}
	judged = judge(object, slot, want, inv_got_behind((uintptr_t)value), &judgement);
	if (judged == UNSETTLED)
		inv_got_table->objects[object].unsettled++;
	if (judged != LEADS)
		return;
	want = accepting_want(want, judgement.target.object);
	if (want != INV_GOT_NONE)
		patch_slot(object, slot, value, &judgement, want);
}

static bool is_open(const struct inv_got_object *object)
{
	return object->usable && (!object->scanned || object->recheck ||
				  (object->unsettled && object->tries < TRIES_MAX));
}

static void visit_object(uint32_t index)
{
	struct inv_got_object *object = &inv_got_table->objects[index];
	struct inv_elf_cursor cursor = {0};
	struct inv_elf_slot slot;

	for (uint32_t want = 0; want < inv_got_want_count; want++) {
		inv_got_cell(index, want)->sites = 0;
		inv_got_cell(index, want)->refused = 0;
	}
	object->scanned = true;
	object->recheck = false;
	object->unsettled = 0;
	/* While a load may go on, any number of visits may come before its relocations. */
	object->tries += !inv_got_stale();
	while (inv_elf_object_next_slot(&object->elf, &cursor, &slot))
		visit_slot(index, &slot);
}

/*
 * All of them before the first slot: what is patched there is left alone here. An unload has
 * every object read anew, but what the start brought is never unloaded, and seen already: it
 * may mean reading a symbol table from its file.
 */
static void see_new_objects(void)
{
	for (uint32_t i = 0; see_object && i < inv_got_table->count; i++) {
		const struct inv_got_object *object = &inv_got_table->objects[i];

		if (object->usable && !object->scanned && (installing || !object->initial))
			see_object(&object->elf,
				   *object->elf.path ? object->elf.path : program_path, installing);
	}
}

static void visit_all(void *context)
{
	open_ends = false;
	inv_got_table->unvisited = false;
	see_new_objects();
	for (uint32_t i = 0; i < inv_got_table->count; i++) {
		if (is_open(&inv_got_table->objects[i]))
			visit_object(i);
		open_ends |= is_open(&inv_got_table->objects[i]);
	}
}

void inv_got_scan(void)
{
	if (!inv_sandbox_allows(INV_ASK_BIND) ||
	    (!open_ends && !inv_got_table->unvisited && !inv_got_objects_changed()))
		return;
	inv_got_locked(visit_all, NULL);
	inv_got_publish();
}

/* Marks in *context, one bool a want, which symbols the start brought. */
static void find_initial(void *context)
{
	bool *ask = context;

	inv_got_mark_initial();
	for (uint32_t want = 0; want < inv_got_want_count; want++)
		for (uint32_t i = 0; i < inv_got_table->count; i++)
			ask[want] |=
				inv_got_table->objects[i].initial && inv_got_cell(i, want)->address;
}

/*
 * What does the global scope say? Not in a locked section: the loader takes its locks the
 * other way round. The answer stays: initial objects come first and are never unloaded.
 */
static void ask_loader(void)
{
	bool *ask = (bool *)(inv_got_global + inv_got_want_count);

	if (!inv_got_locked(find_initial, ask))
		return;
	for (uint32_t want = 0; want < inv_got_want_count; want++)
		if (ask[want])
			inv_got_global[want] = inv_got_behind(
				(uintptr_t)inv_got_real_dlsym(NULL, inv_got_wants[want].symbol));
}

static struct inv_got_status status_of(uint32_t want)
{
	struct inv_got_status status = {0};

	for (uint32_t i = 0; i < inv_got_table->count; i++) {
		const struct inv_got_cell *cell = inv_got_cell(i, want);

		status.definitions += cell->address && accepts(want, i);
		status.sites += cell->sites;
		status.refused += cell->refused;
	}
	for (uint32_t i = 0; i < wrapper_count; i++)
		status.sites += wrappers[i].want == want && wrappers[i].answered;
	return status;
}

static void count_statuses(void *context)
{
	struct inv_got_status *statuses = context;

	for (uint32_t want = 0; want < inv_got_want_count; want++)
		statuses[want] = status_of(want);
}

/* Scratch for statuses, behind inv_got_global and the questions. */
static struct inv_got_status *new_statuses(void)
{
	uintptr_t at = (uintptr_t)(inv_got_global + inv_got_want_count) + inv_got_want_count;

	return (void *)((at + 7) & ~(uintptr_t)7);
}

void inv_got_publish(void)
{
	struct inv_got_status *now = new_statuses();

	if (!inv_got_locked(count_statuses, now))
		return;
	for (uint32_t want = 0; want < inv_got_want_count; want++) {
		if (memcmp(&now[want], &known_statuses[want], sizeof(*now)) == 0)
			continue;
		known_statuses[want] = now[want];
		if (!installing && tell_changed)
			tell_changed(want, &now[want]);
	}
}

static uint64_t now_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) != 0)
		return 0;
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* From the asm hooks dlopen and dlmopen, before they jump to the real one. */
void inv_got_load_begins(int mode) __attribute__((used, visibility("hidden")));
void inv_got_load_begins(int mode)
{
	uint32_t count = atomic_fetch_add_explicit(&watch_count, 1, memory_order_relaxed) + 1;

	inv_got_sure();
	if (mode & RTLD_DEEPBIND)
		atomic_store_explicit(&inv_got_deepbind, true, memory_order_relaxed);
	if (mode & RTLD_GLOBAL)
		atomic_store_explicit(&inv_got_late_global, true, memory_order_relaxed);
	if (!atomic_load_explicit(&inv_got_installed, memory_order_relaxed))
		return;
	atomic_store_explicit(&watch_end_ns, now_ns() + WATCH_NS, memory_order_relaxed);
	/* [G6] release: the end before the watch; pairs with acquire in catch_up */
	atomic_store_explicit(&inv_got_watch, count ? count : 1, memory_order_release);
}

/* Each thread's first 64 calls of a watch look, then every 16th, then every 256th. */
static bool is_my_turn(uint32_t watch)
{
	if (watch_seen != watch) {
		watch_seen = watch;
		watch_calls = 0;
	}
	watch_calls++;
	return watch_calls <= 64 || (watch_calls <= 1024 && watch_calls % 16 == 0) ||
	       watch_calls % 256 == 0;
}

static void look(uint32_t watch)
{
	inv_got_scan();
	/* A dlopen that began meanwhile has changed the watch: the exchange fails, it goes on. */
	if (now_ns() >= atomic_load_explicit(&watch_end_ns, memory_order_relaxed))
		atomic_compare_exchange_strong_explicit(&inv_got_watch, &watch, 0,
							memory_order_relaxed, memory_order_relaxed);
}

void inv_got_catch_up(void)
{
	/* [G6] acquire: the watch before its end; pairs with release in load_begins */
	uint32_t watch = atomic_load_explicit(&inv_got_watch, memory_order_acquire);
	int saved_errno = errno;

	if (!watch || !is_my_turn(watch) || inv_is_cramped() || !inv_got_try_lock())
		return;
	look(watch);
	inv_got_unlock();
	errno = saved_errno;
}

static void find_program_path(void)
{
	ssize_t length = readlink("/proc/self/exe", program_path, sizeof(program_path) - 1);

	if (length <= 0)
		strcpy(program_path, "program");
}

void inv_got_install(const struct inv_got_want *wants, uint32_t count, inv_got_wrapper_fn wrapper,
		     inv_got_object_fn object, inv_got_changed_fn changed,
		     struct inv_got_status *statuses)
{
	int saved_errno = errno;
	size_t each = sizeof(uintptr_t) + sizeof(bool) + sizeof(struct inv_got_status);

	memset(statuses, 0, count * sizeof(*statuses));
	inv_got_global = count ? inv_got_pages(count * each + 8) : NULL;
	if (!inv_got_global || !inv_got_try_lock())
		return;
	inv_got_wants = wants;
	inv_got_want_count = count;
	make_wrapper = wrapper;
	see_object = object;
	tell_changed = changed;
	known_statuses = statuses;
	find_program_path();
	installing = true;
	ask_loader();
	inv_got_scan();
	installing = false;
	inv_got_expect_forks();
	/* [G7] release: all of the above; pairs with acquire in the dlsym hook */
	atomic_store_explicit(&inv_got_installed, true, memory_order_release);
	inv_got_unlock();
	errno = saved_errno;
}
