/* SPDX-License-Identifier: MIT */
/*
 * probe_fields.h - which value of a native function looks like which field.
 */
#ifndef INV_READER_PROBE_FIELDS_H
#define INV_READER_PROBE_FIELDS_H

#include "preload/probe.h"
#include "reader/debug_type.h"

/* A parameter of the signature, or its result. */
struct inv_probe_value {
	char name[64];	/* as expressions call it: a parameter's name, "return" */
	char shown[64]; /* as the source calls it */
	struct inv_debug_type type;
	bool on_stack; /* passed there */
};

struct inv_probe_guess {
	bool found;
	bool by_itself; /* a parameter with the field's own name: nothing is to be written */
	char expression[128];
	char source[256]; /* as the source would write it: "world->tick" */
	enum inv_debug_text text;
};

/*
 * Looks for a field among the values by their names and those of what they point to, nearest
 * first.
 */
void inv_probe_guess_field(struct inv_probe_guess *out, enum inv_field field,
			   const struct inv_probe_value *values, size_t count);

/*
 * A bool of one of these names in the struct that a value points to.
 * Returns: whether there is one; *out is then as of a guess.
 */
bool inv_probe_find_truth(struct inv_probe_guess *out, const struct inv_probe_value *value,
			  const char *const *names);

#endif
