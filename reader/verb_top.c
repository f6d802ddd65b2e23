/* SPDX-License-Identifier: MIT */
/*
 * verb_top.c - `invreg top`: the table of a session, live on a terminal, or once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "say.h"
#include "top.h"
#include "verbs.h"

static int wrong(const char *option, const char *value, const char *wanted)
{
	inv_say("invreg top: %s %s: expected %s\n", option, value, wanted);
	return INV_EXIT_USAGE;
}

static bool column_of(enum inv_top_view view, enum inv_top_column column)
{
	const enum inv_top_column *columns;
	size_t count = inv_top_columns(view, &columns);
	for (size_t i = 0; i < count; i++)
		if (columns[i] == column)
			return true;
	return false;
}

/* As `stats` has it, too: name and total. */
static bool sort_of(const char *text, enum inv_top_view view, enum inv_top_column *sort)
{
	const enum inv_top_column *columns;
	inv_top_columns(view, &columns);
	if (!strcmp(text, "name"))
		*sort = view == INV_TOP_OPEN ? INV_TOP_COL_ARTIFACT : columns[0];
	else if (!inv_top_sort_named(strcmp(text, "total") ? text : "calls", sort))
		return false;
	return column_of(view, *sort);
}

static bool delay_of(const char *text, unsigned *ms)
{
	char *end;
	double v = strtod(text, &end);
	if (end == text || *end || !(v >= 0.1 && v <= 60))
		return false;
	*ms = (unsigned)(v * 1000);
	return true;
}

static int show(const char *dir, const char *session, const struct inv_top_options *o, bool once)
{
	struct inv_src src;
	int code = inv_src_open(&src, dir, session);
	if (code)
		return code;
	code = once ? -1 : inv_top_watch(&src, o);
	if (code < 0)
		code = inv_top_once(&src, o);
	inv_src_close(&src);
	return code;
}

int inv_verb_top(int argc, char **argv)
{
	const char *by = "artifact", *sort = NULL, *delay = NULL, *dir = NULL, *session = NULL;
	struct inv_top_options o = {.query = {.filter = ""}, .delay_ms = 1000};
	bool once = false;
	const struct inv_option options[] = {{"by", 0, &by, NULL},
					     {"sort", 0, &sort, NULL},
					     {"filter", 0, &o.query.filter, NULL},
					     {"delay", 'd', &delay, NULL},
					     {"once", '1', NULL, &once},
					     {0}};
	size_t words;
	int code = inv_options_parse(argc, argv, options, &dir, &session, 1, &words);
	if (code >= 0)
		return code;
	if (!inv_top_view_named(by, &o.query.view))
		return wrong("--by", by, "artifact, method, invoker, error or inflight");
	o.query.sort = inv_top_first_sort(o.query.view);
	if (sort && !sort_of(sort, o.query.view, &o.query.sort))
		return wrong("--sort", sort, "a column of that view; see `invreg top --help`");
	if (delay && !delay_of(delay, &o.delay_ms))
		return wrong("--delay", delay, "seconds, 0.1 to 60");
	if (strlen(o.query.filter) >= INV_TOP_FILTER_BYTES)
		return wrong("--filter", "TEXT", "at most 127 bytes");
	return show(dir, session, &o, once || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO));
}
