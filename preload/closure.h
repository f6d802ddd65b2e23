/* SPDX-License-Identifier: MIT */
/*
 * closure.h - wrappers by libffi, for prototypes that the register-forwarder cannot serve:
 * arguments on the stack, structs by value, long double, variadic functions.
 *
 * A closure gives every argument an address, records the call, and hands the same
 * addresses to ffi_call: nothing is copied by us. Ten times the price of a stub.
 *
 * libffi allocates, and may open a file, which must not happen where wrappers
 * are asked for: with the loader's list locked, in any probed call. So the constructor
 * prepares a fixed number of closures for each probe that will need them; making a wrapper
 * only takes the next one. None is ever freed, since a call may be running through it.
 *
 * Never exits, prints or changes errno.
 */
#ifndef INV_PRELOAD_CLOSURE_H
#define INV_PRELOAD_CLOSURE_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/plan.h"

#define INV_CLOSURES_EACH 16u /* definitions of one probe's symbol */

/*
 * Prepares closures for probe `index` (below INV_PROBES_MAX). In the constructor, before
 * any wrapper is asked for. The signature must outlive the process.
 * Returns: false: libffi knows no such prototype, or had no memory; then make gives NULL.
 */
bool inv_closure_prepare(uint32_t index, const struct inv_signature *signature);

/* After the last prepare: gives back what libffi keeps open. */
void inv_closure_prepared(void);

/*
 * The wrapper of `real` for a plan, whose signature is one that was prepared. One caller
 * at a time.
 * Returns: its address, the same for the same pair of plan and real; NULL: none is left.
 */
void *inv_closure_make(struct inv_plan *plan, void *real);

#endif
