/* SPDX-License-Identifier: MIT */
/* plugin_calls.c - the plug-in of `dlopens`: calls the target through its own PLT. */
#include "truth_target.h"

int plugin_call(struct target_ctx *ctx, const char *invoker, const char *artifact,
		const char *method, struct target_args *args);

__attribute__((visibility("default"))) int plugin_call(struct target_ctx *ctx, const char *invoker,
						       const char *artifact, const char *method,
						       struct target_args *args)
{
	return target_invoke(ctx, invoker, artifact, method, 2, args);
}
