/* SPDX-License-Identifier: MIT */
/*
 * probe_codes.h - what the numbers that a function returns mean: the constants of an
 * enumeration as error types.
 */
#ifndef INV_READER_PROBE_CODES_H
#define INV_READER_PROBE_CODES_H

#include <stdio.h>

#include "reader/debug_type.h"

/*
 * Writes `success` and `error_type`: by the enumeration that is the result's type, or by one
 * of the same file that looks like it.
 * Returns: whether there is one; nothing was written otherwise.
 */
bool inv_probe_put_codes(FILE *to, Dwarf_Die *function, const struct inv_debug_type *result);

#endif
