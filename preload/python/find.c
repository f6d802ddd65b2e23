/* SPDX-License-Identifier: MIT */
/* find.c - see find.h. A class target is looked up in its bases, too, as a call would be. */
#include "preload/python/find.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preload/probe_parse.h"
#include "preload/python/coroutine.h"
#include "preload/python/creation.h"
#include "preload/python/function.h"

static struct {
	const struct inv_py_host *host;
	struct inv_py_want *wants;
	uint32_t count, open; /* open: not bound yet */
	bool stood_down;      /* this interpreter is not one that we can serve */
	bool told_of_subs;    /* a sub-interpreter was seen */
} found;

/* ---- wants ------------------------------------------------------------------------ */

uint32_t inv_py_find_take(const struct inv_probe *probes, uint32_t count,
			  const struct inv_py_host *host)
{
	found.host = host;
	found.wants = calloc(count ? count : 1, sizeof(*found.wants));
	for (uint32_t i = 0; found.wants && i < count; i++) {
		struct inv_py_want *want = &found.wants[found.count];
		if (probes[i].target_kind != INV_TARGET_PYTHON)
			continue;
		want->probe = i;
		want->target = &probes[i];
		want->binding.host = host;
		want->binding.number = i;
		if (inv_py_binding_compile(&want->binding, &probes[i]))
			found.count++;
		else
			host->refused(i, INV_REASON_UNSUPPORTED,
				      "an expression has too many parts");
	}
	return found.count;
}

void inv_py_find_refuse(enum inv_reason reason, const char *detail)
{
	for (uint32_t i = 0; i < found.count; i++)
		found.host->refused(found.wants[i].probe, reason,
				    detail ? detail : found.wants[i].target->module);
}

struct inv_py_want *inv_py_want_at(uint32_t i)
{
	return i < found.count ? &found.wants[i] : NULL;
}

uint32_t inv_py_wants_open(void)
{
	return found.open;
}

/* ---- modules ---------------------------------------------------------------------- */

/* The text of a str in a module's dictionary, or "". */
static const char *text_in(PyObject *dict, const char *key)
{
	PyObject *o = inv_py.PyDict_GetItemString(dict, key);
	const char *text = o && inv_py_has_flag(o, INV_PY_STR_SUBCLASS)
				   ? inv_py.PyUnicode_AsUTF8AndSize(o, NULL)
				   : "";
	if (!text)
		inv_py.PyErr_Clear();
	return text ? text : "";
}

/* Whether path ends in the file of a dotted module: .../src/world.py, .../src/__init__.py */
static bool is_file_of(const char *path, const char *module)
{
	size_t length = strlen(path), name = strlen(module);
	if (length < 3 || strcmp(path + length - 3, ".py") != 0)
		return false;
	length -= 3;
	if (length > 9 && memcmp(path + length - 9, "/__init__", 9) == 0)
		length -= 9;
	if (length < name || (length > name && path[length - name - 1] != '/'))
		return false;
	for (size_t i = 0; i < name; i++) {
		char c = path[length - name + i];
		if (c != (module[i] == '.' ? '/' : module[i]))
			return false;
	}
	return true;
}

static bool is_main(const char *name)
{
	return strcmp(name, "__main__") == 0 || strcmp(name, "__mp_main__") == 0;
}

bool inv_py_want_matches(const struct inv_py_want *want, PyObject *dict)
{
	const char *name = text_in(dict, "__name__"), *module = want->target->module;
	if (strcmp(name, module) == 0)
		return true;
	return is_main(name) &&
	       (strcmp(module, "__main__") == 0 || is_file_of(text_in(dict, "__file__"), module));
}

/* ---- binding ---------------------------------------------------------------------- */

size_t inv_py_first_part(const char *dotted)
{
	return strcspn(dotted, ".");
}

/* An attribute as it is stored: of a class or its bases, a module, or an object's class. */
static PyObject *stored(PyObject *o, const char *name, size_t length)
{
	PyObject *key = inv_py.PyUnicode_FromStringAndSize(name, (Py_ssize_t)length), *value;
	if (!key) {
		inv_py.PyErr_Clear();
		return NULL;
	}
	if (o->ob_type == inv_py.PyModule_Type)
		value = inv_py.PyDict_GetItemWithError(inv_py.PyModule_GetDict(o), key);
	else if (inv_py_has_flag(o, INV_PY_TYPE_SUBCLASS))
		value = inv_py._PyType_Lookup((PyTypeObject *)o, key);
	else
		value = inv_py._PyType_Lookup(o->ob_type, key);
	inv_py.Py_DecRef(key);
	return value;
}

/* Follows the rest of a dotted name. Returns: what is there, borrowed; *missing: where it ends. */
static PyObject *follow(PyObject *first, const char *dotted, PyObject **holder,
			const char **missing)
{
	const char *at = dotted + inv_py_first_part(dotted);
	PyObject *o = first;
	*holder = NULL;
	while (o && *at == '.') {
		*holder = o;
		*missing = ++at;
		o = stored(o, at, inv_py_first_part(at));
		at += inv_py_first_part(at);
	}
	return o;
}

static PyObject *patch(struct inv_py_want *want, PyObject *function)
{
	inv_py_vectorcall *stub = inv_py_function_stub(function);
	const char *last = strrchr(want->target->symbol, '.');
	struct inv_py_binding *b = &want->binding;
	uint32_t number = (uint32_t)(want - found.wants);
	if (stub && stub == inv_py_stub(number, b))
		return function; /* bound already */
	if (stub) {
		found.host->refused(want->probe, INV_REASON_NOT_FUNCTION,
				    "another probe has this function");
		return NULL;
	}
	const struct inv_plan *plan = found.host->plan(want->probe);
	if (!plan)
		return NULL;
	inv_py_binding_ready(b, plan);
	b->init = strcmp(last ? last + 1 : want->target->symbol, "__init__") == 0;
	const char *missing = inv_py_binding_place(b, inv_py_at(function, inv_py.func_code));
	inv_py_function_patch(function, inv_py_stub(number, b), b->init);
	found.open -= want->functions == 0;
	found.host->bound(want->probe, ++want->functions, missing);
	return function;
}

PyObject *inv_py_want_bind(struct inv_py_want *want, PyObject *first)
{
	const char *missing;
	PyObject *holder, *o = follow(first, want->target->symbol, &holder, &missing);
	PyObject *function = o ? inv_py_function_behind(o) : NULL;
	if (!function)
		return NULL;
	PyObject *patched = patch(want, function);
	inv_py.Py_DecRef(function); /* its class or module has it */
	return patched;
}

/* ---- what is missing -------------------------------------------------------------- */

/* The names that a dictionary has, one after the other. */
struct names {
	PyObject *dict;
};

static const char *name_at(const void *context, size_t i)
{
	const struct names *names = context;
	PyObject *key, *value;
	Py_ssize_t at = 0;
	for (size_t n = 0; inv_py.PyDict_Next(names->dict, &at, &key, &value); n++) {
		if (n < i)
			continue;
		if (!inv_py_has_flag(key, INV_PY_STR_SUBCLASS))
			return "";
		const char *text = inv_py.PyUnicode_AsUTF8AndSize(key, NULL);
		if (!text)
			inv_py.PyErr_Clear();
		return text ? text : "";
	}
	return NULL;
}

static const char *nearest(PyObject *dict, const char *word)
{
	struct names names = {dict};
	return dict ? inv_nearest(word, inv_py_first_part(word), name_at, &names) : NULL;
}

static PyObject *dict_of(PyObject *o)
{
	if (o->ob_type == inv_py.PyModule_Type)
		return inv_py.PyModule_GetDict(o);
	return inv_py_has_flag(o, INV_PY_TYPE_SUBCLASS) ? ((PyTypeObject *)o)->dict : NULL;
}

/* Says which part of the target's name is not there, or is not a function. */
static void tell_missing(struct inv_py_want *want, PyObject *module_dict, PyObject *first)
{
	char detail[200];
	const char *missing = want->target->symbol, *near;
	PyObject *holder = NULL;
	PyObject *o = first ? follow(first, want->target->symbol, &holder, &missing) : NULL;
	want->nearest = 0; /* the module itself was found */
	if (o) {
		snprintf(detail, sizeof(detail), "%.100s is a %.60s", want->target->symbol,
			 o->ob_type->name);
		found.host->refused(want->probe, INV_REASON_NOT_FUNCTION, detail);
		return;
	}
	near = nearest(holder ? dict_of(holder) : module_dict, missing);
	snprintf(detail, sizeof(detail), "%.60s has no %.*s%s%.50s%s", want->target->module,
		 (int)inv_py_first_part(missing) < 50 ? (int)inv_py_first_part(missing) : 50,
		 missing, near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
	found.host->refused(want->probe, INV_REASON_NO_ATTRIBUTE, detail);
}

/* ---- modules that were executed --------------------------------------------------- */

PyObject *inv_py_want_first(const struct inv_py_want *want, PyObject *dict)
{
	char text[192];
	size_t length = inv_py_first_part(want->target->symbol);
	memcpy(text, want->target->symbol, length);
	text[length] = 0;
	return inv_py.PyDict_GetItemString(dict, text);
}

static void look_in(struct inv_py_want *want, PyObject *dict, bool finished)
{
	PyObject *first = inv_py_want_first(want, dict);
	if (first && inv_py_want_bind(want, first))
		return;
	if (finished && !want->functions)
		tell_missing(want, dict, first);
}

/* A name that is nearly the target's module is told, so that a slip is seen. */
static void suggest(struct inv_py_want *want, const char *name)
{
	char detail[200];
	const char *module = want->target->module;
	size_t own = strlen(module), length = strlen(name);
	bool suffix = length > own && name[length - own - 1] == '.' &&
		      strcmp(name + length - own, module) == 0;
	if (want->functions)
		return;
	/* src.world was meant by world, above all; else what differs is a slip or two. */
	size_t far = suffix ? 1 : inv_edit_distance(module, own, name);
	if (far > (own < 5 ? 1 : 2) || far >= want->nearest)
		return;
	want->nearest = far;
	snprintf(detail, sizeof(detail), "%.60s: did you mean %.80s?", module, name);
	found.host->refused(want->probe, INV_REASON_NOT_IMPORTED, detail);
}

static void module_executed(PyObject *module)
{
	PyObject *dict =
		module->ob_type == inv_py.PyModule_Type ||
				inv_py.PyType_IsSubtype(module->ob_type, inv_py.PyModule_Type)
			? inv_py.PyModule_GetDict(module)
			: NULL;
	if (!dict)
		return;
	const char *name = text_in(dict, "__name__");
	for (uint32_t i = 0; i < found.count; i++) {
		struct inv_py_want *want = &found.wants[i];
		if (inv_py_want_matches(want, dict))
			look_in(want, dict, true);
		else
			suggest(want, name);
	}
}

/* One that has been loaded by any loader: built in, of an extension or frozen, too. */
static void module_loaded(PyObject *module)
{
	PyObject *dict =
		module->ob_type == inv_py.PyModule_Type ? inv_py.PyModule_GetDict(module) : NULL;
	for (uint32_t i = 0; dict && i < found.count; i++)
		if (!found.wants[i].functions && inv_py_want_matches(&found.wants[i], dict))
			look_in(&found.wants[i], dict, true);
}

/* Modules that came by another way: they may not be complete. */
static void look_at_modules(void)
{
	PyObject *modules = inv_py.PyImport_GetModuleDict();
	for (uint32_t i = 0; i < found.count; i++) {
		struct inv_py_want *want = &found.wants[i];
		if (want->functions)
			continue;
		PyObject *module = inv_py.PyDict_GetItemString(modules, want->target->module);
		if (module && module->ob_type == inv_py.PyModule_Type)
			look_in(want, inv_py.PyModule_GetDict(module), false);
	}
}

/* ---- hooks ------------------------------------------------------------------------ */

static PyObject *load_unlocked(PyObject *callable, PyObject *const *args, size_t nargsf,
			       PyObject *kwnames)
{
	PyObject *module = inv_py.plain(callable, args, nargsf, kwnames);
	int saved = errno;
	if (module) {
		look_at_modules();
		module_loaded(module);
	}
	errno = saved;
	return module;
}

/* exec_module(self, module) */
static PyObject *exec_module(PyObject *callable, PyObject *const *args, size_t nargsf,
			     PyObject *kwnames)
{
	Py_ssize_t count = INV_PY_NARGS(nargsf);
	PyObject *module = count > 1 ? args[1] : kwnames && count == 1 ? args[count] : NULL;
	PyObject *dict = module && module->ob_type == inv_py.PyModule_Type
				 ? inv_py.PyModule_GetDict(module)
				 : NULL;
	if (dict)
		inv_py_creation_watch(dict);
	PyObject *result = inv_py.plain(callable, args, nargsf, kwnames);
	int saved = errno;
	if (dict && result)
		inv_py_creation_done(dict);
	if (module && result)
		module_executed(module);
	errno = saved;
	return result;
}

typedef PyObject *build_class_function(PyObject *self, PyObject *const *args, Py_ssize_t count,
				       PyObject *kwnames);
static build_class_function *real_build_class;

/* Whether a class of this qualified name holds what the want names. */
static bool names_class(const struct inv_py_want *want, const char *qualname, size_t length)
{
	const char *symbol = want->target->symbol;
	return strncmp(symbol, qualname, length) == 0 && symbol[length] == '.' &&
	       !strchr(symbol + length + 1, '.');
}

/* importlib's own class of loaders, which is made before anything is imported by one. */
static void hook_exec_module(PyObject *class)
{
	PyObject *f = stored(class, "exec_module", strlen("exec_module"));
	if (f && inv_py_function_is(f) && !inv_py_function_stub(f))
		inv_py_function_patch(f, exec_module, false);
}

static void class_made(PyObject *class, PyObject *body)
{
	PyObject *qualname = inv_py.PyObject_GetAttrString(body, "__qualname__");
	PyObject *globals = inv_py_at(body, inv_py.func_globals);
	const char *name = qualname ? inv_py.PyUnicode_AsUTF8AndSize(qualname, NULL) : NULL;
	/* A class that a function makes is named from there on. */
	for (const char *local; name && (local = strstr(name, "<locals>."));)
		name = local + strlen("<locals>.");
	for (uint32_t i = 0; name && i < found.count; i++) {
		struct inv_py_want *want = &found.wants[i];
		size_t length = strlen(name);
		if (!names_class(want, name, length) || !inv_py_want_matches(want, globals))
			continue;
		const char *method = want->target->symbol + length + 1;
		PyObject *o = stored(class, method, strlen(method));
		PyObject *function = o ? inv_py_function_behind(o) : NULL;
		if (function) {
			patch(want, function);
			inv_py.Py_DecRef(function);
		}
	}
	if (name && strcmp(name, "_LoaderBasics") == 0 &&
	    strcmp(text_in(globals, "__name__"), "_frozen_importlib_external") == 0)
		hook_exec_module(class);
	if (!name)
		inv_py.PyErr_Clear();
	inv_py_drop(qualname);
}

static PyObject *build_class(PyObject *self, PyObject *const *args, Py_ssize_t count,
			     PyObject *kwnames)
{
	PyObject *class = real_build_class(self, args, count, kwnames);
	int saved = errno;
	if (!class || count < 1 || !inv_py_has_flag(class, INV_PY_TYPE_SUBCLASS) ||
	    !inv_py_function_is(args[0])) {
		/* not a class that a probe can name */
	} else if (inv_py_in_main_interpreter()) {
		if (!found.stood_down)
			class_made(class, args[0]);
	} else if (!found.told_of_subs) {
		found.told_of_subs = true;
		for (uint32_t i = 0; i < found.count; i++)
			found.host->remark(found.wants[i].probe, INV_REASON_INTERPRETER,
					   "a sub-interpreter");
	}
	errno = saved;
	return class;
}

/* ---- start ------------------------------------------------------------------------ */

static PyObject *import_dict(const char *name)
{
	PyObject *module = inv_py.PyDict_GetItemString(inv_py.PyImport_GetModuleDict(), name);
	return module && module->ob_type == inv_py.PyModule_Type ? inv_py.PyModule_GetDict(module)
								 : NULL;
}

/* What is there before anything is imported: builtins, sys. */
static void look_at_first_modules(void)
{
	PyObject *modules = inv_py.PyImport_GetModuleDict();
	for (uint32_t i = 0; i < found.count; i++) {
		PyObject *module =
			inv_py.PyDict_GetItemString(modules, found.wants[i].target->module);
		if (module)
			module_loaded(module);
	}
}

static void hook_build_class(void)
{
	PyObject *builtins = import_dict("builtins");
	PyObject *o = builtins ? inv_py.PyDict_GetItemString(builtins, "__build_class__") : NULL;
	if (!o || o->ob_type != inv_py.PyCFunction_Type)
		return;
	struct inv_py_method *method = ((struct inv_py_cfunction *)o)->method;
	if (method->function == (void *)build_class)
		return; /* the static row of an earlier start */
	*(void **)&real_build_class = method->function;
	method->function = (void *)build_class;
}

static const char *start(void)
{
	PyObject *importlib = import_dict("_frozen_importlib");
	PyObject *f = importlib ? inv_py.PyDict_GetItemString(importlib, "_load_unlocked") : NULL;
	const char *wrong;
	if (!f)
		return "importlib has no _load_unlocked";
	/* 3.13 asks for marshal again in the main interpreter when it makes another one. */
	if (inv_py_at(f, (uint32_t)inv_py.PyFunction_Type->vectorcall_offset) ==
	    (void *)load_unlocked)
		return NULL;
	wrong = inv_py_api_verify(f);
	if (wrong)
		return wrong;
	if (!inv_py_function_start() || !inv_py_value_start())
		return "a type cannot be made";
	inv_py_coroutine_start();
	found.open = found.count;
	for (uint32_t i = 0; i < found.count; i++) {
		found.wants[i].functions = 0;
		found.wants[i].nearest = SIZE_MAX;
		if (!inv_py_binding_start(&found.wants[i].binding))
			return "out of memory";
	}
	inv_py_function_patch(f, load_unlocked, false);
	hook_build_class();
	inv_py_creation_start();
	look_at_first_modules();
	return NULL;
}

void inv_py_find_start(void)
{
	const char *wrong = start();
	if (inv_py.PyErr_Occurred && inv_py.PyErr_Occurred())
		inv_py.PyErr_Clear();
	found.stood_down = wrong != NULL;
	if (wrong)
		inv_py_find_refuse(INV_REASON_INTERPRETER, wrong);
}
