/* SPDX-License-Identifier: MIT */
/* executor.c - libexecutor.so of the demo ecology; see executor.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor.h"

#define EXPORT	  __attribute__((visibility("default")))
#define DEPTH_MAX 12

_Static_assert(offsetof(struct world, tick) == 16, "executor.ini says world->16:i64");
_Static_assert(offsetof(struct world, last_error) == 32, "executor.ini says world->32:str");

struct executor {
	size_t count, capacity;
	struct artifact artifacts[];
};

EXPORT struct executor *executor_new(size_t capacity)
{
	struct executor *e = calloc(1, sizeof *e + capacity * sizeof e->artifacts[0]);
	if (e)
		e->capacity = capacity;
	return e;
}

EXPORT void executor_free(struct executor *executor)
{
	free(executor);
}

EXPORT int executor_register(struct executor *executor, const struct artifact *artifact)
{
	if (executor->count == executor->capacity)
		return -1;
	executor->artifacts[executor->count++] = *artifact;
	return 0;
}

EXPORT int executor_fail(struct world *world, int result, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(world->error_text, sizeof world->error_text, format, list);
	va_end(list);
	world->last_error = world->error_text;
	return result;
}

static const struct artifact *find(const struct executor *executor, const char *id)
{
	for (size_t i = 0; i < executor->count; i++)
		if (!strcmp(executor->artifacts[i].id, id))
			return &executor->artifacts[i];
	return NULL;
}

static int has_method(const struct artifact *artifact, const char *method)
{
	for (const char *const *m = artifact->methods; *m; m++)
		if (!strcmp(*m, method))
			return 1;
	return 0;
}

static int check(struct world *world, const struct artifact *artifact, const struct call *call)
{
	if (!artifact)
		return executor_fail(world, EXECUTOR_VALIDATION, "artifact '%s' not found",
				     call->artifact_id);
	if (!has_method(artifact, call->method))
		return executor_fail(world, EXECUTOR_VALIDATION, "%s has no method '%s'",
				     call->artifact_id, call->method);
	if (artifact->restricted && !strcmp(artifact->restricted, call->method) &&
	    strcmp(artifact->owner, call->invoker_id) != 0)
		return executor_fail(world, EXECUTOR_PERMISSION,
				     "%s may not %s: %s is reserved for %s", call->invoker_id,
				     call->method, call->artifact_id, artifact->owner);
	if (world->depth >= DEPTH_MAX)
		return executor_fail(world, EXECUTOR_EXECUTION, "invocations nested deeper than %d",
				     DEPTH_MAX);
	return EXECUTOR_OK;
}

EXPORT int executor_invoke(struct world *world, const char *invoker_id, const char *artifact_id,
			   const char *method, int args_count, void *args)
{
	struct call call = {invoker_id, artifact_id, method, args_count, args};
	const struct artifact *artifact = find(world->executor, artifact_id);
	int result = check(world, artifact, &call);

	if (result)
		return result;
	world->depth++;
	result = artifact->run(world, artifact, &call);
	world->depth--;
	if (!result)
		world->last_error = NULL;
	return result;
}
