/* SPDX-License-Identifier: MIT */
/* many_names.c - as many distinct artifacts as --artifacts says, one call of each a round. */
#include <stdio.h>

#include "truth.h"

const char host_about[] = "many_names: --depth rounds over --artifacts distinct artifacts "
			  "(use --methods 1 --codes 2)";

int host_run(const struct host_options *options)
{
	struct host_caller caller;

	host_caller_init(&caller, "invoker", 0);
	for (uint32_t round = 0; round < options->depth; round++)
		for (uint32_t i = 0; i < options->artifacts; i++)
			host_call(&caller, i, i, i % 4 == 3, NULL, NULL);
	host_add_digest(caller.digest);
	printf("rounds %u artifacts %u\n", options->depth, options->artifacts);
	return 0;
}
