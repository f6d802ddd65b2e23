/* SPDX-License-Identifier: MIT */
#include "reader/help.h"

#include <stdio.h>
#include <string.h>

#include "reader/output.h"
#include "reader/say.h"
#include "reader/verbs.h"

int inv_help(const char *topic)
{
	for (const struct inv_help_topic *t = inv_help_topics; t->name; t++) {
		if (strcmp(t->name, topic) != 0)
			continue;
		fputs(t->text, stdout);
		return inv_output_stdout_done();
	}
	inv_say("invreg: help has no topic '%s'; invreg --help lists the verbs\n", topic);
	return INV_EXIT_USAGE;
}
