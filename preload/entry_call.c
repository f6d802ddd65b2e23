/* SPDX-License-Identifier: MIT */
/*
 * entry_call.c - the thunk: one call through a patched entry.
 *
 * A caller in the function's own translation unit may know which registers it leaves alone
 * and keep values there (gcc's -fipa-ra), so that the thunk gives every register back as it
 * was: general ones by saving them, vector ones by not using them (shm/vectors.h). It makes
 * a frame of its own, with unwind tables, by rbp: exceptions, cancellation and backtraces
 * pass, and the personality records what leaves sideways (unwind.h). The function is called
 * from that frame, so arguments on the stack are copied, as many words as the signature has.
 * The caller's stack may be aligned to 8 only (-fipa-stack-alignment): the frame aligns its own.
 *
 * Replacing the return address in place of a frame was rejected: backtraces and exceptions
 * would end there, and shadow stacks forbid it.
 *
 * Stack at the thunk: the site (pushed by the stub), the return address, arguments.
 */
#include "preload/entry_call.h"

#if defined(__x86_64__)

#include "preload/got.h"
#include "preload/unwind.h"
#include "shm/record_path.h"

#define RAX_AT	  208
#define AFTER_AT  232
#define TARGET_AT 304
#define SITE_AT	  312
#define STACK_AT  320
#define WORDS_AT  8 /* in the site */

static_assert(offsetof(struct inv_entry_frame, rax) == RAX_AT, "entry frame");
static_assert(offsetof(struct inv_entry_frame, returned) == AFTER_AT, "entry frame");
static_assert(offsetof(struct inv_entry_frame, target) == TARGET_AT, "entry frame");
static_assert(offsetof(struct inv_entry_frame, site) == SITE_AT, "entry frame");
static_assert(offsetof(struct inv_entry_frame, stack) == STACK_AT, "entry frame");
static_assert(offsetof(struct inv_entry_site, stack_words) == WORDS_AT, "entry site");
static_assert(offsetof(struct inv_entry_site, relocated) == 0, "entry site");
static_assert(offsetof(struct inv_tls, full_below) == 16 && offsetof(struct inv_tls, passed) == 24,
	      "as the thunk reads them");
static_assert(sizeof(struct inv_entry_frame) <= 896, "entry frame: as reserved below");

/* How much the vector registers need, a multiple of 64; read by the assembly. */
uint64_t inv_entry_area_bytes __attribute__((used, visibility("hidden"))) = 512;

void inv_entry_call_start(void)
{
	inv_entry_area_bytes = (inv_vectors_bytes() + UINT64_C(63)) & ~UINT64_C(63);
}

void inv_entry_enter(struct inv_entry_frame *frame, uintptr_t base, void *area)
	__attribute__((used, visibility("hidden")));
void inv_entry_leave(struct inv_entry_frame *frame, void *area)
	__attribute__((used, visibility("hidden")));

#define SAVE_CALL                                                                                  \
	"	movq %rdi, 0(%rbx)\n"                                                                    \
	"	movq %rsi, 8(%rbx)\n"                                                                    \
	"	movq %rdx, 16(%rbx)\n"                                                                   \
	"	movq %rcx, 24(%rbx)\n"                                                                   \
	"	movq %r8, 32(%rbx)\n"                                                                    \
	"	movq %r9, 40(%rbx)\n"                                                                    \
	"	movq %rax, 208(%rbx)\n"                                                                  \
	"	movq %r10, 216(%rbx)\n"                                                                  \
	"	movq %r11, 224(%rbx)\n"
#define RESTORE_CALL                                                                               \
	"	movq 0(%rbx), %rdi\n"                                                                    \
	"	movq 8(%rbx), %rsi\n"                                                                    \
	"	movq 16(%rbx), %rdx\n"                                                                   \
	"	movq 24(%rbx), %rcx\n"                                                                   \
	"	movq 32(%rbx), %r8\n"                                                                    \
	"	movq 40(%rbx), %r9\n"                                                                    \
	"	movq 208(%rbx), %rax\n"                                                                  \
	"	movq 216(%rbx), %r10\n"                                                                  \
	"	movq 224(%rbx), %r11\n"
#define SAVE_RETURN                                                                                \
	"	movq %rax, 232(%rbx)\n"                                                                  \
	"	movq %rcx, 240(%rbx)\n"                                                                  \
	"	movq %rdx, 248(%rbx)\n"                                                                  \
	"	movq %rsi, 256(%rbx)\n"                                                                  \
	"	movq %rdi, 264(%rbx)\n"                                                                  \
	"	movq %r8, 272(%rbx)\n"                                                                   \
	"	movq %r9, 280(%rbx)\n"                                                                   \
	"	movq %r10, 288(%rbx)\n"                                                                  \
	"	movq %r11, 296(%rbx)\n"
#define RESTORE_RETURN                                                                             \
	"	movq 232(%rbx), %rax\n"                                                                  \
	"	movq 240(%rbx), %rcx\n"                                                                  \
	"	movq 248(%rbx), %rdx\n"                                                                  \
	"	movq 256(%rbx), %rsi\n"                                                                  \
	"	movq 264(%rbx), %rdi\n"                                                                  \
	"	movq 272(%rbx), %r8\n"                                                                   \
	"	movq 280(%rbx), %r9\n"                                                                   \
	"	movq 288(%rbx), %r10\n"                                                                  \
	"	movq 296(%rbx), %r11\n"

__asm__(".text\n"
	".globl inv_entry_thunk\n"
	".hidden inv_entry_thunk\n"
	".type inv_entry_thunk, @function\n"
	".p2align 4\n"
	"inv_entry_thunk:\n"
	"	.cfi_startproc\n"
	"	.cfi_personality 0x1b, inv_unwind_passes\n"
	"	.cfi_def_cfa_offset 16\n"
	"	endbr64\n"
	"	pushq %rbp\n"
	"	.cfi_def_cfa_offset 24\n"
	"	.cfi_offset %rbp, -24\n"
	"	movq inv_tls@gottpoff(%rip), %rbp\n"
	"	cmpq %fs:16(%rbp), %rsp\n"
	"	jb 9f\n"
	"	.cfi_remember_state\n"
	"	movq %rsp, %rbp\n"
	"	.cfi_def_cfa_register %rbp\n"
	"	pushq %rbx\n"
	"	.cfi_offset %rbx, -32\n"
	"	subq $896, %rsp\n"
	"	andq $-64, %rsp\n"
	"	movq %rsp, %rbx\n" SAVE_CALL "	movq 8(%rbp), %rax\n"
	"	movq %rax, 312(%rbx)\n"
	"	leaq 24(%rbp), %rax\n"
	"	movq %rax, 320(%rbx)\n"
	"	subq inv_entry_area_bytes(%rip), %rsp\n"
	"	movq %rbx, %rdi\n"
	"	movq %rbp, %rsi\n"
	"	movq %rsp, %rdx\n"
	"	call inv_entry_enter\n"
	"	movq %rbx, %rsp\n"
	"	movq 312(%rbx), %rcx\n"
	"	movl 8(%rcx), %ecx\n"
	"	testl %ecx, %ecx\n"
	"	jnz 2f\n"
	"1:\n" RESTORE_CALL "	call *304(%rbx)\n"
	".globl inv_entry_returns\n"
	".hidden inv_entry_returns\n"
	"inv_entry_returns:\n" SAVE_RETURN "	leaq (%rbx), %rsp\n"
	"	subq inv_entry_area_bytes(%rip), %rsp\n"
	"	movq %rbx, %rdi\n"
	"	movq %rsp, %rsi\n"
	"	call inv_entry_leave\n" RESTORE_RETURN "	movq -8(%rbp), %rbx\n"
	"	movq %rbp, %rsp\n"
	"	popq %rbp\n"
	"	.cfi_remember_state\n"
	"	.cfi_def_cfa %rsp, 16\n"
	"	leaq 8(%rsp), %rsp\n"
	"	.cfi_def_cfa_offset 8\n"
	"	ret\n"
	"	.cfi_restore_state\n"
	"2:	leaq 1(%rcx), %rdx\n" /* an even number of words keeps the stack aligned */
	"	andq $-2, %rdx\n"
	"	shlq $3, %rdx\n"
	"	subq %rdx, %rsp\n"
	"	movq 320(%rbx), %rsi\n"
	"3:	movq -8(%rsi,%rcx,8), %rax\n"
	"	movq %rax, -8(%rsp,%rcx,8)\n"
	"	decq %rcx\n"
	"	jnz 3b\n"
	"	jmp 1b\n"
	"	.cfi_restore_state\n" /* no frame (inv_path_full): on by the red zone */
	"9:	movq %fs:24(%rbp), %rbp\n"
	"	testq %rbp, %rbp\n"
	"	jz 8f\n"
	"	lock incq (%rbp)\n"
	"8:	movq 8(%rsp), %rbp\n"
	"	movq (%rbp), %rbp\n"
	"	movq %rbp, 8(%rsp)\n"
	"	popq %rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_restore %rbp\n"
	"	leaq 8(%rsp), %rsp\n"
	"	.cfi_def_cfa_offset 8\n"
	"	jmp *-8(%rsp)\n"
	"	.cfi_endproc\n"
	".size inv_entry_thunk, .-inv_entry_thunk\n");

/* ---- arguments and result ------------------------------------------------------------- */

/* No instruction before this one touches a vector register. */
static inline void read_floats(double *floats)
{
	__asm__ volatile("movsd %%xmm0, 0(%0)\n\tmovsd %%xmm1, 8(%0)\n\tmovsd %%xmm2, 16(%0)\n\t"
			 "movsd %%xmm3, 24(%0)\n\tmovsd %%xmm4, 32(%0)\n\tmovsd %%xmm5, 40(%0)\n\t"
			 "movsd %%xmm6, 48(%0)\n\tmovsd %%xmm7, 56(%0)"
			 :
			 : "r"(floats)
			 : "memory");
}

static inline void read_float_result(struct inv_registers *regs)
{
	__asm__ volatile("movsd %%xmm0, %0" : "=m"(regs->float_result));
}

/* Each argument at its own number, wherever it is passed. */
static void __attribute__((noinline)) read_by_number(struct inv_entry_frame *f)
{
	const struct inv_entry_site *site = f->site;
	for (unsigned i = 0; i < site->argument_count; i++) {
		const struct inv_entry_argument *a = &site->arguments[i];
		uint64_t *to = &f->numbered.integer[i];
		if (a->from == INV_ENTRY_INTEGER)
			*to = f->regs.integer[a->index];
		else if (a->from == INV_ENTRY_STACK)
			*to = f->stack[a->index];
		else
			__builtin_memcpy(to, &f->regs.floating[a->index], 8);
	}
}

/* Returns: what the plan reads. */
static inline struct inv_registers *read_arguments(struct inv_entry_frame *f)
{
	if (__builtin_expect(f->site->floats, 0))
		read_floats(f->regs.floating);
	if (__builtin_expect(!f->site->by_number, 1))
		return &f->regs;
	read_by_number(f);
	return &f->numbered;
}

static inline struct inv_registers *arguments_of(struct inv_entry_frame *f)
{
	return __builtin_expect(f->site->by_number, 0) ? &f->numbered : &f->regs;
}

/* ---- our own calls -------------------------------------------------------------------- */

/* Bounds of this shared object, by its linker. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char etext[] __attribute__((visibility("hidden")));

/* What calls a probed function on: our stubs, and libffi for them; absent without libffi. */
extern const char __start_inv_forwards[] __attribute__((visibility("hidden")));
extern const char __stop_inv_forwards[] __attribute__((visibility("hidden")));
extern const char ffi_call_unix64[] __attribute__((weak, visibility("hidden")));
extern const char ffi_closure_unix64_sse[] __attribute__((weak, visibility("hidden")));
extern const char inv_entry_returns[] __attribute__((visibility("hidden")));

static inline bool is_between(uintptr_t address, const char *low, const char *high)
{
	return address >= (uintptr_t)low && address < (uintptr_t)high;
}

/*
 * A patched function of libc may be called by ourselves: no call of the program's. But where a
 * probed function ends in a jump to another one, that one returns to where we called the first
 * on, and is the program's.
 */
static inline bool is_ours(const struct inv_entry_frame *f)
{
	uintptr_t caller = (uintptr_t)f->stack[-1]; /* the return address */
	return is_between(caller, __ehdr_start, etext) && caller != (uintptr_t)inv_entry_returns &&
	       !is_between(caller, __start_inv_forwards, __stop_inv_forwards) &&
	       !is_between(caller, ffi_call_unix64, ffi_closure_unix64_sse);
}

/* ---- enter and leave -------------------------------------------------------------------- */

void inv_entry_enter(struct inv_entry_frame *f, uintptr_t base, void *area)
{
	struct inv_vectors vectors = {.area = area, .saved = false};
	const struct inv_plan *plan = f->site->plan;
	f->target = f->site->relocated;
	f->call.mode = INV_CALL_UNOBSERVED;
	if (__builtin_expect(is_ours(f), 0))
		return;
	struct inv_registers *regs = read_arguments(f);
	if (__builtin_expect(inv_got_stale(), 0))
		INV_SLOW(&vectors, inv_got_catch_up());
	inv_plan_begin(&f->call, plan, regs, base, &vectors);
	if (__builtin_expect(vectors.saved, 0))
		inv_vectors_restore(&vectors);
}

void inv_entry_leave(struct inv_entry_frame *f, void *area)
{
	struct inv_vectors vectors = {.area = area, .saved = false};
	const struct inv_plan *plan = f->site->plan;
	if (__builtin_expect(f->call.mode == INV_CALL_UNOBSERVED, 0))
		return;
	uint64_t now = inv_path_now();
	struct inv_registers *regs = arguments_of(f);
	read_float_result(regs);
	regs->result = f->returned[0];
	inv_plan_end(&f->call, plan, regs, &vectors, now);
	if (__builtin_expect(vectors.saved, 0))
		inv_vectors_restore(&vectors);
}
#endif
