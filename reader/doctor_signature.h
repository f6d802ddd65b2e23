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

#endif
