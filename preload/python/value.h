/* SPDX-License-Identifier: MIT */
/*
 * value.h - reading the program's objects without running its code.
 *
 * An attribute is read where that takes nothing but C: from the instance, a slot, a C
 * getter. A property, a __getattr__, a cached_property is code of the program: it may raise,
 * take for ever, or swallow the exception of a signal handler that happens to run in it.
 * Whether a type's attribute is plain is asked once per (type, version tag), since that tag
 * changes with every change of the type or its bases. Where its instances keep it is found at
 * the same time, by looking for what the interpreter's own look-up answered: an instruction or
 * two then take the place of some two hundred. Layouts are those of 3.8 to 3.13; a later
 * version is always asked.
 *
 * With `properties = yes` the probe's author allows such code. Signals of the thread are held
 * back meanwhile, and handlers that are due run before, so that an alarm's exception is raised
 * in the program and not in us; what the code itself raises is dropped, and the field is
 * unreadable. A signal of the process that another thread receives can still be lost there.
 *
 * Under the GIL. Leaves no exception set, and needs none to be set on entry.
 */
#ifndef INV_PRELOAD_PYTHON_VALUE_H
#define INV_PRELOAD_PYTHON_VALUE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "preload/python/api.h"

#define INV_PY_OPS_MAX 8

enum inv_py_op_kind { INV_PY_ATTR, INV_PY_KEY, INV_PY_INDEX, INV_PY_LEN, INV_PY_TYPE };
enum inv_py_verdict { INV_PY_UNKNOWN = 0, INV_PY_PLAIN, INV_PY_OF_CLASS, INV_PY_CODE, INV_PY_NOT };

/* Where an attribute of an instance lies, if it can be read without asking the type. */
enum inv_py_where {
	INV_PY_UNTRIED = 0,
	INV_PY_ASK,	  /* it is asked for */
	INV_PY_IN_SLOT,	  /* at `offset` in the object */
	INV_PY_IN_VALUES, /* number `offset` of its inline values (3.11 to 3.13) */
	INV_PY_IN_DICT	  /* in the dictionary whose pointer is at `offset` (up to 3.10) */
};

/* One step of a path, and what is known of the type that it met last. */
struct inv_py_op {
	uint8_t kind, verdict;
	uint8_t where; /* of an ATTR whose verdict is PLAIN */
	uint32_t tag;
	uint32_t offset;
	PyTypeObject *type;
	Py_ssize_t hash;  /* of name */
	int64_t number;	  /* INDEX */
	const char *text; /* ATTR, KEY */
	PyObject *name;	  /* the same as an interned str of the running interpreter */
};

/* What an expression came to; `owned` is dropped by inv_py_value_drop. */
struct inv_py_value {
	bool good, is_number;
	bool code; /* not good, for it takes code of the program, which may not run */
	int64_t number;
	PyObject *object, *owned;
};

/* UTF-8 of a value; `owned` keeps it alive, `digits` holds a number's. */
struct inv_py_text {
	bool good;
	const char *bytes;
	size_t length;
	PyObject *owned;
	char digits[24];
};

/* Around code that a probe allows: signals of this thread wait. */
void inv_py_hold_signals(sigset_t *before);
void inv_py_release_signals(const sigset_t *before);

/* To be called for each interpreter that starts. Returns: false: out of memory. */
bool inv_py_value_start(void);

static inline uint32_t inv_py_tag(const PyTypeObject *type)
{
	if (inv_py.version < 0x030c && !(type->flags & INV_PY_VERSION_VALID))
		return 0;
	return type->version_tag;
}

/* The inline values of an instance of a class that has them; NULL: it has a dictionary now. */
static inline PyObject *const *inv_py_inline_values(const PyObject *o)
{
	const char *at = (const char *)o;
	if (inv_py.version == 0x030b)
		return inv_py_at(at - 32, 0);
	if (inv_py.version == 0x030c) {
		uintptr_t word = (uintptr_t)inv_py_at(at - 24, 0);
		return word & 1 ? (PyObject *const *)(word + 1) : NULL;
	}
	at += o->ob_type->basicsize; /* capacity, size, embedded, valid; then the values */
	return at[3] ? (PyObject *const *)(at + 8) : NULL;
}

/*
 * The attribute of a step whose place is known, borrowed from the object.
 * Returns: NULL: the step has to be taken in full.
 */
static inline PyObject *inv_py_attr_at_once(PyObject *o, const struct inv_py_op *op)
{
	PyTypeObject *type = o->ob_type;
	if (op->type != type || op->where <= INV_PY_ASK || op->tag != inv_py_tag(type))
		return NULL;
	if (op->where == INV_PY_IN_SLOT)
		return inv_py_at(o, op->offset);
	if (op->where == INV_PY_IN_VALUES) {
		PyObject *const *values = inv_py_inline_values(o);
		return values ? values[op->offset] : NULL;
	}
	PyObject *dict = inv_py_at(o, op->offset);
	return dict ? inv_py._PyDict_GetItem_KnownHash(dict, op->name, op->hash) : NULL;
}

/* Applies one step to *v, which must be good; what it held is dropped. */
void inv_py_value_step(struct inv_py_value *v, struct inv_py_op *op, bool properties);

static inline void inv_py_value_drop(struct inv_py_value *v)
{
	if (v->owned)
		inv_py.Py_DecRef(v->owned);
}

/* The bytes of an ASCII str, which are its UTF-8. Returns: false: it is something else. */
static inline bool inv_py_ascii(const PyObject *o, const char **bytes, size_t *length)
{
	uint32_t state;
	if (!inv_py_has_flag(o, INV_PY_STR_SUBCLASS) || !inv_py.str_data)
		return false;
	memcpy(&state, (const char *)o + 32, sizeof(state));
	if ((state & 0x60u) != 0x60u) /* compact, ascii */
		return false;
	*bytes = (const char *)o + inv_py.str_data;
	memcpy(length, (const char *)o + 16, sizeof(*length));
	return true;
}

/*
 * str as its UTF-8, a lone surrogate as \udcxx; numbers, True, False, None as Python prints
 * them; a type by its name; others only by their own __str__, if `properties`.
 */
void inv_py_value_text(const struct inv_py_value *v, bool properties, struct inv_py_text *out);

/* Whether a value that gave no text would have given one by code of the program. */
static inline bool inv_py_value_takes_code(const struct inv_py_value *v, bool properties)
{
	return v->code || (v->good && !properties);
}

static inline void inv_py_text_drop(struct inv_py_text *text)
{
	if (text->owned)
		inv_py.Py_DecRef(text->owned);
}

/* A whole number; a float is cut towards zero. Returns: false: it is none. */
bool inv_py_value_number(const struct inv_py_value *v, int64_t *out);

/* The same, exact: *real is its value when it is a float. Returns: 0: none, 1: *whole, 2: *real. */
int inv_py_value_real(const struct inv_py_value *v, int64_t *whole, double *real);

/* Truth in Python's sense. Returns: 1, 0, or -1: it takes Python code to know. */
int inv_py_value_truth(const struct inv_py_value *v, bool properties);

/* type.__name__, up to the next change of the type. */
const char *inv_py_type_name(const PyTypeObject *type, size_t *length);

/* Whether str() of an instance is C's own. */
bool inv_py_prints_by_c(PyTypeObject *type);

/* What an exception says, from its triple; see inv_py_value_text. */
void inv_py_exception_text(PyObject *value, bool properties, struct inv_py_text *out);

#endif
