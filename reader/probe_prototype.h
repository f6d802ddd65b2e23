/* SPDX-License-Identifier: MIT */
/*
 * probe_prototype.h - a function's prototype as a signature says it: by what is passed where.
 *
 * A signature has no order but that of its parameters, and structs by value only one tier can
 * take. So a struct in registers is written as what each register holds, and what is passed on
 * the stack comes last, behind as many words as there are registers.
 */
#ifndef INV_READER_PROBE_PROTOTYPE_H
#define INV_READER_PROBE_PROTOTYPE_H

#include <stdio.h>

#include "reader/probe_fields.h"

#define INV_PROBE_VALUES_MAX (2 * INV_PROBE_ARGS_MAX)

struct inv_probe_prototype {
	size_t count;
	struct inv_probe_value values[INV_PROBE_VALUES_MAX];
	struct inv_probe_value result;
	bool variadic;
	bool padded;		   /* registers that have no parameter are among the values */
	bool placed;		   /* the result: in the caller's memory */
	bool in_registers;	   /* the result: a struct, of which `return` is the first part */
	unsigned integers, floats; /* registers taken, while it is read */
};

/* How many words of registers or stack a parameter of this type takes. */
unsigned inv_probe_words(const char *word);

/*
 * Returns: NULL; else why no signature can say it, and what in particular in
 * detail[INV_DEBUG_WORD_MAX].
 */
const char *inv_probe_prototype_read(struct inv_probe_prototype *out, Dwarf_Die *function,
				     char *detail);

/* As a signature has it: `int (ptr this, stdstr name)`. */
void inv_probe_prototype_put(FILE *to, const struct inv_probe_prototype *prototype);

#endif
