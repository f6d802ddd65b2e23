/* SPDX-License-Identifier: MIT */
/*
 * executor.h - how the agents of the demo ecology invoke artifacts.
 *
 * libexecutor.so finds an artifact by its id, checks the method and the permission, and
 * runs the artifact's code, which lives in the main program and may invoke others. It
 * knows nothing of invreg: it is what an observed program looks like.
 */
#ifndef ECOLOGY_EXECUTOR_H
#define ECOLOGY_EXECUTOR_H

#include <stddef.h>
#include <stdint.h>

struct executor;

/*
 * What one thread sees of the world. Offsets matter to those who look from outside (a
 * debugger, a probe file): tick at 16, last_error at 32.
 */
struct world {
	struct executor *executor;
	void *ecology; /* of the main program */
	int64_t tick;
	uint64_t random;
	const char *last_error; /* of the call that failed last on this thread; NULL = success */
	char error_text[160];
	uint32_t depth; /* invocations open on this thread */
	uint32_t thread;
};

enum executor_result {
	EXECUTOR_OK = 0,
	EXECUTOR_EXECUTION = -5,
	EXECUTOR_PERMISSION = -13,
	EXECUTOR_VALIDATION = -22,
	EXECUTOR_TIMEOUT = -110
};

/* One invocation, as the artifact's code sees it. */
struct call {
	const char *invoker_id;
	const char *artifact_id; /* itself */
	const char *method;
	int args_count;
	const int64_t *args;
};

struct artifact {
	char id[40];
	const char *const *methods; /* NULL-terminated */
	const char *restricted;	    /* a method that only `owner` may call, or NULL */
	char owner[40];
	int (*run)(struct world *world, const struct artifact *self, const struct call *call);
};

struct executor *executor_new(size_t capacity);
void executor_free(struct executor *executor);

/* Registers a copy. Returns: 0, or -1 when full. Before the first invocation only. */
int executor_register(struct executor *executor, const struct artifact *artifact);

/* Sets last_error, printf-like, and returns `result`, for `return executor_fail(...)`. */
int executor_fail(struct world *world, int result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Invokes a method. args: int64_t[args_count]. Returns: enum executor_result. */
int executor_invoke(struct world *world, const char *invoker_id, const char *artifact_id,
		    const char *method, int args_count, void *args);

#endif
