/* SPDX-License-Identifier: MIT */
/* target.cc - the ways to leave a call. */
#include "target.h"

#include <cerrno>
#include <csetjmp>
#include <cstring>
#include <exception>
#include <new>
#include <pthread.h>
#include <stdexcept>
#include <unistd.h>

static int leave(const char *way)
{
	if (!std::strcmp(way, "runtime_error"))
		throw std::runtime_error("no such contract");
	if (!std::strcmp(way, "timeout"))
		throw sim::timeout{30};
	if (!std::strcmp(way, "int"))
		throw 42;
	if (!std::strcmp(way, "bad_alloc"))
		throw std::bad_alloc();
	if (!std::strcmp(way, "rethrown"))
		std::rethrow_exception(std::make_exception_ptr(std::out_of_range("again")));
	if (!std::strcmp(way, "exit"))
		pthread_exit(reinterpret_cast<void *>(7));
	if (!std::strcmp(way, "cancel"))
		for (;;)
			pause();
	errno = 11;
	return 0;
}

int s_stub(const char *, const char *way, void (*inside)(void *), void *data)
{
	if (inside)
		inside(data);
	return leave(way);
}

int s_closure(WIDE, const char *, const char *way, void (*inside)(void *), void *data)
{
	if (inside)
		inside(data);
	return leave(way) + (WIDE_SUM(w) == 5 ? 0 : 1);
}
