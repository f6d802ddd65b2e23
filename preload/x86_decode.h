/* SPDX-License-Identifier: MIT */
/*
 * x86_decode.h - how long an x86-64 instruction is, and what of it depends on where it lies.
 *
 * Called by the `entry` tier on the code of any function, from any thread; also by tests and
 * by whoever plans over bytes of a file. Reads [p, p + limit) and nothing else, touches no
 * state: no allocation, no I/O, no errno; wait-free, at most 15 bytes looked at.
 *
 * Says nothing of operands or mnemonics. What is not defined (or defined differently by
 * Intel and AMD) is refused, never guessed [X1].
 */
#ifndef INV_PRELOAD_X86_DECODE_H
#define INV_PRELOAD_X86_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INV_X86_LENGTH_MAX 15

enum inv_x86_result {
	INV_X86_OK,
	INV_X86_CUT,	/* goes on beyond the limit */
	INV_X86_UNKNOWN /* no instruction that we know */
};

enum inv_x86_kind {
	INV_X86_PLAIN,	       /* goes on with the next instruction */
	INV_X86_JMP,	       /* relative, as the next four are */
	INV_X86_JCC,	       /* */
	INV_X86_CALL,	       /* */
	INV_X86_LOOP,	       /* loop, loope, loopne, jrcxz: 8 bits only */
	INV_X86_XBEGIN,	       /* the displacement is where an abort goes */
	INV_X86_JMP_INDIRECT,  /* register or memory, far ones too */
	INV_X86_CALL_INDIRECT, /* register or memory, near */
	INV_X86_CALL_FAR,      /* memory */
	INV_X86_RET,	       /* ret, far ret, iret, sysret, sysexit, uiret */
	INV_X86_TRAP,	       /* int3, ud0, ud1, ud2, hlt: does not go on */
	INV_X86_KINDS
};

enum inv_x86_prefix {
	INV_X86_P_66 = 1 << 0,
	INV_X86_P_67 = 1 << 1,
	INV_X86_P_F2 = 1 << 2, /* the last of F2 and F3 is the one that counts: only it is set */
	INV_X86_P_F3 = 1 << 3,
	INV_X86_P_LOCK = 1 << 4,
	INV_X86_P_SEGMENT = 1 << 5, /* 3E is notrack before an indirect branch */
	INV_X86_P_REX = 1 << 6,	    /* directly before the opcode: the others do not count */
	INV_X86_P_VEX = 1 << 7,	    /* two or three bytes */
	INV_X86_P_EVEX = 1 << 8,
	INV_X86_P_XOP = 1 << 9
};

struct inv_x86_insn {
	uint8_t length;	    /* 1 to 15 */
	uint8_t kind;	    /* enum inv_x86_kind */
	uint8_t opcode_at;  /* the last opcode byte: what is before it is prefixes and escapes */
	uint8_t modrm_at;   /* 0: none */
	uint16_t prefixes;  /* enum inv_x86_prefix */
	uint8_t rex;	    /* 0: none; of VEX, EVEX and XOP nothing is kept */
	uint8_t disp_at;    /* the displacement that counts from this instruction's end; */
	uint8_t disp_bytes; /* 0: there is none; 4, or 1 in short branches */
	bool rip_relative;  /* ... is that of a memory operand; else of a relative branch */
	int32_t disp;	    /* its value, sign-extended */
};

/*
 * Decodes the instruction at p, which has `limit` readable bytes.
 * Returns: INV_X86_OK: *out is filled; else *out is zeroed (length 0): INV_X86_CUT, where
 * more bytes might have made an instruction; INV_X86_UNKNOWN.
 */
enum inv_x86_result inv_x86_decode(struct inv_x86_insn *out, const uint8_t *p, size_t limit);

/* Whether what follows in memory is not what runs next: jumps, returns, traps. */
static inline bool inv_x86_ends_flow(const struct inv_x86_insn *insn)
{
	return insn->kind == INV_X86_JMP || insn->kind == INV_X86_JMP_INDIRECT ||
	       insn->kind == INV_X86_RET || insn->kind == INV_X86_TRAP;
}

static inline bool inv_x86_is_call(const struct inv_x86_insn *insn)
{
	return insn->kind == INV_X86_CALL || insn->kind == INV_X86_CALL_INDIRECT ||
	       insn->kind == INV_X86_CALL_FAR;
}

/* Whether the displacement is where the code may go. */
static inline bool inv_x86_is_relative_branch(const struct inv_x86_insn *insn)
{
	return insn->kind >= INV_X86_JMP && insn->kind <= INV_X86_XBEGIN;
}

/*
 * What the displacement means for the instruction at `address`: the branch's target, or the
 * memory operand's address. Only with disp_bytes != 0.
 */
static inline uint64_t inv_x86_target(const struct inv_x86_insn *insn, uint64_t address)
{
	return address + insn->length + (uint64_t)(int64_t)insn->disp;
}

#endif
