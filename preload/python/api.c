/* SPDX-License-Identifier: MIT */
/*
 * api.c - names looked up, shapes verified.
 *
 * What cannot be verified is not used: a str whose layout is unknown is encoded by the API, a
 * C recursion counter that is not where 3.12 and 3.13 have it is left alone. What is needed
 * and does not hold makes the adapter stand down.
 */
#include "preload/python/api.h"

#include <stdio.h>
#include <string.h>

#include "preload/got.h"

struct inv_py_api inv_py;

/* ---- names ------------------------------------------------------------------------ */

static bool find_all(void *handle)
{
	bool all = true;
#define INV_PY_FIND(result, name, parameters)                                                      \
	*(void **)&inv_py.name = inv_got_real_dlsym(handle, #name);
#define INV_PY_NEED(result, name, parameters)                                                      \
	INV_PY_FIND(result, name, parameters)                                                      \
	all = all && inv_py.name != NULL;
#define INV_PY_NEED_TYPE(name)                                                                     \
	inv_py.name = inv_got_real_dlsym(handle, #name);                                           \
	all = all && inv_py.name != NULL;
	INV_PY_FUNCTIONS(INV_PY_NEED)
	INV_PY_OPTIONAL(INV_PY_FIND)
	INV_PY_TYPES(INV_PY_NEED_TYPE)
	inv_py.none = inv_got_real_dlsym(handle, "_Py_NoneStruct");
	inv_py.true_ = inv_got_real_dlsym(handle, "_Py_TrueStruct");
	inv_py.false_ = inv_got_real_dlsym(handle, "_Py_FalseStruct");
	inv_py.stop_iteration = inv_got_real_dlsym(handle, "PyExc_StopIteration");
	inv_py.runtime_error = inv_got_real_dlsym(handle, "PyExc_RuntimeError");
	inv_py.type_error = inv_got_real_dlsym(handle, "PyExc_TypeError");
	inv_py.inittab = inv_got_real_dlsym(handle, "PyImport_Inittab");
	return all && inv_py.none && inv_py.true_ && inv_py.false_ && inv_py.stop_iteration &&
	       inv_py.runtime_error && inv_py.type_error && inv_py.inittab &&
	       (inv_py.PyInterpreterState_Get || inv_py._PyInterpreterState_Get);
}

enum inv_py_found inv_py_api_find(void *handle, const char **why)
{
	int major = 0, minor = 0;
	const char *(*get_version)(void) = NULL;
	*(void **)&get_version = inv_got_real_dlsym(handle, "Py_GetVersion");
	/* 3.8 has the first audit hooks; PyPy's names are others. */
	if (!get_version || !inv_got_real_dlsym(handle, "Py_IsInitialized"))
		return INV_PY_ABSENT;
	const char *text = get_version();
	if (sscanf(text, "%d.%d", &major, &minor) != 2 || major != 3 || minor < 8 || minor > 14) {
		*why = "a Python that is not CPython 3.8 to 3.14";
		return INV_PY_FOREIGN;
	}
	if (strstr(text, "free-threading") || strstr(text, "experimental free")) {
		*why = "a free-threaded CPython";
		return INV_PY_FOREIGN;
	}
	if (!find_all(handle)) {
		*why = "a CPython that does not export what is needed";
		return INV_PY_FOREIGN;
	}
	inv_py.version = major << 8 | minor;
	return INV_PY_FOUND;
}

/* ---- shapes ----------------------------------------------------------------------- */

static const char *verify_types(PyObject *function)
{
	const PyTypeObject *type = inv_py.PyFunction_Type;
	if (function->ob_type != type || type->head.ob_type != inv_py.PyType_Type)
		return "ob_type";
	if (strcmp(type->name, "function") != 0)
		return "tp_name";
	if (type->vectorcall_offset < 24 || type->vectorcall_offset > 256 ||
	    type->vectorcall_offset % 8)
		return "tp_vectorcall_offset";
	if (inv_py.PyLong_Type->getattro != inv_py.PyObject_GenericGetAttr)
		return "tp_getattro";
	if (!(inv_py.PyUnicode_Type->flags & INV_PY_STR_SUBCLASS) ||
	    !(inv_py.PyDict_Type->flags & INV_PY_DICT_SUBCLASS) ||
	    (inv_py.PyLong_Type->flags & (INV_PY_STR_SUBCLASS | INV_PY_DICT_SUBCLASS)) ||
	    !(type->flags & INV_PY_READY))
		return "tp_flags";
	if (!inv_py.PyCoro_Type->as_async || !inv_py.PyCoro_Type->as_async->am_await)
		return "tp_as_async";
	return NULL;
}

static uint32_t offset_of(const void *object, const void *value, uint32_t from, uint32_t to)
{
	for (uint32_t at = from; at < to; at += 8)
		if (inv_py_at(object, at) == value)
			return at;
	return 0;
}

static const char *verify_function(PyObject *f)
{
	uint32_t end = (uint32_t)inv_py.PyFunction_Type->basicsize;
	inv_py.func_vectorcall = (uint32_t)inv_py.PyFunction_Type->vectorcall_offset;
	*(void **)&inv_py.plain = inv_py_at(f, inv_py.func_vectorcall);
	inv_py.func_code = offset_of(f, inv_py.PyFunction_GetCode(f), 16, end);
	inv_py.func_globals = offset_of(f, inv_py.PyFunction_GetGlobals(f), 16, end);
	if (!inv_py.plain || !inv_py.func_code || !inv_py.func_globals)
		return "the layout of function objects";
	/* Behind the code; 3.8 and 3.9 have the globals between. */
	inv_py.func_defaults = inv_py.func_code + (inv_py.func_globals > inv_py.func_code ? 16 : 8);
	inv_py.func_kwdefaults = inv_py.func_defaults + 8;
	if (inv_py_at(f, inv_py.func_defaults) != inv_py.PyFunction_GetDefaults(f) ||
	    inv_py_at(f, inv_py.func_kwdefaults) != inv_py.PyFunction_GetKwDefaults(f))
		return "the layout of function objects";
	return NULL;
}

#define STATE_AT    32u
#define STATE_ASCII 0x60u /* compact, ascii */

static uint32_t state_of(const PyObject *text)
{
	uint32_t state;
	memcpy(&state, (const char *)text + STATE_AT, sizeof(state));
	return state;
}

/* Where the bytes of an ASCII str are, if its layout is the one we know. */
static void find_str_data(void)
{
	Py_ssize_t length = 0;
	PyObject *ascii = inv_py.PyUnicode_FromString("invreg");
	PyObject *latin = inv_py.PyUnicode_FromString("\xc3\xa9t\xc3\xa9");
	const char *data = ascii ? inv_py.PyUnicode_AsUTF8AndSize(ascii, &length) : NULL;
	inv_py.str_data = 0;
	if (data && latin && (state_of(ascii) & STATE_ASCII) == STATE_ASCII &&
	    (state_of(latin) & STATE_ASCII) != STATE_ASCII && inv_py_at(ascii, 16) == (void *)6 &&
	    data > (const char *)ascii && data < (const char *)ascii + 64)
		inv_py.str_data = (uint32_t)(data - (const char *)ascii);
	inv_py_drop(ascii);
	inv_py_drop(latin);
	inv_py.PyErr_Clear();
}

/*
 * 3.12 and 3.13 count the evaluation loops on the C stack, of which an observed call takes
 * one where an unobserved one takes none: { Python's remaining, its limit, C's remaining }.
 */
static void find_c_recursion(void)
{
	const int *state = inv_py.PyThreadState_Get();
	int limit = inv_py.Py_GetRecursionLimit();
	inv_py.c_recursion = 0;
	if (inv_py.version != 0x030c && inv_py.version != 0x030d)
		return;
	for (uint32_t i = 7; i < 40 && !inv_py.c_recursion; i++)
		if (state[i] == limit && state[i - 1] > 0 && state[i - 1] <= limit &&
		    state[i + 1] > 100 && state[i + 1] <= 100000)
			inv_py.c_recursion = (i + 1) * (uint32_t)sizeof(int);
}

const char *inv_py_api_verify(PyObject *function)
{
	const char *wrong = verify_types(function);
	if (!wrong)
		wrong = verify_function(function);
	if (wrong)
		return wrong;
	find_str_data();
	find_c_recursion();
	return NULL;
}

bool inv_py_in_main_interpreter(void)
{
	void *current = inv_py.PyInterpreterState_Get ? inv_py.PyInterpreterState_Get()
						      : inv_py._PyInterpreterState_Get();
	return current == inv_py.PyInterpreterState_Main();
}
