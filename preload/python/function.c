/* SPDX-License-Identifier: MIT */
/* function.c - see function.h for what is patched and why. */
#include "preload/python/function.h"

#include <string.h>

static PyTypeObject subtype; /* of the interpreter that runs: made anew with it */
static bool subtype_made;

/* ---- subtypes --------------------------------------------------------------------- */

void inv_py_subtype_copy(PyTypeObject *copy, PyTypeObject *of)
{
	memset(copy, 0, sizeof(*copy));
	memcpy(copy, of, INV_PY_TYPE_COPIED);
	copy->head.ob_refcnt = 1;
	copy->flags &=
		~(INV_PY_READY | INV_PY_READYING | INV_PY_VERSION_VALID | INV_PY_STATIC_BUILTIN);
	copy->methods = NULL;
	copy->members = NULL;
	copy->getset = NULL;
	copy->base = of;
	copy->dict = copy->bases = copy->mro = copy->cache = copy->weaklist = NULL;
	copy->subclasses = NULL;
	copy->version_tag = 0;
	memset(copy->later, 0, sizeof(copy->later));
}

bool inv_py_subtype_ready(PyTypeObject *copy)
{
	if (inv_py.PyType_Ready(copy) != 0) {
		inv_py.PyErr_Clear();
		return false;
	}
	/* The type's own __doc__ would hide that of its objects; it is still asked of tp_doc. */
	if (inv_py.PyDict_DelItemString(copy->dict, "__doc__"))
		inv_py.PyErr_Clear();
	inv_py.PyType_Modified(copy);
	return true;
}

static PyObject *get_class(PyObject *self, void *closure)
{
	PyObject *type = (PyObject *)inv_py.PyFunction_Type;
	inv_py.Py_IncRef(type);
	return type;
}

/* The refusal is the one that the program would get unobserved. */
static int set_class(PyObject *self, PyObject *value, void *closure)
{
	PyTypeObject *type = self->ob_type;
	self->ob_type = inv_py.PyFunction_Type;
	int failed = inv_py.PyObject_SetAttrString(self, "__class__", value);
	if (failed)
		self->ob_type = type;
	return failed;
}

/* A function is pickled and copied by its name. */
static PyObject *reduce(PyObject *self, PyObject *protocol)
{
	return inv_py.PyObject_GetAttrString(self, "__qualname__");
}

static struct inv_py_getset getset[] = {{"__class__", get_class, set_class, NULL, NULL},
					{.name = NULL}};
static struct inv_py_method methods[] = {{"__reduce_ex__", (void *)reduce, INV_PY_METH_O, NULL},
					 {.name = NULL}};

bool inv_py_function_start(void)
{
	subtype_made = false;
	if (inv_py.version != 0x030b && inv_py.version < 0x030d)
		return true; /* not needed */
	inv_py_subtype_copy(&subtype, inv_py.PyFunction_Type);
	subtype.getset = getset;
	subtype.methods = methods;
	subtype_made = inv_py_subtype_ready(&subtype);
	return subtype_made;
}

/* ---- functions -------------------------------------------------------------------- */

bool inv_py_function_is(const PyObject *o)
{
	return o->ob_type == inv_py.PyFunction_Type || (subtype_made && o->ob_type == &subtype);
}

inv_py_vectorcall *inv_py_function_stub(const PyObject *f)
{
	inv_py_vectorcall *stub;
	*(void **)&stub = inv_py_at(f, inv_py.func_vectorcall);
	return stub == inv_py.plain ? NULL : stub;
}

static void set_vectorcall(PyObject *f, inv_py_vectorcall *vectorcall)
{
	if (inv_py.PyFunction_SetVectorcall) {
		inv_py.PyFunction_SetVectorcall(f, vectorcall);
		return;
	}
	char *at = (char *)f + inv_py.func_vectorcall;
	memcpy(at, &vectorcall, sizeof(vectorcall));
	if (inv_py.version == 0x030b) /* func_version: what inlined calls were promised */
		memset(at + sizeof(vectorcall), 0, sizeof(uint32_t));
}

void inv_py_function_patch(PyObject *f, inv_py_vectorcall *stub, bool init)
{
	set_vectorcall(f, stub);
	if (inv_py.version == 0x030b || (init && inv_py.version >= 0x030d))
		f->ob_type = &subtype;
}

void inv_py_function_restore(PyObject *f)
{
	set_vectorcall(f, inv_py.plain);
	f->ob_type = inv_py.PyFunction_Type;
}

PyObject *inv_py_function_behind(PyObject *descriptor)
{
	PyObject *f = NULL;
	if (inv_py_function_is(descriptor)) {
		inv_py.Py_IncRef(descriptor);
		return descriptor;
	}
	if (descriptor->ob_type == inv_py.PyStaticMethod_Type ||
	    descriptor->ob_type == inv_py.PyClassMethod_Type)
		f = inv_py.PyObject_GetAttrString(descriptor, "__func__");
	else if (descriptor->ob_type == inv_py.PyProperty_Type)
		f = inv_py.PyObject_GetAttrString(descriptor, "fget");
	if (!f)
		inv_py.PyErr_Clear();
	else if (!inv_py_function_is(f))
		inv_py_clear(&f);
	return f;
}
