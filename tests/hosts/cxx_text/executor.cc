// SPDX-License-Identifier: MIT
// executor.cc - the side that is observed: each answer depends on all that was passed.
#include "executor.hpp"

#if defined(__clang__)
#define KEPT __attribute__((noinline))
#else
#define KEPT __attribute__((noipa))
#endif

namespace text
{
static int sum(std::string_view bytes)
{
	unsigned value = static_cast<unsigned>(bytes.size());
	for (char c : bytes)
		value = value * 31 + static_cast<unsigned char>(c);
	return static_cast<int>(value & 0xffffff);
}

Executor::~Executor()
{
}

KEPT int Executor::invoke(std::string const &invoker_id, std::string_view artifact_id,
			  int args_count)
{
	last_error.clear();
	if (args_count % 3 != 2)
		return 0;
	last_error = "not allowed: ";
	last_error += artifact_id.substr(0, 20);
	return -sum(invoker_id) - 1;
}

KEPT std::string Executor::describe(std::string const &artifact_id, int args_count) const
{
	if (args_count % 2)
		return std::string();
	return "no description of " + artifact_id.substr(0, 30);
}

KEPT int Strict::invoke(std::string const &invoker_id, std::string_view artifact_id,
			int args_count)
{
	last_error = args_count ? "" : "timed out";
	return args_count ? 0 : -sum(artifact_id) - sum(invoker_id) - 1;
}

KEPT int by_value(std::string invoker_id, std::string *artifact_id, std::string_view method)
{
	invoker_id += *artifact_id;
	invoker_id += method;
	return sum(invoker_id);
}

KEPT int by_move(std::string &&invoker_id, const std::string_view &artifact_id)
{
	std::string taken = std::move(invoker_id);
	return sum(taken) + sum(artifact_id);
}

KEPT int between(int a, int b, int c, int d, int e, std::string_view artifact_id, int args_count,
		 const std::string &invoker_id)
{
	return a + b * 2 + c * 3 + d * 4 + e * 5 + sum(artifact_id) + args_count + sum(invoker_id);
}

KEPT int on_stack(long a, long b, long c, long d, long e, long f, const std::string &invoker_id,
		  std::string_view artifact_id, int args_count)
{
	return static_cast<int>(a + b + c + d + e + f) + sum(invoker_id) + sum(artifact_id) * 7 +
	       args_count;
}

KEPT double with_floats(double a, std::string_view artifact_id, float b,
			const std::string &invoker_id)
{
	return a * sum(artifact_id) + static_cast<double>(b) * sum(invoker_id);
}

KEPT int with_struct(Pair pair, std::string_view artifact_id, const std::string &invoker_id)
{
	return pair.number + static_cast<int>(pair.real) + sum(artifact_id) * 3 + sum(invoker_id);
}

KEPT int members(Context *context)
{
	return sum(context->name) + sum(context->view) + sum(*context->alias);
}

/* Its symbol has an ABI tag, since nothing else in it tells which std::string it returns. */
KEPT std::string banner(int args_count)
{
	return std::string(static_cast<std::size_t>(args_count), '*');
}

KEPT void throws(const std::string &artifact_id)
{
	throw std::string("thrown by " + artifact_id);
}
} // namespace text
