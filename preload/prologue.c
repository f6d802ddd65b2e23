/* SPDX-License-Identifier: MIT */
/*
 * prologue.c - moving the first bytes of a function.
 *
 *   before                       patched                     the copy, within 2 GB
 *   f:    endbr64                f:    endbr64               push %rbp
 *         push %rbp                    jmp stub   ->  thunk  mov counter+d(%rip),%eax
 *         mov counter(%rip),%eax       (dead bytes)          jmp f+11
 *   f+11: ...                    f+11: ...       <-----------'
 *
 * Whole instructions move, until the five bytes of a jump are free. Most are copied as they
 * are. What counts from its own place is written again:
 *
 *   RIP-relative operand   the displacement is adjusted
 *   jmp, jcc, xbegin       the 32-bit form, to the original target; a target within the
 *                          first bytes is that instruction's copy
 *   loop, jrcxz            have 8 bits only: `jrcxz 1f; jmp 2f; 1: jmp target; 2:`
 *   call                   [P1]
 *
 * [P1] A displaced call pushes the address that the original would have pushed, and jumps.
 *      The callee's frame then returns into the original text, where unwind tables, backtraces
 *      and __fentry__ or mcount (which look at their return address) find what they know; a
 *      call from the copy would put an address on the stack that nothing can unwind. No
 *      register is free: push of the low half, a store to the high one. The price: a return
 *      without a call misses the processor's return predictor, and a shadow stack (CET
 *      SHSTK) would kill the process: refused where the caller says there is one. The call
 *      has to be the last of the instructions that move: it returns behind them.
 *
 * [P2] endbr64 stays, and the patch goes behind it. Where indirect branch tracking is on, an
 *      indirect call must land on one; where it is not, it costs nothing. The jump at the
 *      patch and the one back are direct and need none. What follows it may be anything:
 *      `call __fentry__` (-pg -mfentry) is a call as above; the nops of
 *      -fpatchable-function-entry and `lea 0(%rsp),%rsp` of ms_hook_prologue move like
 *      other instructions (whoever patches them later writes to bytes that do not run; the
 *      same holds for us the other way round: a jump that is already there is moved, and
 *      the two patches chain). Overwriting endbr64 instead was rejected: it would make
 *      functions of 5 to 8 bytes eligible, and processes with tracking crash.
 *
 * [P3] Nothing may enter the first bytes but at their start. The body is decoded to its end
 *      and each direct branch looked at. Jump tables and computed gotos cannot be seen: a
 *      target in the first bytes would have to be a label after one to four bytes of
 *      straight code at the very start. Compilers put a switch's cases after the range check
 *      and the dispatch, which are longer than that; an endbr64 in the first bytes, the mark
 *      of a computed goto, is refused. A `.cold` part is a symbol of its own: see
 *      inv_prologue_scan.
 *
 * [P4] Without a size the end is where control flow ends and no branch so far has gone
 *      further. It may be too near (cases of a switch, cold parts) or too far (a tail call by
 *      jcc, a last call that never returns): too far refuses too much, too near is what the
 *      caller accepts by not knowing. Behind a call that may be the last, bytes that are no
 *      instruction are the end.
 *
 * [P5] A jump back to where the patch is, is a loop, yet would look like a call: refused,
 *      unless the caller's stub tells the two apart, and it can: where the thunk calls the
 *      copy, what comes from the body has the thunk's own return address on the stack, what
 *      calls has another. The stub may compare (the flags are free there, as at any
 *      function's entry) and go straight to the copy. A tail call of the function by itself
 *      is a jump too, and passes for a loop; compilers make loops of most of them anyway.
 *
 * [P6] After a jump or a return that ends before five bytes there may be nops up to the next
 *      aligned instruction. Nothing runs them, and they are taken. Padding behind the
 *      function is not: whether it is padding cannot be told from the bytes.
 *
 * Rejected: a five-byte jump over three bytes of code and two of padding before the function
 * (hot patching): the padding is seldom there. int3 instead of a jump: a signal per call.
 */
#include "preload/prologue.h"

#include <string.h>

#include "preload/x86_decode.h"

#define JMP_BYTES	   5  /* e9 rel32 */
#define JCC_BYTES	   6  /* 0f 8x rel32 */
#define PUSH_ADDRESS_BYTES 13 /* push imm32; movl imm32, 4(%rsp) */
#define LOOP_EXTRA_BYTES   (2 + JMP_BYTES)
/* How far a branch of a function of unknown size may go and still be within it. */
#define EXTENT_MAX (1u << 20)

static bool is_endbr64(const uint8_t *code, size_t limit)
{
	static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};

	return limit >= sizeof(endbr64) && memcmp(code, endbr64, sizeof(endbr64)) == 0;
}

/* Legacy prefixes and REX, without escapes. */
static size_t prefix_bytes(const struct inv_x86_insn *insn, const uint8_t *code)
{
	return insn->opcode_at && code[insn->opcode_at - 1] == 0x0f ? insn->opcode_at - 1u
								    : insn->opcode_at;
}

/* What the instruction takes in the copy. */
static size_t copied_bytes(const struct inv_x86_insn *insn, const uint8_t *code)
{
	switch (insn->kind) {
	case INV_X86_JMP:
		return prefix_bytes(insn, code) + JMP_BYTES;
	case INV_X86_JCC:
		return prefix_bytes(insn, code) + JCC_BYTES;
	case INV_X86_LOOP:
		return insn->length + LOOP_EXTRA_BYTES;
	case INV_X86_CALL:
		return PUSH_ADDRESS_BYTES + JMP_BYTES;
	case INV_X86_CALL_INDIRECT:
		return PUSH_ADDRESS_BYTES + insn->length;
	default:
		return insn->length;
	}
}

/* An indirect call's operand is read after the return address is pushed: not by rsp. */
static bool call_uses_rsp(const struct inv_x86_insn *insn, const uint8_t *code)
{
	uint8_t modrm = code[insn->modrm_at];

	if ((insn->rex & 1) || (modrm & 7) != 4)
		return false;
	return modrm >= 0xc0 || (code[insn->modrm_at + 1] & 7) == 4;
}

static bool is_movable(const struct inv_x86_insn *insn, const uint8_t *code)
{
	if (insn->rip_relative && (insn->prefixes & INV_X86_P_67))
		return false; /* wraps at 4 GB */
	switch (insn->kind) {
	case INV_X86_JMP:
	case INV_X86_JCC: /* widened behind its prefixes, of which there may be many */
		return copied_bytes(insn, code) <= INV_X86_LENGTH_MAX;
	case INV_X86_CALL_INDIRECT:
		return !call_uses_rsp(insn, code) && !(insn->prefixes & INV_X86_P_66);
	case INV_X86_CALL_FAR:
		return false;
	case INV_X86_TRAP:
		return code[insn->opcode_at] != 0xcc; /* a debugger looks where it put it */
	default:
		return !is_endbr64(code, insn->length); /* [P3] */
	}
}

static enum inv_prologue_result check_insn(const struct inv_prologue *plan,
					   const struct inv_prologue_function *function,
					   const struct inv_x86_insn *insn, const uint8_t *code)
{
	if (!is_movable(insn, code))
		return INV_PROLOGUE_IMMOVABLE;
	if (inv_x86_is_call(insn) && function->shadow_stack)
		return INV_PROLOGUE_SHADOW_STACK;
	if (plan->displaced >= INV_PROLOGUE_PATCH_BYTES)
		return INV_PROLOGUE_OK;
	return inv_x86_is_call(insn) ? INV_PROLOGUE_CALL_INSIDE : INV_PROLOGUE_OK;
}

/* Adds an instruction to the map. */
static void add_insn(struct inv_prologue *plan, const struct inv_x86_insn *insn,
		     const uint8_t *code)
{
	size_t bytes = copied_bytes(insn, code);

	plan->displaced = (uint8_t)(plan->displaced + insn->length);
	plan->copy_bytes = (uint8_t)(plan->copy_bytes + bytes);
	plan->insn_count++;
	plan->old_at[plan->insn_count] = (uint8_t)(plan->patch_at + plan->displaced);
	plan->new_at[plan->insn_count] = plan->copy_bytes;
	if (insn->kind == INV_X86_LOOP || inv_x86_is_call(insn))
		plan->one_to_one = false;
}

/* nops, and the int3 that stops speculation behind a return. */
static bool is_padding(const struct inv_x86_insn *insn, const uint8_t *code)
{
	uint8_t opcode = code[insn->opcode_at];

	if (insn->modrm_at)
		return opcode == 0x1f && insn->opcode_at && code[insn->opcode_at - 1] == 0x0f;
	if (insn->opcode_at + 1 != insn->length || (insn->prefixes & INV_X86_P_F3))
		return false;
	return opcode == 0xcc || (opcode == 0x90 && !(insn->rex & 1));
}

/* Behind an instruction that does not go on [P6]. */
static enum inv_prologue_result take_padding(struct inv_prologue *plan, size_t end)
{
	while (plan->displaced < INV_PROLOGUE_PATCH_BYTES) {
		size_t at = (size_t)plan->patch_at + plan->displaced;
		struct inv_x86_insn insn;

		if (inv_x86_decode(&insn, plan->code + at, end - at) != INV_X86_OK ||
		    !is_padding(&insn, plan->code + at))
			return INV_PROLOGUE_ENDS_EARLY;
		plan->displaced = (uint8_t)(plan->displaced + insn.length);
	}
	return INV_PROLOGUE_OK;
}

/* The instructions that make room. `end`: of the function, as an offset. */
static enum inv_prologue_result plan_first_bytes(struct inv_prologue *plan,
						 const struct inv_prologue_function *function,
						 size_t end)
{
	plan->one_to_one = true;
	plan->returns_to_body = true;
	plan->old_at[0] = plan->patch_at;
	while (plan->displaced < INV_PROLOGUE_PATCH_BYTES) {
		size_t at = (size_t)plan->patch_at + plan->displaced;
		const uint8_t *code = function->code + at;
		enum inv_prologue_result result;
		struct inv_x86_insn insn;

		plan->refused_at = at;
		plan->scanned = at;
		if (inv_x86_decode(&insn, code, end - at) != INV_X86_OK)
			return INV_PROLOGUE_UNKNOWN_BYTES;
		add_insn(plan, &insn, code);
		result = check_insn(plan, function, &insn, code);
		if (result != INV_PROLOGUE_OK)
			return result;
		if (inv_x86_ends_flow(&insn) || inv_x86_is_call(&insn)) {
			plan->returns_to_body = false;
			result = take_padding(plan, end);
			if (result != INV_PROLOGUE_OK)
				return result;
		}
	}
	if (plan->returns_to_body)
		plan->copy_bytes = (uint8_t)(plan->copy_bytes + JMP_BYTES);
	plan->scanned = (size_t)plan->patch_at + plan->displaced;
	return INV_PROLOGUE_OK;
}

/* The i-th of the planned instructions, again. */
static void decode_first(const struct inv_prologue *plan, int i, struct inv_x86_insn *insn)
{
	inv_x86_decode(insn, plan->code + plan->old_at[i],
		       (size_t)plan->old_at[i + 1] - plan->old_at[i]);
}

/* The index in the map of a target within the first bytes; -1: none; -2: not a boundary. */
static int index_of_target(const struct inv_prologue *plan, uint64_t target)
{
	uint64_t offset = target - plan->address;

	if (offset >= (uint64_t)plan->patch_at + plan->displaced)
		return -1;
	if (offset == 0)
		return 0;
	for (int i = 0; i < plan->insn_count; i++)
		if (plan->old_at[i] == offset)
			return i;
	return -2;
}

/* Branches among the first bytes: to boundaries only, and calls of the start only. */
static enum inv_prologue_result check_inner_branches(struct inv_prologue *plan)
{
	for (int i = 0; i < plan->insn_count; i++) {
		size_t at = plan->old_at[i];
		struct inv_x86_insn insn;
		int to;

		decode_first(plan, i, &insn);
		if (!inv_x86_is_relative_branch(&insn))
			continue;
		to = index_of_target(plan, inv_x86_target(&insn, plan->address + at));
		if (to == -2 || (to > 0 && insn.kind == INV_X86_CALL)) {
			plan->refused_at = at;
			return INV_PROLOGUE_BRANCH_INTO;
		}
	}
	return INV_PROLOGUE_OK;
}

/* What a branch to `target` means for the first bytes. */
static enum inv_prologue_result check_target(const struct inv_prologue *plan,
					     const struct inv_x86_insn *insn, uint64_t target)
{
	uint64_t offset = target - plan->address;

	if (offset > plan->patch_at && offset < (uint64_t)plan->patch_at + plan->displaced)
		return INV_PROLOGUE_BRANCH_INTO;
	if (offset == plan->patch_at && insn->kind != INV_X86_CALL)
		return INV_PROLOGUE_LOOP;
	return INV_PROLOGUE_OK;
}

/* The furthest that a function of unknown size is known to reach [P4]. */
static size_t further(size_t furthest, const struct inv_x86_insn *insn, size_t at, size_t end)
{
	int64_t to;

	if (!inv_x86_is_relative_branch(insn) || insn->kind == INV_X86_CALL)
		return furthest;
	if (insn->kind == INV_X86_JMP && insn->disp_bytes == 4)
		return furthest;
	to = (int64_t)(at + insn->length) + insn->disp;
	return to > (int64_t)furthest && to < (int64_t)end && to < EXTENT_MAX ? (size_t)to
									      : furthest;
}

/* The furthest branch among the first bytes. */
static size_t first_furthest(const struct inv_prologue *plan, size_t end)
{
	size_t furthest = 0;

	for (int i = 0; i < plan->insn_count; i++) {
		struct inv_x86_insn insn;

		decode_first(plan, i, &insn);
		furthest = further(furthest, &insn, plan->old_at[i], end);
	}
	return furthest;
}

/* Whether what is behind the first bytes is run by going on. */
static bool goes_on(const struct inv_prologue *plan)
{
	struct inv_x86_insn last;

	decode_first(plan, plan->insn_count - 1, &last);
	return !inv_x86_ends_flow(&last);
}

/* One instruction of the body; notes what is to be known of it. */
static enum inv_prologue_result check_body(struct inv_prologue *plan,
					   const struct inv_x86_insn *insn, bool loops_told)
{
	uint64_t target = inv_x86_target(insn, plan->address + plan->scanned);
	enum inv_prologue_result result;

	plan->indirect_jumps |= insn->kind == INV_X86_JMP_INDIRECT;
	if (!inv_x86_is_relative_branch(insn))
		return INV_PROLOGUE_OK;
	result = check_target(plan, insn, target);
	plan->loops |= result == INV_PROLOGUE_LOOP;
	return result == INV_PROLOGUE_LOOP && loops_told ? INV_PROLOGUE_OK : result;
}

/* All of the function behind the first bytes [P3]. */
static enum inv_prologue_result scan_body(struct inv_prologue *plan, size_t end, bool size_known,
					  bool loops_told)
{
	size_t furthest = size_known ? end : first_furthest(plan, end);
	struct inv_x86_insn insn = {.kind = INV_X86_PLAIN};
	bool more = size_known || goes_on(plan) || plan->scanned <= furthest;

	while (more && plan->scanned < end) {
		size_t at = plan->scanned;
		bool may_be_behind = inv_x86_is_call(&insn) && at > furthest;
		enum inv_prologue_result result;

		plan->refused_at = at;
		if (inv_x86_decode(&insn, plan->code + at, end - at) != INV_X86_OK)
			return may_be_behind ? INV_PROLOGUE_OK : INV_PROLOGUE_UNKNOWN_BYTES;
		result = check_body(plan, &insn, loops_told);
		if (result != INV_PROLOGUE_OK)
			return result;
		plan->scanned = at + insn.length;
		if (size_known)
			continue;
		furthest = further(furthest, &insn, at, end);
		more = !inv_x86_ends_flow(&insn) || plan->scanned <= furthest;
	}
	return INV_PROLOGUE_OK;
}

enum inv_prologue_result inv_prologue_plan(struct inv_prologue *out,
					   const struct inv_prologue_function *function)
{
	bool size_known = function->size != 0;
	size_t end =
		size_known && function->size < function->limit ? function->size : function->limit;
	enum inv_prologue_result result;

	memset(out, 0, sizeof(*out));
	out->code = function->code;
	out->address = function->address;
	if (is_endbr64(function->code, end))
		out->patch_at = 4;
	if (end < (size_t)out->patch_at + INV_PROLOGUE_PATCH_BYTES)
		return INV_PROLOGUE_TOO_SHORT;
	result = plan_first_bytes(out, function, end);
	if (result == INV_PROLOGUE_OK)
		result = check_inner_branches(out);
	if (result == INV_PROLOGUE_OK)
		result = scan_body(out, end, size_known, function->loops_told);
	if (result == INV_PROLOGUE_OK)
		out->refused_at = 0;
	return result;
}

enum inv_prologue_result inv_prologue_scan(const struct inv_prologue *plan, const uint8_t *code,
					   size_t bytes, uintptr_t address)
{
	for (size_t at = 0; at < bytes;) {
		enum inv_prologue_result result;
		struct inv_x86_insn insn;

		if (inv_x86_decode(&insn, code + at, bytes - at) != INV_X86_OK)
			return INV_PROLOGUE_UNKNOWN_BYTES;
		if (inv_x86_is_relative_branch(&insn)) {
			uint64_t target = inv_x86_target(&insn, address + at);

			result = check_target(plan, &insn, target);
			if (result != INV_PROLOGUE_OK && target != plan->address)
				return result;
		}
		at += insn.length;
	}
	return INV_PROLOGUE_OK;
}

/* ---- the copy ---- */

struct writer {
	uint8_t *out;
	size_t at;
	uintptr_t destination;
	bool out_of_range;
};

static void put(struct writer *w, const void *bytes, size_t count)
{
	memcpy(w->out + w->at, bytes, count);
	w->at += count;
}

static void put_byte(struct writer *w, uint8_t byte)
{
	put(w, &byte, 1);
}

/* The distance to `target` from the end of an instruction: of out[at], 4 bytes + trailing. */
static void set_rel32(struct writer *w, size_t at, size_t trailing, uint64_t target)
{
	int64_t distance = (int64_t)(target - (w->destination + at + 4 + trailing));
	int32_t narrow = (int32_t)distance;

	if (narrow != distance)
		w->out_of_range = true;
	memcpy(w->out + at, &narrow, sizeof(narrow));
}

static void put_rel32(struct writer *w, uint64_t target)
{
	set_rel32(w, w->at, 0, target);
	w->at += 4;
}

static void put_jmp(struct writer *w, uint64_t target)
{
	put_byte(w, 0xe9);
	put_rel32(w, target);
}

/* [P1] Flags and registers stay. */
static void put_push_address(struct writer *w, uint64_t address)
{
	static const uint8_t store_high[] = {0xc7, 0x44, 0x24, 0x04};
	uint32_t low = (uint32_t)address;
	uint32_t high = (uint32_t)(address >> 32);

	put_byte(w, 0x68);
	put(w, &low, sizeof(low));
	put(w, store_high, sizeof(store_high));
	put(w, &high, sizeof(high));
}

/* As it is, but for the displacement of an operand that counts from here. */
static void put_same(struct writer *w, const struct inv_x86_insn *insn, const uint8_t *code,
		     uint64_t target)
{
	size_t start = w->at;

	put(w, code, insn->length);
	if (insn->disp_bytes)
		set_rel32(w, start + insn->disp_at, insn->length - insn->disp_at - 4u, target);
}

static void put_branch(struct writer *w, const struct inv_x86_insn *insn, const uint8_t *code,
		       uint64_t target)
{
	put(w, code, prefix_bytes(insn, code));
	if (insn->kind == INV_X86_JCC) {
		put_byte(w, 0x0f);
		put_byte(w, 0x80 | (code[insn->opcode_at] & 0x0f));
	} else {
		put_byte(w, 0xe9);
	}
	put_rel32(w, target);
}

static void put_loop(struct writer *w, const struct inv_x86_insn *insn, const uint8_t *code,
		     uint64_t target)
{
	put(w, code, insn->length - 1u);
	put_byte(w, 2); /* taken: over the short jump */
	put_byte(w, 0xeb);
	put_byte(w, JMP_BYTES);
	put_jmp(w, target);
}

/* FF /2 is a call, /4 a jump. */
static void put_indirect_call(struct writer *w, const struct inv_x86_insn *insn,
			      const uint8_t *code, uint64_t next, uint64_t target)
{
	size_t modrm;

	put_push_address(w, next);
	modrm = w->at + insn->modrm_at;
	put_same(w, insn, code, target);
	w->out[modrm] = (uint8_t)((w->out[modrm] & ~0x38) | 4 << 3);
}

static void put_insn(struct writer *w, const struct inv_prologue *plan, int i)
{
	const uint8_t *code = plan->code + plan->old_at[i];
	uint64_t next = plan->address + plan->old_at[i + 1];
	struct inv_x86_insn insn;
	uint64_t target;
	int inner;

	decode_first(plan, i, &insn);
	target = next + (uint64_t)(int64_t)insn.disp;
	inner = index_of_target(plan, target);
	if (inner >= 0 && inv_x86_is_relative_branch(&insn) && insn.kind != INV_X86_CALL)
		target = w->destination + plan->new_at[inner];
	switch (insn.kind) {
	case INV_X86_JMP:
	case INV_X86_JCC:
		put_branch(w, &insn, code, target);
		break;
	case INV_X86_LOOP:
		put_loop(w, &insn, code, target);
		break;
	case INV_X86_CALL:
		put_push_address(w, next);
		put_jmp(w, target);
		break;
	case INV_X86_CALL_INDIRECT:
		put_indirect_call(w, &insn, code, next, target);
		break;
	default:
		put_same(w, &insn, code, target);
	}
}

enum inv_prologue_result inv_prologue_emit(const struct inv_prologue *plan, uintptr_t destination,
					   uint8_t *out)
{
	struct writer w = {.out = out, .destination = destination};

	for (int i = 0; i < plan->insn_count; i++)
		put_insn(&w, plan, i);
	if (plan->returns_to_body)
		put_jmp(&w, plan->address + plan->patch_at + plan->displaced);
	return w.out_of_range ? INV_PROLOGUE_OUT_OF_RANGE : INV_PROLOGUE_OK;
}

static bool goes_into(const uint8_t *p, uintptr_t at, uintptr_t first, uintptr_t end)
{
	size_t opcode = p[0] == 0xe8 || p[0] == 0xe9		? 1
			: p[0] == 0x0f && (p[1] & 0xf0) == 0x80 ? 2
								: 0;
	int32_t distance;
	if (__builtin_expect(!opcode, 1))
		return false;
	memcpy(&distance, p + opcode, sizeof(distance));
	uintptr_t to = at + opcode + sizeof(distance) + (uintptr_t)(intptr_t)distance;
	return to > first && to < end;
}

bool inv_prologue_is_entered(const struct inv_prologue *plan, const uint8_t *text, size_t bytes,
			     uintptr_t address)
{
	uintptr_t first = plan->address + plan->patch_at;
	for (size_t i = 0; i + JCC_BYTES < bytes; i++)
		if (goes_into(text + i, address + i, first, first + plan->displaced))
			return true;
	return false;
}

const char *inv_prologue_reason(enum inv_prologue_result result)
{
	static const char *const words[INV_PROLOGUE_RESULTS] = {
		[INV_PROLOGUE_OK] = "ok",
		[INV_PROLOGUE_TOO_SHORT] = "too short for a jump",
		[INV_PROLOGUE_ENDS_EARLY] = "returns or jumps away within its first bytes",
		[INV_PROLOGUE_IMMOVABLE] = "an instruction that cannot be moved",
		[INV_PROLOGUE_CALL_INSIDE] = "a call within its first bytes",
		[INV_PROLOGUE_SHADOW_STACK] = "a call in its first bytes, under a shadow stack",
		[INV_PROLOGUE_BRANCH_INTO] = "branches into its first bytes",
		[INV_PROLOGUE_LOOP] = "loops to its start",
		[INV_PROLOGUE_UNKNOWN_BYTES] = "bytes that are no known instruction",
		[INV_PROLOGUE_OUT_OF_RANGE] = "over 2 GB away",
	};

	return (unsigned)result < INV_PROLOGUE_RESULTS ? words[result] : "unknown";
}
