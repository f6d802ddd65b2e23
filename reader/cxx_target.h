/* SPDX-License-Identifier: MIT */
/*
 * cxx_target.h - a C++ function by the name that its source has: office::Desk::invoke, or with
 * its parameters, office::Desk::invoke(std::string const&, int).
 */
#ifndef INV_READER_CXX_TARGET_H
#define INV_READER_CXX_TARGET_H

#include "reader/doctor_program.h"

/* Whether a target is such a name; with OBJECT: before it or without. */
bool inv_cxx_target_is(const char *target);

/*
 * Writes OBJECT:SYMBOL, by the symbols of the program's objects.
 * Returns: 0; -EINVAL: why not is in why[size].
 */
int inv_cxx_target_find(char *out, size_t out_size, const char *target,
			const struct inv_doctor_program *program, char *why, size_t size);

#endif
