/* SPDX-License-Identifier: MIT */
#include "tests/decode/reference.h"

#include <string.h>

void reference_init(struct reference *reference)
{
	ZydisDecoderInit(&reference->decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
}

static bool is_memory(const ZydisDecodedInstruction *insn)
{
	/* mov of control and debug registers takes no notice of `mod` */
	bool register_only =
		insn->opcode_map == ZYDIS_OPCODE_MAP_0F && (insn->opcode & 0xfc) == 0x20;

	return (insn->attributes & ZYDIS_ATTRIB_HAS_MODRM) && insn->raw.modrm.mod != 3 &&
	       !register_only;
}

static enum inv_x86_kind kind_of(const ZydisDecodedInstruction *insn)
{
	bool relative = insn->raw.imm[0].is_relative;

	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_JMP:
		return relative ? INV_X86_JMP : INV_X86_JMP_INDIRECT;
	case ZYDIS_MNEMONIC_CALL:
		return relative					     ? INV_X86_CALL
		       : insn->raw.modrm.reg == 3 && is_memory(insn) ? INV_X86_CALL_FAR
								     : INV_X86_CALL_INDIRECT;
	case ZYDIS_MNEMONIC_LOOP:
	case ZYDIS_MNEMONIC_LOOPE:
	case ZYDIS_MNEMONIC_LOOPNE:
	case ZYDIS_MNEMONIC_JRCXZ:
	case ZYDIS_MNEMONIC_JECXZ:
		return INV_X86_LOOP;
	case ZYDIS_MNEMONIC_XBEGIN:
		return INV_X86_XBEGIN;
	case ZYDIS_MNEMONIC_RET:
	case ZYDIS_MNEMONIC_IRET:
	case ZYDIS_MNEMONIC_IRETD:
	case ZYDIS_MNEMONIC_IRETQ:
	case ZYDIS_MNEMONIC_SYSRET:
	case ZYDIS_MNEMONIC_SYSEXIT:
	case ZYDIS_MNEMONIC_RSM:
	case ZYDIS_MNEMONIC_UIRET:
		return INV_X86_RET;
	case ZYDIS_MNEMONIC_INT3:
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_HLT:
		return INV_X86_TRAP;
	default:
		/* xend is a conditional branch to Zydis, by its category */
		return relative ? INV_X86_JCC : INV_X86_PLAIN;
	}
}

bool reference_decode(const struct reference *reference, struct inv_x86_insn *out, const uint8_t *p,
		      size_t limit)
{
	ZydisDecodedInstruction insn;
	ZydisDecoderContext context;

	memset(out, 0, sizeof(*out));
	if (ZYAN_FAILED(
		    ZydisDecoderDecodeInstruction(&reference->decoder, &context, p, limit, &insn)))
		return false;
	out->length = insn.length;
	out->kind = (uint8_t)kind_of(&insn);
	if (insn.raw.imm[0].is_relative) {
		out->disp_at = insn.raw.imm[0].offset;
		out->disp_bytes = insn.raw.imm[0].size / 8;
		out->disp = (int32_t)insn.raw.imm[0].value.s;
	} else if (is_memory(&insn) && insn.raw.modrm.mod == 0 && insn.raw.modrm.rm == 5) {
		out->rip_relative = true;
		out->disp_at = insn.raw.disp.offset;
		out->disp_bytes = insn.raw.disp.size / 8;
		out->disp = (int32_t)insn.raw.disp.value;
	}
	return true;
}

bool reference_equal(const struct inv_x86_insn *a, const struct inv_x86_insn *b)
{
	return a->length == b->length && a->kind == b->kind && a->disp_at == b->disp_at &&
	       a->disp_bytes == b->disp_bytes && a->rip_relative == b->rip_relative &&
	       a->disp == b->disp;
}

bool reference_is_too_old(const struct inv_x86_insn *ours, const uint8_t *p)
{
	static const uint8_t newer[] = {0x50, 0x51, 0x72, 0xb0, 0xb1, 0xb4, 0xb5,
					0xcb, 0xcc, 0xcd, 0xd2, 0xd3, 0xda};
	const uint8_t *opcode = p + ours->opcode_at;

	if (!(ours->prefixes & INV_X86_P_VEX))
		return ours->opcode_at >= 2 && opcode[-1] == 0x0f && opcode[0] == 0xa6 &&
		       opcode[1] == 0xe0;
	if (ours->opcode_at < 3 || opcode[-3] != 0xc4)
		return false;
	if ((opcode[-2] & 0x1f) == 3)
		return opcode[0] == 0xde;
	return (opcode[-2] & 0x1f) == 2 &&
	       ((opcode[0] & 0xf0) == 0xe0 || memchr(newer, opcode[0], sizeof(newer)));
}
