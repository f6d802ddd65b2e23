/* SPDX-License-Identifier: MIT */
/*
 * artifacts.c - the artifacts' code. An artifact that invokes another does it in its own
 * name and through the executor, so that calls nest: agent -> escrow -> ledger -> event log.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecology.h"

static bool is(const struct call *call, const char *method)
{
	return !strcmp(call->method, method);
}

static int64_t arg(const struct call *call, int n)
{
	return n < call->args_count ? call->args[n] : 0;
}

static int ledger(struct world *world, const struct artifact *self, const struct call *call)
{
	world_work(world, 1 + world_below(world, 4));
	if (arg(call, 0) < 0)
		return executor_fail(world, EXECUTOR_VALIDATION,
				     "amount must not be negative: %lld", (long long)arg(call, 0));
	if (!is(call, "transfer"))
		return EXECUTOR_OK;
	if (arg(call, 0) > 960)
		return executor_fail(world, EXECUTOR_VALIDATION,
				     "insufficient balance: %s needs %lld more", call->invoker_id,
				     (long long)arg(call, 0) - 960);
	return ecology_invoke(world, self->id, "event_log", "append", 1, arg(call, 0));
}

static int escrow(struct world *world, const struct artifact *self, const struct call *call)
{
	world_work(world, 5 + world_below(world, 20));
	int result = ecology_invoke(world, self->id, "rights_registry", "check", 2, arg(call, 0),
				    arg(call, 1));
	if (result)
		return result;
	if (is(call, "settle")) {
		if (world_chance(world, 60))
			return executor_fail(world, EXECUTOR_EXECUTION,
					     "settlement of lot %lld failed: no winning bid",
					     (long long)arg(call, 0));
		return ecology_invoke(world, self->id, "genesis_ledger", "transfer", 2,
				      arg(call, 0), arg(call, 1));
	}
	return ecology_invoke(world, self->id, "genesis_ledger", "balance", 1, arg(call, 0));
}

static int oracle(struct world *world, const struct artifact *self, const struct call *call)
{
	world_work(world, 30 + world_below(world, 120));
	if (world_chance(world, 400)) {
		int result = ecology_invoke(world, self->id, "weather_service", "forecast", 2,
					    arg(call, 0), INT64_C(1));
		if (result == EXECUTOR_TIMEOUT)
			return executor_fail(world, EXECUTOR_TIMEOUT,
					     "no answer from weather_service in time");
		if (result)
			return result;
	}
	if (world_chance(world, 10))
		return executor_fail(world, EXECUTOR_EXECUTION,
				     "the model returned no answer to question %lld",
				     (long long)arg(call, 0));
	return EXECUTOR_OK;
}

static int weather(struct world *world, const struct artifact *self, const struct call *call)
{
	(void)self;
	if (arg(call, 0) < 0)
		return executor_fail(world, EXECUTOR_VALIDATION, "station %lld does not exist",
				     (long long)arg(call, 0));
	if (world_chance(world, 45)) {
		world_wait(world, 50000);
		return executor_fail(world, EXECUTOR_TIMEOUT, "upstream timed out after 50 ms");
	}
	world_wait(world, 300 + world_below(world, 4000));
	return EXECUTOR_OK;
}

static int text_index(struct world *world, const struct artifact *self, const struct call *call)
{
	(void)self;
	if (arg(call, 0) < 0)
		return executor_fail(world, EXECUTOR_VALIDATION,
				     "query must not be empty (document %lld)",
				     (long long)arg(call, 0));
	/* a long tail: one search of fifty meets a long posting list */
	world_work(world, is(call, "insert")	    ? 40 + world_below(world, 30)
			  : world_chance(world, 20) ? 6000
						    : 100 + world_below(world, 300));
	return EXECUTOR_OK;
}

static int rights(struct world *world, const struct artifact *self, const struct call *call)
{
	(void)self;
	world_work(world, 1);
	if (is(call, "check") && world_chance(world, 50))
		return executor_fail(world, EXECUTOR_PERMISSION, "%s holds no right to lot %lld",
				     call->invoker_id, (long long)arg(call, 0));
	return EXECUTOR_OK;
}

static int auction(struct world *world, const struct artifact *self, const struct call *call)
{
	world_work(world, 10);
	if (world->tick % 10 == 9)
		return executor_fail(world, EXECUTOR_VALIDATION,
				     "the auction is closed in tick %lld", (long long)world->tick);
	int result = ecology_invoke(world, self->id, "oracle", "query", 1, arg(call, 0));
	if (result)
		return result;
	return ecology_invoke(world, self->id, "genesis_ledger", "transfer", 2, arg(call, 0),
			      arg(call, 1));
}

/* The crash of --crash-at-tick: three calls deep, in the artifact's own code. */
static void crash(const struct ecology *ecology)
{
	if (ecology->truth)
		log_write(ecology->truth); /* what had returned by now */
	if (ecology->crash_by_abort)
		abort();
	raise(SIGSEGV);
}

static int forge(struct world *world, const struct artifact *self, const struct call *call)
{
	const struct ecology *ecology = world->ecology;

	world_work(world, 200 + world_below(world, 400));
	if (is(call, "compile")) {
		if (arg(call, 0) == CRASH_ARGUMENT)
			crash(ecology);
		return EXECUTOR_OK;
	}
	int result = ecology_invoke(world, self->id, "code_forge", "compile", 1, arg(call, 0));
	if (!result && world_chance(world, 220))
		return executor_fail(world, EXECUTOR_EXECUTION,
				     "ZeroDivisionError in line %u of artifact %lld",
				     world_below(world, 40) + 1, (long long)arg(call, 0));
	if (!result && world_chance(world, 300))
		return ecology_invoke(world, self->id, "text_index", "search", 1, arg(call, 0));
	return result;
}

static int event_log(struct world *world, const struct artifact *self, const struct call *call)
{
	(void)self;
	(void)call;
	world_work(world, 1);
	return EXECUTOR_OK;
}

static int courier(struct world *world, const struct artifact *self, const struct call *call)
{
	world_wait(world, 500 + world_below(world, 3000));
	if (world_chance(world, 100))
		return executor_fail(world, EXECUTOR_TIMEOUT, "recipient %lld did not acknowledge",
				     (long long)arg(call, 1));
	ecology_invoke(world, self->id, "event_log", "append", 1, arg(call, 1));
	return ecology_invoke(world, self->id, "genesis_ledger", "transfer", 2, arg(call, 1),
			      INT64_C(1));
}

static const struct kind {
	const char *id;
	int (*run)(struct world *, const struct artifact *, const struct call *);
	const char *methods[4];
	const char *restricted;
	const char *owner;
} kinds[] = {
	{"genesis_ledger", ledger, {"transfer", "balance", "mint"}, "mint", "mint_auction"},
	{"market_escrow", escrow, {"bid", "settle"}, NULL, ""},
	{"oracle", oracle, {"query"}, NULL, ""},
	{"weather_service", weather, {"forecast"}, NULL, ""},
	{"text_index", text_index, {"search", "insert"}, NULL, ""},
	{"rights_registry", rights, {"check", "grant"}, "grant", "alice_1"},
	{"event_log", event_log, {"append", "tail"}, NULL, ""},
	{"code_forge", forge, {"run", "compile"}, NULL, ""},
	{"mint_auction", auction, {"bid"}, NULL, ""},
	{"courier", courier, {"deliver"}, NULL, ""},
};

uint32_t artifact_kinds(void)
{
	return sizeof kinds / sizeof kinds[0];
}

void artifact_id(char *buf, uint32_t n)
{
	uint32_t kind = n % artifact_kinds();

	if (n < artifact_kinds())
		snprintf(buf, 40, "%s", kinds[kind].id);
	else
		snprintf(buf, 40, "%s_%u", kinds[kind].id, n / artifact_kinds() + 1);
}

int artifacts_register(struct ecology *ecology)
{
	for (uint32_t n = 0; n < ecology->artifacts; n++) {
		const struct kind *kind = &kinds[n % artifact_kinds()];
		struct artifact artifact = {.methods = kind->methods,
					    .restricted = kind->restricted,
					    .run = kind->run};
		artifact_id(artifact.id, n);
		snprintf(artifact.owner, sizeof artifact.owner, "%s", kind->owner);
		if (executor_register(ecology->executor, &artifact))
			return -1;
	}
	return 0;
}
