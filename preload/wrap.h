/* SPDX-License-Identifier: MIT */
/*
 * wrap.h - the C register-forwarder: a wrapper for any prototype whose arguments are all
 * in registers.
 *
 * A wrapper receives every argument register of the calling convention, whether the
 * prototype uses it or not, records the call, and calls the real function with the same.
 * One static stub exists for each binding (probe, real function), so that nothing is
 * looked up per call. Between objects the ABI is followed, which makes plain C safe here.
 *
 * Prototypes beyond that (closure.h) cost ten times as much.
 *
 * Stubs come in four shapes: with or without floating arguments, returning in an integer or
 * in a floating register; a prototype without floating arguments does not pay for saving
 * eight of those registers.
 */
#ifndef INV_PRELOAD_WRAP_H
#define INV_PRELOAD_WRAP_H

#include <stdint.h>

#include "preload/plan.h"

#define INV_STUBS_MAX 64u /* of each shape */

/*
 * The wrapper of `real` for a plan: the same answer for the same pair. A stub is never given
 * up or pointed elsewhere, since a call may be running through it. One caller at a time (the
 * got tier's try-lock).
 * Returns: the stub, or NULL when none is left.
 */
void *inv_wrap_stub(struct inv_plan *plan, void *real);

#endif
