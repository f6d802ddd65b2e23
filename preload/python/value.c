/* SPDX-License-Identifier: MIT */
/*
 * value.c - attributes, items, lengths and truths.
 *
 * That a special method is C is seen by what the type has under its name: a slot wrapper, and
 * not a function.
 */
#include "preload/python/value.h"

#include <string.h>

#include "shm/sandbox.h"

static struct {
	PyObject *getattribute, *getattr, *getitem, *get, *len, *bool_, *str;
} names;

bool inv_py_value_start(void)
{
	names.getattribute = inv_py.PyUnicode_InternFromString("__getattribute__");
	names.getattr = inv_py.PyUnicode_InternFromString("__getattr__");
	names.getitem = inv_py.PyUnicode_InternFromString("__getitem__");
	names.get = inv_py.PyUnicode_InternFromString("__get__");
	names.len = inv_py.PyUnicode_InternFromString("__len__");
	names.bool_ = inv_py.PyUnicode_InternFromString("__bool__");
	names.str = inv_py.PyUnicode_InternFromString("__str__");
	return names.getattribute && names.getattr && names.getitem && names.get && names.len &&
	       names.bool_ && names.str;
}

/* ---- Python code, where the probe allows it ----------------------------------------- */

/* A mask has SIGKILL in it where none was asked for, as the program's own never has. */
void inv_py_hold_signals(sigset_t *before)
{
	sigset_t all;
	sigfillset(&all);
	sigemptyset(before);
	sigaddset(before, SIGKILL);
	if (inv_sandbox_allows(INV_ASK_HOLD))
		pthread_sigmask(SIG_BLOCK, &all, before);
}

void inv_py_release_signals(const sigset_t *before)
{
	if (!sigismember(before, SIGKILL))
		pthread_sigmask(SIG_SETMASK, before, NULL);
}

static PyObject *run_getattr(PyObject *o, PyObject *name)
{
	sigset_t before;
	inv_py_hold_signals(&before);
	PyObject *got = inv_py.PyObject_GetAttr(o, name);
	if (!got)
		inv_py.PyErr_Clear();
	inv_py_release_signals(&before);
	return got;
}

static PyObject *run_getitem(PyObject *o, PyObject *key)
{
	sigset_t before;
	inv_py_hold_signals(&before);
	PyObject *got = inv_py.PyObject_GetItem(o, key);
	if (!got)
		inv_py.PyErr_Clear();
	inv_py_release_signals(&before);
	return got;
}

/* `what` answers -1 with an exception set. */
static Py_ssize_t run_number(Py_ssize_t (*what)(PyObject *), PyObject *o)
{
	sigset_t before;
	inv_py_hold_signals(&before);
	Py_ssize_t n = what(o);
	if (n < 0)
		inv_py.PyErr_Clear();
	inv_py_release_signals(&before);
	return n;
}

/* ---- verdicts ----------------------------------------------------------------------- */

/* Whether a special method is C's: PLAIN; Python's: CODE; absent: NOT. */
static enum inv_py_verdict special(PyTypeObject *type, PyObject *name)
{
	const PyObject *found = inv_py._PyType_Lookup(type, name);
	if (!found)
		return INV_PY_NOT;
	return found->ob_type == inv_py.PyWrapperDescr_Type ? INV_PY_PLAIN : INV_PY_CODE;
}

bool inv_py_prints_by_c(PyTypeObject *type)
{
	return special(type, names.str) == INV_PY_PLAIN;
}

/* Whether reading an attribute that the class has under this name runs Python code. */
static enum inv_py_verdict of_descriptor(const PyObject *found)
{
	PyTypeObject *type = found->ob_type;
	if (type == inv_py.PyMemberDescr_Type || type == inv_py.PyGetSetDescr_Type ||
	    !type->descr_get)
		return INV_PY_PLAIN;
	if (inv_py.PyType_IsSubtype(type, inv_py.PyProperty_Type) ||
	    type == inv_py.PyClassMethod_Type)
		return INV_PY_CODE;
	return special(type, names.get) == INV_PY_PLAIN ? INV_PY_PLAIN : INV_PY_CODE;
}

static enum inv_py_verdict judge_attr(PyTypeObject *type, PyObject *name)
{
	if (type->getattro == inv_py.PyType_Type->getattro)
		return INV_PY_OF_CLASS;
	if (type->getattro != inv_py.PyObject_GenericGetAttr &&
	    type->getattro != inv_py.PyModule_Type->getattro &&
	    special(type, names.getattribute) != INV_PY_PLAIN)
		return INV_PY_CODE;
	const PyObject *found = inv_py._PyType_Lookup(type, name);
	return found ? of_descriptor(found) : INV_PY_PLAIN;
}

static enum inv_py_verdict judge_len(PyTypeObject *type)
{
	const unsigned long sized = INV_PY_LIST_SUBCLASS | INV_PY_TUPLE_SUBCLASS |
				    INV_PY_BYTES_SUBCLASS | INV_PY_STR_SUBCLASS |
				    INV_PY_DICT_SUBCLASS;
	if ((type->flags & sized) && !(type->flags & INV_PY_HEAPTYPE))
		return INV_PY_PLAIN;
	return special(type, names.len);
}

static enum inv_py_verdict verdict_of(struct inv_py_op *op, PyTypeObject *type)
{
	uint32_t tag = inv_py_tag(type);
	if (__builtin_expect(op->type == type && tag && op->tag == tag, 1))
		return (enum inv_py_verdict)op->verdict;
	op->verdict =
		(uint8_t)(op->kind == INV_PY_LEN ? judge_len(type) : judge_attr(type, op->name));
	op->where = INV_PY_UNTRIED;
	op->type = type;
	op->tag = inv_py_tag(type); /* the look-ups may have given it one */
	return (enum inv_py_verdict)op->verdict;
}

/* ---- places ------------------------------------------------------------------------- */

/* Offset of ht_cached_keys in a class that Python code has made; 0: not known. */
static uint32_t shared_keys_offset(void)
{
	return inv_py.version == 0x030b ? 872 : inv_py.version <= 0x030d ? 880 : 0;
}

/* The number of a name among the keys that a class's instances share, or -1. */
static int64_t number_of(const PyTypeObject *type, const PyObject *name)
{
	unsigned long flag = inv_py.version >= 0x030d ? INV_PY_INLINE_VALUES : INV_PY_MANAGED_DICT;
	uint32_t offset = shared_keys_offset();
	if (!(type->flags & flag) || !(type->flags & INV_PY_HEAPTYPE) || !offset)
		return -1;
	const struct inv_py_keys *keys = inv_py_at(type, offset);
	if (!keys || keys->kind != INV_PY_KEYS_SHARED || keys->count < 0 || keys->count > 64 ||
	    keys->log2_index_bytes > 12)
		return -1;
	PyObject *const *entries =
		(PyObject *const *)(keys->indices + ((size_t)1 << keys->log2_index_bytes));
	for (Py_ssize_t i = 0; i < keys->count; i++)
		if (entries[2 * i] == name)
			return i;
	return -1;
}

/* A slot's place: of __slots__, or of a C struct. */
static bool slot_of(const PyObject *found, struct inv_py_op *op)
{
	const struct inv_py_member *member =
		((const struct inv_py_member_descriptor *)found)->member;
	if (!member || member->type != INV_PY_MEMBER_OBJECT || member->offset < 16 ||
	    member->offset > 65536)
		return false;
	op->where = INV_PY_IN_SLOT;
	op->offset = (uint32_t)member->offset;
	return true;
}

static void guess_place(const PyTypeObject *type, struct inv_py_op *op)
{
	const PyObject *found = inv_py._PyType_Lookup((PyTypeObject *)type, op->name);
	if (found && found->ob_type == inv_py.PyMemberDescr_Type) {
		slot_of(found, op);
		return;
	}
	if (found && found->ob_type->descr_set)
		return; /* goes before what the instance has */
	if (inv_py.version < 0x030b) {
		if (type->dictoffset <= 0 || !inv_py._PyDict_GetItem_KnownHash)
			return;
		op->where = INV_PY_IN_DICT;
		op->offset = (uint32_t)type->dictoffset;
		return;
	}
	int64_t number = number_of(type, op->name);
	if (number < 0)
		return;
	op->where = INV_PY_IN_VALUES;
	op->offset = (uint32_t)number;
}

/* Finds where `got` was, so that it need not be asked for again: only if it is just there. */
static void find_place(PyObject *o, struct inv_py_op *op, const PyObject *got)
{
	PyTypeObject *type = o->ob_type;
	if (!op->tag || op->where || inv_py.version > 0x030d ||
	    type->getattro != inv_py.PyObject_GenericGetAttr)
		return;
	op->where = INV_PY_ASK;
	guess_place(type, op);
	if (inv_py_attr_at_once(o, op) != got)
		op->where = INV_PY_ASK;
}

/* ---- steps ---------------------------------------------------------------------------- */

static PyObject *own(PyObject *borrowed)
{
	if (borrowed)
		inv_py.Py_IncRef(borrowed);
	return borrowed;
}

/* An attribute of a class: what its bases have, when it is no descriptor. */
static PyObject *attr_of_class(PyObject *class, PyObject *name)
{
	const PyObject *meta = inv_py._PyType_Lookup(class->ob_type, name);
	if (meta && (meta->ob_type == inv_py.PyGetSetDescr_Type ||
		     meta->ob_type == inv_py.PyMemberDescr_Type)) {
		PyObject *got = inv_py.PyObject_GetAttr(class, name);
		if (!got)
			inv_py.PyErr_Clear();
		return got;
	}
	PyObject *found = inv_py._PyType_Lookup((PyTypeObject *)class, name);
	return found && !found->ob_type->descr_get ? own(found) : NULL;
}

static PyObject *attr_of(PyObject *o, struct inv_py_op *op, bool properties)
{
	switch (verdict_of(op, o->ob_type)) {
	case INV_PY_PLAIN: {
		PyObject *got = inv_py._PyObject_GenericGetAttrWithDict(o, op->name, NULL, 1);
		if (got)
			find_place(o, op, got);
		if (got || !properties)
			return got;
		return run_getattr(o, op->name); /* __getattr__ */
	}
	case INV_PY_OF_CLASS:
		return attr_of_class(o, op->name);
	default:
		return properties ? run_getattr(o, op->name) : NULL;
	}
}

static PyObject *item_at(PyObject *o, struct inv_py_op *op, bool properties)
{
	Py_ssize_t size, at = (Py_ssize_t)op->number;
	bool tuple = inv_py_has_flag(o, INV_PY_TUPLE_SUBCLASS);
	if (!tuple && !inv_py_has_flag(o, INV_PY_LIST_SUBCLASS)) {
		PyObject *key = NULL, *got = NULL;
		if (inv_py_has_flag(o, INV_PY_DICT_SUBCLASS) || properties)
			key = inv_py.PyLong_FromLongLong(op->number);
		if (key && inv_py_has_flag(o, INV_PY_DICT_SUBCLASS))
			got = own(inv_py.PyDict_GetItemWithError(o, key));
		if (key && !got && properties)
			got = run_getitem(o, key);
		inv_py_drop(key);
		return got;
	}
	size = tuple ? inv_py.PyTuple_Size(o) : inv_py.PyList_Size(o);
	if (at < 0)
		at += size;
	if (at < 0 || at >= size)
		return NULL;
	return own(tuple ? inv_py.PyTuple_GetItem(o, at) : inv_py.PyList_GetItem(o, at));
}

static PyObject *item_of(PyObject *o, struct inv_py_op *op, bool properties)
{
	PyObject *got = NULL;
	if (inv_py_has_flag(o, INV_PY_DICT_SUBCLASS))
		got = own(inv_py.PyDict_GetItemWithError(o, op->name));
	if (!got && properties)
		got = run_getitem(o, op->name);
	return got;
}

static void length_of(struct inv_py_value *v, struct inv_py_op *op, bool properties)
{
	const PyTypeObject *type = v->object->ob_type;
	Py_ssize_t n = -1;
	if (type == inv_py.PyList_Type || type == inv_py.PyTuple_Type) {
		memcpy(&n, (const char *)v->object + sizeof(PyObject), sizeof(n)); /* ob_size */
		v->good = v->is_number = true;
		v->number = n;
		return;
	}
	enum inv_py_verdict verdict = verdict_of(op, v->object->ob_type);
	if (verdict == INV_PY_PLAIN)
		n = inv_py.PyObject_Size(v->object);
	else if (verdict == INV_PY_CODE && properties)
		n = run_number(inv_py.PyObject_Size, v->object);
	if (n < 0)
		inv_py.PyErr_Clear();
	v->good = n >= 0;
	v->is_number = true;
	v->number = n;
}

/* Whether a step that came to nothing would have run the program's code to go on. */
static bool takes_code(const struct inv_py_op *op, const PyObject *o)
{
	if (op->kind == INV_PY_ATTR || op->kind == INV_PY_LEN)
		return op->verdict == INV_PY_CODE ||
		       (op->kind == INV_PY_ATTR && op->verdict == INV_PY_PLAIN &&
			inv_py._PyType_Lookup(o->ob_type, names.getattr));
	const PyObject *found = inv_py._PyType_Lookup(o->ob_type, names.getitem);
	return found && found->ob_type == inv_py.PyFunction_Type;
}

void inv_py_value_step(struct inv_py_value *v, struct inv_py_op *op, bool properties)
{
	PyObject *before = v->owned, *got = NULL;
	if (v->is_number) {
		v->good = false; /* a number has no parts */
		return;
	}
	switch (op->kind) {
	case INV_PY_ATTR:
		got = attr_of(v->object, op, properties);
		break;
	case INV_PY_KEY:
		got = item_of(v->object, op, properties);
		break;
	case INV_PY_INDEX:
		got = item_at(v->object, op, properties);
		break;
	case INV_PY_TYPE:
		got = own((PyObject *)v->object->ob_type);
		break;
	default:
		length_of(v, op, properties);
		v->code = !v->good && !properties && takes_code(op, v->object);
		v->object = v->owned = NULL;
		inv_py_drop(before);
		return;
	}
	if (!got && __builtin_expect(inv_py.PyErr_Occurred() != NULL, 0))
		inv_py.PyErr_Clear();
	v->good = got != NULL;
	v->code = !got && !properties && takes_code(op, v->object);
	v->object = v->owned = got;
	inv_py_drop(before);
}

/* ---- numbers and truth ------------------------------------------------------------------ */

int inv_py_value_real(const struct inv_py_value *v, int64_t *whole, double *real)
{
	int overflow = 0;
	if (!v->good)
		return 0;
	if (v->is_number) {
		*whole = v->number;
		return 1;
	}
	if (inv_py_has_flag(v->object, INV_PY_LONG_SUBCLASS)) {
		*whole = inv_py.PyLong_AsLongLongAndOverflow(v->object, &overflow);
		*real = overflow < 0 ? -1e300 : 1e300;
		return overflow ? 2 : 1;
	}
	if (!inv_py.PyType_IsSubtype(v->object->ob_type, inv_py.PyFloat_Type))
		return 0;
	*real = inv_py.PyFloat_AsDouble(v->object);
	return 2;
}

bool inv_py_value_number(const struct inv_py_value *v, int64_t *out)
{
	double real = 0;
	int kind = inv_py_value_real(v, out, &real);
	if (kind != 2)
		return kind == 1;
	if (!(real > -9.2e18 && real < 9.2e18))
		return false;
	*out = (int64_t)real;
	return true;
}

static int is_true(PyObject *o, bool properties, enum inv_py_verdict verdict)
{
	int truth = -1;
	if (verdict == INV_PY_PLAIN) {
		truth = inv_py.PyObject_IsTrue(o);
		if (truth < 0)
			inv_py.PyErr_Clear();
	} else if (properties) {
		sigset_t before;
		inv_py_hold_signals(&before);
		truth = inv_py.PyObject_IsTrue(o);
		if (truth < 0)
			inv_py.PyErr_Clear();
		inv_py_release_signals(&before);
	}
	return truth;
}

int inv_py_value_truth(const struct inv_py_value *v, bool properties)
{
	if (!v->good)
		return -1;
	if (v->is_number)
		return v->number != 0;
	if (v->object == inv_py.true_)
		return 1;
	if (v->object == inv_py.false_ || v->object == inv_py.none)
		return 0;
	enum inv_py_verdict verdict = special(v->object->ob_type, names.bool_);
	if (verdict == INV_PY_NOT)
		verdict = special(v->object->ob_type, names.len);
	return verdict == INV_PY_NOT ? 1 : is_true(v->object, properties, verdict);
}
