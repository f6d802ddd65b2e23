/* SPDX-License-Identifier: MIT */
/*
 * creation.c - see creation.h.
 *
 * The layouts of frames are those of 3.8 to 3.11; no later version is looked into. A frame's
 * local variables begin with the parameters. 3.8 has no function to set the hook by: the
 * word of the interpreter that holds it is the one that holds the default.
 */
#include "preload/python/creation.h"

#include <string.h>

#include "preload/python/find.h"
#include "preload/python/function.h"

#define WORDS_38   256u	    /* of an interpreter state */
#define FRAMES_MAX 1000000u /* evaluated in vain, and the hook is taken back */
#define FRAMES_OWN 10000u   /* the same of the module's own functions: it has begun its work */

/* Whether a want that is not bound yet may be found in this module, and its value there. */
static bool wanted_in(PyObject *dict)
{
	struct inv_py_want *want;
	for (uint32_t i = 0; (want = inv_py_want_at(i)); i++)
		if (!want->functions && inv_py_want_matches(want, dict))
			return true;
	return false;
}

/* ---- 3.12 and later: watchers ------------------------------------------------------- */

static struct {
	int functions, dicts; /* watcher numbers; -1: none */
	PyObject *asked;      /* the globals that were looked at last: compared, never used */
} watch = {-1, -1, NULL};

static bool is_key(const struct inv_py_want *want, PyObject *key)
{
	const char *symbol = want->target->symbol;
	size_t length = inv_py_first_part(symbol);
	Py_ssize_t size = 0;
	if (!key || !inv_py_has_flag(key, INV_PY_STR_SUBCLASS))
		return false;
	const char *text = inv_py.PyUnicode_AsUTF8AndSize(key, &size);
	if (!text)
		inv_py.PyErr_Clear();
	return text && (size_t)size == length && memcmp(text, symbol, length) == 0;
}

/* A module's dictionary gets a value (0: new, 1: another one). */
static int dict_event(int event, PyObject *dict, PyObject *key, PyObject *value)
{
	struct inv_py_want *want;
	if (event > 1 || !value)
		return 0;
	for (uint32_t i = 0; (want = inv_py_want_at(i)); i++)
		if (is_key(want, key) && inv_py_want_matches(want, dict))
			inv_py_want_bind(want, value);
	return 0;
}

/* A function was made (0); it has its globals already, and little else. */
static int function_event(int event, PyObject *function, PyObject *value)
{
	PyObject *globals = inv_py_at(function, inv_py.func_globals);
	if (event != 0 || globals == watch.asked)
		return 0;
	watch.asked = globals;
	if (!inv_py_wants_open()) { /* nothing is left to look for, until an interpreter starts */
		inv_py.PyFunction_ClearWatcher(watch.functions);
		return 0;
	}
	if (!inv_py_in_main_interpreter())
		return 0;
	if (wanted_in(globals))
		inv_py.PyDict_Watch(watch.dicts, globals);
	return 0;
}

static void start_watching(void)
{
	watch.asked = NULL;
	watch.functions = inv_py.PyFunction_AddWatcher(function_event);
	watch.dicts = inv_py.PyDict_AddWatcher(dict_event);
	if (watch.functions < 0 || watch.dicts < 0)
		inv_py.PyErr_Clear(); /* the program has taken all of them */
}

void inv_py_creation_watch(PyObject *dict)
{
	if (watch.dicts >= 0 && wanted_in(dict) && inv_py.PyDict_Watch(watch.dicts, dict))
		inv_py.PyErr_Clear();
}

void inv_py_creation_done(PyObject *dict)
{
	if (watch.dicts >= 0 && inv_py.PyDict_Unwatch(watch.dicts, dict))
		inv_py.PyErr_Clear();
}

/* ---- 3.8 to 3.11: the frame hook ------------------------------------------------------ */

typedef PyObject *evaluator(void *state, void *frame, int throwing); /* from 3.9 on */
typedef PyObject *evaluator_38(void *frame, int throwing);

static struct {
	uint32_t frames, own;	  /* that are still looked at: of all, of the module */
	PyObject *asked, *module; /* globals: looked at last; of the module that is wanted */
	void **place;		  /* 3.8: the word of the interpreter that holds the hook */
} hook;

/* Offsets in a frame. */
static struct {
	uint32_t globals, code, locals;
} at;

static void take_back(void)
{
	hook.frames = 0;
	if (hook.place)
		*hook.place = (void *)inv_py._PyEval_EvalFrameDefault;
	else
		inv_py._PyInterpreterState_SetEvalFrameFunc(
			inv_py.PyInterpreterState_Main(), (void *)inv_py._PyEval_EvalFrameDefault);
}

struct evaluation {
	void *state, *frame;
	int throwing;
};

static PyObject *evaluate(void *context)
{
	const struct evaluation *e = context;
	if (hook.place)
		return ((evaluator_38 *)(void *)inv_py._PyEval_EvalFrameDefault)(e->frame,
										 e->throwing);
	return inv_py._PyEval_EvalFrameDefault(e->state, e->frame, e->throwing);
}

/* Binds what the module has by now. Returns: the want whose function this frame is of. */
static struct inv_py_want *bind_found(PyObject *dict, const void *code, PyObject **function)
{
	struct inv_py_want *want, *mine = NULL;
	for (uint32_t i = 0; (want = inv_py_want_at(i)); i++) {
		if (want->functions || !inv_py_want_matches(want, dict))
			continue;
		PyObject *first = inv_py_want_first(want, dict);
		PyObject *bound = first ? inv_py_want_bind(want, first) : NULL;
		if (bound && inv_py_at(bound, inv_py.func_code) == code) {
			mine = want;
			*function = bound;
		}
	}
	return mine;
}

static PyObject *look_and_evaluate(void *state, void *frame, int throwing)
{
	struct evaluation e = {state, frame, throwing};
	struct inv_py_want *mine = NULL;
	PyObject *function = NULL, *globals = inv_py_at(frame, at.globals);
	if (globals != hook.asked && globals != hook.module && inv_py_in_main_interpreter()) {
		hook.asked = globals;
		if (wanted_in(globals))
			hook.module = globals;
	}
	if (globals == hook.module && !throwing)
		mine = bind_found(globals, inv_py_at(frame, at.code), &function);
	if (globals == hook.module && hook.own)
		hook.own--;
	if (hook.frames && (--hook.frames == 0 || !hook.own || !inv_py_wants_open()))
		take_back();
	if (!mine)
		return evaluate(&e);
	return inv_py_call_frame(&mine->binding, function,
				 (PyObject *const *)((char *)frame + at.locals), evaluate, &e);
}

static PyObject *look_and_evaluate_38(void *frame, int throwing)
{
	return look_and_evaluate(NULL, frame, throwing);
}

static bool find_place_38(void)
{
	void **word = inv_py.PyInterpreterState_Main();
	unsigned i = 0;
	while (i < WORDS_38 && word[i] != (void *)inv_py._PyEval_EvalFrameDefault)
		i++;
	hook.place = i < WORDS_38 ? &word[i] : NULL;
	return hook.place != NULL;
}

static void start_hooking(void)
{
	bool old = inv_py.version < 0x030b;
	at.globals = old ? 48 : 8;
	at.code = 32;
	at.locals = old ? (uint32_t)inv_py.PyFrame_Type->basicsize - 8 : 72;
	hook.frames = FRAMES_MAX;
	hook.own = FRAMES_OWN;
	hook.asked = hook.module = NULL;
	hook.place = NULL;
	if (inv_py.version == 0x0308) {
		if (find_place_38())
			*hook.place = (void *)look_and_evaluate_38;
	} else if (inv_py._PyInterpreterState_SetEvalFrameFunc) {
		inv_py._PyInterpreterState_SetEvalFrameFunc(inv_py.PyInterpreterState_Main(),
							    (void *)look_and_evaluate);
	}
}

/* ---- start --------------------------------------------------------------------------- */

/* Whether __main__ is to have a function: a class tells of itself when it is made. */
static bool function_of_main(void)
{
	struct inv_py_want *want;
	for (uint32_t i = 0; (want = inv_py_want_at(i)); i++)
		if (strcmp(want->target->module, "__main__") == 0 &&
		    !strchr(want->target->symbol, '.'))
			return true;
	return false;
}

void inv_py_creation_start(void)
{
	watch.functions = watch.dicts = -1;
	if (inv_py.version >= 0x030c && inv_py.PyFunction_AddWatcher && inv_py.PyDict_AddWatcher)
		start_watching();
	else if (inv_py.version < 0x030c && function_of_main() && inv_py._PyEval_EvalFrameDefault)
		start_hooking();
}
