/* SPDX-License-Identifier: MIT */
/*
 * function.h - a Python function object, patched in place and given back.
 *
 * The object's vectorcall is replaced. From 3.11 on the interpreter does not always ask it:
 *
 *   3.8-3.10   the vectorcall is what every call goes through
 *   3.11       a call of an exact function is inlined: the object gets a type of our own, a
 *              subtype that differs in nothing else, so that it is not exact
 *   3.12-3.14  PyFunction_SetVectorcall clears the version that inlining checks; but a class
 *              call inlines __init__ without asking from 3.13 on: that gets the subtype
 *
 * Of the subtype a program can see `type(f) is types.FunctionType` turn false; f.__class__,
 * isinstance, pickle and copy answer as before.
 *
 * Under the GIL. Never raises.
 */
#ifndef INV_PRELOAD_PYTHON_FUNCTION_H
#define INV_PRELOAD_PYTHON_FUNCTION_H

#include <stdbool.h>

#include "preload/python/api.h"

/* Makes the subtype anew for an interpreter that has just started. Returns: false: not to be had.
 */
bool inv_py_function_start(void);

/*
 * A static copy of a builtin type that is its subtype in all but a few slots: `getset`,
 * `methods` and what the caller sets in *copy between the two calls.
 * Returns (ready): false where the interpreter would not have it.
 */
void inv_py_subtype_copy(PyTypeObject *copy, PyTypeObject *of);
bool inv_py_subtype_ready(PyTypeObject *copy);

/* Whether it is a function that nobody patched (or patched by us: see inv_py_function_stub). */
bool inv_py_function_is(const PyObject *o);
inv_py_vectorcall *inv_py_function_stub(const PyObject *f);

/* Sends the calls of f to `stub`; `init`: it is an __init__. */
void inv_py_function_patch(PyObject *f, inv_py_vectorcall *stub, bool init);
void inv_py_function_restore(PyObject *f);

/*
 * The function behind a method as a class has it: itself, or that of a static or class method
 * or a property's getter. Returns: a new reference, or NULL.
 */
PyObject *inv_py_function_behind(PyObject *descriptor);

#endif
