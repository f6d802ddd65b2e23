/* SPDX-License-Identifier: MIT */
/*
 * distinct.c - each call has a name that none had before, and the last calls are timed
 * against the first: what an observer adds must not grow with the names.
 *
 * --truth is not heeded: the counts follow from the options. The ratio of the medians of
 * the first and last tenths, in chunks of 100 calls, goes to stderr, since it is no output
 * to be compared.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "truth.h"

const char host_about[] = "distinct: --calls calls, each with a new name of --state artifact|"
			  "invoker|method|all";

#define CHUNK 100u

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int64_t median(int64_t *values, uint32_t count)
{
	qsort(values, count, sizeof *values, by_value);
	return values[count / 2];
}

/* Resident memory of this process, in kilobytes. */
static long resident(void)
{
	char line[128];
	long kilobytes = 0;
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "VmRSS: %ld", &kilobytes) == 1)
			break;
	if (file)
		fclose(file);
	return kilobytes;
}

int host_run(const struct host_options *options)
{
	const char *which = options->state ? options->state : "artifact";
	uint32_t chunks = options->calls / CHUNK, tenth = chunks / 10 ? chunks / 10 : 1;
	int64_t *took = calloc(chunks + 1, sizeof *took);
	struct target_ctx ctx = {.tick = 0};
	struct target_args args = {.code = 0};
	char name[3][32] = {"invoker", "artifact", "method"};
	int all = !strcmp(which, "all");
	long before = resident();

	for (uint32_t i = 0; i < options->calls; i++) {
		if (i % CHUNK == 0)
			took[i / CHUNK] -= now_ns();
		if (all || !strcmp(which, "invoker"))
			snprintf(name[0], sizeof name[0], "invoker_%u", i);
		if (all || !strcmp(which, "artifact"))
			snprintf(name[1], sizeof name[1], "artifact_%u", i);
		if (all || !strcmp(which, "method"))
			snprintf(name[2], sizeof name[2], "method_%u", i);
		ctx.tick++;
		args.code = i % 4 == 3 ? -13 : 0;
		target_invoke(&ctx, name[0], name[1], name[2], (int)(i % 5), &args);
		if (i % CHUNK == CHUNK - 1)
			took[i / CHUNK] += now_ns();
	}
	int64_t first = median(took, tenth), last = median(took + chunks - tenth, tenth);
	fprintf(stderr, "first %lld last %lld ratio %.2f grew_kb %ld\n", (long long)first / CHUNK,
		(long long)last / CHUNK, (double)last / (double)(first ? first : 1),
		resident() - before);
	printf("calls %u\n", options->calls);
	free(took);
	return 0;
}
