/* SPDX-License-Identifier: MIT */
/* subject.c - the object that fuzz_elf.c damages: a bit of all that debug information has. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum outcome { FINE, REFUSED = -13 };

struct pair {
	int32_t first;
	double second;
};

struct world {
	int64_t tick;
	struct pair pair;
	union {
		int number;
		const char *text;
	} either;
	unsigned flags : 3, rest : 29;
	struct world *next;
	char name[16];
};

int subject_invoke(struct world *world, const char *invoker, const char *artifact, int count,
		   void (*done)(enum outcome));
struct pair subject_pair(struct pair pair, long double wide, bool sure, ...);

static __attribute__((noinline)) enum outcome hidden(const struct world *world, unsigned count)
{
	return world->tick > count ? FINE : REFUSED;
}

static inline int inlined(const struct pair *pair)
{
	return pair->first > 3 ? (int)pair->second : pair->first;
}

int subject_invoke(struct world *world, const char *invoker, const char *artifact, int count,
		   void (*done)(enum outcome))
{
	enum outcome outcome = hidden(world, (unsigned)count);
	puts(invoker);
	puts(artifact);
	if (done)
		done(outcome);
	return inlined(&world->pair);
}

struct pair subject_pair(struct pair pair, long double wide, bool sure, ...)
{
	pair.second += sure ? (double)wide : inlined(&pair);
	return pair;
}
