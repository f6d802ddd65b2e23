/* SPDX-License-Identifier: MIT */
/*
 * python.h - probes on Python functions, in a CPython that knows nothing of us.
 *
 * A function object is patched in place: its identity, type, signature and attributes stay
 * what they were, and its calls go through a stub that records them by record.h. Nothing is
 * linked to libpython: what is needed of it is looked up at run time and its layouts are
 * verified against known objects (api.h), so that one binary serves CPython 3.8 to 3.14 with
 * the GIL. An interpreter that is none of these is left alone, and the reason is told.
 *
 * Which part does what:
 *   api.h        what we use of CPython, found and verified
 *   boot.c       notices an interpreter, before it starts or when it is loaded later
 *   find.h       notices modules and classes, and finds the targets in them
 *   creation.h   functions of a module that is still being executed, as __main__ always is
 *   function.h   a function object, patched and given back
 *   path.h       a probe's expressions against the parameters of a function
 *   value.h      objects to texts, numbers and verdicts, without running Python code
 *   call.h       the stubs: one call, from entry to return
 *   coroutine.h  calls of `async def`, until the awaited result is there
 *
 * Rejected: an audit hook (crashes at exit under -X dev, taxes every audited call), PEP 523
 * or sys.monitoring for all calls (a tax on every other call), replaced attributes (a third of
 * what can be asked of a function then has another answer).
 *
 * All state is written under the GIL of the main interpreter. Sub-interpreters are left
 * alone, and counted.
 */
#ifndef INV_PRELOAD_PYTHON_PYTHON_H
#define INV_PRELOAD_PYTHON_PYTHON_H

#include <stdint.h>

#include "preload/plan.h"
#include "preload/probe.h"
#include "shm/reason.h"

/* What the shim does for us. Called under the GIL or from the constructor. */
struct inv_py_host {
	/* The plan of a probe that is about to bind; NULL: this process is not observed. */
	const struct inv_plan *(*plan)(uint32_t probe);
	/*
	 * So many functions of this process are patched for it now. `missing` (NULL: none) is
	 * a parameter that a field names and that the function does not have.
	 */
	void (*bound)(uint32_t probe, uint32_t functions, const char *missing);
	/* Why it is not bound (yet); a later bound() takes it back. */
	void (*refused)(uint32_t probe, enum inv_reason reason, const char *detail);
	/* Something that is not seen, whether the probe is bound or not. */
	void (*remark)(uint32_t probe, enum inv_reason reason, const char *detail);
};

/*
 * Takes the probes with a Python target, before any other thread runs. `probes` must outlive
 * the process; numbers in the host's calls are indexes into it.
 */
void inv_py_install(const struct inv_probe *probes, uint32_t count, const struct inv_py_host *host);

#endif
