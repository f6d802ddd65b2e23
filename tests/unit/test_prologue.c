/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <execinfo.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "preload/prologue.h"

#if defined(__x86_64__)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- forged functions ---- */

#define FORGED_AT 0x555500001000ull

static uint8_t forged[256];

/* The bytes of a function that is said to run at FORGED_AT; int3 behind it. */
static struct inv_prologue_function function_of(const char *hex)
{
	size_t n = 0;

	memset(forged, 0xcc, sizeof(forged));
	for (unsigned value, used; sscanf(hex, "%2x %n", &value, &used) == 1; hex += used)
		forged[n++] = (uint8_t)value;
	return (struct inv_prologue_function){
		.code = forged, .address = FORGED_AT, .size = n, .limit = sizeof(forged)};
}

static enum inv_prologue_result planned(const char *hex)
{
	struct inv_prologue_function function = function_of(hex);
	struct inv_prologue plan;

	return inv_prologue_plan(&plan, &function);
}

static struct inv_prologue plan_of(const char *hex)
{
	struct inv_prologue_function function = function_of(hex);
	struct inv_prologue plan;

	cr_assert_eq(inv_prologue_plan(&plan, &function), INV_PROLOGUE_OK, "%s", hex);
	return plan;
}

/* The copy as text, for a destination 1 MB further. */
static const char *copy_of(const char *hex)
{
	static char text[4 * INV_PROLOGUE_COPY_MAX];
	struct inv_prologue plan = plan_of(hex);
	uint8_t copy[INV_PROLOGUE_COPY_MAX + 1];
	size_t length = 0;

	copy[plan.copy_bytes] = 0xa5;
	cr_assert_eq(inv_prologue_emit(&plan, FORGED_AT + 0x100000, copy), INV_PROLOGUE_OK);
	cr_assert_eq(copy[plan.copy_bytes], 0xa5, "%s: more was written than planned", hex);
	for (unsigned i = 0; i < plan.copy_bytes; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%02x",
					   i ? " " : "", copy[i]);
	return text;
}

Test(prologue, whole_instructions_move_and_a_jump_leads_back)
{
	/* push %rbp; mov %rsp,%rbp; sub $16,%rsp; ret: back to +8 from +13 of the copy */
	const char *hex = "55 48 89 e5 48 83 ec 10 c3";
	struct inv_prologue plan = plan_of(hex);

	cr_expect_eq(plan.patch_at, 0);
	cr_expect_eq(plan.displaced, 8);
	cr_expect_eq(plan.insn_count, 3);
	cr_expect_eq(plan.copy_bytes, 13);
	cr_expect(plan.returns_to_body && plan.one_to_one);
	cr_expect_eq(plan.scanned, 9);
	cr_expect_str_eq(copy_of(hex), "55 48 89 e5 48 83 ec 10 e9 fb ff ef ff");
}

Test(prologue, the_map_of_boundaries_leads_from_old_to_new)
{
	/* test %edi,%edi; je +0x20; nop; ret */
	struct inv_prologue plan = plan_of("f3 0f 1e fa 85 ff 74 20 90 c3");

	cr_expect_eq(plan.insn_count, 3);
	cr_expect_arr_eq(plan.old_at, ((uint8_t[]){4, 6, 8, 9}), 4);
	cr_expect_arr_eq(plan.new_at, ((uint8_t[]){0, 2, 8, 9}), 4);
	cr_expect_eq(plan.copy_bytes, 14);
	cr_expect(plan.one_to_one);
}

Test(prologue, the_patch_goes_behind_endbr64)
{
	struct inv_prologue plan = plan_of("f3 0f 1e fa b8 01 00 00 00 c3");

	cr_expect_eq(plan.patch_at, 4);
	cr_expect_eq(plan.displaced, 5);
	cr_expect_str_eq(copy_of("f3 0f 1e fa b8 01 00 00 00 c3"), "b8 01 00 00 00 e9 ff ff ef ff");
	cr_expect_eq(planned("f3 0f 1e fa 31 c0 c3"), INV_PROLOGUE_TOO_SHORT);
}

Test(prologue, short_branches_are_widened_and_keep_their_target)
{
	/* jmp +0x20 from +2, then nops that nothing runs */
	cr_expect_str_eq(copy_of("eb 20 66 90 90 c3"), "e9 1d 00 f0 ff");
	cr_expect_str_eq(copy_of("85 ff 75 20 90 c3"), "85 ff 0f 85 1c 00 f0 ff 90 e9 f7 ff ef ff");
	cr_expect_str_eq(copy_of("2e 74 20 90 90 c3"), "2e 0f 84 1c 00 f0 ff 90 90 e9 f7 ff ef ff");
	cr_expect_str_eq(copy_of("e3 20 31 c0 90 c3"),
			 "e3 02 eb 05 e9 19 00 f0 ff 31 c0 90 e9 f4 ff ef ff");
	cr_expect_not(plan_of("e3 20 31 c0 90 c3").one_to_one);
}

Test(prologue, a_branch_among_the_first_bytes_leads_to_the_copy)
{
	/* jrcxz 1f; nop; 1: xor %eax,%eax; je 1b (the first), all moved */
	cr_expect_str_eq(copy_of("e3 01 90 31 c0 c3"),
			 "e3 02 eb 05 e9 01 00 00 00 90 31 c0 e9 f4 ff ef ff");
	/* nop; jne to the start: not a call of the function */
	cr_expect_str_eq(copy_of("90 75 fd 31 c0 c3"), "90 0f 85 f9 ff ff ff 31 c0 e9 f7 ff ef ff");
	cr_expect_eq(planned("75 01 b8 01 00 00 00 c3"), INV_PROLOGUE_BRANCH_INTO,
		     "into the middle of an instruction");
}

Test(prologue, a_displaced_call_pushes_the_original_return_address)
{
	cr_expect_str_eq(copy_of("e8 10 00 00 00 c3"),
			 "68 05 10 00 00 c7 44 24 04 55 55 00 00 e9 03 00 f0 ff");
	cr_expect_not(plan_of("e8 10 00 00 00 c3").returns_to_body);
	cr_expect_str_eq(copy_of("ff 15 10 00 00 00 c3"),
			 "68 06 10 00 00 c7 44 24 04 55 55 00 00 ff 25 03 00 f0 ff");
	cr_expect_str_eq(copy_of("48 89 f8 ff d0 c3"),
			 "48 89 f8 68 05 10 00 00 c7 44 24 04 55 55 00 00 ff e0");
}

Test(prologue, fentry_behind_endbr64_is_such_a_call)
{
	struct inv_prologue plan = plan_of("f3 0f 1e fa e8 10 00 00 00 c3");

	cr_expect_eq(plan.patch_at, 4);
	cr_expect_eq(plan.displaced, 5);
	cr_expect_not(plan.returns_to_body);
}

Test(prologue, hot_patch_nops_are_moved)
{
	cr_expect_eq(plan_of("90 90 90 90 90 c3").insn_count, 5);
	cr_expect_eq(plan_of("48 8d a4 24 00 00 00 00 c3").displaced, 8);
}

Test(prologue, every_refusal_has_its_reason)
{
	static const struct {
		const char *hex;
		enum inv_prologue_result result;
	} refused[] = {
		{"31 c0 c3", INV_PROLOGUE_TOO_SHORT},
		{"c3", INV_PROLOGUE_TOO_SHORT},
		{"31 c0 c3 8b 07 c3", INV_PROLOGUE_ENDS_EARLY},
		{"eb 10 8b 07 ff c0 c3", INV_PROLOGUE_ENDS_EARLY},
		{"0f 0b 8b 07 ff c0 c3", INV_PROLOGUE_ENDS_EARLY},
		{"cc 90 90 90 90 90 c3", INV_PROLOGUE_IMMOVABLE},
		{"67 8b 05 00 00 00 00 c3", INV_PROLOGUE_IMMOVABLE},
		/* widened it would be of 16 bytes: no instruction */
		{"26 26 26 26 26 26 26 26 26 26 71 01 90 c3", INV_PROLOGUE_IMMOVABLE},
		{"ff 54 24 08 90 c3", INV_PROLOGUE_IMMOVABLE},
		{"90 90 90 ff d4 c3", INV_PROLOGUE_IMMOVABLE},
		{"90 ff 1c 24 90 c3", INV_PROLOGUE_IMMOVABLE},
		{"90 f3 0f 1e fa c3", INV_PROLOGUE_IMMOVABLE},
		{"ff d0 31 c0 90 c3", INV_PROLOGUE_CALL_INSIDE},
		{"55 48 89 e5 31 c0 eb f9", INV_PROLOGUE_BRANCH_INTO},
		{"55 48 89 e5 31 c0 e8 f6 ff ff ff c3", INV_PROLOGUE_BRANCH_INTO},
		{"31 c0 31 c9 31 d2 0f 85 f6 ff ff ff c3", INV_PROLOGUE_BRANCH_INTO},
		{"55 48 89 e5 31 c0 75 f8 c3", INV_PROLOGUE_LOOP},
		{"f3 0f 1e fa 55 48 89 e5 31 c0 75 f8 c3", INV_PROLOGUE_LOOP},
		{"06 90 90 90 90 90", INV_PROLOGUE_UNKNOWN_BYTES},
		{"55 48 89 e5 31 c0 06 c3", INV_PROLOGUE_UNKNOWN_BYTES},
		{"55 48 89 e5 31 c0 0f b6", INV_PROLOGUE_UNKNOWN_BYTES},
		{"48 b8 01 02 03 04 05", INV_PROLOGUE_UNKNOWN_BYTES},
	};

	for (size_t i = 0; i < COUNT(refused); i++)
		cr_expect_eq(planned(refused[i].hex), refused[i].result, "%s: %s", refused[i].hex,
			     inv_prologue_reason(planned(refused[i].hex)));
}

Test(prologue, what_enters_at_the_start_is_no_branch_into_it)
{
	/* a call of itself; a tail call of itself before endbr64; a branch behind what moved */
	cr_expect_eq(planned("31 c0 31 c9 90 e8 f6 ff ff ff c3"), INV_PROLOGUE_OK);
	cr_expect_eq(planned("f3 0f 1e fa 31 c0 31 c9 90 eb f5"), INV_PROLOGUE_OK);
	cr_expect_eq(planned("31 c0 31 c9 90 90 eb fd"), INV_PROLOGUE_OK);
}

Test(prologue, a_loop_is_allowed_and_named_where_it_can_be_told)
{
	struct inv_prologue_function function = function_of("55 48 89 e5 31 c0 75 f8 c3");
	struct inv_prologue plan;

	function.loops_told = true;
	cr_expect_eq(inv_prologue_plan(&plan, &function), INV_PROLOGUE_OK);
	cr_expect(plan.loops);
	function = function_of("55 48 89 e5 31 c0 75 f9 c3");
	function.loops_told = true;
	cr_expect_eq(inv_prologue_plan(&plan, &function), INV_PROLOGUE_BRANCH_INTO);
	cr_expect_eq(plan.refused_at, 6);
}

Test(prologue, a_call_is_refused_under_a_shadow_stack)
{
	struct inv_prologue_function function = function_of("e8 10 00 00 00 c3");
	struct inv_prologue plan;

	function.shadow_stack = true;
	cr_expect_eq(inv_prologue_plan(&plan, &function), INV_PROLOGUE_SHADOW_STACK);
}

Test(prologue, without_a_size_the_end_is_behind_the_furthest_branch)
{
	/* xor; test; je 1f; ret; 1: jne into the first bytes; ret */
	struct inv_prologue_function function = function_of("31 c0 85 ff 90 74 01 c3 75 f8 c3 06");
	struct inv_prologue plan;

	function.size = 0;
	cr_expect_eq(inv_prologue_plan(&plan, &function), INV_PROLOGUE_BRANCH_INTO);
	function = function_of("31 c0 85 ff 90 74 01 c3 75 fb c3 06");
	function.size = 0;
	cr_expect_eq(inv_prologue_plan(&plan, &function), INV_PROLOGUE_OK);
	cr_expect_eq(plan.scanned, 11);
}

Test(prologue, without_a_size_the_body_behind_a_displaced_call_is_looked_at)
{
	/* call; jne to the second byte of the call; ret */
	struct inv_prologue_function function = function_of("e8 10 00 00 00 75 fa c3");
	struct inv_prologue plan;

	function.size = 0;
	cr_expect_eq(inv_prologue_plan(&plan, &function), INV_PROLOGUE_BRANCH_INTO);
	cr_expect_eq(plan.refused_at, 5);
}

Test(prologue, without_a_size_no_instruction_behind_a_call_is_the_end)
{
	struct inv_prologue_function function = function_of("31 c0 31 c9 90 e8 10 00 00 00 06");
	struct inv_prologue plan;

	cr_expect_eq(inv_prologue_plan(&plan, &function), INV_PROLOGUE_UNKNOWN_BYTES);
	function.size = 0;
	cr_expect_eq(inv_prologue_plan(&plan, &function), INV_PROLOGUE_OK);
	cr_expect_eq(plan.scanned, 10);
	function = function_of("31 c0 31 c9 90 75 10 06");
	function.size = 0;
	cr_expect_eq(inv_prologue_plan(&plan, &function), INV_PROLOGUE_UNKNOWN_BYTES);
}

Test(prologue, indirect_jumps_of_the_body_are_said)
{
	cr_expect(plan_of("b8 01 00 00 00 3e ff e0").indirect_jumps);
	cr_expect_not(plan_of("b8 01 00 00 00 c3").indirect_jumps);
}

Test(prologue, other_code_is_scanned_for_branches_into_the_first_bytes)
{
	struct inv_prologue plan = plan_of("55 48 89 e5 31 c0 c3");
	static const uint8_t into[] = {0xe9, 0xfc, 0xef, 0xff, 0xff};
	static const uint8_t start[] = {0xe9, 0xfb, 0xef, 0xff, 0xff};
	static const uint8_t behind[] = {0xe9, 0x01, 0xf0, 0xff, 0xff};
	static const uint8_t unknown[] = {0x06};
	uintptr_t at = FORGED_AT + 0x1000;

	cr_expect_eq(inv_prologue_scan(&plan, into, 5, at), INV_PROLOGUE_BRANCH_INTO);
	cr_expect_eq(inv_prologue_scan(&plan, start, 5, at), INV_PROLOGUE_OK);
	cr_expect_eq(inv_prologue_scan(&plan, behind, 5, at), INV_PROLOGUE_OK);
	cr_expect_eq(inv_prologue_scan(&plan, unknown, 1, at), INV_PROLOGUE_UNKNOWN_BYTES);
}

Test(prologue, what_is_over_2_gb_away_is_refused)
{
	struct inv_prologue back = plan_of("55 48 89 e5 31 c0 c3");
	uint8_t copy[INV_PROLOGUE_COPY_MAX];

	/* the jump back lies at +6 of the copy and leads to +6 */
	cr_expect_eq(inv_prologue_emit(&back, FORGED_AT + 0x7ffffffb, copy), INV_PROLOGUE_OK);
	cr_expect_eq(inv_prologue_emit(&back, FORGED_AT + 0x7ffffffc, copy),
		     INV_PROLOGUE_OUT_OF_RANGE);
	cr_expect_eq(inv_prologue_emit(&back, FORGED_AT - 0x80000004, copy), INV_PROLOGUE_OK);
	cr_expect_eq(inv_prologue_emit(&back, FORGED_AT - 0x80000005, copy),
		     INV_PROLOGUE_OUT_OF_RANGE);
}

/* Pieces of code that move in different ways, at random. */
static size_t random_function(uint8_t *code, uint64_t *state)
{
	static const uint8_t pieces[][8] = {{1, 0x90},		{1, 0x55},
					    {2, 0xe3, 2},	{2, 0x74, 3},
					    {2, 0xeb, 1},	{2, 0x75, 0xfc},
					    {2, 0x31, 0xc0},	{1, 0xc3},
					    {2, 0xff, 0xd0},	{3, 0x67, 0xe2, 0x7f},
					    {5, 0xe8, 1},	{5, 0xe9, 9},
					    {6, 0x0f, 0x84, 4}, {7, 0x48, 0x8b, 0x05},
					    {6, 0xff, 0x15},	{3, 0x2e, 0x75, 0xfd}};
	size_t bytes = 0;

	while (bytes < 40) {
		const uint8_t *piece;

		*state ^= *state << 13;
		*state ^= *state >> 7;
		*state ^= *state << 17;
		piece = pieces[*state % COUNT(pieces)];
		memcpy(code + bytes, piece + 1, piece[0]);
		bytes += piece[0];
	}
	return bytes;
}

Test(prologue, random_functions_are_refused_or_copied_into_the_bytes_that_were_planned)
{
	uint64_t state = 20261128;
	unsigned moved = 0;

	for (int turn = 0; turn < 200000; turn++) {
		uint8_t code[64] = {0}, copy[INV_PROLOGUE_COPY_MAX + 1];
		struct inv_prologue_function function = {.code = code, .address = FORGED_AT};
		struct inv_prologue plan;

		function.size = random_function(code, &state);
		function.limit = function.size;
		function.loops_told = turn & 1;
		if (turn & 2)
			function.size = 0;
		if (inv_prologue_plan(&plan, &function) != INV_PROLOGUE_OK)
			continue;
		moved++;
		cr_assert_leq(plan.insn_count, INV_PROLOGUE_INSNS_MAX);
		cr_assert_leq(plan.copy_bytes, INV_PROLOGUE_COPY_MAX);
		memset(copy, 0xa5, sizeof(copy));
		cr_assert_eq(inv_prologue_emit(&plan, FORGED_AT + 0x1000, copy), INV_PROLOGUE_OK);
		for (unsigned i = plan.copy_bytes; i < sizeof(copy); i++)
			cr_assert_eq(copy[i], 0xa5, "turn %d: byte %u", turn, i);
		cr_assert_eq(plan.new_at[plan.insn_count] + (plan.returns_to_body ? 5 : 0),
			     plan.copy_bytes);
	}
	cr_expect_gt(moved, 1000);
}

Test(prologue, reasons_have_words)
{
	for (int i = 0; i < INV_PROLOGUE_RESULTS; i++)
		cr_expect_neq(inv_prologue_reason((enum inv_prologue_result)i)[0], '\0');
	cr_expect_str_eq(inv_prologue_reason(INV_PROLOGUE_RESULTS), "unknown");
}

/* ---- functions that run ---- */

typedef long (*function4)(long, long, long, long);

#define FUNCTION(name, body)                                                                       \
	__asm__(".pushsection .text\n.p2align 6\n.globl " #name "\n.hidden " #name                 \
		"\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n" body                  \
		"\n.cfi_endproc\n.globl " #name "_end\n.hidden " #name "_end\n" #name              \
		"_end:\n.size " #name ", . - " #name "\n.popsection\n");                           \
	long name(long, long, long, long);                                                         \
	extern const uint8_t name##_end[] __attribute__((visibility("hidden")))

long t_counter __attribute__((visibility("hidden"))) = 1234;
long t_seen_return(long, long, long, long) __attribute__((visibility("hidden")));
long t_backtrace(long, long, long, long) __attribute__((visibility("hidden")));
function4 t_pointer __attribute__((visibility("hidden"))) = t_seen_return;

FUNCTION(t_rip_load, "mov t_counter(%rip), %rax\n add %rdi, %rax\n ret");
FUNCTION(t_rip_store, "movl $77, t_counter(%rip)\n mov t_counter(%rip), %eax\n ret");
FUNCTION(t_rip_compare, "cmpq $1234, t_counter(%rip)\n sete %al\n movzbl %al, %eax\n ret");
FUNCTION(t_rip_sse, "cvtsi2sdq t_counter(%rip), %xmm0\n cvttsd2si %xmm0, %rax\n ret");
FUNCTION(t_rip_address, "lea t_rip_address(%rip), %rax\n ret");
FUNCTION(t_jcc_over, "test %edi, %edi\n je 1f\n lea 1(%rdi), %eax\n ret\n1: mov $-7, %eax\n ret");
FUNCTION(t_jcc_inside, "mov %rdi, %rax\n jrcxz 1f\n inc %rax\n ret\n1: neg %rax\n ret");
FUNCTION(t_jrcxz_inner, "jrcxz 1f\n incl %edi\n1: lea 5(%rdi, %rcx), %rax\n ret");
FUNCTION(t_loop, "xor %eax, %eax\n loop 1f\n inc %eax\n ret\n1: mov %rcx, %rax\n ret");
FUNCTION(t_call, "call t_seen_return\n add $1, %rax\n ret");
FUNCTION(t_call_memory, "call *t_pointer(%rip)\n add $1, %rax\n ret");
FUNCTION(t_call_register, "mov %rdi, %rax\n call *%rax\n add $1, %rax\n ret");
FUNCTION(t_endbr, "endbr64\n mov t_counter(%rip), %rax\n sub %rsi, %rax\n ret");
FUNCTION(t_endbr_call, "endbr64\n call t_seen_return\n add $1, %rax\n ret");
FUNCTION(t_tail, "jmp t_rip_load\n int3");
FUNCTION(t_flags, "mov %rdi, %rax\n sub %rsi, %rax\n jc 1f\n ret\n1: mov $-1, %rax\n ret");
FUNCTION(t_frame, "sub $8, %rsp\n.cfi_adjust_cfa_offset 8\n call t_backtrace\n add $8, %rsp\n"
		  ".cfi_adjust_cfa_offset -8\n ret");
__asm__(".pushsection .text\n.hidden t_seen_return\n.globl t_seen_return\nt_seen_return:\n"
	"mov (%rsp), %rax\n add %rsi, %rax\n ret\n.popsection");

static void *backtrace_frames[64];
static int backtrace_count;

long t_backtrace(long a, long b, long c, long d)
{
	backtrace_count = backtrace(backtrace_frames, (int)COUNT(backtrace_frames));
	return backtrace_count;
}

#define RUNS(name)                                                                                 \
	{                                                                                          \
#name, name, name##_end                                                            \
	}

static const struct running {
	const char *name;
	function4 function;
	const uint8_t *end;
} running[] = {
	RUNS(t_rip_load),    RUNS(t_rip_store),	 RUNS(t_rip_compare), RUNS(t_rip_sse),
	RUNS(t_rip_address), RUNS(t_jcc_over),	 RUNS(t_jcc_inside),  RUNS(t_jrcxz_inner),
	RUNS(t_loop),	     RUNS(t_call),	 RUNS(t_call_memory), RUNS(t_call_register),
	RUNS(t_endbr),	     RUNS(t_endbr_call), RUNS(t_tail),	      RUNS(t_flags),
};

static const long arguments[][4] = {
	{0, 0, 0, 0}, {5, 3, 0, 1}, {3, 5, 0, 2}, {-1, 1, 7, 0}, {1L << 40, 9, 0, -3}};

/* A page for the copy, some 256 MB from the code. */
static uint8_t *page_near(const void *code)
{
	uintptr_t at = ((uintptr_t)code & ~0xfffful) + (256ul << 20);

	for (int i = 0; i < 64; i++, at += 1ul << 20) {
		void *page = mmap((void *)at, 4096, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (page != MAP_FAILED)
			return page;
	}
	cr_assert_fail("no page within 2 GB");
	return NULL;
}

static struct inv_prologue plan_running(const struct running *what)
{
	const uint8_t *code = (const uint8_t *)what->function;
	struct inv_prologue_function function = {
		.code = code,
		.address = (uintptr_t)code,
		.size = (size_t)(what->end - code),
		.limit = (size_t)(what->end - code),
	};
	struct inv_prologue plan;
	enum inv_prologue_result result = inv_prologue_plan(&plan, &function);

	cr_assert_eq(result, INV_PROLOGUE_OK, "%s: %s", what->name, inv_prologue_reason(result));
	return plan;
}

static function4 made_copy(const struct inv_prologue *plan)
{
	uint8_t *page = page_near((const void *)plan->address);

	cr_assert_eq(inv_prologue_emit(plan, (uintptr_t)page, page), INV_PROLOGUE_OK);
	cr_assert_eq(mprotect(page, 4096, PROT_READ | PROT_EXEC), 0);
	return (function4)(uintptr_t)page;
}

/* Arguments for a function; t_call_register calls its first. */
static long called(function4 function, const struct running *what, const long *a)
{
	long first = what->function == t_call_register ? (long)(uintptr_t)t_seen_return : a[0];

	t_counter = 1234;
	return function(first, a[1], a[2], a[3]);
}

Test(prologue, a_copy_computes_what_the_original_computes)
{
	for (size_t i = 0; i < COUNT(running); i++) {
		struct inv_prologue plan = plan_running(&running[i]);
		function4 copy = made_copy(&plan);

		for (size_t k = 0; k < COUNT(arguments); k++) {
			long expected = called(running[i].function, &running[i], arguments[k]);
			long actual = called(copy, &running[i], arguments[k]);

			cr_expect_eq(actual, expected, "%s(%ld, ...): %lx, not %lx",
				     running[i].name, arguments[k][0], (unsigned long)actual,
				     (unsigned long)expected);
		}
	}
}

/* The real thing: a jump at the entry, and int3 in all other bytes that moved. */
Test(prologue, a_patched_function_computes_what_it_did)
{
	for (size_t i = 0; i < COUNT(running); i++) {
		struct inv_prologue plan = plan_running(&running[i]);
		function4 copy = made_copy(&plan);
		uint8_t *patch = (uint8_t *)plan.address + plan.patch_at;
		uintptr_t page = (uintptr_t)patch & ~4095ul;
		int32_t distance = (int32_t)((intptr_t)copy - (intptr_t)(patch + 5));
		long expected[COUNT(arguments)];

		for (size_t k = 0; k < COUNT(arguments); k++)
			expected[k] = called(running[i].function, &running[i], arguments[k]);
		if (mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
			cr_skip("text may not be made writable here");
		memset(patch, 0xcc, plan.displaced);
		patch[0] = 0xe9;
		memcpy(patch + 1, &distance, sizeof(distance));
		for (size_t k = 0; k < COUNT(arguments); k++)
			cr_expect_eq(called(running[i].function, &running[i], arguments[k]),
				     expected[k], "%s", running[i].name);
	}
}

Test(prologue, a_backtrace_passes_a_displaced_call)
{
	static const struct running frame = RUNS(t_frame);
	struct inv_prologue plan = plan_running(&frame);
	function4 copy = made_copy(&plan);
	void *original[COUNT(backtrace_frames)];
	long depth = t_frame(0, 0, 0, 0);
	bool through = false;
	int different = 0;

	cr_assert_geq(depth, 3);
	memcpy(original, backtrace_frames, sizeof(original));
	cr_expect_eq(copy(0, 0, 0, 0), depth);
	/* the same frames, but for this one, which is at another line */
	for (long i = 0; i < depth; i++) {
		different += backtrace_frames[i] != original[i];
		through |= backtrace_frames[i] == (uint8_t *)plan.address + plan.displaced;
	}
	cr_expect_leq(different, 1);
	cr_expect(through, "the original return address is not in the backtrace");
}

#endif
