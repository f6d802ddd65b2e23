/* SPDX-License-Identifier: MIT */
/*
 * got_dlsym.c - the exported hooks: dlsym, dlopen, dlmopen.
 *
 * The loader knows its caller by the return address: dlopen takes the RUNPATH and the
 * namespace from it, dlsym the meaning of RTLD_NEXT and RTLD_DEFAULT. So the hooks are
 * assembly: they save the argument registers, ask a C function, restore them and jump to
 * the real function as if they had not been there. Wrapping in C was rejected: it breaks
 * `dlopen("libplugin.so")` in every program with a RUNPATH. A path, for which the caller plays
 * no part, is opened by a call, and what it brought is patched before the caller has it.
 *
 * dlsym of a wanted name:
 *   a real handle   the real dlsym is called (the caller's address plays no part), and
 *                   its answer replaced if it is a definition that a want accepts
 *   RTLD_DEFAULT    from an initial object, the real dlsym called by the shim searches
 *                   the same global scope; else the scope is predicted
 *   RTLD_NEXT       from an object before the shim with no definition between the two,
 *                   the real dlsym called by the shim; else predicted
 * Whatever is not found or not certain [G4] is a tail jump to the real one, which leaves
 * dlerror() and its answer as they were to be. A predicted answer clears dlerror() as a
 * success does.
 *
 * A `dlsym` without a version binds to references with one (tested with glibc 2.36).
 * libc's, for our own questions, is asked for by version: 2.34, before it 2.2.5 (dlmopen
 * 2.3.4) or, on aarch64, 2.17. The program's go to what comes next after us, which is
 * another preload's hook where one stands behind ours: by version it would be passed by,
 * as its own symbols have none. All are looked up by the first use, which may be another
 * preload's constructor before ours. dlvsym is not hooked: a versioned look-up of a wanted
 * name goes unseen.
 */
#include "preload/got_internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shm/sandbox.h"

#if defined(__x86_64__)
#define OLD_VERSION	    "GLIBC_2.2.5"
#define OLD_DLMOPEN_VERSION "GLIBC_2.3.4"
#else
#define OLD_VERSION	    "GLIBC_2.17"
#define OLD_DLMOPEN_VERSION "GLIBC_2.17"
#endif

typedef void *(*dlsym_fn)(void *handle, const char *name);

/* Read by the assembly below, filled by find_real before it jumps there. */
void *_Atomic inv_got_real[3] __attribute__((used, visibility("hidden")));
enum { REAL_DLSYM, REAL_DLOPEN, REAL_DLMOPEN };
static void *_Atomic libc_dlsym;

void *inv_got_dlsym_answer(void *handle, const char *name, uintptr_t caller)
	__attribute__((used, visibility("hidden")));
void inv_got_dlmopen_begins(int mode) __attribute__((used, visibility("hidden")));
bool inv_got_dlopen_begins(const char *file, int mode, uintptr_t caller)
	__attribute__((used, visibility("hidden")));
void inv_got_dlopen_ends(void) __attribute__((used, visibility("hidden")));
void inv_got_load_begins(int mode) __attribute__((visibility("hidden")));

#if defined(__x86_64__)
__asm__(".text\n"
	".globl dlsym\n"
	".type dlsym, @function\n"
	"dlsym:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	pushq %rdi\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushq %rsi\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	subq $8, %rsp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	movq 24(%rsp), %rdx\n"
	"	call inv_got_dlsym_answer\n"
	"	addq $8, %rsp\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rsi\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rdi\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	testq %rax, %rax\n"
	"	jz 1f\n"
	"	ret\n"
	"1:	jmp *inv_got_real(%rip)\n"
	"	.cfi_endproc\n"
	".size dlsym, . - dlsym\n");

#define LOAD_HOOK(name, mode_register, offset)                                                     \
	__asm__(".text\n"                                                                          \
		".globl " name "\n"                                                                \
		".type " name ", @function\n" name ":\n"                                           \
		"	.cfi_startproc\n"                                                                \
		"	endbr64\n"                                                                       \
		"	pushq %rdi\n"                                                                    \
		"	.cfi_adjust_cfa_offset 8\n"                                                      \
		"	pushq %rsi\n"                                                                    \
		"	.cfi_adjust_cfa_offset 8\n"                                                      \
		"	pushq %rdx\n"                                                                    \
		"	.cfi_adjust_cfa_offset 8\n"                                                      \
		"	movl " mode_register ", %edi\n"                                            \
		"	call inv_got_dlmopen_begins\n"                                                   \
		"	popq %rdx\n"                                                                     \
		"	.cfi_adjust_cfa_offset -8\n"                                                     \
		"	popq %rsi\n"                                                                     \
		"	.cfi_adjust_cfa_offset -8\n"                                                     \
		"	popq %rdi\n"                                                                     \
		"	.cfi_adjust_cfa_offset -8\n"                                                     \
		"	jmp *inv_got_real+" offset "(%rip)\n"                                      \
		"	.cfi_endproc\n"                                                                  \
		".size " name ", . - " name "\n")

LOAD_HOOK("dlmopen", "%edx", "16");

__asm__(".text\n"
	".globl dlopen\n"
	".type dlopen, @function\n"
	"dlopen:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	pushq %rdi\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushq %rsi\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	subq $8, %rsp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	movq 24(%rsp), %rdx\n"
	"	call inv_got_dlopen_begins\n"
	"	addq $8, %rsp\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rsi\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rdi\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	testb %al, %al\n"
	"	jnz 2f\n"
	"	jmp *inv_got_real+8(%rip)\n"
	"2:	subq $8, %rsp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	call *inv_got_real+8(%rip)\n"
	"	movq %rax, (%rsp)\n"
	"	call inv_got_dlopen_ends\n"
	"	popq %rax\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size dlopen, . - dlopen\n");

#elif defined(__aarch64__)
__asm__(".text\n"
	".globl dlsym\n"
	".type dlsym, %function\n"
	"dlsym:\n"
	"	.cfi_startproc\n"
	"	hint #34\n" /* bti c */
	"	stp x29, x30, [sp, #-32]!\n"
	"	.cfi_def_cfa_offset 32\n"
	"	.cfi_offset 29, -32\n"
	"	.cfi_offset 30, -24\n"
	"	stp x0, x1, [sp, #16]\n"
	"	mov x29, sp\n"
	"	mov x2, x30\n"
	"	bl inv_got_dlsym_answer\n"
	"	mov x16, x0\n"
	"	ldp x0, x1, [sp, #16]\n"
	"	ldp x29, x30, [sp], #32\n"
	"	.cfi_restore 29\n"
	"	.cfi_restore 30\n"
	"	.cfi_def_cfa_offset 0\n"
	"	cbz x16, 1f\n"
	"	mov x0, x16\n"
	"	ret\n"
	"1:	adrp x16, inv_got_real\n"
	"	add x16, x16, :lo12:inv_got_real\n"
	"	ldr x16, [x16]\n"
	"	br x16\n"
	"	.cfi_endproc\n"
	".size dlsym, . - dlsym\n");

#define LOAD_HOOK(name, mode_register, offset)                                                     \
	__asm__(".text\n"                                                                          \
		".globl " name "\n"                                                                \
		".type " name ", %function\n" name ":\n"                                           \
		"	.cfi_startproc\n"                                                                \
		"	hint #34\n"                                                                      \
		"	stp x29, x30, [sp, #-48]!\n"                                                     \
		"	.cfi_def_cfa_offset 48\n"                                                        \
		"	.cfi_offset 29, -48\n"                                                           \
		"	.cfi_offset 30, -40\n"                                                           \
		"	stp x0, x1, [sp, #16]\n"                                                         \
		"	str x2, [sp, #32]\n"                                                             \
		"	mov x29, sp\n"                                                                   \
		"	mov w0, " mode_register "\n"                                               \
		"	bl inv_got_dlmopen_begins\n"                                                     \
		"	ldp x0, x1, [sp, #16]\n"                                                         \
		"	ldr x2, [sp, #32]\n"                                                             \
		"	ldp x29, x30, [sp], #48\n"                                                       \
		"	.cfi_restore 29\n"                                                               \
		"	.cfi_restore 30\n"                                                               \
		"	.cfi_def_cfa_offset 0\n"                                                         \
		"	adrp x16, inv_got_real\n"                                                        \
		"	add x16, x16, :lo12:inv_got_real\n"                                              \
		"	ldr x16, [x16, #" offset "]\n"                                             \
		"	br x16\n"                                                                        \
		"	.cfi_endproc\n"                                                                  \
		".size " name ", . - " name "\n")

LOAD_HOOK("dlmopen", "w2", "16");

__asm__(".text\n"
	".globl dlopen\n"
	".type dlopen, %function\n"
	"dlopen:\n"
	"	.cfi_startproc\n"
	"	hint #34\n"
	"	stp x29, x30, [sp, #-32]!\n"
	"	.cfi_def_cfa_offset 32\n"
	"	.cfi_offset 29, -32\n"
	"	.cfi_offset 30, -24\n"
	"	stp x0, x1, [sp, #16]\n"
	"	mov x29, sp\n"
	"	mov x2, x30\n"
	"	bl inv_got_dlopen_begins\n"
	"	mov w17, w0\n"
	"	ldp x0, x1, [sp, #16]\n"
	"	adrp x16, inv_got_real\n"
	"	add x16, x16, :lo12:inv_got_real\n"
	"	ldr x16, [x16, #8]\n"
	"	tbnz w17, #0, 2f\n"
	"	ldp x29, x30, [sp], #32\n"
	"	.cfi_remember_state\n"
	"	.cfi_restore 29\n"
	"	.cfi_restore 30\n"
	"	.cfi_def_cfa_offset 0\n"
	"	br x16\n"
	"2:	.cfi_restore_state\n"
	"	blr x16\n"
	"	str x0, [sp, #16]\n"
	"	bl inv_got_dlopen_ends\n"
	"	ldr x0, [sp, #16]\n"
	"	ldp x29, x30, [sp], #32\n"
	"	.cfi_restore 29\n"
	"	.cfi_restore 30\n"
	"	.cfi_def_cfa_offset 0\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size dlopen, . - dlopen\n");
#endif

/* Stands in where libc has no such function, which no known glibc lacks. */
static void *no_function(void)
{
	return NULL;
}

static bool is_libc_before_2_34(void)
{
	/* "2.NN", taken apart by hand: a sanitizer that is starting up must not see us call
	 * functions that it intercepts. */
	const char *digit = gnu_get_libc_version() + 2;
	int minor = 0;

	while (*digit >= '0' && *digit <= '9')
		minor = minor * 10 + (*digit++ - '0');
	return minor < 34;
}

static void *find_version(const char *name, const char *old)
{
	bool before = is_libc_before_2_34();
	void *found = dlvsym(RTLD_NEXT, name, before ? old : "GLIBC_2.34");

	if (!found)
		found = dlvsym(RTLD_NEXT, name, before ? "GLIBC_2.34" : old);
	return found ? found : (void *)no_function;
}

static void *find_next(void *dlsym_of_libc, const char *name, const char *old)
{
	void *found = ((dlsym_fn)dlsym_of_libc)(RTLD_NEXT, name);

	return found ? found : find_version(name, old);
}

/* Several threads may do this at once, with the same answer; dlsym comes last as the flag. */
static void find_real(void)
{
	void *libc;

	/* [G8] acquire: the others; pairs with the release below */
	if (atomic_load_explicit(&inv_got_real[REAL_DLSYM], memory_order_acquire))
		return;
	libc = find_version("dlsym", OLD_VERSION);
	atomic_store_explicit(&libc_dlsym, libc, memory_order_relaxed);
	atomic_store_explicit(&inv_got_real[REAL_DLOPEN], find_next(libc, "dlopen", OLD_VERSION),
			      memory_order_relaxed);
	atomic_store_explicit(&inv_got_real[REAL_DLMOPEN],
			      find_next(libc, "dlmopen", OLD_DLMOPEN_VERSION),
			      memory_order_relaxed);
	/* [G8] release: all of them are known */
	atomic_store_explicit(&inv_got_real[REAL_DLSYM], find_next(libc, "dlsym", OLD_VERSION),
			      memory_order_release);
}

void *inv_got_real_dlsym(void *handle, const char *name)
{
	dlsym_fn real;

	find_real();
	real = (dlsym_fn)atomic_load_explicit(&libc_dlsym, memory_order_relaxed);
	return real(handle, name);
}

/* What the program's dlsym goes on to. */
static dlsym_fn next_dlsym(void)
{
	return (dlsym_fn)atomic_load_explicit(&inv_got_real[REAL_DLSYM], memory_order_relaxed);
}

static bool next_is_a_preload(void)
{
	return (void *)next_dlsym() != atomic_load_explicit(&libc_dlsym, memory_order_relaxed);
}

void inv_got_dlmopen_begins(int mode)
{
	int saved_errno = errno;

	find_real();
	inv_got_load_begins(mode);
	errno = saved_errno;
}

struct opener {
	uintptr_t address;
	bool tells_nothing;
};

/* Whether the loader would search nothing by this caller but by its name and namespace. */
static void judge_opener(void *context)
{
	struct opener *caller = context;
	uint32_t index = inv_got_object_at(caller->address);
	const struct inv_elf_object *elf;

	if (index == INV_GOT_NONE)
		return;
	elf = &inv_got_table->objects[index].elf;
	caller->tells_nothing = elf->dynamic != NULL;
	for (const ElfW(Dyn) *dyn = elf->dynamic; dyn && dyn < elf->dynamic_end; dyn++)
		if (dyn->d_tag == DT_RPATH || dyn->d_tag == DT_NULL) {
			caller->tells_nothing = dyn->d_tag == DT_NULL;
			break;
		}
}

/*
 * Whether dlopen may be called by us and not jumped to: a path is opened as it is, whoever
 * asks. What is left of the caller is its DT_RPATH, in which what the new object needs is
 * searched, and its $ORIGIN. The new objects are then patched before anyone has them.
 */
bool inv_got_dlopen_begins(const char *file, int mode, uintptr_t caller_address)
{
	struct opener caller = {caller_address, false};
	int saved_errno = errno;
	bool unsure = inv_got_unsure(); /* no more, once it is in the list */

	inv_got_dlmopen_begins(mode);
	if (unsure || !atomic_load_explicit(&inv_got_installed, memory_order_relaxed) || !file ||
	    mode & RTLD_NOLOAD || !strchr(file, '/') || strchr(file, '$') || !inv_got_try_lock())
		return false;
	inv_got_locked(judge_opener, &caller);
	inv_got_unlock();
	errno = saved_errno;
	return caller.tells_nothing;
}

void inv_got_dlopen_ends(void)
{
	int saved_errno = errno;

	if (inv_got_try_lock()) {
		inv_got_scan();
		inv_got_unlock();
	}
	errno = saved_errno;
}

/* One dlsym call of a wanted name. */
struct question {
	void *handle;
	uintptr_t caller;
	uint32_t want;
	bool ask_real;	/* out: the real dlsym, called by us, answers the same */
	void *value;	/* in: its answer, or NULL */
	void *answer;	/* out: NULL is a tail jump */
	bool predicted; /* out: no dlsym of ours has cleared dlerror() */
};

static void take(struct question *question, struct inv_got_target target)
{
	if (target.object == INV_GOT_NONE)
		return;
	question->answer = inv_got_answer(question->want, target);
	question->predicted = question->answer != NULL;
}

/* From before the shim with nothing between the two, RTLD_NEXT means the same for both. */
static bool next_is_ours(uint32_t object, uint32_t want)
{
	for (uint32_t i = object + 1; i < inv_got_table->count; i++) {
		if (inv_got_table->objects[i].ours)
			return true;
		if (inv_got_cell(i, want)->address)
			return false;
	}
	return false;
}

static struct inv_got_target predict(const struct question *question, uint32_t object)
{
	if (object == INV_GOT_NONE)
		return (struct inv_got_target){.object = INV_GOT_NONE};
	return question->handle == RTLD_NEXT ? inv_got_next(object, question->want)
					     : inv_got_predict(object, question->want);
}

/*
 * Another preload's dlsym calls on, so that the loader sees it as the caller, or jumps on, as
 * ours does. Only if that makes no difference, nor our calling it, do we call it [G4].
 */
static bool callers_agree(const struct question *question, uint32_t caller)
{
	struct inv_got_target from = predict(question, caller);
	struct inv_got_target other = predict(question, inv_got_object_at((uintptr_t)next_dlsym()));
	struct inv_got_target ours = predict(question, inv_got_object_at((uintptr_t)&inv_got_real));

	return from.object != INV_GOT_NONE && from.real == other.real && from.real == ours.real;
}

static void judge_caller(void *context)
{
	struct question *question = context;
	uint32_t object = inv_got_object_at(question->caller);
	const struct inv_got_object *caller;

	if (object == INV_GOT_NONE)
		return;
	caller = &inv_got_table->objects[object];
	if (question->handle == RTLD_DEFAULT && caller->initial && !caller->elf.symbolic) {
		question->ask_real = true;
	} else if (next_is_a_preload()) {
		question->ask_real = callers_agree(question, object);
	} else {
		question->ask_real =
			question->handle == RTLD_NEXT && next_is_ours(object, question->want);
		if (!question->ask_real)
			take(question, predict(question, object));
	}
}

static void map_value(void *context)
{
	struct question *question = context;
	struct inv_got_target target =
		inv_got_target_of(question->want, (uintptr_t)question->value);

	/* Another definition, or a canonical PLT entry: as it is, and dlerror() is clean. */
	question->answer =
		target.object == INV_GOT_NONE ? NULL : inv_got_answer(question->want, target);
	if (!question->answer)
		question->answer = question->value;
}

static bool is_special(const void *handle)
{
	return handle == RTLD_DEFAULT || handle == RTLD_NEXT;
}

static void with_lock(void (*fn)(void *), struct question *question)
{
	if (!inv_got_lock_patiently())
		return;
	inv_got_locked(fn, question);
	inv_got_publish();
	inv_got_unlock();
}

static void *answer_wanted(struct question *question, const char *name)
{
	if (is_special(question->handle))
		with_lock(judge_caller, question);
	if (is_special(question->handle) && !question->ask_real) {
		if (question->predicted)
			dlerror();
		return question->answer;
	}
	question->value = next_dlsym()(question->handle, name);
	if (question->value)
		with_lock(map_value, question);
	return question->answer;
}

static void scan_for_dlsym(void)
{
	if (inv_got_stale() ? !inv_got_lock_patiently() : !inv_got_try_lock())
		return;
	inv_got_scan();
	inv_got_unlock();
}

void *inv_got_dlsym_answer(void *handle, const char *name, uintptr_t caller)
{
	struct question question = {.handle = handle, .caller = caller};
	int saved_errno = errno;
	void *answer = NULL;

	find_real();
	/* [G7] acquire: what install wrote; pairs with its release */
	if (!atomic_load_explicit(&inv_got_installed, memory_order_acquire) || !name)
		return NULL;
	scan_for_dlsym();
	question.want = inv_got_want_named(name);
	if (question.want != INV_GOT_NONE)
		answer = answer_wanted(&question, name);
	errno = saved_errno;
	return answer;
}
