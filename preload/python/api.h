/* SPDX-License-Identifier: MIT */
/*
 * api.h - what we use of CPython: functions by name, and offsets by looking.
 *
 * Filled once per process by inv_py_api_find, before the interpreter starts where that is
 * possible, and completed by inv_py_api_verify when it runs: offsets that no version
 * promises are found in known objects, and the ones that we rely on are compared with them.
 */
#ifndef INV_PRELOAD_PYTHON_API_H
#define INV_PRELOAD_PYTHON_API_H

#include <stdbool.h>

#include "preload/python/abi.h"

/* X(result, name, parameters): functions that every supported version has. */
#define INV_PY_FUNCTIONS(X)                                                                        \
	X(const char *, Py_GetVersion, (void))                                                     \
	X(int, Py_IsInitialized, (void))                                                           \
	X(int, Py_GetRecursionLimit, (void))                                                       \
	X(void, Py_IncRef, (PyObject *))                                                           \
	X(void, Py_DecRef, (PyObject *))                                                           \
	X(PyObject *, PyErr_Occurred, (void))                                                      \
	X(int, PyErr_CheckSignals, (void))                                                         \
	X(void, PyErr_Clear, (void))                                                               \
	X(void, PyErr_Fetch, (PyObject **, PyObject **, PyObject **))                              \
	X(void, PyErr_Restore, (PyObject *, PyObject *, PyObject *))                               \
	X(PyObject *, PyObject_GetAttr, (PyObject *, PyObject *))                                  \
	X(PyObject *, PyObject_GetAttrString, (PyObject *, const char *))                          \
	X(PyObject *, PyObject_Call, (PyObject *, PyObject *, PyObject *))                         \
	X(PyObject *, PyObject_CallFunctionObjArgs, (PyObject *, ...))                             \
	X(void, PyErr_SetString, (PyObject *, const char *))                                       \
	X(PyObject *, PyObject_GetItem, (PyObject *, PyObject *))                                  \
	X(int, PyObject_SetAttrString, (PyObject *, const char *, PyObject *))                     \
	X(PyObject *, _PyObject_GenericGetAttrWithDict, (PyObject *, PyObject *, PyObject *, int)) \
	X(PyObject *, PyObject_GenericGetAttr, (PyObject *, PyObject *))                           \
	X(PyObject *, _PyType_Lookup, (PyTypeObject *, PyObject *))                                \
	X(void, PyType_Modified, (PyTypeObject *))                                                 \
	X(int, PyType_Ready, (PyTypeObject *))                                                     \
	X(int, PyType_IsSubtype, (PyTypeObject *, PyTypeObject *))                                 \
	X(Py_ssize_t, PyObject_Size, (PyObject *))                                                 \
	X(Py_ssize_t, PyObject_Hash, (PyObject *))                                                 \
	X(int, PyObject_IsTrue, (PyObject *))                                                      \
	X(PyObject *, PyObject_Str, (PyObject *))                                                  \
	X(PyObject *, PyDict_GetItemWithError, (PyObject *, PyObject *))                           \
	X(PyObject *, PyDict_GetItemString, (PyObject *, const char *))                            \
	X(int, PyDict_DelItemString, (PyObject *, const char *))                                   \
	X(int, PyDict_Next, (PyObject *, Py_ssize_t *, PyObject **, PyObject **))                  \
	X(Py_ssize_t, PyList_Size, (PyObject *))                                                   \
	X(PyObject *, PyList_GetItem, (PyObject *, Py_ssize_t))                                    \
	X(Py_ssize_t, PyTuple_Size, (PyObject *))                                                  \
	X(PyObject *, PyTuple_GetItem, (PyObject *, Py_ssize_t))                                   \
	X(long long, PyLong_AsLongLongAndOverflow, (PyObject *, int *))                            \
	X(PyObject *, PyLong_FromLongLong, (long long))                                            \
	X(double, PyFloat_AsDouble, (PyObject *))                                                  \
	X(const char *, PyUnicode_AsUTF8AndSize, (PyObject *, Py_ssize_t *))                       \
	X(PyObject *, PyUnicode_AsEncodedString, (PyObject *, const char *, const char *))         \
	X(PyObject *, PyUnicode_FromString, (const char *))                                        \
	X(PyObject *, PyUnicode_FromStringAndSize, (const char *, Py_ssize_t))                     \
	X(PyObject *, PyUnicode_InternFromString, (const char *))                                  \
	X(int, PyUnicode_Compare, (PyObject *, PyObject *))                                        \
	X(int, PyBytes_AsStringAndSize, (PyObject *, char **, Py_ssize_t *))                       \
	X(PyObject *, PyFunction_GetCode, (PyObject *))                                            \
	X(PyObject *, PyFunction_GetDefaults, (PyObject *))                                        \
	X(PyObject *, PyFunction_GetKwDefaults, (PyObject *))                                      \
	X(PyObject *, PyFunction_GetGlobals, (PyObject *))                                         \
	X(PyObject *, PyImport_GetModuleDict, (void))                                              \
	X(PyObject *, PyModule_GetDict, (PyObject *))                                              \
	X(PyObject *, PyEval_GetFrame, (void))                                                     \
	X(void *, PyInterpreterState_Main, (void))                                                 \
	X(void *, PyThreadState_Get, (void))

/* Of some versions: NULL elsewhere. */
#define INV_PY_OPTIONAL(X)                                                                         \
	X(void *, PyInterpreterState_Get, (void))                                                  \
	X(void *, _PyInterpreterState_Get, (void)) /* 3.8 */                                       \
	X(void, PyFunction_SetVectorcall, (PyObject *, inv_py_vectorcall *))                       \
	X(PyObject *, _PyDict_GetItem_KnownHash, (PyObject *, PyObject *, Py_ssize_t))             \
	X(int, PyFunction_AddWatcher, (int (*)(int, PyObject *, PyObject *)))                      \
	X(int, PyFunction_ClearWatcher, (int))                                                     \
	X(int, PyDict_AddWatcher, (int (*)(int, PyObject *, PyObject *, PyObject *)))              \
	X(int, PyDict_Watch, (int, PyObject *))                                                    \
	X(int, PyDict_Unwatch, (int, PyObject *))                                                  \
	X(void, _PyInterpreterState_SetEvalFrameFunc, (void *, void *))                            \
	X(PyObject *, _PyEval_EvalFrameDefault, (void *, void *, int))

#define INV_PY_TYPES(X)                                                                            \
	X(PyFunction_Type)                                                                         \
	X(PyCFunction_Type)                                                                        \
	X(PyType_Type)                                                                             \
	X(PyModule_Type)                                                                           \
	X(PyProperty_Type)                                                                         \
	X(PyStaticMethod_Type)                                                                     \
	X(PyClassMethod_Type)                                                                      \
	X(PyMemberDescr_Type)                                                                      \
	X(PyGetSetDescr_Type)                                                                      \
	X(PyWrapperDescr_Type)                                                                     \
	X(PyCoro_Type)                                                                             \
	X(PyFrame_Type)                                                                            \
	X(PyFloat_Type)                                                                            \
	X(PyLong_Type)                                                                             \
	X(PyBool_Type)                                                                             \
	X(PyUnicode_Type)                                                                          \
	X(PyBytes_Type)                                                                            \
	X(PyTuple_Type)                                                                            \
	X(PyDict_Type)                                                                             \
	X(PyList_Type)

struct inv_py_api {
#define INV_PY_FUNCTION(result, name, parameters) result(*name) parameters;
	INV_PY_FUNCTIONS(INV_PY_FUNCTION)
	INV_PY_OPTIONAL(INV_PY_FUNCTION)
#undef INV_PY_FUNCTION
#define INV_PY_TYPE(name) PyTypeObject *name;
	INV_PY_TYPES(INV_PY_TYPE)
#undef INV_PY_TYPE
	PyObject *none, *true_, *false_;
	PyObject **stop_iteration, **runtime_error, **type_error; /* the classes, once it runs */
	struct inv_py_inittab **inittab;
	int version;		  /* 0x030b for 3.11 */
	inv_py_vectorcall *plain; /* what calls a function that nobody patched */
	uint32_t func_vectorcall; /* offsets in a function object */
	uint32_t func_code;
	uint32_t func_globals;
	uint32_t func_defaults;
	uint32_t func_kwdefaults;
	uint32_t str_data;    /* offset of an ASCII str's bytes; 0: not known */
	uint32_t c_recursion; /* offset in a thread state: what is left for C; 0: none */
};
extern struct inv_py_api inv_py;

enum inv_py_found {
	INV_PY_ABSENT = 0, /* no interpreter in there */
	INV_PY_FOUND,
	INV_PY_FOREIGN /* one that we leave alone; *why says so */
};

/*
 * Looks for CPython among the loaded objects (handle NULL), or in one. Fills inv_py.
 * Returns: see above.
 */
enum inv_py_found inv_py_api_find(void *handle, const char **why);

/*
 * Verifies shapes and offsets; the interpreter runs, and we hold its GIL. `function` is any
 * plain function.
 * Returns: NULL, or what does not hold.
 */
const char *inv_py_api_verify(PyObject *function);

/* The main interpreter's GIL is held by this thread, and no other one's. */
bool inv_py_in_main_interpreter(void);

static inline void *inv_py_at(const void *object, uint32_t offset)
{
	return *(void *const *)((const char *)object + offset);
}

static inline void inv_py_drop(PyObject *o)
{
	if (o)
		inv_py.Py_DecRef(o);
}

/* Drops *o and sets it NULL. */
static inline void inv_py_clear(PyObject **o)
{
	PyObject *old = *o;
	*o = NULL;
	inv_py_drop(old);
}

#endif
