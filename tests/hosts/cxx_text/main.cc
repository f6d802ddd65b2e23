// SPDX-License-Identifier: MIT
// main.cc - calls the executor with texts of all kinds, and prints what it called with and got:
// a line a call, texts in hexadecimal, as they may hold any byte.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <sys/mman.h>
#include <utility>
#include <vector>

#include "executor.hpp"

using namespace text;

static std::string hex(std::string_view bytes)
{
	/* of what is longer than a name the head is enough */
	std::string out = "x";
	char two[3];
	for (unsigned char c : bytes.substr(0, 1100)) {
		std::snprintf(two, sizeof(two), "%02x", c);
		out += two;
	}
	return out;
}

static void told(const char *probe, std::string_view invoker, std::string_view artifact,
		 std::string_view method, int count, bool failed, std::string_view message,
		 double result)
{
	std::printf("%s\t%s\t%s\t%s\t%d\t%d\t%s\t%.3f\n", probe, hex(invoker).c_str(),
		    hex(artifact).c_str(), hex(method).c_str(), count, failed,
		    hex(message).c_str(), result);
}

static void call_methods(Executor *executor, const char *probe, const std::string &invoker,
			 std::string_view artifact, int n)
{
	int result = executor->invoke(invoker, artifact, n);
	told(probe, invoker, artifact, "invoke", n, result != 0,
	     result ? executor->last_error : "", result);
}

static void call_all(const std::string &invoker, const std::string &artifact, int n)
{
	static Plain plain;
	static Strict strict;
	Context context = {n, artifact, std::string_view(invoker).substr(0, 9), &invoker};
	call_methods(&plain, "invoke", invoker, artifact, n);
	call_methods(&strict, "strict", invoker, std::string_view(artifact).substr(1), n % 2);

	std::string answer = plain.describe(artifact, n);
	told("describe", "", artifact, "describe", n, !answer.empty(), answer, 0);

	std::string copy = artifact;
	int result = by_value(invoker, &copy, "by value");
	told("by_value", invoker, artifact, "by value", 0, false, "", result);

	copy = invoker;
	std::string_view half = std::string_view(artifact).substr(0, artifact.size() / 2);
	result = by_move(std::move(copy), half);
	told("by_move", invoker, half, "", 0, false, "", result);
	/* moved from: valid, and empty here */
	result = by_move(std::move(copy), {}); // cppcheck-suppress accessMoved
	// cppcheck-suppress accessMoved
	told("by_move", copy, "", "", 0, false, "", result);

	result = between(1, 2, 3, 4, 5, artifact, n, invoker);
	told("between", invoker, artifact, "", n, false, "", result);
	result = on_stack(1, 2, 3, 4, 5, 6, invoker, artifact, n);
	told("on_stack", invoker, artifact, "", n, false, "", result);
	double real = with_floats(1.5, artifact, 2.5f, invoker);
	told("with_floats", invoker, artifact, "", 0, false, "", real);
	result = with_struct({n, 0.5}, artifact, invoker);
	told("with_struct", invoker, artifact, "", 0, false, "", result);
	result = members(&context);
	told("members", context.view, context.name, *context.alias, 0, false, "", result);
	std::string stars = banner(n * 3);
	told("banner", "", "", "", n * 3, !stars.empty(), stars, 0);
	try {
		throws(artifact);
	} catch (const std::string &what) {
		told("throws", "", artifact, "", 0, true, "", static_cast<double>(what.size()));
	}
}

/* Temporaries, one after the other in the same place. */
static void call_temporaries()
{
	Plain plain;
	const char *const names[] = {"ann", "bob", "carol", "a name that is not short"};
	for (int i = 0; i < 40; i++) {
		int result = plain.invoke(names[i % 4], names[i % 3], 0);
		told("invoke", names[i % 4], names[i % 3], "invoke", 0, result != 0, "", result);
	}
}

/* A view that ends where its page ends, before one that cannot be read. */
static void call_at_the_edge()
{
	Plain plain;
	std::string invoker = "edge";
	char *pages = static_cast<char *>(
		mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	mprotect(pages + 4096, 4096, PROT_NONE);
	for (size_t length : {1, 7, 8, 15, 16, 17, 40}) {
		std::memset(pages + 4096 - length, 'e', length);
		call_methods(&plain, "invoke", invoker, {pages + 4096 - length, length}, 0);
	}
}

/* Objects that are none. The function reads nothing of them. */
static void call_with_garbage()
{
	struct {
		std::uintptr_t word[4];
	} wild[] = {{{0x10, 3, 0, 0}}, {{0, 0, 0, 0}}, {{~std::uintptr_t(0), 8, 8, 0}}};
	Plain plain;
	for (auto &object : wild) {
		int result = plain.invoke(reinterpret_cast<std::string &>(object), "garbage", 0);
		told("invoke", "?", "garbage", "invoke", 0, result != 0, "", result);
	}
	int result = plain.invoke(*reinterpret_cast<std::string *>(0x1234567), "garbage", 0);
	told("invoke", "?", "garbage", "invoke", 0, result != 0, "", result);
	result = plain.invoke("garbage", {reinterpret_cast<const char *>(0x10), 5}, 0);
	told("invoke", "garbage", "?", "invoke", 0, result != 0, "", result);
}

int main()
{
	const std::vector<std::string> texts = {
		"alice",
		"1",
		"exactly 15 byte",
		"exactly sixteen!",
		std::string("zero\0byte", 9),
		std::string("a longer text with a zero\0 byte in it", 37),
		"a longer text that is found again by its address",
		std::string(1023, 'n'),
		std::string(1 << 20, 'm'),
		"zo\xc3\xab",
	};
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < texts.size(); i++)
			call_all(texts[i], texts[(i + 1) % texts.size()], static_cast<int>(i) + round);
	Plain plain;
	call_methods(&plain, "invoke", "", {}, 0);
	std::string emptied = "once it was long enough to be elsewhere";
	std::string thief = std::move(emptied);
	call_methods(&plain, "invoke", emptied, thief, 1);
	std::string roomy = "short";
	roomy.reserve(100);
	call_methods(&plain, "invoke", roomy, roomy, 1);
	call_temporaries();
	call_at_the_edge();
	call_with_garbage();
}
