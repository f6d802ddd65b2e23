/* SPDX-License-Identifier: MIT */
/* agents.c - what agents are called and what they do in a tick. */
#include <stdio.h>
#include <string.h>

#include "ecology.h"

void agent_name(char *buf, uint32_t n)
{
	static const char *const names[] = {"alice", "bruno", "chidi", "dalia", "emeka", "farah",
					    "goran", "hanna", "ivano", "jonas", "keiko", "liesl"};
	uint32_t count = sizeof names / sizeof names[0];

	snprintf(buf, 40, "%s_%u", names[n % count], n / count * 7 + n % 7 + 1);
}

struct habit {
	const char *artifact, *method;
	int args_count;
	uint32_t weight;
};

/* Weights add up to 100. */
static const struct habit habits[] = {
	{"genesis_ledger", "balance", 1, 14}, {"genesis_ledger", "transfer", 2, 8},
	{"market_escrow", "bid", 2, 14},      {"market_escrow", "settle", 1, 7},
	{"oracle", "query", 1, 12},	      {"weather_service", "forecast", 2, 7},
	{"text_index", "search", 1, 10},      {"text_index", "insert", 2, 5},
	{"rights_registry", "check", 2, 6},   {"rights_registry", "grant", 3, 2},
	{"mint_auction", "bid", 2, 6},	      {"code_forge", "run", 1, 5},
	{"courier", "deliver", 2, 3},	      {"genesis_ledger", "mint", 1, 1}};

static void pick_artifact(struct world *world, const struct habit *habit, char *buf)
{
	const struct ecology *ecology = world->ecology;
	uint32_t kinds = artifact_kinds();

	snprintf(buf, 40, "%s", habit->artifact);
	/* in a larger world, half of the calls go to a numbered sibling */
	if (ecology->artifacts > kinds && world_chance(world, 500)) {
		uint32_t n = world_below(world, ecology->artifacts - kinds) + kinds;
		char sibling[40];
		artifact_id(sibling, n);
		if (!strncmp(sibling, habit->artifact, strlen(habit->artifact)))
			memcpy(buf, sibling, sizeof sibling);
	}
}

void agent_act(struct world *world, const char *agent)
{
	uint32_t pick = world_below(world, 100);
	const struct habit *habit = habits;
	char artifact[40];

	while (pick >= habit->weight) {
		pick -= habit->weight;
		habit++;
	}
	pick_artifact(world, habit, artifact);
	/* agents make mistakes, too */
	if (world_chance(world, 8)) {
		ecology_invoke(world, agent, artifact, "explode", 0);
		return;
	}
	int64_t first = world_below(world, 1000);
	if (world_chance(world, 15))
		first = -first;
	ecology_invoke(world, agent, artifact, habit->method, habit->args_count, first,
		       (int64_t)world_below(world, 100), (int64_t)0);
}
