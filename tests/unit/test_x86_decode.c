/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "preload/x86_decode.h"

/* Bytes that end where memory ends: reading one too many is a crash. */
static const uint8_t *at_the_edge(const char *hex, size_t *count)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	static uint8_t *pages;
	uint8_t bytes[32];
	size_t n = 0;

	if (!pages) {
		pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
		cr_assert_neq(pages, MAP_FAILED);
		cr_assert_eq(mprotect(pages + page, page, PROT_NONE), 0);
	}
	for (unsigned value, used; sscanf(hex, "%2x %n", &value, &used) == 1; hex += used)
		bytes[n++] = (uint8_t)value;
	memcpy(pages + page - n, bytes, n);
	*count = n;
	return pages + page - n;
}

static struct inv_x86_insn decoded(const char *hex)
{
	struct inv_x86_insn insn;
	size_t count;
	const uint8_t *bytes = at_the_edge(hex, &count);

	cr_assert_eq(inv_x86_decode(&insn, bytes, count), INV_X86_OK, "%s", hex);
	return insn;
}

static enum inv_x86_result result_of(const char *hex)
{
	struct inv_x86_insn insn;
	size_t count;
	const uint8_t *bytes = at_the_edge(hex, &count);
	enum inv_x86_result result = inv_x86_decode(&insn, bytes, count);

	if (result != INV_X86_OK)
		cr_expect_eq(insn.length, 0, "%s", hex);
	return result;
}

/* Each is one instruction, from its first byte to its last. */
static const char *const whole[] = {
	/* general */
	"90",
	"55",
	"c3",
	"c2 08 00",
	"48 89 e5",
	"48 83 ec 10",
	"48 81 ec 00 01 00 00",
	"8b 05 01 02 03 04",
	"48 8d 0d 01 02 03 04",
	"8b 44 24 08",
	"8b 84 24 00 01 00 00",
	"8b 04 25 00 00 00 00",
	"8b 04 24",
	"41 8b 45 00",
	"43 8b 04 28",
	"b8 01 00 00 00",
	"66 b8 01 00",
	"48 b8 01 02 03 04 05 06 07 08",
	"b0 01",
	"68 01 02 03 04",
	"66 68 01 02",
	"6a 01",
	"6b c0 07",
	"69 c0 01 02 03 04",
	"66 69 c0 01 02",
	"c8 10 00 00",
	"c9",
	"a1 01 02 03 04 05 06 07 08",
	"67 a1 01 02 03 04",
	"f6 c1 01",
	"f6 d1",
	"f7 c1 01 02 03 04",
	"66 f7 c1 01 02",
	"48 f7 c1 01 02 03 04",
	"f7 d9",
	"c7 05 01 02 03 04 05 06 07 08",
	"66 c7 05 01 02 03 04 05 06",
	"c6 00 01",
	"8f 00",
	"f0 48 0f b1 0f",
	"f0 ff 00",
	"f3 a4",
	"f3 48 ab",
	"63 c7",
	"0f b6 c0",
	"0f af c1",
	"0f a2",
	"0f 05",
	"f3 90",
	"cd 80",
	"0f ba e0 03",
	"0f a4 c2 04",
	"0f c7 f0",
	"0f 38 f0 07",
	"f2 48 0f 38 f1 c7",
	"64 48 8b 04 25 28 00 00 00",
	"0f 20 c0",
	"0f 22 d8",
	/* nops, endbr */
	"f3 0f 1e fa",
	"f3 0f 1e fb",
	"0f 1f 44 00 00",
	"66 0f 1f 84 00 00 00 00 00",
	"66 66 2e 0f 1f 84 00 00 00 00 00",
	"48 8d a4 24 00 00 00 00",
	"f3 48 0f 1e c8",
	/* x87, mmx, sse */
	"d9 e8",
	"dd 44 24 08",
	"d8 c1",
	"db e3",
	"df e0",
	"0f 6f c1",
	"0f 77",
	"0f 0f c1 9e",
	"0f 10 05 01 02 03 04",
	"f2 0f 10 05 01 02 03 04",
	"66 0f 3a 0f c1 08",
	"66 0f 38 00 c1",
	"66 0f 70 c1 1b",
	"66 0f 73 d8 08",
	"0f c6 c1 00",
	"0f ae e8",
	"0f ae 10",
	"f3 0f ae e8",
	"66 0f 38 dc c1",
	"0f 38 c8 c1",
	"0f 3a cc c1 00",
	"66 0f 3a 44 c1 00",
	"66 0f 78 c1 01 02",
	"f2 0f 78 c1 01 02",
	"f3 0f b8 c1",
	"0f 01 d0",
	"0f 01 f9",
	/* vex: avx, avx2, bmi, fma, masks, tiles; xop */
	"c5 f8 77",
	"c5 f8 10 05 01 02 03 04",
	"c5 fd 70 c1 1b",
	"c4 e2 7d 18 05 01 02 03 04",
	"c4 e3 7d 06 c1 31",
	"c4 e2 71 b8 c2",
	"c4 e2 f0 f2 c2",
	"c4 e3 fb f0 c1 05",
	"c4 e2 79 92 04 08",
	"c5 f8 92 c1",
	"c4 e3 79 32 c1 02",
	"c4 e2 78 49 c0",
	"c4 e3 71 4a c2 30",
	"8f e8 78 c0 c1 05",
	"8f e9 78 01 c9",
	"8f ea 78 10 c1 01 02 03 04",
	/* evex */
	"62 f1 7c 48 10 05 01 02 03 04",
	"62 f1 7c 48 10 40 01",
	"62 f3 fd 48 00 c1 1b",
	"62 f2 7d 49 90 04 08",
	"62 f1 fd 48 6f 44 24 01",
	"62 f5 7c 48 58 c1",
	"62 f6 7d 48 98 c1",
	"62 f1 7d 48 72 e1 03",
	/* branches */
	"eb fe",
	"e9 01 02 03 04",
	"74 05",
	"0f 84 01 02 03 04",
	"e8 01 02 03 04",
	"66 66 48 e8 01 02 03 04",
	"e3 02",
	"67 e3 02",
	"e2 fe",
	"c7 f8 01 02 03 04",
	"c6 f8 01",
	"ff e0",
	"3e ff e0",
	"ff 25 01 02 03 04",
	"f2 ff 25 01 02 03 04",
	"ff d0",
	"ff 15 01 02 03 04",
	"41 ff 54 24 08",
	"0f 0b",
	"0f b9 c0",
	"cc",
	"f4",
	"f2 c3",
	"48 cf",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Test(x86_decode, the_length_of_every_class_of_instruction_is_known)
{
	for (size_t i = 0; i < COUNT(whole); i++)
		cr_expect_eq(decoded(whole[i]).length, (strlen(whole[i]) + 1) / 3, "%s", whole[i]);
}

Test(x86_decode, every_beginning_of_an_instruction_is_cut_and_not_read_beyond)
{
	for (size_t i = 0; i < COUNT(whole); i++) {
		char hex[64];

		snprintf(hex, sizeof(hex), "%s", whole[i]);
		for (size_t length = strlen(hex); length > 2; length -= 3) {
			struct inv_x86_insn insn;
			enum inv_x86_result result;
			size_t count;
			const uint8_t *bytes;

			hex[length - 3] = '\0';
			bytes = at_the_edge(hex, &count);
			result = inv_x86_decode(&insn, bytes, count);
			cr_expect(result == INV_X86_CUT, "%s: %d", hex, result);
		}
	}
}

Test(x86_decode, what_follows_an_instruction_does_not_matter)
{
	for (size_t i = 0; i < COUNT(whole); i++) {
		char hex[96];

		snprintf(hex, sizeof(hex), "%s ff ff ff ff", whole[i]);
		cr_expect_eq(decoded(hex).length, (strlen(whole[i]) + 1) / 3, "%s", hex);
	}
}

static const char *const undefined[] = {
	"06 90",
	"0e",
	"16",
	"1f 90",
	"27",
	"2f",
	"37",
	"3f",
	"60",
	"61",
	"82 c0 01",
	"9a 01 02 03 04 05 06",
	"ce",
	"d4 0a",
	"d6",
	"ea 01 02 03 04 05 06",
	"d5 00 90 90" /* REX2 */,
	"0f 04",
	"0f 0a",
	"0f 0c",
	"0f 24 c0",
	"0f 36",
	"0f 7a c0",
	"0f 38 0c c0",
	"0f 38 ff c0",
	"0f 3a 00 c0 01",
	"ff f8" /* /7 */,
	"fe d0",
	"8f e0",
	"8f 20",
	"c6 c8 01",
	"c7 c8 01 02 03 04",
	"8d c0" /* lea of a register */,
	"8e c8" /* mov cs */,
	"8c f0",
	"0f 00 f0",
	"0f 01 c6",
	"0f 20 c8" /* cr1 */,
	"0f c7 c0",
	"66 0f 71 c0 01",
	"0f ba c0 01",
	"d9 d1",
	"d9 08",
	"db 20",
	"0f 0f c1 00" /* no 3DNow! */,
	"66 0f 12 c1",
	"f0 90" /* lock */,
	"f0 01 c8",
	"f0 8b 00",
	"f0 0f ba 20 01",
	"f0 80 38 01",
	"c4 e0 78 10 c0" /* map 0 */,
	"c4 e4 78 10 c0",
	"c5 f8 04 c0",
	"66 c5 f8 10 c0",
	"48 c5 f8 10 c0",
	"c5 fb 77",
	"c4 e2 79 92 c1" /* gather of a register */,
	"c4 e2 79 92 00",
	"62 f8 7c 48 10 c0",
	"62 f4 7c 48 10 c0" /* APX */,
	"62 f1 78 48 10 c0",
	"62 f1 7c c8 10 c0" /* zeroing, no mask */,
	"62 f1 7c 68 10 00" /* L = 3 */,
	"8f eb 78 10 c0 01",
	"8f e8 78 00 c0 05",
};

Test(x86_decode, undefined_bytes_are_refused)
{
	for (size_t i = 0; i < COUNT(undefined); i++)
		cr_expect_eq(result_of(undefined[i]), INV_X86_UNKNOWN, "%s", undefined[i]);
}

Test(x86_decode, a_branch_with_16_bit_operands_is_refused_as_makers_differ)
{
	cr_expect_eq(result_of("66 e8 01 02 03 04"), INV_X86_UNKNOWN);
	cr_expect_eq(result_of("66 e9 01 02 03 04"), INV_X86_UNKNOWN);
	cr_expect_eq(result_of("66 0f 84 01 02 03 04"), INV_X86_UNKNOWN);
	cr_expect_eq(result_of("66 eb 01"), INV_X86_UNKNOWN);
	cr_expect_eq(result_of("66 c7 f8 01 02 03 04"), INV_X86_UNKNOWN);
	cr_expect_eq(result_of("66 48 e8 01 02 03 04"), INV_X86_OK);
}

Test(x86_decode, fifteen_bytes_are_an_instruction_and_sixteen_are_none)
{
	cr_expect_eq(result_of("2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 90"), INV_X86_OK);
	cr_expect_eq(result_of("2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 90"), INV_X86_UNKNOWN);
	cr_expect_eq(result_of("2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e b8 01 02 03 04"), INV_X86_UNKNOWN);
	cr_expect_eq(result_of("2e 2e 2e"), INV_X86_CUT);
}

Test(x86_decode, rex_counts_only_directly_before_the_opcode)
{
	cr_expect_eq(decoded("48 b8 01 02 03 04 05 06 07 08").length, 10);
	cr_expect_eq(decoded("48 3e b8 01 02 03 04").length, 7);
	cr_expect_eq(decoded("48 3e b8 01 02 03 04").rex, 0);
	cr_expect_eq(decoded("40 48 b8 01 02 03 04 05 06 07 08").rex, 0x48);
}

Test(x86_decode, rip_relative_operands_are_found_with_what_they_mean)
{
	struct inv_x86_insn insn = decoded("c7 05 f0 ff ff ff 05 06 07 08");

	cr_expect(insn.rip_relative);
	cr_expect_eq(insn.disp_at, 2);
	cr_expect_eq(insn.disp_bytes, 4);
	cr_expect_eq(insn.disp, -16);
	cr_expect_eq(inv_x86_target(&insn, 0x1000), 0x1000 + 10 - 16);
	cr_expect(decoded("62 f1 7c 48 10 05 01 02 03 04").rip_relative);
	cr_expect(decoded("c5 f8 10 05 01 02 03 04").rip_relative);
	cr_expect(decoded("41 8b 05 01 02 03 04").rip_relative);
	cr_expect_not(decoded("8b 04 25 01 02 03 04").rip_relative);
	cr_expect_not(decoded("8b 45 05").rip_relative);
	cr_expect_not(decoded("0f 20 05").rip_relative, "mov of a control register");
}

Test(x86_decode, branches_are_told_by_kind_and_target)
{
	static const struct {
		const char *hex;
		enum inv_x86_kind kind;
		uint64_t target; /* from 0x1000; 0: none */
	} branches[] = {
		{"eb fe", INV_X86_JMP, 0x1000},
		{"e9 00 01 00 00", INV_X86_JMP, 0x1105},
		{"75 80", INV_X86_JCC, 0x1002 - 0x80},
		{"0f 8f 00 00 00 80", INV_X86_JCC, 0x1006 - 0x80000000ull},
		{"2e 74 10", INV_X86_JCC, 0x1013},
		{"e8 00 00 00 00", INV_X86_CALL, 0x1005},
		{"e0 00", INV_X86_LOOP, 0x1002},
		{"67 e3 00", INV_X86_LOOP, 0x1003},
		{"c7 f8 10 00 00 00", INV_X86_XBEGIN, 0x1016},
		{"3e ff e0", INV_X86_JMP_INDIRECT, 0},
		{"ff 2c 24", INV_X86_JMP_INDIRECT, 0},
		{"41 ff d3", INV_X86_CALL_INDIRECT, 0},
		{"ff 1c 24", INV_X86_CALL_FAR, 0},
		{"f3 c3", INV_X86_RET, 0},
		{"c2 08 00", INV_X86_RET, 0},
		{"48 cb", INV_X86_RET, 0},
		{"0f 0b", INV_X86_TRAP, 0},
		{"cc", INV_X86_TRAP, 0},
		{"f4", INV_X86_TRAP, 0},
		{"0f 05", INV_X86_PLAIN, 0},
		{"0f 01 d5", INV_X86_PLAIN, 0},
	};

	for (size_t i = 0; i < COUNT(branches); i++) {
		struct inv_x86_insn insn = decoded(branches[i].hex);

		cr_expect_eq(insn.kind, branches[i].kind, "%s", branches[i].hex);
		cr_expect_eq(insn.disp_bytes != 0, branches[i].target != 0, "%s", branches[i].hex);
		if (branches[i].target)
			cr_expect_eq(inv_x86_target(&insn, 0x1000), branches[i].target, "%s",
				     branches[i].hex);
	}
}

Test(x86_decode, what_ends_flow_and_what_calls)
{
	struct inv_x86_insn jmp = decoded("eb fe"), jcc = decoded("74 00"), ret = decoded("c3");
	struct inv_x86_insn call = decoded("ff d0"), trap = decoded("0f 0b");

	cr_expect(inv_x86_ends_flow(&jmp) && inv_x86_ends_flow(&ret) && inv_x86_ends_flow(&trap));
	cr_expect_not(inv_x86_ends_flow(&jcc) || inv_x86_ends_flow(&call));
	cr_expect(inv_x86_is_call(&call));
	cr_expect_not(inv_x86_is_call(&jmp) || inv_x86_is_call(&jcc));
}

Test(x86_decode, prefixes_are_noted_and_the_last_repeat_counts)
{
	cr_expect_eq(decoded("f2 f3 0f 10 c1").prefixes, INV_X86_P_F3);
	cr_expect_eq(decoded("66 f2 0f 10 c1").prefixes, INV_X86_P_66 | INV_X86_P_F2);
	cr_expect_eq(decoded("3e ff e0").prefixes, INV_X86_P_SEGMENT);
	cr_expect_eq(decoded("f0 48 0f b1 0f").prefixes, INV_X86_P_LOCK | INV_X86_P_REX);
	cr_expect_eq(decoded("c5 f8 77").prefixes, INV_X86_P_VEX);
	cr_expect_eq(decoded("67 62 f1 7c 48 10 c0").prefixes, INV_X86_P_EVEX | INV_X86_P_67);
	cr_expect_eq(decoded("8f e8 78 c0 c1 05").prefixes, INV_X86_P_XOP);
}
