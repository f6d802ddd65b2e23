/* SPDX-License-Identifier: MIT */
/* target.h - a function that leaves its call in every way, through a stub and a closure. */
#ifndef SIDEWAYS_TARGET_H
#define SIDEWAYS_TARGET_H

struct wide {
	long v[4];
};

/* How a call ends; also the artifact's name. `inside` runs within the call. */
extern "C" int s_stub(const char *invoker, const char *way, void (*inside)(void *), void *data);
extern "C" int s_closure(wide by_value, const char *invoker, const char *way,
			 void (*inside)(void *), void *data);

namespace sim
{
struct timeout {
	int after;
};
} // namespace sim

#endif
