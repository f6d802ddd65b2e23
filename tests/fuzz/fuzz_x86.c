/* SPDX-License-Identifier: MIT */
/*
 * fuzz_x86.c - any bytes as a function: decoded, planned to be moved, moved.
 *
 * What an instruction means is compared with Zydis elsewhere (tests/decode); here: nothing
 * beyond the bytes is read, an answer is in its bounds, and a copy is whole instructions.
 *
 *   input = size u8, flags u8, where the copy goes i32, then the code
 */
#include "fuzz.h"

#include "preload/prologue.h"
#include "preload/x86_decode.h"

#define ADDRESS UINT64_C(0x555555554000)

static void check_insn(const struct inv_x86_insn *insn, size_t limit)
{
	FUZZ_REQUIRE(insn->length >= 1 && insn->length <= INV_X86_LENGTH_MAX);
	FUZZ_REQUIRE(insn->length <= limit && insn->kind < INV_X86_KINDS);
	FUZZ_REQUIRE(insn->opcode_at < insn->length && insn->modrm_at < insn->length);
	FUZZ_REQUIRE(insn->disp_at + insn->disp_bytes <= insn->length);
	FUZZ_REQUIRE(insn->disp_bytes == 0 || insn->disp_bytes == 1 || insn->disp_bytes == 4);
	FUZZ_REQUIRE(!inv_x86_is_relative_branch(insn) || insn->disp_bytes);
}

/* Fewer bytes than it takes are never another instruction, more change nothing. */
static void check_limits(const uint8_t *code, size_t limit, const struct inv_x86_insn *insn)
{
	struct inv_x86_insn other;
	for (size_t n = 0; n < insn->length; n++) {
		FUZZ_REQUIRE(inv_x86_decode(&other, code, n) != INV_X86_OK);
		FUZZ_REQUIRE(other.length == 0);
	}
	FUZZ_REQUIRE(inv_x86_decode(&other, code, insn->length) == INV_X86_OK);
	FUZZ_REQUIRE(!memcmp(&other, insn, sizeof(other)) || limit < insn->length);
}

static void decode_all(const uint8_t *code, size_t size)
{
	for (size_t at = 0; at < size;) {
		struct inv_x86_insn insn;
		if (inv_x86_decode(&insn, code + at, size - at) != INV_X86_OK) {
			FUZZ_REQUIRE(insn.length == 0);
			at++;
			continue;
		}
		check_insn(&insn, size - at);
		check_limits(code + at, size - at, &insn);
		at += insn.length;
	}
}

static void check_plan(const struct inv_prologue *plan, size_t limit)
{
	FUZZ_REQUIRE(plan->patch_at == 0 || plan->patch_at == 4);
	FUZZ_REQUIRE(plan->displaced >= INV_PROLOGUE_PATCH_BYTES);
	FUZZ_REQUIRE((size_t)plan->patch_at + plan->displaced <= limit);
	FUZZ_REQUIRE(plan->insn_count >= 1 && plan->insn_count <= INV_PROLOGUE_INSNS_MAX);
	FUZZ_REQUIRE(plan->copy_bytes >= 1 && plan->copy_bytes <= INV_PROLOGUE_COPY_MAX);
	for (unsigned i = 0; i < plan->insn_count; i++) {
		FUZZ_REQUIRE(plan->old_at[i] < plan->old_at[i + 1]);
		FUZZ_REQUIRE(plan->new_at[i] < plan->new_at[i + 1]);
	}
	unsigned end = plan->patch_at + plan->displaced; /* padding behind a jump is taken too */
	FUZZ_REQUIRE(plan->returns_to_body ? plan->old_at[plan->insn_count] == end
					   : plan->old_at[plan->insn_count] <= end);
	FUZZ_REQUIRE(plan->new_at[plan->insn_count] <= plan->copy_bytes);
}

/* The first instruction of each pair of the map, in the copy. */
static void check_copy(const struct inv_prologue *plan, const uint8_t *copy)
{
	struct inv_x86_insn insn;
	for (unsigned i = 0; i < plan->insn_count; i++) {
		size_t at = plan->new_at[i];
		FUZZ_REQUIRE(inv_x86_decode(&insn, copy + at, plan->copy_bytes - at) == INV_X86_OK);
	}
}

static void move(const uint8_t *code, size_t limit, size_t size, unsigned flags, int32_t where)
{
	struct inv_prologue_function function = {.code = code,
						 .address = ADDRESS,
						 .size = size,
						 .limit = limit,
						 .shadow_stack = flags & 1,
						 .loops_told = flags & 2};
	struct inv_prologue plan;
	enum inv_prologue_result result = inv_prologue_plan(&plan, &function);
	FUZZ_REQUIRE(result < INV_PROLOGUE_RESULTS && result != INV_PROLOGUE_OUT_OF_RANGE);
	FUZZ_REQUIRE(inv_prologue_reason(result));
	FUZZ_REQUIRE(plan.scanned <= limit);
	if (result != INV_PROLOGUE_OK) {
		FUZZ_REQUIRE(plan.refused_at <= limit);
		return;
	}
	check_plan(&plan, limit);
	uint8_t *copy = malloc(plan.copy_bytes);
	FUZZ_REQUIRE(copy);
	if (inv_prologue_emit(&plan, ADDRESS + (uint64_t)(int64_t)where, copy) == INV_PROLOGUE_OK)
		check_copy(&plan, copy);
	free(copy);
	inv_prologue_scan(&plan, code, limit, ADDRESS + (uint64_t)(int64_t)where);
	inv_prologue_is_entered(&plan, code, limit, ADDRESS + (uint64_t)(int64_t)where);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int32_t where;
	if (size < 7)
		return 0;
	memcpy(&where, data + 2, sizeof(where));
	size_t limit = size - 6;
	uint8_t *code = malloc(limit);
	FUZZ_REQUIRE(code);
	memcpy(code, data + 6, limit);
	decode_all(code, limit);
	move(code, limit, data[0] <= limit ? data[0] : 0, data[1], where);
	free(code);
	return 0;
}
