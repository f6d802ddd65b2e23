/* SPDX-License-Identifier: MIT */
/*
 * reason.h - what can be lost, and why a probe may not be bound: numbers of the format.
 *
 * Part of the shared-memory format (layout.h): a number keeps its meaning for ever, new ones
 * are added at the end. proc.h has the words for them.
 */
#ifndef INV_SHM_REASON_H
#define INV_SHM_REASON_H

#include <assert.h>

/*
 * What is lost, by reason. Each lane counts its own; calls that have no lane
 * count in inv_shared. The names that outputs print are in names of
 * inv_loss_name(). "Loss" covers detail too: a call under TALLY_OVERFLOW is in the
 * totals but not under its own key.
 */
enum inv_loss {
	INV_LOSS_NO_RING = 0,	 /* events: the lane was granted no ring */
	INV_LOSS_NO_LANE,	 /* events: the thread found no lane; tallied in overflow */
	INV_LOSS_REENTERED,	 /* events: a signal handler called inside our own record */
	INV_LOSS_NO_PROC,	 /* events: no row in the process table */
	INV_LOSS_NAME_OVERFLOW,	 /* names: table or arena full; tallied as _other */
	INV_LOSS_NAME_TRUNCATED, /* names cut at INV_NAME_BYTES_MAX */
	INV_LOSS_TALLY_OVERFLOW, /* calls tallied in an _other cell */
	INV_LOSS_PAIR_OVERFLOW,	 /* calls tallied in the _other pair */
	INV_LOSS_TYPE_OVERFLOW,	 /* error or result types beyond the table */
	INV_LOSS_UNREADABLE,	 /* fields whose memory could not be read */
	INV_LOSS_TEXT_TRUNCATED, /* messages cut at INV_MESSAGE_BYTES_MAX or for want of ring */
	INV_LOSS_TOO_DEEP,	 /* calls not named in the in-flight stack: nested deeper than 32 */
	INV_LOSS_CLOCK_BACKWARDS, /* durations clamped to 0 */
	INV_LOSS_PAUSED,	  /* calls neither in events nor in tallies: paused by control */
	INV_LOSS_FILTERED,	  /* events dropped by a filter; tallied */
	INV_LOSS_UNBOUND_PROC,	  /* processes that bound no probe (see notes) */
	INV_LOSS_STACK,		  /* times that a probe was off for want of stack (Python) */
	INV_LOSS_NO_STACK,	  /* native calls passed by: our frames had their share of stack */
	INV_LOSS_COUNT		  /* at most 24: the arrays below have room for that many */
};
#define INV_LOSS_ROOM 24u
static_assert(INV_LOSS_COUNT <= INV_LOSS_ROOM, "inv_loss outgrew its arrays");

/* Why a probe is not bound in a process, and what notes are about. */
enum inv_reason {
	INV_REASON_NONE = 0,
	INV_REASON_NO_SYMBOL,	  /* no loaded object defines it */
	INV_REASON_NO_SITES,	  /* defined, but nothing calls it through a slot that we can see */
	INV_REASON_PROTOTYPE,	  /* the wrapper at hand cannot serve this prototype */
	INV_REASON_PROTECTED,	  /* a slot could not be made writable */
	INV_REASON_NO_STUBS,	  /* more definitions than wrappers */
	INV_REASON_TIER,	  /* the forced tier is not available here */
	INV_REASON_PROBE_FILE,	  /* the probe file does not parse; detail has the line */
	INV_REASON_NO_PROBE_FILE, /* INVREG_PROBES is not set or not readable */
	INV_REASON_PROBE_UNKNOWN, /* the session was made with other probes */
	INV_REASON_PROC_TABLE,	  /* no free process row */
	INV_REASON_CLOCK,	  /* this process cannot read the session's clock */
	INV_REASON_ADDRESS_SPACE, /* RLIMIT_AS leaves no room for the mapping */
	INV_REASON_CHILDREN,	  /* INVREG_CHILDREN=ignore */
	INV_REASON_UNSUPPORTED,	  /* a target kind that this build does not know */
	INV_REASON_NOT_IMPORTED,  /* Python: no module of that name was imported */
	INV_REASON_NO_ATTRIBUTE,  /* Python: the module has no such function */
	INV_REASON_NOT_FUNCTION,  /* Python: it is no function written in Python */
	INV_REASON_INTERPRETER,	  /* Python: an interpreter that is left alone */
	INV_REASON_PARAMETER,	  /* Python: a field names no parameter; bound all the same */
	INV_REASON_ENTRY,	  /* the function itself could not be patched; detail has why */
	INV_REASON_CONTROL,	  /* no usable control page: pause and filter do nothing there */
	INV_REASON_SANDBOX,	  /* the program shut itself in; detail has what we go without */
	INV_REASON_PROPERTY, /* Python: a field is unreadable, since it takes the program's code */
	INV_REASON_NO_VARIABLE, /* a field reads a variable that was not found; detail names it */
	INV_REASON_FIELD,	/* Python: a field has been unreadable; detail has its expression */
	INV_REASON_COUNT
};

#endif
