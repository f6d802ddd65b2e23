/* SPDX-License-Identifier: MIT */
/*
 * path.h - a Python expression of a probe: a parameter or the result, then steps.
 *
 * Compiled once from the text that probe_source.c has accepted; its names become strs of
 * each interpreter that starts; its parameter becomes a place among the arguments for each
 * code object that is met. Evaluation looks at no text.
 */
#ifndef INV_PRELOAD_PYTHON_PATH_H
#define INV_PRELOAD_PYTHON_PATH_H

#include "preload/probe.h"
#include "preload/python/value.h"

enum inv_py_base { INV_PY_NO_BASE = 0, INV_PY_OF_PARAM, INV_PY_OF_RETURN };

struct inv_py_path {
	uint8_t base; /* NO_BASE: not given, or a constant */
	uint8_t count;
	bool properties;
	int16_t place; /* of the parameter: see inv_py_place */
	char *name;    /* of the parameter */
	PyObject *name_object;
	struct inv_py_op ops[INV_PY_OPS_MAX];
};

/* The parameters of one code object. */
struct inv_py_code {
	PyObject *code;	 /* owned: an address is not used again meanwhile; NULL: none met yet */
	PyObject *names; /* owned: co_varnames, whose first are the parameters */
	int positional, keyword_only;
	bool varargs, varkeywords;
};

/* Places beyond the named parameters. */
#define INV_PY_PLACE_NONE	 (-1)
#define INV_PY_PLACE_VARARGS	 (-2) /* *args */
#define INV_PY_PLACE_VARKEYWORDS (-3) /* **kwargs */

/* The arguments of one call. */
struct inv_py_arguments {
	PyObject *function;
	PyObject *const *args;
	Py_ssize_t count;   /* positional */
	PyObject *keywords; /* names of those behind them: a tuple, or NULL */
	const struct inv_py_code *code;
	bool locals; /* args are the function's local variables: every parameter is there */
};

/* Returns: false: out of memory, or more steps than there is room for. */
bool inv_py_path_compile(struct inv_py_path *out, const struct inv_source *source, bool properties);

/* Makes its names strs of the running interpreter. Returns: false: out of memory. */
bool inv_py_path_start(struct inv_py_path *path);

/* Reads a code object's parameters. Returns: false: it is none, or out of memory. */
bool inv_py_code_read(struct inv_py_code *out, PyObject *code);

/* Finds the path's parameter among those of `code`. Returns: false: it has none of that name. */
bool inv_py_path_place(struct inv_py_path *path, const struct inv_py_code *code);

/* Evaluates at entry, or at return with `result`. To be dropped. v->good says whether it came off.
 */
void inv_py_path_eval(struct inv_py_path *path, const struct inv_py_arguments *arguments,
		      PyObject *result, struct inv_py_value *v);

#endif
