/* SPDX-License-Identifier: MIT */
/*
 * find.h - finds the functions that probes name, whenever they come to be.
 *
 * Watched, by patching in place what every interpreter has:
 *   _LoaderBasics.exec_module   a module has been executed, and nobody else has it yet
 *   _load_unlocked              ... by any other kind of loader: sys.modules is looked at
 *   __build_class__             a class is made: in __main__, in a circular import, by hand
 * Functions of a module that is still being executed: creation.h.
 *
 * A module is the target's when it has its name, when it is __main__ and the target says so
 * (__mp_main__ too, as multiprocessing's spawn calls it), or when it is __main__ and was
 * executed from the target's file.
 *
 * Under the GIL of the main interpreter.
 */
#ifndef INV_PRELOAD_PYTHON_FIND_H
#define INV_PRELOAD_PYTHON_FIND_H

#include <stdbool.h>

#include "preload/python/call.h"
#include "preload/python/python.h"

/* A probe, its target, and what is bound of it. */
struct inv_py_want {
	uint32_t probe; /* the host's number */
	const struct inv_probe *target;
	struct inv_py_binding binding;
	uint32_t functions; /* patched in the running interpreter */
	size_t nearest;	    /* how far from its name the module is that was told */
};

/* Takes the probes; none with a Python target: there is nothing to do. Returns: how many. */
uint32_t inv_py_find_take(const struct inv_probe *probes, uint32_t count,
			  const struct inv_py_host *host);

/* Says the same of all wants. */
void inv_py_find_refuse(enum inv_reason reason, const char *detail);

/* The main interpreter has its import system: verifies, patches, watches. */
void inv_py_find_start(void);

/* ---- for creation.c -------------------------------------------------------------- */

/* The wants, by number; NULL: no more. */
struct inv_py_want *inv_py_want_at(uint32_t i);

/* How many are not bound yet. */
uint32_t inv_py_wants_open(void);

/* Whether a module's dictionary is that of the want's target, by its __name__ and __file__. */
bool inv_py_want_matches(const struct inv_py_want *want, PyObject *module_dict);

/*
 * Binds what the want names, `first` being the value of the first part of its name in the
 * module. Returns: the function, borrowed; NULL: it is not there, or not to be bound.
 */
PyObject *inv_py_want_bind(struct inv_py_want *want, PyObject *first);

/* What a module has under the first part of the want's name; borrowed, NULL: nothing. */
PyObject *inv_py_want_first(const struct inv_py_want *want, PyObject *module_dict);

/* The length of the first part of a dotted name. */
size_t inv_py_first_part(const char *dotted);

#endif
