/* SPDX-License-Identifier: MIT */
/*
 * bench_overhead.c - what one observed call costs, as a multiple of the floor.
 *
 * One process, one run, rounds interleaved: `bare` calls an unprobed function of a
 * library; `floor` calls it between two time stamps and stores one 64-byte record; `shim`
 * calls its twin, which is probed. Reported are medians over the rounds of the cost added
 * to bare, in ns, and their ratio to the floor. Run it under the shim (scripts/bench.sh);
 * it refuses to report when the probed function turns out not to be observed.
 *
 * usage: bench_overhead [--threads N] [--rounds N] [--reader 0|1] [--unobserved 0|1] [--max-ratio
 * X]
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shm/clock.h"
#include "shm/view.h"
#include "tests/bench/target.h"

#define CALLS	    200000
#define ROUNDS_MAX  101
#define THREADS_MAX 8
#define KINDS	    3

enum kind { BARE, FLOOR, SHIM };
static const char *const kind_name[KINDS] = {"bare", "floor", "shim"};
static const char *const invokers[] = {"alice", "bob", "carol", "dave"};
static const char *const artifacts[] = {"market_escrow", "oracle", "genesis_ledger"};
static const char *const methods[] = {"transfer", "query"};

static struct bench_world world;
static int rounds = 31;
static pthread_barrier_t barrier;

struct worker {
	pthread_t thread;
	struct inv_slot ring[16384];
	double ns[KINDS][ROUNDS_MAX];
	uint64_t shim_calls;
};

static double now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void call_bare(int i)
{
	bench_bare(&world, invokers[i & 3], artifacts[i % 3], methods[i & 1], 2, NULL);
}

static void call_floor(struct worker *w, int i)
{
	uint64_t start = inv_clock_counter();
	call_bare(i);
	uint64_t end = inv_clock_counter();
	uint64_t *slot = (uint64_t *)&w->ring[i & 16383];
	uint64_t words[8] = {(uint64_t)i, start, end - start, 1, 2, 3, 4, 5};
	memcpy(slot, words, sizeof(words));
	__asm__ volatile("" : : "r"(slot) : "memory");
}

static double one_round(struct worker *w, enum kind kind)
{
	double begin = now_ns();
	for (int i = 0; i < CALLS; i++) {
		if (kind == BARE)
			call_bare(i);
		else if (kind == FLOOR)
			call_floor(w, i);
		else
			bench_invoke(&world, invokers[i & 3], artifacts[i % 3], methods[i & 1], 2,
				     NULL);
	}
	return (now_ns() - begin) / CALLS;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	for (int warm = 0; warm < KINDS; warm++)
		one_round(w, (enum kind)warm);
	for (int r = 0; r < rounds; r++)
		for (int k = 0; k < KINDS; k++) {
			pthread_barrier_wait(&barrier);
			w->ns[k][r] = one_round(w, (enum kind)k);
		}
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(const double *values, int n)
{
	double copy[ROUNDS_MAX];
	memcpy(copy, values, sizeof(double) * (size_t)n);
	qsort(copy, (size_t)n, sizeof(double), by_value);
	return copy[n / 2];
}

static int open_segment(const char *dir)
{
	char path[512];
	struct dirent *e;
	DIR *d = opendir(dir);
	int fd = -1;
	while (d && fd < 0 && (e = readdir(d)))
		if (strstr(e->d_name, ".seg")) {
			snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
			fd = open(path, O_RDONLY | O_CLOEXEC);
		}
	if (d)
		closedir(d);
	return fd;
}

static uint64_t recorded_calls(const char *dir)
{
	struct inv_view view;
	struct inv_lane_copy copy;
	uint32_t found;
	uint64_t calls = 0;
	int fd = dir ? open_segment(dir) : -1;
	if (fd < 0 || inv_view_open(&view, fd, &found))
		return 0;
	for (uint32_t l = 0; l < inv_view_lane_count(&view); l++)
		if (!inv_view_lane(&view, l, &copy)) {
			calls += atomic_load_explicit(&copy.fixed.returned, memory_order_relaxed);
			inv_lane_copy_free(&copy);
		}
	inv_view_close(&view);
	close(fd);
	return calls;
}

/* A child that copies tallies and the newest events a thousand times a second. */
static pid_t start_reader(const char *dir)
{
	pid_t child = fork();
	if (child)
		return child;
	struct inv_view view;
	uint32_t found;
	int fd = open_segment(dir);
	if (fd < 0 || inv_view_open(&view, fd, &found))
		_exit(1);
	for (;;) {
		for (uint32_t l = 0; l < inv_view_lane_count(&view); l++) {
			struct inv_lane_copy copy;
			struct inv_event event;
			if (inv_view_lane(&view, l, &copy))
				continue;
			uint64_t head = inv_view_head(&view, l);
			for (uint64_t i = head > 100 ? head - 100 : 1; i <= head; i++)
				inv_view_event(&view, l, i, &event);
			inv_lane_copy_free(&copy);
		}
		usleep(1000);
	}
}

static double report(struct worker *workers, int threads)
{
	double added[KINDS] = {0}, bare = 0;
	for (int t = 0; t < threads; t++) {
		double base = median(workers[t].ns[BARE], rounds);
		bare += base / threads;
		for (int k = 1; k < KINDS; k++)
			added[k] += (median(workers[t].ns[k], rounds) - base) / threads;
	}
	double ratio = added[SHIM] / added[FLOOR];
	printf("{\"threads\":%d,\"rounds\":%d,\"bare_ns\":%.2f", threads, rounds, bare);
	for (int k = 1; k < KINDS; k++)
		printf(",\"%s_added_ns\":%.2f", kind_name[k], added[k]);
	printf(",\"shim_to_floor\":%.3f}\n", ratio);
	return ratio;
}

/* With INVREG_CHILDREN=ignore: hooks are in place, and nothing is recorded. */
static void go_on_in_a_child(void)
{
	int status;
	pid_t child = fork();
	if (!child)
		return;
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		exit(1);
	exit(WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	int threads = 1;
	double most = 0;
	bool with_reader = false, unobserved = false;
	const char *dir = getenv("INVREG_DIR");
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--threads"))
			threads = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--rounds"))
			rounds = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--max-ratio"))
			most = atof(argv[i + 1]);
		else if (!strcmp(argv[i], "--reader"))
			with_reader = atoi(argv[i + 1]) != 0;
		else if (!strcmp(argv[i], "--unobserved"))
			unobserved = atoi(argv[i + 1]) != 0;
	}
	if (threads < 1 || threads > THREADS_MAX || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "bench_overhead: --threads 1..%d, --rounds 1..%d\n", THREADS_MAX,
			ROUNDS_MAX);
		return 2;
	}
	struct worker *workers = calloc((size_t)threads, sizeof(*workers));
	if (!workers)
		return 1;
	bench_invoke(&world, "warm", "up", "call", 0, NULL);
	if (unobserved)
		go_on_in_a_child();
	pid_t reader = with_reader ? start_reader(dir) : 0;
	pthread_barrier_init(&barrier, NULL, (unsigned)threads);
	for (int t = 1; t < threads; t++)
		pthread_create(&workers[t].thread, NULL, work, &workers[t]);
	work(&workers[0]);
	for (int t = 1; t < threads; t++)
		pthread_join(workers[t].thread, NULL);
	if (reader > 0) {
		kill(reader, SIGKILL);
		waitpid(reader, NULL, 0);
	}
	uint64_t expected = unobserved ? 1 : (uint64_t)threads * (uint64_t)(rounds + 1) * CALLS + 1;
	if (dir && recorded_calls(dir) != expected) {
		fprintf(stderr, "bench_overhead: %llu calls made, %llu recorded: not observed?\n",
			(unsigned long long)expected, (unsigned long long)recorded_calls(dir));
		return 1;
	}
	double ratio = report(workers, threads);
	return most > 0 && ratio > most;
}
