/* SPDX-License-Identifier: MIT */
/*
 * counting_shim.c - a test preload of the got tier alone: counts the calls of one function
 * `int f(int)`.
 *
 * GOT_WANT is "symbol" or "object:symbol". At exit one line goes to the file GOT_OUT: seen,
 * definitions, sites, refused, wrappers handed out. Wrappers are a pool of plain functions,
 * since which definition was called is told by the function that was entered.
 */
#include "preload/got.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POOL 256

typedef int (*probed_fn)(int);

static probed_fn reals[POOL];
static uint32_t used;
static _Atomic uint64_t seen;
static struct inv_got_want want;
static struct inv_got_status status;
static char want_text[256];

static int counted(uint32_t slot, int x)
{
	if (inv_got_stale())
		inv_got_catch_up();
	atomic_fetch_add_explicit(&seen, 1, memory_order_relaxed);
	return reals[slot](x);
}

// clang-format off
#define ONE(n)                                                                                     \
	static int wrapper_##n(int x)                                                              \
	{                                                                                          \
		return counted(0x##n, x);                                                          \
	}
#define ROW(r)                                                                                     \
	ONE(r##0)                                                                                  \
	ONE(r##1) ONE(r##2) ONE(r##3) ONE(r##4) ONE(r##5) ONE(r##6) ONE(r##7) ONE(r##8) ONE(r##9)  \
		ONE(r##a) ONE(r##b) ONE(r##c) ONE(r##d) ONE(r##e) ONE(r##f)
#define NAMES(r)                                                                                   \
	wrapper_##r##0, wrapper_##r##1, wrapper_##r##2, wrapper_##r##3, wrapper_##r##4,            \
		wrapper_##r##5, wrapper_##r##6, wrapper_##r##7, wrapper_##r##8, wrapper_##r##9,    \
		wrapper_##r##a, wrapper_##r##b, wrapper_##r##c, wrapper_##r##d, wrapper_##r##e,    \
		wrapper_##r##f
ROW(0)
ROW(1) ROW(2) ROW(3) ROW(4) ROW(5) ROW(6) ROW(7) ROW(8) ROW(9) ROW(a) ROW(b) ROW(c) ROW(d) ROW(e)
	ROW(f) static probed_fn const pool[POOL] = {NAMES(0), NAMES(1), NAMES(2), NAMES(3),
						    NAMES(4), NAMES(5), NAMES(6), NAMES(7),
						    NAMES(8), NAMES(9), NAMES(a), NAMES(b),
						    NAMES(c), NAMES(d), NAMES(e), NAMES(f)};

// clang-format on

static void *make_wrapper(uint32_t index, void *real, const char *object)
{
	(void)index;
	(void)object;
	if (used == POOL)
		return NULL;
	reals[used] = (probed_fn)real;
	return (void *)pool[used++];
}

static void changed(uint32_t index, const struct inv_got_status *now)
{
	(void)index;
	status = *now;
}

__attribute__((constructor)) static void start(void)
{
	const char *text = getenv("GOT_WANT");
	char *colon;

	if (!text)
		return;
	snprintf(want_text, sizeof(want_text), "%s", text);
	colon = strrchr(want_text, ':');
	want.symbol = colon ? colon + 1 : want_text;
	want.object = colon ? want_text : NULL;
	if (colon)
		*colon = 0;
	inv_got_install(&want, 1, make_wrapper, NULL, changed, &status);
}

__attribute__((destructor)) static void report(void)
{
	const char *path = getenv("GOT_OUT");
	char line[160];
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	snprintf(line, sizeof(line), "seen %llu definitions %u sites %u refused %u wrappers %u\n",
		 (unsigned long long)seen, status.definitions, status.sites, status.refused, used);
	if (write(fd, line, strlen(line)) < 0)
		_exit(99);
	close(fd);
}
