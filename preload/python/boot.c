/* SPDX-License-Identifier: MIT */
/*
 * boot.c - notices an interpreter before it starts.
 *
 * A program that is Python, or is linked to libpython, has it when the shim's constructor
 * runs. The initialisation function of its built-in module `marshal` is replaced in the table
 * of built-in modules: importlib asks for it first of all, when it exists itself and nothing
 * of the program has run. The entry stays, and works again when the interpreter is finalised
 * and initialised anew.
 *
 * A libpython that is loaded later (a program that embeds it, RTLD_LOCAL too) calls setlocale
 * early in Py_Initialize: that is interposed, and the library is the one that the caller is
 * in. dlopen need not be wrapped for it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <locale.h>
#include <stdatomic.h>
#include <string.h>

#include "preload/got.h"
#include "preload/python/find.h"

static struct {
	bool watching;	   /* for a libpython that comes later */
	const void *asked; /* base of the object that called setlocale last */
	PyObject *(*marshal)(void);
} boot;

/* Runs in the interpreter that starts. */
static PyObject *marshal_init(void)
{
	int saved = errno;
	if (inv_py_in_main_interpreter())
		inv_py_find_start();
	errno = saved;
	return boot.marshal();
}

static bool hook_inittab(void)
{
	for (struct inv_py_inittab *row = *inv_py.inittab; row && row->name; row++) {
		if (strcmp(row->name, "marshal") != 0)
			continue;
		boot.marshal = row->initfunc;
		row->initfunc = marshal_init;
		return true;
	}
	return false;
}

/* Returns: whether there was an interpreter: what it is was dealt with. */
static bool look(void *handle)
{
	const char *why = NULL;
	enum inv_py_found what = inv_py_api_find(handle, &why);
	if (what == INV_PY_ABSENT)
		return false;
	if (what == INV_PY_FOREIGN)
		inv_py_find_refuse(INV_REASON_INTERPRETER, why);
	else if (inv_py.Py_IsInitialized())
		inv_py_find_refuse(INV_REASON_INTERPRETER, "it had started before it was noticed");
	else if (!hook_inittab())
		inv_py_find_refuse(INV_REASON_INTERPRETER, "it has no built-in module marshal");
	else
		inv_py_find_refuse(INV_REASON_NOT_IMPORTED, NULL); /* so far */
	return true;
}

void inv_py_install(const struct inv_probe *probes, uint32_t count, const struct inv_py_host *host)
{
	if (inv_py_find_take(probes, count, host))
		boot.watching = !look(NULL);
}

/* The object that `caller` is in may be a libpython that has just been loaded. */
static void __attribute__((noinline)) look_at_caller(const void *caller)
{
	Dl_info info;
	if (!dladdr(caller, &info) || info.dli_fbase == boot.asked)
		return;
	boot.asked = info.dli_fbase;
	void *handle = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	if (!handle)
		return;
	boot.watching = !look(handle);
	dlclose(handle);
}

typedef char *setlocale_function(int category, const char *locale);

/* Exported, to be found before libc's. */
__attribute__((visibility("default"))) char *setlocale(int category, const char *locale)
{
	static _Atomic(setlocale_function *) real;
	setlocale_function *function = atomic_load_explicit(&real, memory_order_relaxed);
	if (__builtin_expect(boot.watching, 0)) {
		int saved = errno;
		look_at_caller(__builtin_return_address(0));
		errno = saved;
	}
	if (!function) {
		*(void **)&function = inv_got_real_dlsym(RTLD_NEXT, "setlocale");
		atomic_store_explicit(&real, function, memory_order_relaxed);
	}
	return function ? function(category, locale) : NULL;
}
