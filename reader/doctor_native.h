/* SPDX-License-Identifier: MIT */
/*
 * doctor_native.h - what would become of a probe on a native function.
 */
#ifndef INV_READER_DOCTOR_NATIVE_H
#define INV_READER_DOCTOR_NATIVE_H

#include "reader/doctor.h"

/*
 * Judges one probe, the probes before it known: a function that one of them has is not given
 * to another. Fills all of *out but the verdict.
 * Returns: the verdict.
 */
enum inv_doctor_verdict inv_doctor_native(struct inv_doctor_probe *out,
					  const struct inv_doctor *doctor);

#endif
