/* SPDX-License-Identifier: MIT */
/*
 * x86_decode.c - a length decoder for x86-64, 64-bit mode.
 *
 * How an instruction is put together, and which function reads it:
 *
 *   legacy prefixes    66 67 F2 F3 F0 and the segments, in any order            take_prefixes
 *   REX 40..4F         only directly before the opcode; else it has no effect
 *   escape             none, 0F, 0F 38 or 0F 3A; or a VEX (C5, C4), EVEX (62)   take_opcode
 *                      or XOP (8F with a map from 8 on) prefix, which hold the
 *                      opcode's map and mandatory prefix in bit fields
 *   opcode             one byte, looked up in one of the maps (x86_opcodes.h)
 *   ModRM, SIB, disp   an operand in memory or a register                       take_modrm
 *   immediate          0, 1, 2, 3, 4 or 8 bytes                                 take_rest
 *
 * The bytes are first copied to a buffer with zeros behind, so that nothing needs to ask
 * whether there is one more; what was used is compared with what was there at the end.
 *
 * [X1] What is refused although some processor runs it: 66 with a near branch and no REX.W
 *      (Intel ignores it, AMD then takes 16 bits: the length is not the same); REX2 and the
 *      EVEX maps and bits of APX; Knights Corner; MPX; aliases of x87 instructions that
 *      no assembler makes. What is accepted though no processor runs it: a VEX, EVEX or XOP
 *      instruction whose vvvv, W, L or mask no version of that opcode allows; its length
 *      does not depend on them. Compilers make neither.
 *
 * Rejected: a general disassembler linked into the shim (Debian's is shared only, 600 KB);
 * guessing the length of opcodes that are not known (data in the text would pass for code).
 */
#include "preload/x86_decode.h"

#include <string.h>

#include "preload/x86_opcodes.h"

/* Prefixes up to 15, then EVEX and opcode 5, ModRM, SIB, displacement, immediate 14. */
#define BUFFER_BYTES (INV_X86_LENGTH_MAX + 19)

struct scan {
	uint8_t bytes[BUFFER_BYTES];
	uint8_t at;	/* bytes used */
	uint8_t map;	/* enum inv_x86_map */
	uint8_t opcode; /* */
	uint8_t pp;	/* INV_X86_PP_ */
	uint8_t modrm;	/* */
	bool w;		/* 64-bit operands */
	bool evex_masked;
	bool evex_zeroing;
	bool evex_b;
	uint8_t evex_l;
};

/* Returns: whether the byte is a legacy prefix; it is then noted. */
static bool note_prefix(struct inv_x86_insn *insn, uint8_t byte)
{
	unsigned drop = 0;
	unsigned add;

	switch (byte) {
	case 0x66:
		add = INV_X86_P_66;
		break;
	case 0x67:
		add = INV_X86_P_67;
		break;
	case 0xf0:
		add = INV_X86_P_LOCK;
		break;
	case 0xf2:
		drop = INV_X86_P_F3;
		add = INV_X86_P_F2;
		break;
	case 0xf3:
		drop = INV_X86_P_F2;
		add = INV_X86_P_F3;
		break;
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
		add = INV_X86_P_SEGMENT;
		break;
	default:
		return false;
	}
	insn->prefixes = (uint16_t)((insn->prefixes & ~drop) | add);
	insn->rex = 0;
	return true;
}

static void take_prefixes(struct scan *s, struct inv_x86_insn *insn)
{
	for (; s->at < INV_X86_LENGTH_MAX; s->at++) {
		uint8_t byte = s->bytes[s->at];

		if ((byte & 0xf0) == 0x40)
			insn->rex = byte;
		else if (!note_prefix(insn, byte))
			break;
	}
	if (insn->rex)
		insn->prefixes |= INV_X86_P_REX;
	s->w = insn->rex & 8;
	s->pp = insn->prefixes & INV_X86_P_F3	? INV_X86_PP_F3
		: insn->prefixes & INV_X86_P_F2 ? INV_X86_PP_F2
		: insn->prefixes & INV_X86_P_66 ? INV_X86_PP_66
						: INV_X86_PP_NONE;
}

/* VEX, EVEX and XOP take the place of these. */
#define NOT_BEFORE_VECTOR                                                                          \
	(INV_X86_P_66 | INV_X86_P_F2 | INV_X86_P_F3 | INV_X86_P_LOCK | INV_X86_P_REX)

/* The last byte of a VEX or XOP prefix, and EVEX's second: W vvvv L pp. */
static void take_vector_fields(struct scan *s, uint8_t fields)
{
	s->w = fields & 0x80;
	s->pp = (uint8_t)(1u << (fields & 3));
}

static bool take_vex(struct scan *s, struct inv_x86_insn *insn)
{
	const uint8_t *prefix = s->bytes + s->at;
	unsigned map = prefix[0] == 0xc5 ? 1 : prefix[1] & 0x1f;

	insn->prefixes |= prefix[0] == 0x8f ? INV_X86_P_XOP : INV_X86_P_VEX;
	take_vector_fields(s, prefix[0] == 0xc5 ? prefix[1] & 0x7f : prefix[2]);
	s->at += prefix[0] == 0xc5 ? 2 : 3;
	if (prefix[0] == 0x8f)
		s->map = (uint8_t)(INV_X86_MAP_XOP8 + map - 8);
	else
		s->map = (uint8_t)(INV_X86_MAP_VEX + map);
	return prefix[0] == 0x8f ? map <= 10 : map >= 1 && map <= 3;
}

static bool take_evex(struct scan *s, struct inv_x86_insn *insn)
{
	const uint8_t *prefix = s->bytes + s->at;
	unsigned map = prefix[1] & 7;

	insn->prefixes |= INV_X86_P_EVEX;
	take_vector_fields(s, prefix[2]);
	s->evex_masked = prefix[3] & 7;
	s->evex_zeroing = prefix[3] & 0x80;
	s->evex_b = prefix[3] & 0x10;
	s->evex_l = prefix[3] >> 5 & 3;
	s->at += 4;
	s->map = (uint8_t)(INV_X86_MAP_EVEX + map);
	/* two fixed bits; APX gives them another meaning */
	return !(prefix[1] & 8) && (prefix[2] & 4) && map >= 1 && map <= 6;
}

/* Escapes and vector prefixes, then the opcode. */
static bool take_opcode(struct scan *s, struct inv_x86_insn *insn)
{
	const uint8_t *next = s->bytes + s->at;
	bool ok = true;
	bool vector = true;

	s->map = INV_X86_MAP_ONE;
	if (next[0] == 0xc4 || next[0] == 0xc5 || (next[0] == 0x8f && (next[1] & 0x1f) >= 8)) {
		ok = take_vex(s, insn);
	} else if (next[0] == 0x62) {
		ok = take_evex(s, insn);
	} else {
		vector = false;
		if (next[0] == 0x0f) {
			s->map = next[1] == 0x38   ? INV_X86_MAP_0F38
				 : next[1] == 0x3a ? INV_X86_MAP_0F3A
						   : INV_X86_MAP_0F;
			s->at += s->map == INV_X86_MAP_0F ? 1 : 2;
		}
	}
	if (!ok || (vector && (insn->prefixes & NOT_BEFORE_VECTOR)))
		return false;
	insn->opcode_at = s->at;
	s->opcode = s->bytes[s->at++];
	return true;
}

static bool is_memory(const struct scan *s)
{
	return s->modrm < 0xc0;
}

static void take_disp32(struct scan *s)
{
	s->at += 4;
}

static void take_modrm(struct scan *s, struct inv_x86_insn *insn, bool always_register)
{
	unsigned mod, rm;

	insn->modrm_at = s->at;
	s->modrm = s->bytes[s->at++];
	if (always_register)
		s->modrm |= 0xc0;
	mod = s->modrm >> 6;
	rm = s->modrm & 7;
	if (mod == 3)
		return;
	if (rm == 4) {
		uint8_t sib = s->bytes[s->at++];

		if (mod == 0 && (sib & 7) == 5)
			take_disp32(s);
	} else if (mod == 0 && rm == 5) {
		insn->rip_relative = true;
		insn->disp_at = s->at;
		insn->disp_bytes = 4;
		take_disp32(s);
	}
	if (mod == 1)
		s->at++;
	else if (mod == 2)
		take_disp32(s);
}

/* The last byte of a 3DNow! instruction is its opcode. */
static bool is_3dnow(uint8_t byte)
{
	static const uint8_t opcodes[] = {0x0c, 0x0d, 0x1c, 0x1d, 0x8a, 0x8e, 0x90, 0x94,
					  0x96, 0x97, 0x9a, 0x9e, 0xa0, 0xa4, 0xa6, 0xa7,
					  0xaa, 0xae, 0xb0, 0xb4, 0xb6, 0xb7, 0xbb, 0xbf};

	return memchr(opcodes, byte, sizeof(opcodes)) != NULL;
}

/* What a form without ModRM stands for. Returns: false: not defined, or not to be told. */
static bool take_rest(struct scan *s, struct inv_x86_insn *insn, char form)
{
	bool narrow = (insn->prefixes & INV_X86_P_66) && !s->w;

	switch (form) {
	case '-':
		return true;
	case 'b':
		s->at += 1;
		return true;
	case 'w':
		s->at += 2;
		return true;
	case 'n':
		s->at += 3;
		return true;
	case 'd':
		s->at += 4;
		return true;
	case 'z':
		s->at += narrow ? 2 : 4;
		return true;
	case 'v':
		s->at += narrow ? 2 : s->w ? 8 : 4;
		return true;
	case 'o':
		s->at += insn->prefixes & INV_X86_P_67 ? 4 : 8;
		return true;
	case '3':
		return is_3dnow(s->bytes[s->at++]);
	case 'j':
	case 'J':
		insn->disp_at = s->at;
		insn->disp_bytes = form == 'j' ? 1 : 4;
		s->at += insn->disp_bytes;
		return !narrow; /* [X1] */
	default:
		return false;
	}
}

static bool take_group(struct scan *s, struct inv_x86_insn *insn)
{
	for (size_t i = 0; i < inv_x86_group_count; i++) {
		const struct inv_x86_group *group = &inv_x86_groups[i];

		if (group->map != s->map || group->opcode != s->opcode || !(group->pp & s->pp))
			continue;
		if (is_memory(s) ? !(group->memory >> (s->modrm >> 3 & 7) & 1)
				 : !(group->registers >> (s->modrm - 0xc0) & 1))
			continue;
		insn->kind = group->kind;
		return take_rest(s, insn, (char)group->follows);
	}
	return false;
}

/* Kinds of opcodes without a group. */
static enum inv_x86_kind kind_of(const struct scan *s)
{
	uint8_t opcode = s->opcode;

	if (s->map == INV_X86_MAP_0F) {
		if ((opcode & 0xf0) == 0x80)
			return INV_X86_JCC;
		if (opcode == 0x07 || opcode == 0x35 || opcode == 0xaa)
			return INV_X86_RET;
		if (opcode == 0x0b || opcode == 0xb9 || opcode == 0xff)
			return INV_X86_TRAP;
	}
	if (s->map != INV_X86_MAP_ONE)
		return INV_X86_PLAIN;
	if ((opcode & 0xf0) == 0x70)
		return INV_X86_JCC;
	switch (opcode) {
	case 0xc2:
	case 0xc3:
	case 0xca:
	case 0xcb:
	case 0xcf:
		return INV_X86_RET;
	case 0xcc:
	case 0xf4:
		return INV_X86_TRAP;
	case 0xe0:
	case 0xe1:
	case 0xe2:
	case 0xe3:
		return INV_X86_LOOP;
	case 0xe8:
		return INV_X86_CALL;
	case 0xe9:
	case 0xeb:
		return INV_X86_JMP;
	default:
		return INV_X86_PLAIN;
	}
}

static bool defined_with(char digit, uint8_t pp)
{
	unsigned mask;

	if (digit == '*')
		return true;
	mask = (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
	return mask & pp;
}

/* The operands, by what the map says of the opcode. Returns: whether it is defined. */
static bool take_operands(struct scan *s, struct inv_x86_insn *insn)
{
	const char *row = inv_x86_maps[s->map][s->opcode >> 4];
	const char *cell = row ? row + 3 * (s->opcode & 15) : "..";

	if (cell[0] == '.' || cell[0] == 'P' || !defined_with(cell[1], s->pp))
		return false;
	insn->kind = (uint8_t)kind_of(s);
	if (!strchr("MRAVCBrZ4G", cell[0]))
		return take_rest(s, insn, cell[0]);
	take_modrm(s, insn, cell[0] == 'C');
	switch (cell[0]) {
	case 'R':
		return !is_memory(s);
	case 'A':
		return is_memory(s);
	case 'V':
		return is_memory(s) && (s->modrm & 7) == 4;
	case 'B':
		return take_rest(s, insn, 'b');
	case 'r':
		return take_rest(s, insn, 'b') && !is_memory(s);
	case 'Z':
		return take_rest(s, insn, 'z');
	case '4':
		return take_rest(s, insn, 'd');
	case 'G':
		return take_group(s, insn);
	default:
		return true;
	}
}

/* Instructions that may be locked: those that read, change and write memory. */
static bool lockable(const struct scan *s)
{
	unsigned reg = s->modrm >> 3 & 7;
	uint8_t opcode = s->opcode;

	if (s->map == INV_X86_MAP_ONE) {
		if (opcode < 0x38)
			return (opcode & 7) <= 1;
		if (opcode == 0x80 || opcode == 0x81 || opcode == 0x83)
			return reg != 7;
		if (opcode == 0xf6 || opcode == 0xf7)
			return reg == 2 || reg == 3;
		return opcode == 0x86 || opcode == 0x87 || ((opcode | 1) == 0xff && reg <= 1);
	}
	if (s->map != INV_X86_MAP_0F)
		return false;
	switch (opcode) {
	case 0xab: /* bts */
	case 0xb3: /* btr */
	case 0xbb: /* btc */
	case 0xb0: /* cmpxchg */
	case 0xb1:
	case 0xc0: /* xadd */
	case 0xc1:
		return true;
	case 0xba:
		return reg >= 5;
	case 0xc7:
		return reg == 1;
	default:
		return false;
	}
}

/* mov of control registers (0, 2, 3, 4, 8) and debug registers (0 to 7). */
static bool is_system_register(const struct scan *s, const struct inv_x86_insn *insn)
{
	unsigned reg = (s->modrm >> 3 & 7) | (insn->rex & 4) << 1;

	return (s->opcode & 1 ? 0xffu : 0x11du) >> reg & 1;
}

/* What is undefined beyond opcode and ModRM. */
static bool is_consistent(const struct scan *s, const struct inv_x86_insn *insn)
{
	if (s->map == INV_X86_MAP_0F && (s->opcode & 0xfc) == 0x20 && !is_system_register(s, insn))
		return false;
	if ((insn->prefixes & INV_X86_P_LOCK) && !(insn->modrm_at && is_memory(s) && lockable(s)))
		return false;
	if (s->evex_zeroing && !s->evex_masked)
		return false;
	/* L is a rounding mode then */
	return s->evex_l != 3 || (s->evex_b && !is_memory(s));
}

static int32_t read_disp(const uint8_t *at, unsigned bytes)
{
	int32_t disp = 0;

	if (bytes == 1)
		return (int8_t)*at;
	memcpy(&disp, at, sizeof(disp));
	return disp;
}

enum inv_x86_result inv_x86_decode(struct inv_x86_insn *out, const uint8_t *p, size_t limit)
{
	struct scan s = {.at = 0};
	struct inv_x86_insn insn = {.length = 0};
	size_t there = limit < INV_X86_LENGTH_MAX ? limit : INV_X86_LENGTH_MAX;
	bool ok;

	*out = insn;
	memcpy(s.bytes, p, there);
	take_prefixes(&s, &insn);
	ok = take_opcode(&s, &insn) && take_operands(&s, &insn) && is_consistent(&s, &insn);
	if (s.at > there)
		return there < INV_X86_LENGTH_MAX ? INV_X86_CUT : INV_X86_UNKNOWN;
	if (!ok)
		return INV_X86_UNKNOWN;
	insn.length = s.at;
	if (insn.disp_bytes)
		insn.disp = read_disp(s.bytes + insn.disp_at, insn.disp_bytes);
	*out = insn;
	return INV_X86_OK;
}
