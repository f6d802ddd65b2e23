/* SPDX-License-Identifier: MIT */
/*
 * call.h - one observed call of a Python function: a stub for each probe.
 *
 * A stub is a vectorcall. It reads the fields from the arguments, begins the call by record.h,
 * calls on, and ends it with what came out: success by the probe's rule, or the class of the
 * exception, which is neither fetched nor changed. A coroutine that comes out is handed to
 * coroutine.h, which ends the call when its result is there.
 *
 * An observed call takes C stack where the interpreter would have inlined it, or more than it
 * would have taken (up to 3.10). Past half of a thread's stack, or a quarter, the function is given
 * back until the call returns, and counted: a recursion goes as deep as it does unobserved. The
 * stack is measured and calls are not, since greenlets leave in any order.
 */
#ifndef INV_PRELOAD_PYTHON_CALL_H
#define INV_PRELOAD_PYTHON_CALL_H

#include "preload/plan.h"
#include "preload/python/path.h"
#include "preload/python/python.h"

#define INV_PY_TYPES_CACHED 32u

/* The result and error types met last, by class: while it is the same class by that name. */
struct inv_py_known_type {
	const PyTypeObject *type;
	const char *name;
	uint32_t tag;
	uint16_t id;
};

struct inv_py_binding {
	const struct inv_py_host *host;
	uint32_t number;	     /* the host's, of the probe */
	const struct inv_plan *plan; /* NULL: nothing bound yet */
	const struct inv_probe *probe;
	struct inv_py_code code;
	struct inv_py_path fields[INV_FIELD_COUNT];
	struct inv_py_path success, error_code;
	struct inv_py_known_type types[INV_PY_TYPES_CACHED];
	struct inv_call_fields constant; /* the fields of a call, where they are all constants */
	bool reads;			 /* some field is not */
	bool judges;			 /* there is a success rule or a result type */
	bool init;			 /* the function is an __init__ */
	bool told;			 /* that a field takes code */
	uint32_t told_fields;		 /* bit i: that field i was unreadable */
};

/* Compiles a probe's expressions. Returns: false: no room or no memory. */
bool inv_py_binding_compile(struct inv_py_binding *b, const struct inv_probe *probe);

/* The probe has its place in the segment: what does not depend on a call is made ready. */
void inv_py_binding_ready(struct inv_py_binding *b, const struct inv_plan *plan);

/* For each interpreter that starts. Returns: false: out of memory. */
bool inv_py_binding_start(struct inv_py_binding *b);

/*
 * Looks at the parameters of a function that is about to be patched.
 * Returns: the first parameter that a field names and that it does not have, or NULL.
 */
const char *inv_py_binding_place(struct inv_py_binding *b, PyObject *code);

/*
 * A field (INV_FIELD_COUNT: the success rule) is unreadable in this call; `code`: since what is
 * read takes code that the probe does not allow. The host is told once of each field, and of the
 * first that takes code.
 */
void inv_py_binding_unreadable(struct inv_py_binding *b, unsigned field, bool code);

/* The stub of binding number n, below INV_PROBE_FILE_MAX. */
inv_py_vectorcall *inv_py_stub(uint32_t n, struct inv_py_binding *b);

/*
 * Records a call whose frame is about to be evaluated: `locals` are its local variables,
 * `evaluate` goes on with it.
 */
PyObject *inv_py_call_frame(struct inv_py_binding *b, PyObject *function, PyObject *const *locals,
			    PyObject *(*evaluate)(void *frame), void *frame);

/*
 * Ends a call with its result, or with the exception that is set (result NULL), or with the
 * error type `left` when neither is there.
 */
void inv_py_call_finish(struct inv_py_binding *b, struct inv_call *call, PyObject *result,
			const char *left, uint64_t now);

#endif
