/* SPDX-License-Identifier: MIT */
/* target.h - the functions that the overhead benchmark calls; they live in a library. */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include <stdint.h>

struct bench_world {
	uint64_t spare[2];
	int64_t tick;	   /* offset 16, as in the demo */
	uint64_t work;	   /* loops of some 2 ns that a call takes; 0: near-empty */
	const char *error; /* offset 32 */
};

int bench_invoke(struct bench_world *world, const char *invoker_id, const char *artifact_id,
		 const char *method, int args_count, void *args);
int bench_bare(struct bench_world *world, const char *invoker_id, const char *artifact_id,
	       const char *method, int args_count, void *args);

/* The same with two arguments on the stack: what only libffi can pass on by `got`. */
int bench_wide_invoke(struct bench_world *world, const char *invoker_id, const char *artifact_id,
		      const char *method, int args_count, void *args, int64_t first,
		      int64_t second);
int bench_wide_bare(struct bench_world *world, const char *invoker_id, const char *artifact_id,
		    const char *method, int args_count, void *args, int64_t first, int64_t second);

#endif
