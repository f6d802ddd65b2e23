/* SPDX-License-Identifier: MIT */
/*
 * record_sandbox.c - a process that may not read its clock.
 *
 * A control page of its own, paused for ever, stands for the session's: the hot path looks at
 * one anyway. A word of its own for the hot path to test was rejected, it would cost each call.
 */
#include "record_private.h"

static _Alignas(INV_PAGE_BYTES) struct inv_control silence;
static const struct inv_control *loud; /* the page that silence stands for; NULL: none */

bool inv_record_silence(bool on)
{
	bool was = loud != NULL;
	if (on == was || !inv_process.segment)
		return was;
	if (on) {
		loud = inv_process.control;
		inv_put(&silence.block[0].word[0], INV_CONTROL_PAUSED);
		inv_put(&silence.generation, INV_GENERATION_NONE - 1); /* even: block 0 */
		inv_process.clock = INV_CLOCK_STOPPED;
		inv_process.control = &silence;
	} else {
		inv_process.control = loud;
		inv_process.clock = (enum inv_clock_kind)inv_process.segment->header->clock_kind;
		loud = NULL;
	}
	return was;
}
