/* SPDX-License-Identifier: MIT */
/* truth_target.c - the observed function; see truth_target.h. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "truth_target.h"

_Static_assert(offsetof(struct target_ctx, tick) == 16, "probe files say world->16:i64");
_Static_assert(offsetof(struct target_ctx, last_error) == 32, "probe files say world->32:str");

static void busy(uint32_t us)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	int64_t end = t.tv_sec * INT64_C(1000000000) + t.tv_nsec + us * INT64_C(1000);
	do
		clock_gettime(CLOCK_MONOTONIC, &t);
	while (t.tv_sec * INT64_C(1000000000) + t.tv_nsec < end);
}

static const char *reason(int32_t code)
{
	switch (code) {
	case -13:
		return "permission denied";
	case -22:
		return "validation failed: bad argument";
	case -110:
		return "timed out";
	case -5:
		return "execution failed";
	default:
		return "something else broke";
	}
}

/* The text is put together by hand: snprintf is not safe in a signal handler. */
static void explain(struct target_ctx *ctx, const char *artifact_id, int32_t code)
{
	size_t used = 0;
	const char *parts[] = {artifact_id, ": ", reason(code)};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		size_t length = strlen(parts[i]);
		if (length > sizeof ctx->text - 1 - used)
			length = sizeof ctx->text - 1 - used;
		memcpy(ctx->text + used, parts[i], length);
		used += length;
	}
	ctx->text[used] = '\0';
	ctx->last_error = ctx->text;
}

__attribute__((visibility("default"))) int target_invoke(void *opaque, const char *invoker_id,
							 const char *artifact_id,
							 const char *method, int args_count,
							 void *opaque_args)
{
	struct target_ctx *ctx = opaque;
	const struct target_args *args = opaque_args;

	(void)invoker_id;
	(void)method;
	(void)args_count;
	if (!args)
		return 0;
	if (args->work_us)
		busy(args->work_us);
	if (args->inside)
		args->inside(args->data);
	ctx->last_error = NULL;
	if (args->code) {
		explain(ctx, artifact_id, args->code);
		errno = -args->code;
	}
	return args->code;
}
