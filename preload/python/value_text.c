/* SPDX-License-Identifier: MIT */
/* value_text.c - what an object is called in an event: str, bytes, numbers, names of types. */
#include <stdio.h>
#include <string.h>

#include "preload/python/value.h"

static PyObject *run_str(PyObject *o)
{
	sigset_t before;
	inv_py_hold_signals(&before);
	PyObject *text = inv_py.PyObject_Str(o);
	if (!text)
		inv_py.PyErr_Clear();
	inv_py_release_signals(&before);
	return text;
}

const char *inv_py_type_name(const PyTypeObject *type, size_t *length)
{
	const char *dot = strrchr(type->name, '.');
	const char *name = dot ? dot + 1 : type->name;
	*length = strlen(name);
	return name;
}

static bool bytes_of(PyObject *bytes, struct inv_py_text *out)
{
	char *at;
	Py_ssize_t length;
	if (inv_py.PyBytes_AsStringAndSize(bytes, &at, &length)) {
		inv_py.PyErr_Clear();
		return false;
	}
	out->bytes = at;
	out->length = (size_t)length;
	return true;
}

/*
 * An ASCII str is its own UTF-8. Others are encoded into an object of ours: the API's cached
 * UTF-8 would stay in the program's str, where sys.getsizeof shows it.
 */
static bool str_of(PyObject *text, struct inv_py_text *out)
{
	if (inv_py_ascii(text, &out->bytes, &out->length))
		return true;
	PyObject *bytes = inv_py.PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
	if (!bytes) {
		inv_py.PyErr_Clear();
		return false;
	}
	out->owned = bytes;
	return bytes_of(bytes, out);
}

/* Of an object whose __str__ is C's and calls no Python code. */
static bool printed(PyObject *o, struct inv_py_text *out)
{
	PyObject *text = inv_py.PyObject_Str(o);
	if (!text) {
		inv_py.PyErr_Clear();
		return false;
	}
	struct inv_py_text inner = {.good = false};
	bool good = str_of(text, &inner);
	out->bytes = inner.bytes;
	out->length = inner.length;
	if (inner.owned) {
		out->owned = inner.owned;
		inv_py.Py_DecRef(text);
	} else {
		out->owned = text;
	}
	return good;
}

static bool number_text(int64_t number, struct inv_py_text *out)
{
	out->length = (size_t)snprintf(out->digits, sizeof(out->digits), "%lld", (long long)number);
	out->bytes = out->digits;
	return true;
}

/* True, False, None, and numbers: int's and float's own ways to print. */
static bool is_simple(const PyObject *o)
{
	const PyTypeObject *type = o->ob_type;
	return o == inv_py.none || type == inv_py.PyLong_Type || type == inv_py.PyFloat_Type ||
	       type == inv_py.PyBool_Type;
}

static bool object_text(PyObject *o, bool properties, struct inv_py_text *out)
{
	int overflow = 0;
	if (inv_py_has_flag(o, INV_PY_STR_SUBCLASS))
		return str_of(o, out);
	if (is_simple(o))
		return printed(o, out);
	if (inv_py_has_flag(o, INV_PY_BYTES_SUBCLASS))
		return bytes_of(o, out);
	if (inv_py_has_flag(o, INV_PY_TYPE_SUBCLASS)) {
		out->bytes = inv_py_type_name((const PyTypeObject *)o, &out->length);
		return true;
	}
	if (properties) {
		PyObject *text = run_str(o);
		bool good = text && str_of(text, out);
		if (good && !out->owned)
			out->owned = text;
		else
			inv_py_drop(text);
		return good;
	}
	if (!inv_py_has_flag(o, INV_PY_LONG_SUBCLASS))
		return false;
	long long number = inv_py.PyLong_AsLongLongAndOverflow(o, &overflow);
	return !overflow && number_text(number, out);
}

void inv_py_value_text(const struct inv_py_value *v, bool properties, struct inv_py_text *out)
{
	out->owned = NULL;
	out->bytes = NULL;
	out->length = 0;
	if (!v->good)
		out->good = false;
	else if (v->is_number)
		out->good = number_text(v->number, out);
	else
		out->good = object_text(v->object, properties, out);
}

/* ---- exceptions ------------------------------------------------------------------------- */

/* The text of str(e) where BaseException makes it of simple arguments. */
static bool args_text(PyObject *e, struct inv_py_text *out)
{
	PyObject *args = inv_py.PyObject_GetAttrString(e, "args");
	bool good = false;
	if (!args) {
		inv_py.PyErr_Clear();
		return false;
	}
	Py_ssize_t count = args->ob_type == inv_py.PyTuple_Type ? inv_py.PyTuple_Size(args) : -1;
	bool simple = count >= 0;
	for (Py_ssize_t i = 0; simple && i < count; i++) {
		const PyObject *arg = inv_py.PyTuple_GetItem(args, i);
		simple = is_simple(arg) || arg->ob_type == inv_py.PyUnicode_Type ||
			 arg->ob_type == inv_py.PyBytes_Type;
	}
	if (simple && inv_py_prints_by_c(e->ob_type)) {
		good = printed(e, out);
	} else if (count > 0) { /* the first text is what there is to say */
		PyObject *first = inv_py.PyTuple_GetItem(args, 0);
		if (first->ob_type == inv_py.PyUnicode_Type && str_of(first, out)) {
			good = true;
			if (!out->owned) {
				inv_py.Py_IncRef(first);
				out->owned = first;
			}
		}
	}
	inv_py_drop(args);
	return good;
}

void inv_py_exception_text(PyObject *value, bool properties, struct inv_py_text *out)
{
	out->owned = NULL;
	out->bytes = NULL;
	out->length = 0;
	out->good = false;
	if (!value)
		return;
	if (inv_py_has_flag(value, INV_PY_STR_SUBCLASS)) /* not made an exception yet */
		out->good = str_of(value, out);
	else if (properties)
		out->good = object_text(value, true, out);
	else
		out->good = args_text(value, out);
}
