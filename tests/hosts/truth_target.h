/* SPDX-License-Identifier: MIT */
/*
 * truth_target.h - the function that tests observe, in a library of its own.
 */
#ifndef TESTS_TRUTH_TARGET_H
#define TESTS_TRUTH_TARGET_H

#include <stdint.h>

/* What a probe file reads: tick at offset 16, the message of the last failure at 32. */
struct target_ctx {
	uint64_t spare[2];
	int64_t tick;
	uint64_t spare2;
	const char *last_error; /* NULL after a success */
	char text[96];
};

struct target_args {
	int32_t code; /* to return; 0 is success */
	uint32_t work_us;
	void (*inside)(void *data); /* may be NULL; may call target_invoke, fork or longjmp */
	void *data;
};

/*
 * Does as `args` (struct target_args, may be NULL) says. A failure sets errno to -code and
 * ctx->last_error; a success leaves errno alone.
 * Returns: args->code.
 */
int target_invoke(void *ctx, const char *invoker_id, const char *artifact_id, const char *method,
		  int args_count, void *args);

#endif
