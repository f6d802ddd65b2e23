/* SPDX-License-Identifier: MIT */
/* globals.c - see globals.h. */
#include "preload/globals.h"

#include <string.h>

#include "preload/got.h"

#define GLOBALS_MAX (INV_PROBE_FILE_MAX * (INV_FIELD_COUNT + 2))

static struct {
	const char *name;
	void *address;
} globals[GLOBALS_MAX];
static uint32_t count;

static void resolve(const struct inv_source *s)
{
	if (s->kind != INV_SOURCE_GLOBAL)
		return;
	globals[count].name = s->text;
	globals[count++].address = inv_got_real_dlsym(NULL /* RTLD_DEFAULT */, s->text);
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
