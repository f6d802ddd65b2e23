/* SPDX-License-Identifier: MIT */
/*
 * call.c - the stubs, and a call's fields and outcome.
 *
 * All that looks at objects is done outside of the record (before inv_record_enter and before
 * reenter): it may give the GIL away or run code of the program, if the probe allows it, and
 * such code may be probed. Inside are only bytes and numbers.
 */
#include "preload/python/call.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "preload/normalise.h"
#include "preload/python/coroutine.h"
#include "preload/python/function.h"
#include "preload/stubs.h"
#include "preload/unwind.h"
#include "shm/sandbox.h"

/* ---- bindings --------------------------------------------------------------------- */

bool inv_py_binding_compile(struct inv_py_binding *b, const struct inv_probe *probe)
{
	bool good = true;
	b->probe = probe;
	for (unsigned i = 0; i < INV_FIELD_COUNT; i++)
		good = inv_py_path_compile(&b->fields[i], &probe->field[i], probe->properties) &&
		       good;
	return inv_py_path_compile(&b->success, &probe->success.left, probe->properties) &&
	       inv_py_path_compile(&b->error_code, &probe->error_code, probe->properties) && good;
}

void inv_py_binding_ready(struct inv_py_binding *b, const struct inv_plan *plan)
{
	b->plan = plan;
	b->judges = b->success.base || b->probe->field[INV_FIELD_RESULT_TYPE].kind;
	b->reads = false;
	for (unsigned i = 0; i <= INV_FIELD_ARGS_COUNT; i++)
		b->reads = b->reads || b->fields[i].base;
	b->constant = (struct inv_call_fields){
		.invoker = (uint32_t)plan->fetch[INV_FIELD_INVOKER].constant,
		.artifact = (uint32_t)plan->fetch[INV_FIELD_ARTIFACT].constant,
		.method = (uint32_t)plan->fetch[INV_FIELD_METHOD].constant,
		.tick = b->probe->field[INV_FIELD_TICK].number,
		.args_count = inv_plan_args_count(b->probe->field[INV_FIELD_ARGS_COUNT].number),
		.probe = plan->index,
	};
}

/* What an interpreter before this one left is gone with it. */
bool inv_py_binding_start(struct inv_py_binding *b)
{
	bool good = true;
	memset(&b->code, 0, sizeof(b->code));
	memset(b->types, 0, sizeof(b->types));
	for (unsigned i = 0; i < INV_FIELD_COUNT; i++)
		good = inv_py_path_start(&b->fields[i]) && good;
	return inv_py_path_start(&b->success) && inv_py_path_start(&b->error_code) && good;
}

const char *inv_py_binding_place(struct inv_py_binding *b, PyObject *code)
{
	const char *missing = NULL;
	if (!inv_py_code_read(&b->code, code))
		return NULL;
	for (unsigned i = 0; i < INV_FIELD_COUNT + 2; i++) {
		struct inv_py_path *path = i < INV_FIELD_COUNT	  ? &b->fields[i]
					   : i == INV_FIELD_COUNT ? &b->success
								  : &b->error_code;
		if (!inv_py_path_place(path, &b->code) && !missing)
			missing = path->name;
	}
	return missing;
}

void __attribute__((noinline))
inv_py_binding_unreadable(struct inv_py_binding *b, unsigned field, bool code)
{
	char detail[128];
	bool rule = field == INV_FIELD_COUNT;
	const struct inv_source *source = rule ? &b->probe->success.left : &b->probe->field[field];
	if (code ? b->told : b->told_fields >> field & 1)
		return; /* one line allows all fields that take code */
	if (code)
		b->told = true;
	else
		b->told_fields |= 1u << field;
	snprintf(detail, sizeof(detail), "%s = %.*s",
		 rule ? "success" : inv_probe_field_name((enum inv_field)field),
		 (int)source->length, source->text);
	b->host->remark(b->number, code ? INV_REASON_PROPERTY : INV_REASON_FIELD, detail);
}

/* ---- fields ------------------------------------------------------------------------ */

/* What the fields of a call are, as bytes and numbers. */
struct entry {
	struct inv_py_value values[INV_FIELD_ARGS_COUNT + 1];
	struct inv_py_text texts[3]; /* invoker, artifact, method */
	int64_t tick, args_count;
	uint32_t unreadable;
	bool owns; /* some object is to be dropped */
};

static inline int64_t number_field(struct inv_py_binding *b, unsigned field,
				   const struct inv_py_arguments *a, struct entry *e)
{
	struct inv_py_path *path = &b->fields[field];
	struct inv_py_value *v = &e->values[field];
	int64_t number = b->probe->field[field].number; /* of a constant; else 0 */
	v->owned = NULL;
	if (!path->base)
		return number;
	inv_py_path_eval(path, a, NULL, v);
	e->owns |= v->owned != NULL;
	if (v->good && v->is_number)
		return v->number;
	if (inv_py_value_number(v, &number))
		return number;
	inv_py_binding_unreadable(b, field, v->code);
	e->unreadable++;
	return 0;
}

static void __attribute__((noinline))
text_of_object(struct inv_py_binding *b, unsigned field, const struct inv_py_value *v,
	       struct inv_py_text *text)
{
	inv_py_value_text(v, b->probe->properties, text);
	if (!text->good)
		inv_py_binding_unreadable(b, field,
					  inv_py_value_takes_code(v, b->probe->properties));
}

static inline void text_field(struct inv_py_binding *b, unsigned i,
			      const struct inv_py_arguments *a, struct entry *e)
{
	struct inv_py_value *v = &e->values[INV_FIELD_INVOKER + i];
	struct inv_py_text *text = &e->texts[i];
	v->owned = text->owned = NULL;
	if (!b->fields[INV_FIELD_INVOKER + i].base)
		return;
	inv_py_path_eval(&b->fields[INV_FIELD_INVOKER + i], a, NULL, v);
	text->good =
		v->good && !v->is_number && inv_py_ascii(v->object, &text->bytes, &text->length);
	if (__builtin_expect(!text->good, 0))
		text_of_object(b, INV_FIELD_INVOKER + i, v, text);
	e->owns |= v->owned || text->owned;
}

static inline void read_entry(struct inv_py_binding *b, const struct inv_py_arguments *a,
			      struct entry *e)
{
	e->unreadable = 0;
	e->owns = false;
	e->tick = number_field(b, INV_FIELD_TICK, a, e);
	e->args_count = number_field(b, INV_FIELD_ARGS_COUNT, a, e);
	for (unsigned i = 0; i < 3; i++)
		text_field(b, i, a, e);
}

static void __attribute__((noinline)) drop_objects(struct entry *e)
{
	for (unsigned i = 0; i <= INV_FIELD_ARGS_COUNT; i++)
		inv_py_value_drop(&e->values[i]);
	for (unsigned i = 0; i < 3; i++)
		inv_py_text_drop(&e->texts[i]);
}

static inline void drop_entry(struct entry *e)
{
	if (e->owns)
		drop_objects(e);
}

static uint32_t rewritten(enum inv_rewrite how, const struct inv_py_text *text,
			  struct inv_name_miss *miss)
{
	char out[INV_NAME_BYTES_MAX];
	size_t read = text->length < INV_NORMALISE_READ_MAX ? text->length : INV_NORMALISE_READ_MAX;
	size_t length = inv_normalise(how, text->bytes, read, out, sizeof(out), &miss->truncated);
	uint32_t id = inv_name_intern(inv_record_segment(), out, length);
	miss->overflow = id == INV_NAME_OTHER;
	return id;
}

/* A name that is not known by its place, or not to be had; f is told what it missed. */
static uint32_t __attribute__((noinline))
name_slow(const struct inv_py_binding *b, unsigned i, const struct inv_py_text *text,
	  struct inv_name_cache *names, struct inv_call_fields *f)
{
	struct inv_name_miss *miss = &f->miss[i];
	enum inv_rewrite how = b->probe->rewrite[INV_FIELD_INVOKER + i];
	uint32_t id = INV_NAME_OTHER;
	*miss = (struct inv_name_miss){.text = NULL};
	if (!text->good)
		miss->unreadable = true;
	else if (how)
		id = rewritten(how, text, miss);
	else if (!names) /* every cache of the overflow region is taken: rare, and counted */
		miss->overflow = true;
	else
		id = inv_name_of_bytes_slow(names, inv_record_segment(), text->bytes, text->length,
					    miss);
	if (miss->unreadable || miss->overflow || miss->truncated)
		f->missed |= (uint8_t)(1u << i);
	return id;
}

static inline uint32_t name_of(const struct inv_py_binding *b, unsigned i,
			       const struct inv_py_text *text, struct inv_name_cache *names,
			       struct inv_call_fields *f)
{
	uint32_t id = 0;
	if (!b->fields[INV_FIELD_INVOKER + i].base)
		return (uint32_t)b->plan->fetch[INV_FIELD_INVOKER + i].constant;
	if (text->good && names && !b->probe->rewrite[INV_FIELD_INVOKER + i])
		id = inv_name_known(names, text->bytes, text->length);
	return __builtin_expect(id != 0, 1) ? id : name_slow(b, i, text, names, f);
}

static inline void fill_fields(const struct inv_py_binding *b, const struct entry *e,
			       struct inv_name_cache *names, struct inv_call_fields *f)
{
	f->probe = b->plan->index;
	f->missed = 0;
	f->tick = e->tick;
	f->args_count = inv_plan_args_count(e->args_count);
	f->unreadable = e->unreadable;
	f->invoker = name_of(b, 0, &e->texts[0], names, f);
	f->artifact = name_of(b, 1, &e->texts[1], names, f);
	f->method = name_of(b, 2, &e->texts[2], names, f);
}

/* ---- stack -------------------------------------------------------------------------- */

struct stack {
	uintptr_t low, limit, high; /* 0: not asked yet */
};
static __thread struct stack stack;

static void __attribute__((noinline)) measure_stack(uintptr_t here)
{
	pthread_attr_t attr;
	void *low = NULL;
	size_t size = 0;
	int saved = errno;
	stack.high = 1; /* asked */
	if (inv_sandbox_allows(INV_ASK_LOOK) && pthread_getattr_np(pthread_self(), &attr) == 0) {
		if (pthread_attr_getstack(&attr, &low, &size) == 0 && size < (size_t)1 << 40) {
			stack.low = (uintptr_t)low;
			stack.high = stack.low + size;
			stack.limit = stack.high - size / (inv_py.version < 0x030b ? 4 : 2);
		}
		pthread_attr_destroy(&attr);
	}
	errno = saved;
}

/* Whether `here` is past what we use of this thread's stack; no other stack is judged. */
static inline bool deep(uintptr_t here)
{
	if (__builtin_expect(!stack.high, 0))
		measure_stack(here);
	return __builtin_expect(here < stack.limit && here >= stack.low, 0);
}

/* Calls the function as it is without us, until it returns. */
static PyObject *__attribute__((noinline))
call_unpatched(struct inv_py_binding *b, PyObject *callable, PyObject *const *args, size_t nargsf,
	       PyObject *kwnames)
{
	inv_py_vectorcall *stub = inv_py_function_stub(callable);
	if (inv_record_segment())
		inv_segment_lose(inv_record_segment(), INV_LOSS_STACK, 1);
	if (!stub)
		return inv_py.plain(callable, args, nargsf, kwnames);
	inv_py_function_restore(callable);
	inv_py.Py_IncRef(callable);
	PyObject *result = inv_py.plain(callable, args, nargsf, kwnames);
	if (!inv_py_function_stub(callable))
		inv_py_function_patch(callable, stub, b->init);
	inv_py.Py_DecRef(callable);
	return result;
}

/* An evaluation loop more than the program itself would have is not held against it. */
#define LOOP_UNITS 2

/* Calls on. *ended is read first of all when the function is back. */
static inline PyObject *run(const struct inv_py_arguments *a, size_t nargsf, uint64_t *ended)
{
	int *left = inv_py.c_recursion
			    ? (int *)((char *)inv_py.PyThreadState_Get() + inv_py.c_recursion)
			    : NULL;
	if (left)
		*left += LOOP_UNITS;
	PyObject *result = inv_py.plain(a->function, a->args, nargsf, a->keywords);
	*ended = inv_record_now();
	if (left)
		*left -= LOOP_UNITS;
	return result;
}

/* ---- stubs -------------------------------------------------------------------------- */

/* Not inlined: what it holds is off the stack while the call runs. `frame` is the wrapper's. */
static void __attribute__((noinline))
begin_reading(struct inv_py_binding *b, struct inv_call *call, const struct inv_py_arguments *a,
	      uintptr_t frame)
{
	struct inv_call_fields fields;
	struct entry e;
	read_entry(b, a, &e);
	if (__builtin_expect(!inv_record_enter_at(call, frame, NULL), 0)) {
		drop_entry(&e);
		return;
	}
	fill_fields(b, &e, call->names, &fields);
	if (__builtin_expect(fields.missed, 0)) { /* their texts go into the event */
		inv_record_begin(call, &fields);
		drop_entry(&e);
	} else {
		drop_entry(&e);
		inv_record_begin(call, &fields);
	}
}

static inline __attribute__((always_inline)) void
begin(struct inv_py_binding *b, struct inv_call *call, const struct inv_py_arguments *a)
{
	if (b->reads)
		begin_reading(b, call, a, inv_call_frame(call));
	else if (__builtin_expect(inv_record_enter(call), 1))
		inv_record_begin(call, &b->constant);
}

static inline void finish(struct inv_py_binding *b, struct inv_call *call, PyObject *result,
			  uint64_t now)
{
	if (__builtin_expect(call->mode == INV_CALL_UNOBSERVED, 0))
		return;
	if (result && result->ob_type == inv_py.PyCoro_Type &&
	    inv_py_coroutine_take(result, b, call))
		return;
	inv_py_call_finish(b, call, result, NULL, now);
}

/* What the parameters are is known of the function that was called last. */
static inline void know(struct inv_py_binding *b, PyObject *function)
{
	PyObject *code = inv_py_at(function, inv_py.func_code);
	if (__builtin_expect(code != b->code.code, 0))
		inv_py_binding_place(b, code);
}

/*
 * A probe that runs the program's code: handlers of signals that have come run before it, where
 * an exception of theirs is the program's, as it would be a moment later.
 */
static PyObject *__attribute__((noinline))
observe_running(struct inv_py_binding *b, const struct inv_py_arguments *a, size_t nargsf)
{
	INV_UNWIND_FRAME();
	struct inv_call call;
	sigset_t before;
	PyObject *type, *value, *traceback;
	inv_py_hold_signals(&before);
	if (inv_py.PyErr_CheckSignals()) {
		inv_py_release_signals(&before);
		return NULL;
	}
	begin(b, &call, a);
	inv_py_release_signals(&before);
	uint64_t now;
	PyObject *result = run(a, nargsf, &now);
	inv_py_hold_signals(&before);
	bool interrupted = result && inv_py.PyErr_CheckSignals();
	if (interrupted)
		inv_py.PyErr_Fetch(&type, &value, &traceback);
	finish(b, &call, result, now);
	inv_py_release_signals(&before);
	if (!interrupted)
		return result;
	inv_py.PyErr_Restore(type, value, traceback);
	inv_py.Py_DecRef(result);
	return NULL;
}

static PyObject *__attribute__((noinline))
observe(struct inv_py_binding *b, PyObject *callable, PyObject *const *args, size_t nargsf,
	PyObject *kwnames)
{
	INV_UNWIND_FRAME();
	struct inv_call call;
	if (deep((uintptr_t)__builtin_frame_address(0)))
		return call_unpatched(b, callable, args, nargsf, kwnames);
	know(b, callable);
	struct inv_py_arguments a = {callable, args,	 INV_PY_NARGS(nargsf),
				     kwnames,  &b->code, false};
	if (__builtin_expect(b->probe->properties, 0))
		return observe_running(b, &a, nargsf);
	begin(b, &call, &a);
	uint64_t now;
	PyObject *result = run(&a, nargsf, &now);
	finish(b, &call, result, now);
	return result;
}

PyObject *inv_py_call_frame(struct inv_py_binding *b, PyObject *function, PyObject *const *locals,
			    PyObject *(*evaluate)(void *frame), void *frame)
{
	INV_UNWIND_FRAME();
	struct inv_call call;
	know(b, function);
	struct inv_py_arguments a = {function, locals, b->code.positional, NULL, &b->code, true};
	begin(b, &call, &a);
	PyObject *result = evaluate(frame);
	finish(b, &call, result, inv_record_now());
	return result;
}

static struct inv_py_binding *bindings[INV_PROBE_FILE_MAX];

#define STUB(n)                                                                                    \
	static PyObject *stub_##n(PyObject *callable, PyObject *const *args, size_t nargsf,        \
				  PyObject *kwnames)                                               \
	{                                                                                          \
		return observe(bindings[n], callable, args, nargsf, kwnames);                      \
	}
INV_SIXTY_FOUR(STUB)

#define ADDRESS(n) stub_##n,
static inv_py_vectorcall *const stubs[INV_PROBE_FILE_MAX] = {INV_SIXTY_FOUR(ADDRESS)};

inv_py_vectorcall *inv_py_stub(uint32_t n, struct inv_py_binding *b)
{
	bindings[n] = b;
	return stubs[n];
}
