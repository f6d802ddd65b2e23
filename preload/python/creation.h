/* SPDX-License-Identifier: MIT */
/*
 * creation.h - functions of a module while it is being executed.
 *
 * Nothing is imported when the functions of __main__ are ready: its body goes on and calls
 * them. They are seen when the module's dictionary gets them:
 *   3.12-3.14  PyFunction_AddWatcher tells of a function made in such a module, and from then
 *              on PyDict_Watch of each value that its dictionary gets
 *   3.8-3.11   a temporary PEP 523 hook looks at the dictionary when a frame of the module's
 *              is evaluated; the very call that shows it is recorded, too. It taxes every
 *              call until all is found, and gives up after a million frames, or ten
 *              thousand of the module's own functions. Members of
 *              classes do not need it; members of other objects of __main__ are not
 *              looked for
 */
#ifndef INV_PRELOAD_PYTHON_CREATION_H
#define INV_PRELOAD_PYTHON_CREATION_H

#include "preload/python/api.h"

/* For each interpreter that starts: watches where a want is not bound yet. */
void inv_py_creation_start(void);

/* A module is about to be executed, and has been. 3.12 and later. */
void inv_py_creation_watch(PyObject *module_dict);
void inv_py_creation_done(PyObject *module_dict);

#endif
