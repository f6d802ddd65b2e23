/* SPDX-License-Identifier: MIT */
/*
 * verb_diff.c - `invreg diff A B`: what two runs differ in, and whether that is more than noise.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cut.h"
#include "diff.h"
#include "diff_report.h"
#include "options.h"
#include "output.h"
#include "say.h"
#include "setting.h"
#include "table.h"
#include "verbs.h"

struct side {
	struct inv_src src;
	struct inv_cut cut;
};

/* Returns: 0, or the exit code; nothing is open then. */
static int open_side(struct side *side, const char *dir, const char *name)
{
	int code = inv_src_open(&side->src, dir, name);
	if (code)
		return code;
	int result = inv_cut_take(&side->cut, &side->src);
	if (result == 0)
		return 0;
	code = inv_output_source_error(&side->src, result);
	inv_src_close(&side->src);
	return code;
}

static void close_side(struct side *side)
{
	inv_cut_free(&side->cut);
	inv_src_close(&side->src);
}

/* What makes numbers of a side less than all. */
static void say_caveats(const char *name, const struct inv_cut *cut)
{
	if (cut->calls_paused)
		inv_say("invreg: %s was paused at times: %llu calls are in no number\n", name,
			(unsigned long long)cut->calls_paused);
	if (cut->live)
		inv_say("invreg: %s is live: these are its numbers so far\n", name);
}

static int judge(const struct inv_diff_report *report)
{
	size_t above = 0;
	for (size_t i = 0; report->fail_above >= 0 && i < report->diff->count; i++)
		above += inv_diff_above(&report->diff->rows[i], report->fail_above);
	if (above)
		inv_say("invreg: %zu of %zu rows worse by more than %g %%\n", above,
			report->diff->count, 100 * report->fail_above);
	return above ? INV_EXIT_RUNTIME : INV_EXIT_OK;
}

static int show(const struct inv_diff_report *report, bool json)
{
	struct inv_buf out;
	if (!json) {
		inv_diff_report_table(report, stdout, inv_table_color(stdout));
		return inv_output_stdout_done();
	}
	int code = inv_output_open(&out);
	if (code)
		return code;
	inv_diff_report_json(report, &out);
	return inv_output_close(&out);
}

static int compare(const struct side *a, const struct side *b, enum inv_group by, double fail_above,
		   bool json)
{
	struct inv_diff diff;
	struct inv_diff_report report = {&diff, &a->cut, &b->cut, by, fail_above};
	int result = inv_diff_make(&diff, a->cut.registry, b->cut.registry, by);
	if (result < 0) {
		inv_say("invreg: %s\n", strerror(-result));
		return INV_EXIT_RUNTIME;
	}
	int code = show(&report, json);
	say_caveats("A", &a->cut);
	say_caveats("B", &b->cut);
	int verdict = judge(&report);
	inv_diff_free(&diff);
	return code ? code : verdict;
}

static int run(const char *dir, const char *const names[2], enum inv_group by, double fail_above,
	       bool json)
{
	struct side a, b;
	int code = open_side(&a, dir, names[0]);
	if (code)
		return code;
	code = open_side(&b, dir, names[1]);
	if (code == 0) {
		code = compare(&a, &b, by, fail_above, json);
		close_side(&b);
	}
	close_side(&a);
	return code;
}

static bool percent(const char *text, double *fraction)
{
	char *end;
	double v = strtod(text, &end);
	*fraction = v / 100;
	return end != text && !*end && v >= 0 && isfinite(v);
}

int inv_verb_diff(int argc, char **argv)
{
	const char *dir = NULL, *above = NULL, *by = "method", *names[2];
	double fail_above = -1;
	bool json = false;
	const struct inv_option options[] = {{"fail-above", 0, &above, NULL},
					     {"by", 0, &by, NULL},
					     {"json", 0, NULL, &json},
					     {0}};
	size_t words;
	int code = inv_options_parse(argc, argv, options, &dir, names, 2, &words);
	if (code >= 0)
		return code;
	bool by_artifact = !strcmp(by, "artifact");
	const char *wrong = words < 2 ? "name two runs" : NULL;
	if (!by_artifact && strcmp(by, "method"))
		wrong = "--by is artifact or method";
	if (above && !percent(above, &fail_above))
		wrong = "--fail-above wants a percentage, 0 or more";
	if (wrong) {
		inv_say("invreg: diff: %s; see `invreg diff --help`\n", wrong);
		return INV_EXIT_USAGE;
	}
	return run(dir, names, by_artifact ? INV_BY_ARTIFACT : INV_BY_METHOD, fail_above, json);
}
