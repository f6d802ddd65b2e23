/* SPDX-License-Identifier: MIT */
/*
 * coroutine.h - a call of `async def` goes on until the awaited result is there.
 *
 * The coroutine object that the call returned is patched in place, like a function: while it
 * waits it has a type of our own, a subtype that differs in what sends to it, throws into it
 * and closes it; while it runs, and when it has ended, it has its own type again, so that all
 * of the interpreter's rules for coroutines hold. A program can see only that type() of a
 * waiting one is another class of the same name.
 *
 * Rejected: an awaitable in its place, which asyncio, inspect and "was never awaited" treat
 * as something else.
 *
 * A call that is awaited among others is suspended in the record (record.h), so that tasks
 * that take turns are not mixed up. Under the GIL.
 */
#ifndef INV_PRELOAD_PYTHON_COROUTINE_H
#define INV_PRELOAD_PYTHON_COROUTINE_H

#include "preload/python/call.h"

/* For each interpreter that starts. Returns: false: coroutines will not be followed. */
bool inv_py_coroutine_start(void);

/*
 * Takes over the call that returned this coroutine.
 * Returns: false: it could not; the call is to be ended at once.
 */
bool inv_py_coroutine_take(PyObject *coroutine, struct inv_py_binding *b,
			   const struct inv_call *call);

#endif
