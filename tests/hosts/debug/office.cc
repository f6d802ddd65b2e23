// SPDX-License-Identifier: MIT
// office.cc - the side that is observed.
#include "office.hpp"

#if defined(__clang__)
#define KEPT __attribute__((noinline))
#else
#define KEPT __attribute__((noipa))
#endif

namespace office
{
KEPT Outcome Desk::invoke(const std::string &invoker, std::string artifact,
					    const char *method, std::string_view note, int argc)
{
	if (note != "a note" || method[0] == '\0')
		return Outcome(99); // an argument was lost on the way
	Outcome outcome = argc > 4 ? Outcome::lost
			  : invoker.size() > 20 ? Outcome::refused
						: Outcome::ok;
	world_->last_error = outcome == Outcome::ok ? "" : "no: " + artifact;
	return outcome;
}

KEPT Answer Desk::execute(const std::string &artifact_id, std::string_view method,
					    int nargs)
{
	bool good = nargs < 3 && method == "stamp";
	return {good, good ? "" : "cannot " + artifact_id + ", which is much too long a text"};
}
} // namespace office
