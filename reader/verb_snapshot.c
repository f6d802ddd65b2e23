/* SPDX-License-Identifier: MIT */
/*
 * verb_snapshot.c - `invreg snapshot`: one consistent cut, in the form that is asked for.
 *
 * Nobody ever finds half a snapshot in a file: see output_file.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cut.h"
#include "events.h"
#include "options.h"
#include "output.h"
#include "output_file.h"
#include "raw.h"
#include "report.h"
#include "say.h"
#include "summary.h"
#include "table.h"
#include "verbs.h"

enum format { TABLE, JSON, JSONL, SEG, UNKNOWN };

static enum format format_named(const char *name)
{
	static const char *const NAMES[] = {"table", "json", "jsonl", "seg"};
	for (unsigned i = 0; i < UNKNOWN; i++)
		if (!strcmp(name, NAMES[i]))
			return (enum format)i;
	return UNKNOWN;
}

static enum format format_of(const char *format, const char *output)
{
	if (format)
		return format_named(format);
	const char *dot = output ? strrchr(output, '.') : NULL;
	enum format found = dot && !strchr(dot, '/') ? format_named(dot + 1) : TABLE;
	return found == UNKNOWN ? TABLE : found;
}

/* ---- the forms ---------------------------------------------------------------------- */

static int put_table(const struct inv_cut *cut, int fd)
{
	if (fd == STDOUT_FILENO) {
		inv_summary_show(cut, stdout, inv_table_color(stdout));
		return inv_output_flush(stdout);
	}
	int copy = dup(fd);
	FILE *to = copy < 0 ? NULL : fdopen(copy, "w");
	if (!to) {
		int error = -errno;
		if (copy >= 0)
			close(copy);
		return error;
	}
	inv_summary_show(cut, to, inv_table_color(to));
	int result = inv_output_flush(to);
	if (fclose(to) && result == 0)
		result = -errno;
	return result;
}

static int put_lines(const struct inv_cut *cut, struct inv_src *src, struct inv_buf *out)
{
	struct inv_events events = {.out = out};
	int result = src->call_count ? 0 : inv_src_load(src);
	if (result < 0)
		return result;
	inv_events_of(&events, src);
	/* Totals of events alone would read back as exact: they are left out. */
	return cut->from_events ? 0 : inv_report_cut_lines(cut, out);
}

static int put_data(const struct inv_cut *cut, struct inv_src *src, enum format format, int fd)
{
	struct inv_buf out;
	int result = inv_buf_init(&out, fd);
	if (result < 0)
		return result;
	if (format == JSON)
		inv_report_object(cut, &out, true);
	else
		result = put_lines(cut, src, &out);
	if (result == 0)
		result = inv_buf_flush(&out);
	inv_buf_free(&out);
	return result;
}

static int put_form(struct inv_src *src, enum format format, int fd)
{
	struct inv_cut cut;
	if (format == SEG)
		return inv_raw_write(&src->view, fd);
	int result = inv_cut_take(&cut, src);
	if (result < 0)
		return result;
	result = format == TABLE ? put_table(&cut, fd) : put_data(&cut, src, format, fd);
	inv_cut_free(&cut);
	return result;
}

/* ---- where to ------------------------------------------------------------------------ */

static int report(const struct inv_src *src, const char *output, int result)
{
	if (!output || result == 0 || result == -EPIPE || result == -EFAULT || result == -ENOMEM)
		return inv_output_done(src, result);
	inv_say("invreg: %s: %s\n", output,
		result == -ESPIPE ? "a raw snapshot can only be written to a file"
				  : strerror(-result));
	return INV_EXIT_RUNTIME;
}

static int put_file(struct inv_src *src, enum format format, const char *output)
{
	struct inv_output_file file;
	int result = inv_output_file_open(&file, output);
	if (result < 0)
		return result;
	/* A raw snapshot is not written from its beginning to its end. */
	result = format == SEG && !file.regular ? -ESPIPE : put_form(src, format, file.fd);
	return inv_output_file_close(&file, result);
}

static int run(const char *dir, const char *session, enum format format, const char *output)
{
	struct inv_src src;
	int code = inv_src_open(&src, dir, session);
	if (code)
		return code;
	const char *harm = output ? inv_output_file_harm(output, src.fd) : NULL;
	if (format == SEG && src.kind == INV_SRC_JSONL) {
		inv_say("invreg: %s: event lines cannot become a .seg; use --format json\n",
			src.path);
		code = INV_EXIT_USAGE;
	} else if (harm) {
		inv_say("invreg: %s: %s\n", output, harm);
		code = INV_EXIT_USAGE;
	} else if (output) {
		code = report(&src, output, put_file(&src, format, output));
	} else {
		code = report(&src, NULL, put_form(&src, format, STDOUT_FILENO));
	}
	inv_src_close(&src);
	return code;
}

int inv_verb_snapshot(int argc, char **argv)
{
	const char *output = NULL, *format = NULL, *dir = NULL, *session = NULL;
	const struct inv_option options[] = {{"output", 'o', &output, NULL},
					     {"format", 0, &format, NULL},
					     {0}};
	size_t words;
	int code = inv_options_parse(argc, argv, options, &dir, &session, 1, &words);
	if (code >= 0)
		return code;
	if (output && !strcmp(output, "-"))
		output = NULL;
	enum format form = format_of(format, output);
	if (form == UNKNOWN || (form == SEG && !output)) {
		inv_say("invreg: snapshot: %s; see `invreg snapshot --help`\n",
			form == SEG ? "a raw snapshot needs -o FILE"
				    : "--format is table, json, jsonl or seg");
		return INV_EXIT_USAGE;
	}
	return run(dir, session, form, output);
}
