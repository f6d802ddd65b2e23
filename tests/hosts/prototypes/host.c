/* SPDX-License-Identifier: MIT */
/*
 * host.c - calls each function of target.c and prints what it got.
 *
 *   host [ROUNDS]   ROUNDS (3) times all of them
 *   host -m N       one of them N times; prints whether memory grew and which descriptor
 *                   comes next, neither of which may change when observed
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target.h"

static void scalars(int n)
{
	int out = 0;
	errno = 0;
	int r = p_registers(&out, "alice", n);
	printf("registers %d errno %d\n", r, errno);
	r = p_seven(n, 2, -3, 4, 5, 6, 77);
	printf("seven %d errno %d\n", r, errno);
	printf("nine_floats %.6f\n", p_nine_floats(n, .5, 1.5, 2, 3, 4, 5, 6, -7.25));
	printf("mixed %lld\n", (long long)p_mixed(-5, 1.5, -300, 2.5f, 1LL << 40, 3.5, 200, 4.5,
						  60000, 5.5, 4000000000u, true, "bob", n));
	printf("float_stack %.6f\n", (double)p_float_stack(1, 2, 3, 4, 5, 6, 7, 8, 9.5f, (float)n));
	p_void_stack(&out, 1, 2, 3, 4, 5, n);
	printf("void_stack %d\n", out);
	printf("narrow %d\n", p_narrow(1, 2, 3, 4, 5, 6, (int8_t)(100 + n)));
	printf("bool %d %d\n", p_bool(n, 0, 0, 0, 0, 0, true), p_bool(n, 0, 0, 0, 0, 0, false));
	printf("sixteen %llu\n", (unsigned long long)p_sixteen(1, -2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
							       12, 13, 14, n, UINT64_MAX - 7));
}

static void wide(int n)
{
	struct pair p = p_pair_out(n);
	printf("pair_out %d %.6f\n", p.a, p.b);
	printf("pair_in %d\n", p_pair_in(p, "carol"));
	struct floats f = p_floats((struct floats){1.5f, 2.5f, -3.5f}, (float)n);
	printf("floats %.6f %.6f %.6f\n", (double)f.x, (double)f.y, (double)f.z);
	struct big b = p_big((struct big){{1, 2, 3, 4, 5}}, n);
	printf("big %lld %lld\n", (long long)b.v[0], (long long)b.v[4]);
	struct nested s = p_nested((struct nested){7, {n, 1.25}, "text"});
	printf("nested %d %d %.6f %s\n", s.tag, s.pair.a, s.pair.b, s.text);
	printf("long_double %.18Lg\n", p_long_double(1.0L / 7, n));
	printf("long_double_in %d\n", p_long_double_in(n, 2.5L, 9));
	printf("variadic %d %d\n", p_variadic("dave", 0),
	       p_variadic("dave", 7, 1, 2, 3, 4, 5, 6, n));
	printf("variadic_floats %.6f\n", p_variadic_floats(3, 0.5, 1.5, (double)n));
}

static long resident_kib(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (!f || fscanf(f, "%*s %ld", &pages) != 1)
		exit(3);
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void many(long calls)
{
	struct big b = {{1, 2, 3, 4, 5}};
	long i = 0;
	for (; i < calls / 10; i++)
		b = p_big(b, 3);
	long before = resident_kib();
	for (; i < calls; i++)
		b = p_big(b, 3);
	long grown = resident_kib() - before;
	printf("many %lld, %s\n", (long long)b.v[2],
	       grown < 1024 ? "memory stays" : "memory grows");
	printf("next descriptor %d\n", open("/dev/null", O_RDONLY));
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-m")) {
		many(atol(argv[2]));
		return 0;
	}
	int rounds = argc > 1 ? atoi(argv[1]) : 3;
	for (int n = 1; n <= rounds; n++) {
		scalars(n);
		wide(n);
	}
	return 0;
}
