/* SPDX-License-Identifier: MIT */
/*
 * host.cc - leaves calls by exceptions, pthread_exit, cancellation and longjmp, and tells how
 * many.
 *
 *   host ROUNDS   each way ROUNDS times through the stub and through the closure; prints
 *                 what was caught, whether destructors ran, each thread's exit value, and
 *                 who called whom, but for the shim
 */
#include <cerrno>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <exception>
#include <execinfo.h>
#include <pthread.h>
#include <stdexcept>
#include <typeinfo>
#include <unistd.h>

#include "target.h"

static long destroyed, caught, nested;

struct guard {
	~guard()
	{
		destroyed++;
	}
};

static int call(bool closure, const char *way, void (*inside)(void *) = nullptr,
		void *data = nullptr)
{
	guard g;
	return closure ? s_closure(WIDE_VALUE, "host", way, inside, data)
		       : s_stub("host", way, inside, data);
}

static void one_caught(bool closure, const char *way)
{
	try {
		errno = 3;
		int r = call(closure, way);
		if (r || errno != 11)
			std::printf("returned %d, errno %d\n", r, errno);
	} catch (const sim::timeout &t) {
		caught += t.after;
	} catch (const std::exception &e) {
		caught += static_cast<long>(std::strlen(e.what()));
	} catch (int i) {
		caught += i;
	}
}

/* An exception through several calls at once, caught in the middle and thrown again. */
static void level(void *data)
{
	int depth = *static_cast<int *>(data) - 1;
	if (!depth)
		throw sim::timeout{1};
	try {
		call(depth & 1, "nested", level, &depth);
	} catch (...) {
		nested++;
		throw;
	}
}

static void towers(int depth)
{
	try {
		call(true, "nested", level, &depth);
	} catch (const sim::timeout &) {
		nested++;
	}
}

static void *leaver(void *data)
{
	guard g;
	call(data != nullptr, "exit");
	return nullptr;
}

static void *waiter(void *data)
{
	guard g;
	call(data != nullptr, "cancel");
	return nullptr;
}

static void threads(void *closure)
{
	pthread_t t;
	void *result;
	if (pthread_create(&t, nullptr, leaver, closure))
		std::abort();
	pthread_join(t, &result);
	std::printf("left with %p\n", result);
	if (pthread_create(&t, nullptr, waiter, closure))
		std::abort();
	usleep(2000);
	pthread_cancel(t);
	pthread_join(t, &result);
	std::printf("cancelled %d\n", result == PTHREAD_CANCELED);
}

static jmp_buf back;

static void jump(void *)
{
	std::longjmp(back, 1);
}

static void jumps(bool closure)
{
	if (setjmp(back) == 0)
		closure ? s_closure(WIDE_VALUE, "host", "jumps", jump, nullptr)
			: s_stub("host", "jumps", jump, nullptr);
}

static void callers(void *)
{
	void *frames[64];
	int n = backtrace(frames, 64);
	for (int i = 0; i < n; i++) {
		Dl_info info = {};
		if (dladdr(frames[i], &info) && std::strstr(info.dli_fname, "invreg_preload"))
			continue;
		/* TSan's own backtrace() calls the real one, and stands in the trace. */
		if (info.dli_sname && !std::strcmp(info.dli_sname, "backtrace"))
			continue;
		std::printf("%s\n", info.dli_sname ? info.dli_sname : "?");
	}
}

int main(int argc, char **argv)
{
	static const char *const ways[] = {"runtime_error", "timeout",	"int",
					   "bad_alloc",	    "rethrown", "returns"};
	int rounds = argc > 1 ? std::atoi(argv[1]) : 10;
	for (int i = 0; i < rounds; i++) {
		for (const char *way : ways) {
			one_caught(false, way);
			one_caught(true, way);
		}
		towers(5);
	}
	for (int i = 0; i < 3; i++) {
		threads(nullptr);
		threads(&destroyed);
	}
	for (int i = 0; i < 3; i++) {
		jumps(false);
		jumps(true);
	}
	s_stub("host", "returns", nullptr, nullptr); /* from a frame above those that were left */
	call(false, "returns", callers);
	call(true, "returns", callers);
	std::printf("destroyed %ld, caught %ld, nested %ld\n", destroyed, caught, nested);
	return 0;
}
