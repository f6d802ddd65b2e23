/* SPDX-License-Identifier: MIT */
/* ballast.c - one thread and very many calls: laps the ring. */
#include <stdio.h>

#include "truth.h"

const char host_about[] = "ballast: one thread makes --calls calls as fast as it can";

int host_run(const struct host_options *options)
{
	struct host_caller caller;

	host_caller_init(&caller, "invoker", 0);
	for (uint32_t i = 0; i < options->calls; i++)
		host_call_next(&caller);
	host_add_digest(caller.digest);
	printf("calls %u\n", options->calls);
	return 0;
}
