/* SPDX-License-Identifier: MIT */
/*
 * abi.h - the shapes of CPython that we look into: 3.8 to 3.14 with the GIL, 64-bit.
 *
 * Declared here and not included from Python.h, which is one version's. Only what does not
 * move between those versions is here; what does is found by api.c in known objects, and
 * everything here is verified there before it is used.
 */
#ifndef INV_PRELOAD_PYTHON_ABI_H
#define INV_PRELOAD_PYTHON_ABI_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

typedef struct inv_py_object PyObject;
typedef struct inv_py_type PyTypeObject;
typedef intptr_t Py_ssize_t;

struct inv_py_object {
	Py_ssize_t ob_refcnt;
	PyTypeObject *ob_type;
};

typedef PyObject *inv_py_vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf,
				    PyObject *kwnames);
typedef int inv_py_send(PyObject *self, PyObject *value, PyObject **result); /* am_send */

#define INV_PY_NARGS(nargsf) ((Py_ssize_t)((nargsf) & ~((size_t)1 << 63)))

struct inv_py_async {
	PyObject *(*am_await)(PyObject *);
	PyObject *(*am_aiter)(PyObject *);
	PyObject *(*am_anext)(PyObject *);
	inv_py_send *am_send; /* from 3.10 on */
};

/* One row of tp_methods; tp_getset. */
struct inv_py_method {
	const char *name;
	void *function;
	int flags;
	const char *doc;
};
struct inv_py_getset {
	const char *name;
	PyObject *(*get)(PyObject *, void *);
	int (*set)(PyObject *, PyObject *, void *);
	const char *doc;
	void *closure;
};

#define INV_PY_METH_VARARGS 1
#define INV_PY_METH_NOARGS  4
#define INV_PY_METH_O	    8

struct inv_py_type {
	PyObject head;
	Py_ssize_t ob_size;
	const char *name;
	Py_ssize_t basicsize, itemsize;
	void (*dealloc)(PyObject *);
	Py_ssize_t vectorcall_offset;
	void *getattr, *setattr;
	struct inv_py_async *as_async;
	void *repr, *as_number, *as_sequence, *as_mapping, *hash, *call, *str;
	PyObject *(*getattro)(PyObject *, PyObject *);
	void *setattro, *as_buffer;
	unsigned long flags;
	const char *doc;
	void *traverse, *clear, *richcompare;
	Py_ssize_t weaklistoffset;
	void *iter;
	PyObject *(*iternext)(PyObject *);
	struct inv_py_method *methods;
	void *members;
	struct inv_py_getset *getset;
	PyTypeObject *base;
	PyObject *dict;
	void *descr_get, *descr_set;
	Py_ssize_t dictoffset;
	void *init, *alloc, *new_, *free_, *is_gc;
	PyObject *bases, *mro, *cache;
	void *subclasses;
	PyObject *weaklist;
	void *del;
	unsigned int version_tag;
	void *finalize;
	void *vectorcall;
	uint64_t later[4]; /* tp_print of 3.8, tp_watched and tp_versions_used from 3.12 on */
};
static_assert(offsetof(struct inv_py_type, vectorcall_offset) == 56, "tp_vectorcall_offset");
static_assert(offsetof(struct inv_py_type, getattro) == 144, "tp_getattro");
static_assert(offsetof(struct inv_py_type, flags) == 168, "tp_flags");
static_assert(offsetof(struct inv_py_type, iter) == 216, "tp_iter");
static_assert(offsetof(struct inv_py_type, version_tag) == 384, "tp_version_tag");
#define INV_PY_TYPE_COPIED 416u /* bytes that every version has */

/* tp_flags */
#define INV_PY_STATIC_BUILTIN (1ul << 1) /* from 3.12 on */
#define INV_PY_INLINE_VALUES  (1ul << 2) /* from 3.13 on */
#define INV_PY_MANAGED_DICT   (1ul << 4) /* from 3.11 on */
#define INV_PY_HEAPTYPE	      (1ul << 9)
#define INV_PY_READY	      (1ul << 12)
#define INV_PY_READYING	      (1ul << 13)
#define INV_PY_VERSION_VALID  (1ul << 19) /* up to 3.13 */
#define INV_PY_LONG_SUBCLASS  (1ul << 24)
#define INV_PY_LIST_SUBCLASS  (1ul << 25)
#define INV_PY_TUPLE_SUBCLASS (1ul << 26)
#define INV_PY_BYTES_SUBCLASS (1ul << 27)
#define INV_PY_STR_SUBCLASS   (1ul << 28)
#define INV_PY_DICT_SUBCLASS  (1ul << 29)
#define INV_PY_TYPE_SUBCLASS  (1ul << 31)

/* A builtin function object, and the row behind it. */
struct inv_py_cfunction {
	PyObject head;
	struct inv_py_method *method;
};

/* The descriptor of a slot, and the row behind it. */
struct inv_py_member {
	const char *name;
	int type; /* INV_PY_MEMBER_OBJECT: may be NULL, which is "no such attribute" */
	Py_ssize_t offset;
};
struct inv_py_member_descriptor {
	PyObject head;
	PyTypeObject *owner;
	PyObject *name, *qualname;
	struct inv_py_member *member;
};
#define INV_PY_MEMBER_OBJECT 16

/*
 * The keys that the instances of a class share (3.11 to 3.13): entry i is the key of value i.
 * `kind` 2: shared.
 */
struct inv_py_keys {
	Py_ssize_t refcount;
	uint8_t log2_size, log2_index_bytes, kind, spare;
	uint32_t version;
	Py_ssize_t usable, count;
	char indices[]; /* 1 << log2_index_bytes of them, then the entries: key, value */
};
#define INV_PY_KEYS_SHARED 2

struct inv_py_inittab {
	const char *name;
	PyObject *(*initfunc)(void);
};

/* co_flags */
#define INV_PY_CO_VARARGS     0x04
#define INV_PY_CO_VARKEYWORDS 0x08

static inline int inv_py_has_flag(const PyObject *o, unsigned long flag)
{
	return (o->ob_type->flags & flag) != 0;
}

#endif
