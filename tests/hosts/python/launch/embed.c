/* SPDX-License-Identifier: MIT */
/*
 * embed.c - a C program with Python inside: three times initialised and finalised.
 *
 * Built twice: linked to a libpython, and (without -DLINKED) opening the one it is given, with
 * its symbols for itself or for all. Prototypes are declared here: the same source serves each
 * version, and no headers are needed.
 *
 * usage: embed SCRIPT.py [LIBPYTHON local|global]
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static void (*initialize)(int signals);
static int (*run_string)(const char *text, void *flags);
static int (*finalize)(void);

#ifdef LINKED
void Py_InitializeEx(int signals);
int PyRun_SimpleStringFlags(const char *text, void *flags);
int Py_FinalizeEx(void);

static int find(int argc, char **argv)
{
	initialize = Py_InitializeEx;
	run_string = PyRun_SimpleStringFlags;
	finalize = Py_FinalizeEx;
	return 0;
}
#else
static int find(int argc, char **argv)
{
	int flags = argc > 3 && strcmp(argv[3], "global") == 0 ? RTLD_GLOBAL : RTLD_LOCAL;
	void *library = argc > 2 ? dlopen(argv[2], RTLD_NOW | flags) : NULL;

	if (!library) {
		fprintf(stderr, "embed: %s\n", argc > 2 ? dlerror() : "no library");
		return 1;
	}
	*(void **)&initialize = dlsym(library, "Py_InitializeEx");
	*(void **)&run_string = dlsym(library, "PyRun_SimpleStringFlags");
	*(void **)&finalize = dlsym(library, "Py_FinalizeEx");
	return !initialize || !run_string || !finalize;
}
#endif

int main(int argc, char **argv)
{
	static char text[65536];
	FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;

	if (!file || find(argc, argv))
		return 1;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	for (int cycle = 0; cycle < 3; cycle++) {
		initialize(0);
		if (run_string(text, NULL))
			return 1;
		if (finalize())
			return 1;
		printf("cycle %d\n", cycle);
		fflush(stdout);
	}
	return 0;
}
