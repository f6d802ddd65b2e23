/* SPDX-License-Identifier: MIT */
/*
 * bench_overhead.c - what one observed call costs, as a multiple of the floor.
 *
 * One process, rounds interleaved: `bare` calls an unprobed function of a library; `floor` calls
 * it between two time stamps and stores one 64-byte record; the third is one way to observe:
 *   call   the twin of the unprobed function: by the shim, or by whoever traces this program
 *   wide   the same with arguments on the stack (the shim's libffi path by `got`)
 *   json   a wrapper that prints a line of JSON
 *   ust    a wrapper that emits an LTTng-UST event (in the program that is linked with it)
 * Reported are medians over the rounds of the cost added to bare, in ns, and their ratio to the
 * floor. Under the shim (INVREG_DIR
 * is set) it refuses to report when not all calls were recorded, or any with --unobserved.
 *
 * Ways are not compared in one process, but through the floor that each process measures: a
 * tracer that stops the program or patches it slows its neighbours, too.
 *
 * usage: bench_overhead [--way call|wide|json|ust] [--threads N] [--rounds N] [--calls N]
 *                       [--seen-calls N] [--work-ns N] [--pin 0|1] [--reader 0|1]
 *                       [--unobserved 0|1] [--log FILE]
 * --seen-calls: fewer of the observed ones, where each takes long. --pin: thread N to the N-th
 * core that the process may use, and the reader to the last.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
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
#include "tests/bench/ways.h"

#define ROUNDS_MAX  101
#define THREADS_MAX 8
#define KINDS	    3

enum kind { BARE, FLOOR, SEEN };
enum way { CALL, WIDE, JSON, UST, WAYS };
static const char *const way_name[WAYS] = {"call", "wide", "json", "ust"};
static const char *const invokers[] = {"alice", "bob", "carol", "dave"};
static const char *const artifacts[] = {"market_escrow", "oracle", "genesis_ledger"};
static const char *const methods[] = {"transfer", "query"};

static struct bench_world world;
static enum way way = CALL;
static int rounds = 31, calls = 200000, seen_calls;
static bool pinned;
static FILE *json_log;
static pthread_barrier_t barrier;

struct worker {
	pthread_t thread;
	int index;
	struct inv_slot ring[16384];
	double ns[KINDS][ROUNDS_MAX];
};

/* To the n-th core of those that were allowed at first, counted round and round; -1: the last. */
static void pin(int n)
{
	static cpu_set_t allowed;
	static int count;
	if (!count && (sched_getaffinity(0, sizeof(allowed), &allowed) || !CPU_COUNT(&allowed)))
		return;
	count = CPU_COUNT(&allowed);
	int left = n < 0 ? count - 1 : n % count;
	for (int cpu = 0; pinned && cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && left-- == 0) {
			cpu_set_t one;
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			sched_setaffinity(0, sizeof(one), &one);
		}
}

static double now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

#define ARGUMENTS &world, invokers[i & 3], artifacts[i % 3], methods[i & 1], 2, NULL

static inline void call_bare(int i)
{
	if (way == WIDE)
		bench_wide_bare(ARGUMENTS, i, i);
	else
		bench_bare(ARGUMENTS);
}

static inline void call_floor(struct worker *w, int i)
{
	uint64_t start = inv_clock_counter();
	call_bare(i);
	uint64_t end = inv_clock_counter();
	uint64_t *slot = (uint64_t *)&w->ring[i & 16383];
	uint64_t words[8] = {(uint64_t)i, start, end - start, 1, 2, 3, 4, 5};
	memcpy(slot, words, sizeof(words));
	__asm__ volatile("" : : "r"(slot) : "memory");
}

static inline void call_seen(int i)
{
	if (way == CALL)
		bench_invoke(ARGUMENTS);
	else if (way == WIDE)
		bench_wide_invoke(ARGUMENTS, i, i);
	else if (way == UST)
		bench_ust_call(ARGUMENTS);
	else
		bench_json_call(json_log, ARGUMENTS);
}

static double one_round(struct worker *w, enum kind kind)
{
	int count = kind == SEEN ? seen_calls : calls;
	double begin = now_ns();
	for (int i = 0; i < count; i++) {
		if (kind == BARE)
			call_bare(i);
		else if (kind == FLOOR)
			call_floor(w, i);
		else
			call_seen(i);
	}
	return (now_ns() - begin) / count;
}

/* The log does not grow with the rounds: tmpfs is memory. */
static void empty_log(void)
{
	if (way != JSON)
		return;
	fflush(json_log);
	if (ftruncate(fileno(json_log), 0) == 0)
		rewind(json_log);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	pin(w->index);
	for (int warm = 0; warm < KINDS; warm++)
		one_round(w, (enum kind)warm);
	for (int r = 0; r < rounds; r++)
		for (int k = 0; k < KINDS; k++) {
			pthread_barrier_wait(&barrier);
			w->ns[k][r] = one_round(w, (enum kind)k);
			if (k == SEEN && w->index == 0)
				empty_log();
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
	uint64_t sum = 0;
	int fd = dir ? open_segment(dir) : -1;
	if (fd < 0 || inv_view_open(&view, fd, &found))
		return 0;
	for (uint32_t l = 0; l < inv_view_lane_count(&view); l++)
		if (!inv_view_lane(&view, l, &copy)) {
			sum += atomic_load_explicit(&copy.fixed.returned, memory_order_relaxed);
			inv_lane_copy_free(&copy);
		}
	inv_view_close(&view);
	close(fd);
	return sum;
}

/* A child that copies tallies and the newest events a thousand times a second. */
static pid_t start_reader(const char *dir)
{
	pid_t child = fork();
	if (child)
		return child;
	pin(-1);
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

static void report(struct worker *workers, int threads)
{
	double added[KINDS] = {0}, bare = 0;
	for (int t = 0; t < threads; t++) {
		double base = median(workers[t].ns[BARE], rounds);
		bare += base / threads;
		for (int k = 1; k < KINDS; k++)
			added[k] += (median(workers[t].ns[k], rounds) - base) / threads;
	}
	printf("{\"way\":\"%s\",\"threads\":%d,\"rounds\":%d,\"calls\":%d,\"bare_ns\":%.3f,"
	       "\"floor_added_ns\":%.3f,\"added_ns\":%.3f,\"to_floor\":%.4f}\n",
	       way_name[way], threads, rounds, calls, bare, added[FLOOR], added[SEEN],
	       added[SEEN] / added[FLOOR]);
}

/* Loops of the target's work that take so many ns here: the least of several tries. */
static uint64_t loops_of(double ns)
{
	double least = 1e18;
	for (int try = 0; try < 20; try++) {
		world.work = 100000;
		double begin = now_ns();
		bench_bare(&world, "a", "b", "c", 0, NULL);
		double took = now_ns() - begin;
		least = took < least ? took : least;
	}
	return (uint64_t)(ns / (least / 100000) + 0.5);
}

/* With INVREG_CHILDREN=ignore: hooks are in place, and nothing is recorded. */
static void go_on_in_a_child(void)
{
	int status;
	pid_t child = fork();
	if (!child)
		return;
	if (child < 0 || waitpid(child, &status, 0) != child)
		exit(1);
	if (WIFSIGNALED(status))
		fprintf(stderr, "bench_overhead: the child was killed by signal %d\n",
			WTERMSIG(status));
	if (!WIFEXITED(status))
		exit(1);
	exit(WEXITSTATUS(status));
}

struct settings {
	int threads;
	double work_ns;
	bool with_reader, unobserved;
	const char *log;
};

static bool set(struct settings *to, const char *name, const char *value)
{
	if (!strcmp(name, "--way")) {
		for (way = CALL; way < WAYS && strcmp(value, way_name[way]);)
			way++;
		return way < WAYS && (way != UST || bench_ust_call);
	}
	if (!strcmp(name, "--log"))
		to->log = value;
	else if (!strcmp(name, "--threads"))
		to->threads = atoi(value);
	else if (!strcmp(name, "--rounds"))
		rounds = atoi(value);
	else if (!strcmp(name, "--calls"))
		calls = atoi(value);
	else if (!strcmp(name, "--seen-calls"))
		seen_calls = atoi(value);
	else if (!strcmp(name, "--pin"))
		pinned = atoi(value) != 0;
	else if (!strcmp(name, "--work-ns"))
		to->work_ns = atof(value);
	else if (!strcmp(name, "--reader"))
		to->with_reader = atoi(value) != 0;
	else if (!strcmp(name, "--unobserved"))
		to->unobserved = atoi(value) != 0;
	else
		return false;
	return to->threads >= 1 && to->threads <= THREADS_MAX && rounds >= 1 &&
	       rounds <= ROUNDS_MAX && calls >= 1 && seen_calls >= 0;
}

static void run_threads(struct worker *workers, int threads)
{
	pthread_barrier_init(&barrier, NULL, (unsigned)threads);
	for (int t = 1; t < threads; t++) {
		workers[t].index = t;
		pthread_create(&workers[t].thread, NULL, work, &workers[t]);
	}
	work(&workers[0]);
	for (int t = 1; t < threads; t++)
		pthread_join(workers[t].thread, NULL);
}

int main(int argc, char **argv)
{
	struct settings is = {.threads = 1, .log = "/dev/null"};
	const char *dir = getenv("INVREG_DIR");
	for (int i = 1; i < argc; i += 2)
		if (i + 1 == argc || !set(&is, argv[i], argv[i + 1])) {
			fprintf(stderr, "bench_overhead: not here or out of range: %s\n", argv[i]);
			return 2;
		}
	seen_calls = seen_calls ? seen_calls : calls;
	pin(0);
	struct worker *workers = calloc((size_t)is.threads, sizeof(*workers));
	json_log = fopen(is.log, "w");
	if (!workers || !json_log)
		return 1;
	if (way == WIDE)
		bench_wide_invoke(&world, "warm", "up", "call", 0, NULL, 1, 2);
	else
		bench_invoke(&world, "warm", "up", "call", 0, NULL);
	if (is.unobserved)
		go_on_in_a_child();
	pid_t reader = is.with_reader ? start_reader(dir) : 0;
	world.work = is.work_ns > 0 ? loops_of(is.work_ns) : 0;
	run_threads(workers, is.threads);
	if (reader > 0) {
		kill(reader, SIGKILL);
		waitpid(reader, NULL, 0);
	}
	uint64_t made = (uint64_t)is.threads * (uint64_t)(rounds + 1) * (uint64_t)seen_calls + 1;
	uint64_t expected = is.unobserved ? 1 : made;
	if (dir && recorded_calls(dir) != expected) {
		fprintf(stderr, "bench_overhead: %llu calls made, %llu recorded: not observed?\n",
			(unsigned long long)expected, (unsigned long long)recorded_calls(dir));
		return 1;
	}
	report(workers, is.threads);
	fclose(json_log);
	free(workers);
	return 0;
}
