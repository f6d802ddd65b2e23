/* SPDX-License-Identifier: MIT */
/* main.c - the demo ecology: options, threads, ticks, the summary; see ecology.h. */
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ecology.h"

#define ACTIONS_A_TICK 3

static struct ecology ecology = {
	.ticks = 50, .agents = 12, .artifacts = 10, .threads = 1, .seed = 42, .crash_at_tick = -1};
static pthread_barrier_t tick_end;

uint64_t world_random(struct world *world)
{
	uint64_t x = world->random += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

uint32_t world_below(struct world *world, uint32_t bound)
{
	return (uint32_t)((world_random(world) >> 32) * bound >> 32);
}

bool world_chance(struct world *world, uint32_t per_mille)
{
	return world_below(world, 1000) < per_mille;
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void world_work(const struct world *world, uint32_t microseconds)
{
	const struct ecology *e = world->ecology;
	int64_t end = now_ns() + microseconds * INT64_C(1000);

	while (!e->fast && now_ns() < end)
		;
}

void world_wait(const struct world *world, uint32_t microseconds)
{
	const struct ecology *e = world->ecology;
	struct timespec t = {microseconds / 1000000, microseconds % 1000000 * 1000L};

	if (!e->fast)
		nanosleep(&t, NULL);
}

int ecology_invoke(struct world *world, const char *invoker_id, const char *id, const char *method,
		   int args_count, ...)
{
	int64_t args[4] = {0};
	va_list list;

	va_start(list, args_count);
	for (int i = 0; i < args_count && i < 3; i++)
		args[i] = va_arg(list, int64_t);
	va_end(list);
	int result = executor_invoke(world, invoker_id, id, method, args_count, args);
	log_count(id, method, result);
	return result;
}

/* Agents are dealt out to the threads; ticks end for all together. */
static void *run_thread(void *arg)
{
	struct world world = {.executor = ecology.executor, .ecology = &ecology};
	uint32_t thread = (uint32_t)(uintptr_t)arg;
	char agent[40];

	world.thread = thread;
	world.random = ecology.seed * UINT64_C(0x100000001b3) + thread;
	for (uint32_t tick = 0; tick < ecology.ticks; tick++) {
		world.tick = tick;
		for (uint32_t n = thread; n < ecology.agents; n += ecology.threads) {
			agent_name(agent, n);
			for (int i = 0; i < ACTIONS_A_TICK; i++)
				agent_act(&world, agent);
		}
		if (thread == 0 && tick == (uint64_t)ecology.crash_at_tick)
			ecology_invoke(&world, "alice_1", "code_forge", "run", 1, CRASH_ARGUMENT);
		if (ecology.threads > 1)
			pthread_barrier_wait(&tick_end);
	}
	return NULL;
}

static void usage(FILE *to)
{
	fprintf(to,
		"ecology: agents invoke artifacts, tick by tick\n"
		"  --ticks N           how long (50)\n"
		"  --agents N          who (12)\n"
		"  --artifacts N       what; beyond 10 they are numbered (10)\n"
		"  --threads N         agents are dealt out to threads (1)\n"
		"  --seed N            same seed, same calls and outcomes, with one thread (42)\n"
		"  --crash-at-tick N   crash in the middle of a nested call\n"
		"  --crash-by HOW      segv (default) or abort\n"
		"  --truth FILE        write the program's own counts: artifact, method, code, "
		"count\n"
		"  --fast              no sleeping, next to no work\n"
		"  --quiet             no summary\n"
		"  --help\n");
}

static uint32_t number(const char *text, uint32_t least, uint32_t most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (!*text || *end || n < least || n > most) {
		fprintf(stderr, "ecology: '%s' is not a number from %u to %u\n", text, least, most);
		exit(2);
	}
	return (uint32_t)n;
}

static const struct option long_options[] = {{"ticks", 1, 0, 't'},     {"agents", 1, 0, 'a'},
					     {"artifacts", 1, 0, 'A'}, {"threads", 1, 0, 'T'},
					     {"seed", 1, 0, 's'},      {"crash-at-tick", 1, 0, 'c'},
					     {"crash-by", 1, 0, 'C'},  {"truth", 1, 0, 'o'},
					     {"fast", 0, 0, 'f'},      {"quiet", 0, 0, 'q'},
					     {"help", 0, 0, 'h'},      {0, 0, 0, 0}};

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (c) {
		case 't':
			ecology.ticks = number(optarg, 0, UINT32_MAX);
			break;
		case 'a':
			ecology.agents = number(optarg, 1, 100000);
			break;
		case 'A':
			ecology.artifacts = number(optarg, 1, 1000);
			break;
		case 'T':
			ecology.threads = number(optarg, 1, 1000);
			break;
		case 's':
			ecology.seed = number(optarg, 0, UINT32_MAX);
			break;
		case 'c':
			ecology.crash_at_tick = number(optarg, 0, UINT32_MAX);
			break;
		case 'C':
			ecology.crash_by_abort = !strcmp(optarg, "abort");
			break;
		case 'o':
			ecology.truth = optarg;
			break;
		case 'f':
			ecology.fast = true;
			break;
		case 'q':
			ecology.quiet = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
	if (optind < argc) {
		usage(stderr);
		exit(2);
	}
}

static int run_threads(void)
{
	pthread_t *threads = calloc(ecology.threads, sizeof *threads);

	pthread_barrier_init(&tick_end, NULL, ecology.threads);
	for (uint32_t i = 1; i < ecology.threads; i++)
		if (!threads ||
		    pthread_create(&threads[i], NULL, run_thread, (void *)(uintptr_t)i)) {
			perror("pthread_create");
			return 1;
		}
	run_thread(NULL);
	for (uint32_t i = 1; i < ecology.threads; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return 0;
}

static void summary(int64_t start)
{
	uint64_t all = log_total(1);
	uint64_t good = log_total(EXECUTOR_OK);

	printf("ecology: %u ticks, %u agents, %u artifacts, %u thread%s, seed %" PRIu64 "\n",
	       ecology.ticks, ecology.agents, ecology.artifacts, ecology.threads,
	       ecology.threads == 1 ? "" : "s", ecology.seed);
	printf("  invocations %" PRIu64 ": %" PRIu64 " succeeded, %" PRIu64 " failed\n", all, good,
	       all - good);
	printf("  failures: permission %" PRIu64 ", validation %" PRIu64 ", timeout %" PRIu64
	       ", execution %" PRIu64 "\n",
	       log_total(EXECUTOR_PERMISSION), log_total(EXECUTOR_VALIDATION),
	       log_total(EXECUTOR_TIMEOUT), log_total(EXECUTOR_EXECUTION));
	if (!ecology.fast) /* the rest is the same for the same seed */
		printf("  time %.2f s\n", (double)(now_ns() - start) / 1e9);
}

int main(int argc, char **argv)
{
	int64_t start = now_ns();

	parse(argc, argv);
	ecology.executor = executor_new(ecology.artifacts);
	if (!ecology.executor || artifacts_register(&ecology) || run_threads())
		return 1;
	if (!ecology.quiet)
		summary(start);
	int result = ecology.truth ? log_write(ecology.truth) : 0;
	executor_free(ecology.executor);
	return result ? 1 : 0;
}
