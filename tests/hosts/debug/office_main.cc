// SPDX-License-Identifier: MIT
// office_main.cc - calls the desks, and prints what it called: one line a call.
#include <cstdio>

#include "office.hpp"

using namespace office;

int main()
{
	World world{"w", 5, ""};
	Desk desk(&world);
	Annex annex(&world);
	Desk *const desks[] = {&annex, &desk};
	const std::string invokers[] = {"dora", "an invoker whose name is rather long"};
	const std::string artifacts[] = {"form_7", "a form that does not fit into a short string"};

	for (int i = 0; i < 30; i++, world.tick += 2) {
		const char *method = i % 3 ? "file" : "burn";
		Outcome outcome =
			desks[i % 2]->invoke(invokers[i % 5 == 4], artifacts[i % 2], method, "a note", i % 6);
		const char *type = outcome == Outcome::ok	 ? "-"
				   : outcome == Outcome::refused ? "refused"
				   : outcome == Outcome::lost	 ? "lost"
								 : "wrong";
		std::printf("%s\t%s\t%s\t%ld\t%d\t%s\t%s\n", invokers[i % 5 == 4].c_str(),
			    artifacts[i % 2].c_str(), method, world.tick, i % 6, type,
			    world.last_error.c_str());
		const char *verb = i % 4 ? "stamp" : "staple";
		Answer answer = desk.execute(artifacts[i % 2], verb, i % 5);
		std::printf("\t%s\t%s\t%ld\t%d\t%s\t%s\n", artifacts[i % 2].c_str(), verb, world.tick,
			    i % 5, answer.success ? "-" : "execution", answer.error_message.c_str());
	}
}
