/* SPDX-License-Identifier: MIT */
/*
 * doctor_names.h - names like one that is nowhere.
 */
#ifndef INV_READER_DOCTOR_NAMES_H
#define INV_READER_DOCTOR_NAMES_H

#include "reader/doctor.h"

/* Fills out->names with exported functions of the program's objects, the nearest first. */
void inv_doctor_offer_names(struct inv_doctor_probe *out, const struct inv_doctor_program *program);

#endif
