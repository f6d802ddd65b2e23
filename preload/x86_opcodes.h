/* SPDX-License-Identifier: MIT */
/*
 * x86_opcodes.h - the opcode maps that x86_decode.c reads; of no use to others.
 *
 * The maps are drawings: a row holds sixteen opcodes, a cell two characters. The first is
 * what follows the opcode; the second says with which mandatory prefixes the opcode is
 * defined: a hexadecimal digit, the sum of 1 (none), 2 (66), 4 (F3) and 8 (F2), or `*`: no
 * prefix makes another instruction of it. Opcodes that use ModRM's `reg` field, or all of
 * it, as more opcode are `G`, and listed in inv_x86_groups. A new instruction is a new cell,
 * or a new line there.
 *
 * What follows the opcode, without ModRM:
 *   -  nothing   b w  8, 16 bits   z  32 bits, or 16   v  as z, or 64   o  an address
 *   n  16 and 8 bits   j J  a branch's 8 or 32 bits
 * and with ModRM:
 *   M  any   R  a register only   A  memory only   V  memory by SIB (vectors, tiles)
 *   C  a register whatever `mod` says
 *   B r  as M, R, and 8 bits   Z  as M and a z   4  as M and 32 bits   G  a group
 * and: . undefined   P  a prefix or an escape, never looked up. Groups also have
 *   d  32 bits   3  a 3DNow! opcode
 */
#ifndef INV_PRELOAD_X86_OPCODES_H
#define INV_PRELOAD_X86_OPCODES_H

#include <stddef.h>
#include <stdint.h>

enum inv_x86_map {
	INV_X86_MAP_ONE,
	INV_X86_MAP_0F,
	INV_X86_MAP_0F38,
	INV_X86_MAP_0F3A,
	INV_X86_MAP_VEX, /* no opcodes: the maps are this + 1, 2, 3, as the prefix counts */
	INV_X86_MAP_VEX1,
	INV_X86_MAP_VEX2,
	INV_X86_MAP_VEX3,
	INV_X86_MAP_EVEX,
	INV_X86_MAP_EVEX1,
	INV_X86_MAP_EVEX2,
	INV_X86_MAP_EVEX3,
	INV_X86_MAP_EVEX4, /* no opcodes: APX */
	INV_X86_MAP_EVEX5,
	INV_X86_MAP_EVEX6,
	INV_X86_MAP_XOP8,
	INV_X86_MAP_XOP9,
	INV_X86_MAP_XOPA,
	INV_X86_MAPS
};

/* The mandatory prefix; of F2 and F3 the last counts, and either before 66. */
enum {
	INV_X86_PP_NONE = 1,
	INV_X86_PP_66 = 2,
	INV_X86_PP_F3 = 4,
	INV_X86_PP_F2 = 8,
	INV_X86_PP_ANY = 15
};

/* Sixteen rows of "cc cc ... cc"; a missing row is all undefined. */
typedef const char *inv_x86_map_rows[16];

/* Opcodes that go on in ModRM. */
struct inv_x86_group {
	uint8_t map;
	uint8_t opcode;
	uint8_t pp;	    /* any of these mandatory prefixes */
	uint8_t memory;	    /* bit n: /n is defined for memory */
	uint64_t registers; /* bit n: ModRM C0 + n is defined */
	uint8_t follows;    /* ... after ModRM: as a form without */
	uint8_t kind;	    /* enum inv_x86_kind */
};

extern const inv_x86_map_rows inv_x86_maps[INV_X86_MAPS];
extern const struct inv_x86_group inv_x86_groups[];
extern const size_t inv_x86_group_count;

#endif
