/* SPDX-License-Identifier: MIT */
/*
 * doctor_signature.h - whether the signature of a probe is that of its function.
 *
 * A wrapper passes on as many stack words as the signature has, and floating registers if it
 * has any: a signature with fewer breaks the call, and one with other types reads fields from
 * other places. Debug information, where there is any, tells. Reads files; one thread.
 */
#ifndef INV_READER_DOCTOR_SIGNATURE_H
#define INV_READER_DOCTOR_SIGNATURE_H

#include "reader/doctor.h"

/*
 * Fills `signature` and `breaks` of each probe that binds and whose signature says otherwise than
 * the debug information: one line with both, what comes of it, and the remedy.
 */
void inv_doctor_check_signatures(struct inv_doctor *doctor);

/*
 * Before a run, in a few milliseconds: says on `to` which signatures break calls. By what the
 * objects themselves have of debug information (none of its own files, no server), and only
 * what is so whether the function can be patched or not.
 */
void inv_doctor_warn(FILE *to, const struct inv_probe_file *file, char *const *command);

#endif
