/* SPDX-License-Identifier: MIT */
/*
 * doctor_names.h - names like one that is nowhere.
 */
#ifndef INV_READER_DOCTOR_NAMES_H
#define INV_READER_DOCTOR_NAMES_H

#include "reader/doctor.h"

/*
 * Fills out->names, the nearest first, with functions that the target could have meant: exported
 * ones of the objects that it accepts, and local ones where it would find them.
 */
void inv_doctor_offer_names(struct inv_doctor_probe *out, const struct inv_doctor_program *program);

/* How many characters must be changed, added or left out; SIZE_MAX: too many to compare. */
size_t inv_doctor_names_apart(const char *a, const char *b);

#endif
