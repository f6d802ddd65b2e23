/* SPDX-License-Identifier: MIT */
/* globals.c - see globals.h. */
#include "preload/globals.h"

#include <string.h>

#include "preload/entry_symbols.h"
#include "preload/got.h"

#define GLOBALS_MAX (INV_PROBE_FILE_MAX * (INV_FIELD_COUNT + 2))

static struct {
	const char *name;
	void *address;
} globals[GLOBALS_MAX];
static uint32_t count;

struct search {
	const char *name;
	void *address;
};

/* The loader's first object is the program. */
static int look_in_program(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *search = arg;
	struct inv_elf_object program;
	(void)size;
	if (inv_elf_object_parse(&program, info))
		search->address = inv_entry_find_variable(&program, search->name);
	return 1;
}

/* A program exports its variables only when it is linked with -rdynamic. */
static void *address_of(const char *name)
{
	struct search search = {
		.name = name,
		.address = inv_got_real_dlsym(NULL /* RTLD_DEFAULT */, name),
	};
	if (!search.address)
		dl_iterate_phdr(look_in_program, &search);
	return search.address;
}

static void resolve(const struct inv_source *s)
{
	if (s->kind != INV_SOURCE_GLOBAL)
		return;
	globals[count].name = s->text;
	globals[count++].address = address_of(s->text);
}

void inv_globals_resolve(const struct inv_probe_file *file)
{
	for (uint32_t i = 0; i < file->count; i++) {
		const struct inv_probe *p = &file->probes[i];
		for (unsigned f = 0; f < INV_FIELD_COUNT; f++)
			resolve(&p->field[f]);
		resolve(&p->success.left);
		resolve(&p->error_code);
	}
}

void *inv_globals_find(const char *symbol)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(globals[i].name, symbol) == 0)
			return globals[i].address;
	return NULL;
}
