/* SPDX-License-Identifier: MIT */
/* target.h - a function that leaves its call in every way, through a stub and a closure. */
#ifndef SIDEWAYS_TARGET_H
#define SIDEWAYS_TARGET_H

struct wide {
	long v[4];
};

/* -DWORDS: no struct by value, and two words on the stack all the same. */
#ifdef WORDS
#define WIDE	    long a, long, long, long d
#define WIDE_VALUE  1, 2, 3, 4
#define WIDE_SUM(w) (a + d)
#else
#define WIDE wide w
#define WIDE_VALUE                                                                                 \
	wide                                                                                       \
	{                                                                                          \
		{                                                                                  \
			1, 2, 3, 4                                                                 \
		}                                                                                  \
	}
#define WIDE_SUM(w) (w.v[0] + w.v[3])
#endif

/* How a call ends; also the artifact's name. `inside` runs within the call. */
extern "C" int s_stub(const char *invoker, const char *way, void (*inside)(void *), void *data);
extern "C" int s_closure(WIDE, const char *invoker, const char *way, void (*inside)(void *),
			 void *data);

namespace sim
{
struct timeout {
	int after;
};
} // namespace sim

#endif
