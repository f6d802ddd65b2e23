// SPDX-License-Identifier: MIT
// office.hpp - the same in C++: strings by reference and by value, a virtual method, a result
// that is made in the caller's memory.
#ifndef TESTS_HOSTS_DEBUG_OFFICE_HPP
#define TESTS_HOSTS_DEBUG_OFFICE_HPP

#include <string>
#include <string_view>

namespace office
{
enum class Outcome : short { ok, refused = 3, lost = -2 };

struct World {
	std::string name;
	long tick;
	std::string last_error;
};

struct Answer {
	bool success;
	std::string error_message;
};

class Desk
{
      public:
	explicit Desk(World *world) : world_(world)
	{
	}
	virtual ~Desk()
	{
	}
	virtual Outcome invoke(const std::string &invoker, std::string artifact, const char *method,
			       std::string_view note, int argc);
	Answer execute(const std::string &artifact_id, std::string_view method, int nargs);

      protected:
	World *world_;
};

/* Inherits the method: it is patched once and seen through both vtables. */
class Annex : public Desk
{
      public:
	using Desk::Desk;
};
} // namespace office

#endif
