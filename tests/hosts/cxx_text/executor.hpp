// SPDX-License-Identifier: MIT
// executor.hpp - a plug-in whose functions take std::string and std::string_view in each way that
// there is: by reference, pointer and value, in registers, on the stack and between the two, as
// members, with a struct by value, and as a result.
#ifndef TESTS_HOSTS_CXX_TEXT_EXECUTOR_HPP
#define TESTS_HOSTS_CXX_TEXT_EXECUTOR_HPP

#include <string>
#include <string_view>

namespace text
{
struct Context {
	long tick;
	std::string name;
	std::string_view view;
	const std::string *alias;
};

struct Pair {
	int number;
	double real;
};

class Executor
{
      public:
	virtual ~Executor();
	virtual int invoke(std::string const &invoker_id, std::string_view artifact_id,
			   int args_count);
	std::string describe(std::string const &artifact_id, int args_count) const;

	std::string last_error;
};

/* Overrides the method: another function, in another slot of its own vtable. */
class Strict : public Executor
{
      public:
	int invoke(std::string const &invoker_id, std::string_view artifact_id,
		   int args_count) override;
};

/* Inherits it: the same function. */
class Plain : public Executor
{
};

int by_value(std::string invoker_id, std::string *artifact_id, std::string_view method);
int by_move(std::string &&invoker_id, const std::string_view &artifact_id);
int between(int a, int b, int c, int d, int e, std::string_view artifact_id, int args_count,
	    const std::string &invoker_id);
int on_stack(long a, long b, long c, long d, long e, long f, const std::string &invoker_id,
	     std::string_view artifact_id, int args_count);
double with_floats(double a, std::string_view artifact_id, float b, const std::string &invoker_id);
int with_struct(Pair pair, std::string_view artifact_id, const std::string &invoker_id);
int members(Context *context);
std::string banner(int args_count);
void throws(const std::string &artifact_id);
} // namespace text

#endif
