/* SPDX-License-Identifier: MIT */
/*
 * reference.h - Zydis, brought to the terms of preload/x86_decode.h. Test only.
 */
#ifndef INV_TESTS_DECODE_REFERENCE_H
#define INV_TESTS_DECODE_REFERENCE_H

#include <Zydis/Zydis.h>

#include "preload/x86_decode.h"

struct reference {
	ZydisDecoder decoder;
};

void reference_init(struct reference *reference);

/*
 * Fills length, kind, disp_at, disp_bytes, rip_relative, disp of *out.
 * Returns: false: Zydis knows no such instruction.
 */
bool reference_decode(const struct reference *reference, struct inv_x86_insn *out, const uint8_t *p,
		      size_t limit);

/* Whether two decodings agree in all that reference_decode fills. */
bool reference_equal(const struct inv_x86_insn *a, const struct inv_x86_insn *b);

/*
 * Whether an instruction that ours knows is newer than Zydis 4.0 (2022): AVX-IFMA (which
 * objdump 2.40 knows), AVX-VNNI-INT8 and -INT16, AVX-NE-CONVERT, SHA512, SM3, SM4,
 * CMPCCXADD, VIA's SHA512.
 */
bool reference_is_too_old(const struct inv_x86_insn *ours, const uint8_t *p);

#endif
