/* SPDX-License-Identifier: MIT */
/*
 * dlopens.c - a plug-in, loaded late, calls the target; so does a pointer from dlsym. The
 * plug-in's calls and the pointer's count under methods of their own on stdout, since the
 * truth page knows only host_call's.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "truth.h"

const char host_about[] = "dlopens: --depth loads of the plug-in, --calls calls through it and "
			  "as many through dlsym; prints both counts (artifacts plugin_artifact, "
			  "dlsym_artifact)";

typedef int plugin_fn(struct target_ctx *, const char *, const char *, const char *,
		      struct target_args *);
typedef int target_fn(void *, const char *, const char *, const char *, int, void *);

static void *must(void *p, const char *what)
{
	if (p)
		return p;
	fprintf(stderr, "dlopens: %s: %s\n", what, dlerror());
	exit(3);
}

/* The plug-in lies beside the program. */
static void default_path(char *buf, size_t size, const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	snprintf(buf, size, "%.*s/plugin_calls.so", slash ? (int)(slash - argv0) : 1,
		 slash ? argv0 : ".");
}

int host_run(const struct host_options *options)
{
	char path[4096];
	struct host_caller caller;
	unsigned long long through_plugin = 0, through_dlsym = 0;

	default_path(path, sizeof path, options->argv[0]);
	host_caller_init(&caller, "invoker", 0);
	host_call_next(&caller);
	for (uint32_t round = 0; round < options->depth; round++) {
		int mode = (round & 1 ? RTLD_NOW : RTLD_LAZY) | RTLD_LOCAL;
		void *plugin = must(dlopen(options->plugin ? options->plugin : path, mode), path);
		plugin_fn *call = (plugin_fn *)must(dlsym(plugin, "plugin_call"), "plugin_call");
		target_fn *direct =
			(target_fn *)must(dlsym(RTLD_DEFAULT, "target_invoke"), "target_invoke");
		for (uint32_t i = 0; i < options->calls; i++) {
			struct target_args args = {i % 4 == 3 ? -5 : 0, 0, NULL, NULL};
			caller.digest += (uint64_t)call(&caller.ctx, "plugin", "plugin_artifact",
							"query", &args);
			through_plugin++;
			caller.digest += (uint64_t)direct(&caller.ctx, "pointer", "dlsym_artifact",
							  "query", 3, &args);
			through_dlsym++;
		}
		dlclose(plugin);
	}
	host_call_next(&caller);
	host_add_digest(caller.digest);
	printf("plugin %llu dlsym %llu\n", through_plugin, through_dlsym);
	return 0;
}
