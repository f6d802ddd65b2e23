/* SPDX-License-Identifier: MIT */
/*
 * coroutine.c - the type that a waiting coroutine has, and its open calls.
 *
 * Open calls are in a hash by the coroutine's address, nodes on a free list: coroutines end
 * in any order.
 */
#include "preload/python/coroutine.h"

#include <stdlib.h>
#include <string.h>

#include "preload/python/function.h"

#define BUCKETS 1024u

struct open_call {
	struct open_call *next;
	PyObject *coroutine;
	struct inv_py_binding *binding;
	struct inv_call call;
	bool running, started;
};

static struct open_call *open_calls[BUCKETS], *unused;
static PyTypeObject waiting; /* the subtype */
static struct inv_py_async as_async;
static bool ready;

/* ---- open calls ------------------------------------------------------------------- */

static struct open_call **bucket_of(const PyObject *coroutine)
{
	uint64_t key = (uint64_t)(uintptr_t)coroutine * UINT64_C(0x9e3779b97f4a7c15);
	return &open_calls[key >> 54];
}

static struct open_call *find(const PyObject *coroutine)
{
	struct open_call *open = *bucket_of(coroutine);
	while (open && open->coroutine != coroutine)
		open = open->next;
	return open;
}

static void forget(struct open_call *open)
{
	struct open_call **at = bucket_of(open->coroutine);
	while (*at != open)
		at = &(*at)->next;
	*at = open->next;
	open->next = unused;
	unused = open;
}

bool inv_py_coroutine_take(PyObject *coroutine, struct inv_py_binding *b,
			   const struct inv_call *call)
{
	struct open_call *open = unused;
	if (!ready)
		return false;
	if (open)
		unused = open->next;
	else if (!(open = malloc(sizeof(*open))))
		return false;
	struct open_call **bucket = bucket_of(coroutine);
	*open = (struct open_call){
		.next = *bucket, .coroutine = coroutine, .binding = b, .call = *call};
	*bucket = open;
	inv_record_suspend(&open->call);
	coroutine->ob_type = &waiting;
	return true;
}

/* ---- steps ------------------------------------------------------------------------ */

/* The coroutine becomes what it is. Returns: NULL: it runs already, nothing is to be done after. */
static struct open_call *wake(PyObject *self, uintptr_t frame)
{
	struct open_call *open = find(self);
	self->ob_type = inv_py.PyCoro_Type;
	if (!open || open->running)
		return NULL;
	open->running = true;
	inv_record_resume(&open->call, frame);
	return open;
}

/* It waits again. */
static void rest(PyObject *self, struct open_call *open, bool started)
{
	open->running = false;
	open->started |= started;
	inv_record_suspend(&open->call);
	self->ob_type = &waiting;
}

/* It has ended: with a result, with the exception that is set, or left by `left`. */
static void end(struct open_call *open, PyObject *result, const char *left, uint64_t now)
{
	struct inv_py_binding *b = open->binding;
	struct inv_call call = open->call;
	forget(open); /* what follows may run other coroutines */
	inv_record_suspend(&call);
	inv_py_call_finish(b, &call, result, left, now);
}

static bool is_stop(PyObject *class)
{
	return class && inv_py.PyType_IsSubtype((PyTypeObject *)class,
						(PyTypeObject *)*inv_py.stop_iteration);
}

/* An exception is set that came out of the coroutine: its result (StopIteration), or itself. */
static void end_raised(struct open_call *open, uint64_t now)
{
	PyObject *type, *value, *traceback, *result = NULL;
	if (!is_stop(inv_py.PyErr_Occurred())) {
		end(open, NULL, NULL, now);
		return;
	}
	inv_py.PyErr_Fetch(&type, &value, &traceback);
	if (value && inv_py.PyType_IsSubtype(value->ob_type, (PyTypeObject *)type)) {
		result = inv_py.PyObject_GetAttrString(value, "value");
		if (!result)
			inv_py.PyErr_Clear();
	} else if (value) { /* not made an exception yet */
		inv_py.Py_IncRef(value);
		result = value;
	}
	end(open, result ? result : inv_py.none, NULL, now);
	inv_py_drop(result);
	inv_py.PyErr_Restore(type, value, traceback);
}

/* After a step by send or throw whose end shows as an exception. */
static PyObject *after(PyObject *self, struct open_call *open, PyObject *yielded, bool refused,
		       uint64_t now)
{
	if (!open)
		return yielded;
	if (yielded || refused)
		rest(self, open, yielded != NULL);
	else
		end_raised(open, now);
	return yielded;
}

/* The method that its own type has. */
static PyObject *own_method(const char *name)
{
	return inv_py.PyObject_GetAttrString((PyObject *)inv_py.PyCoro_Type, name);
}

static PyObject *step(PyObject *self, PyObject *value)
{
	PyObject *method = own_method("send"), *yielded;
	if (!method)
		return NULL;
	struct open_call *open = wake(self, INV_FRAME_START());
	/* A first value other than None is refused before anything runs. */
	bool refused = open && !open->started && value != inv_py.none;
	yielded = inv_py.PyObject_CallFunctionObjArgs(method, self, value, NULL);
	uint64_t now = inv_record_now();
	inv_py.Py_DecRef(method);
	return after(self, open, yielded, refused, now);
}

static PyObject *iternext(PyObject *self)
{
	return step(self, inv_py.none);
}

/* am_send: 1 yielded, 0 returned, -1 raised. */
static int send_step(PyObject *self, PyObject *value, PyObject **result)
{
	struct open_call *open = wake(self, INV_FRAME_START());
	bool refused = open && !open->started && value != inv_py.none;
	int how = inv_py.PyCoro_Type->as_async->am_send(self, value, result);
	uint64_t now = inv_record_now();
	if (!open)
		return how;
	if (how == 1 || (how < 0 && refused))
		rest(self, open, how == 1);
	else if (how == 0)
		end(open, *result, NULL, now);
	else
		end_raised(open, now);
	return how;
}

static PyObject *throw_step(PyObject *self, PyObject *args)
{
	PyObject *method = NULL, *yielded;
	struct open_call *open = wake(self, INV_FRAME_START());
	method = inv_py.PyObject_GetAttrString(self, "throw");
	if (!method)
		return after(self, open, NULL, true, 0);
	yielded = inv_py.PyObject_Call(method, args, NULL);
	uint64_t now = inv_record_now();
	inv_py.Py_DecRef(method);
	return after(self, open, yielded, false, now);
}

static PyObject *close_step(PyObject *self, PyObject *nothing)
{
	struct open_call *open;
	PyObject *method = own_method("close"), *closed;
	if (!method)
		return NULL;
	open = wake(self, INV_FRAME_START());
	closed = inv_py.PyObject_CallFunctionObjArgs(method, self, NULL);
	uint64_t now = inv_record_now();
	inv_py.Py_DecRef(method);
	if (open && closed)
		end(open, NULL, open->started ? "GeneratorExit" : "never_awaited", now);
	else if (open) /* it raised, or ignored GeneratorExit: either way it says so itself */
		end(open, NULL, NULL, now);
	return closed;
}

/* ---- the type ------------------------------------------------------------------------ */

/* `await` on a coroutine asks it for an iterator: itself, unless another one waits for it. */
static PyObject *await_self(PyObject *self)
{
	PyObject *awaited = inv_py.PyObject_GetAttrString(self, "cr_await");
	if (!awaited)
		return NULL;
	inv_py.Py_DecRef(awaited);
	if (awaited != inv_py.none) {
		inv_py.PyErr_SetString(*inv_py.runtime_error, "coroutine is being awaited already");
		return NULL;
	}
	inv_py.Py_IncRef(self);
	return self;
}

/* A number that an attribute holds, or -1. */
static long long number_of(PyObject *object, const char *name)
{
	int overflow;
	PyObject *held = inv_py.PyObject_GetAttrString(object, name);
	long long number = held ? inv_py.PyLong_AsLongLongAndOverflow(held, &overflow) : -1;
	inv_py_drop(held);
	return number;
}

/* The instruction that a frame is at, or -1. */
static int instruction_of(PyObject *frame, PyObject *code)
{
	char *bytes;
	Py_ssize_t size;
	int instruction = -1;
	long long at = number_of(frame, "f_lasti");
	PyObject *text = inv_py.PyObject_GetAttrString(code, "co_code");
	if (text && !inv_py.PyBytes_AsStringAndSize(text, &bytes, &size) && at >= 0 && at < size)
		instruction = (unsigned char)bytes[at];
	inv_py_drop(text);
	return instruction;
}

#define GET_YIELD_FROM_ITER (inv_py.version >= 0x030d ? 21 : 69) /* 3.8 to 3.13 */
#define ITERABLE_COROUTINE  0x100				 /* co_flags: types.coroutine */

/*
 * A coroutine has no iterator, and `yield from` in a generator that is a coroutine does without
 * one, if the type is just the coroutines' own. It asks us, as all do that want to iterate, who
 * are to be told what they always were.
 */
static PyObject *iterate(PyObject *self)
{
	PyObject *frame = inv_py.PyEval_GetFrame();
	PyObject *code = frame ? inv_py.PyObject_GetAttrString(frame, "f_code") : NULL;
	bool delegates = false, may = false;
	if (code) {
		long long flags = number_of(code, "co_flags");
		may = flags > 0 && flags & ITERABLE_COROUTINE;
		delegates = inv_py.version > 0x030d ||
			    instruction_of(frame, code) == GET_YIELD_FROM_ITER;
	}
	inv_py_drop(code);
	inv_py.PyErr_Clear();
	if (delegates && may) {
		inv_py.Py_IncRef(self);
		return self;
	}
	inv_py.PyErr_SetString(*inv_py.type_error,
			       delegates && inv_py.version <= 0x030d
				       ? "cannot 'yield from' a coroutine object in a "
					 "non-coroutine generator"
				       : "'coroutine' object is not iterable");
	return NULL;
}

static void dealloc(PyObject *self)
{
	struct open_call *open = find(self);
	self->ob_type = inv_py.PyCoro_Type;
	if (open) {
		PyObject *type, *value, *traceback;
		inv_py.PyErr_Fetch(&type, &value, &traceback);
		end(open, NULL, open->started ? "GeneratorExit" : "never_awaited",
		    inv_record_now());
		inv_py.PyErr_Restore(type, value, traceback);
	}
	inv_py.PyCoro_Type->dealloc(self);
}

static PyObject *get_class(PyObject *self, void *closure)
{
	PyObject *type = (PyObject *)inv_py.PyCoro_Type;
	inv_py.Py_IncRef(type);
	return type;
}

static struct inv_py_getset getset[] = {{"__class__", get_class, NULL, NULL, NULL}, {.name = NULL}};
static struct inv_py_method methods[] = {{"send", (void *)step, INV_PY_METH_O, NULL},
					 {"throw", (void *)throw_step, INV_PY_METH_VARARGS, NULL},
					 {"close", (void *)close_step, INV_PY_METH_NOARGS, NULL},
					 {.name = NULL}};

bool inv_py_coroutine_start(void)
{
	memset(open_calls, 0, sizeof(open_calls)); /* of an interpreter that is gone */
	inv_py_subtype_copy(&waiting, inv_py.PyCoro_Type);
	memset(&as_async, 0, sizeof(as_async));
	as_async.am_await = await_self;
	if (inv_py.version >= 0x030a)
		as_async.am_send = send_step;
	waiting.as_async = &as_async;
	waiting.dealloc = dealloc;
	waiting.getset = getset;
	waiting.methods = methods;
	ready = inv_py_subtype_ready(&waiting);
	/* Later, so that it has no __iter__ and no __next__ that a program could see. */
	waiting.iter = iterate;
	waiting.iternext = iternext;
	return ready;
}
