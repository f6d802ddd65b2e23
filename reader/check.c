/* SPDX-License-Identifier: MIT */
/*
 * check.c - the verb `check`: is a probe file right, and what will it do?
 *
 * Prints what the parser understood, not the file's text: a rule that was read otherwise
 * than it was meant shows here. Whether a probe binds depends on the program; `run` says.
 */
#include "reader/check.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reader/help.h"
#include "reader/output.h"
#include "reader/probe_resolve.h"
#include "reader/say.h"
#include "reader/verbs.h"

static const char *const bind_names[] = {
	[INV_BIND_AUTO] = "auto", [INV_BIND_GOT] = "got", [INV_BIND_ENTRY] = "entry"};

static void label(const char *name)
{
	printf("  %-14s ", name);
}

static void print_base(const struct inv_source *s, const struct inv_signature *signature)
{
	switch (s->kind) {
	case INV_SOURCE_NONE:
		fputs("-", stdout);
		break;
	case INV_SOURCE_TEXT:
		printf("\"%.*s\"", (int)s->length, s->text);
		break;
	case INV_SOURCE_NUMBER:
		printf("%" PRId64, s->number);
		break;
	case INV_SOURCE_ARG:
		printf("argument %d", s->param + 1);
		if (s->param < signature->param_count && signature->params[s->param].name[0])
			printf(" (%s)", signature->params[s->param].name);
		break;
	case INV_SOURCE_RETURN:
		fputs("return", stdout);
		break;
	case INV_SOURCE_GLOBAL:
		printf("global %.*s", (int)s->length, s->text);
		break;
	case INV_SOURCE_PYTHON:
		printf("python %.*s", (int)s->length, s->text);
		break;
	}
}

static void print_source(const struct inv_source *s, const struct inv_signature *signature)
{
	print_base(s, signature);
	for (unsigned i = 0; i < s->step_count; i++)
		printf("->%" PRId64, s->steps[i].offset);
	if (s->kind == INV_SOURCE_ARG || s->kind == INV_SOURCE_RETURN ||
	    s->kind == INV_SOURCE_GLOBAL)
		printf(" : %s", inv_type_name(s->type));
}

static void print_fields(const struct inv_probe *p)
{
	for (unsigned i = 0; i < INV_FIELD_COUNT; i++) {
		if (p->field[i].kind == INV_SOURCE_NONE)
			continue;
		label(inv_probe_field_name((enum inv_field)i));
		print_source(&p->field[i], &p->signature);
		putchar('\n');
	}
}

static void print_code_rules(const struct inv_probe *p)
{
	if (!p->code_rule_count)
		return;
	label("error_type");
	print_source(&p->error_code, &p->signature);
	for (uint32_t i = 0; i < p->code_rule_count; i++)
		printf("%s %" PRId64 "=%s", i ? "," : ":", p->code_rules[i].code,
		       p->code_rules[i].type);
	putchar('\n');
}

static void print_text_rules(const struct inv_probe *p)
{
	for (uint32_t i = 0; i < p->text_rule_count; i++) {
		const struct inv_text_rule *rule = &p->text_rules[i];
		printf("  error.%-8s ", rule->type);
		for (uint32_t t = 0; t < rule->text_count; t++)
			printf("%s\"%s\"", !t ? "" : rule->all ? " and " : " or ", rule->texts[t]);
		putchar('\n');
	}
}

static const char *tier_note(const struct inv_probe *p, char *why, size_t size)
{
	if (p->target_kind == INV_TARGET_PYTHON)
		return NULL;
	bool offset = p->target_kind == INV_TARGET_OFFSET;
	const char *refusal = inv_signature_refusal(&p->signature, why, size);
	const char *entry = inv_signature_entry_refusal(&p->signature);
	if (refusal)
		return refusal;
	if (offset && p->bind == INV_BIND_GOT)
		return "not bound: slots have no offset";
	if (!entry || p->bind == INV_BIND_GOT)
		return NULL;
	snprintf(why, size, "%s: %s",
		 offset || p->bind == INV_BIND_ENTRY ? "not bound" : "got only", entry);
	return why;
}

static void print_probe(const struct inv_probe *p)
{
	char why[256];
	const char *note = tier_note(p, why, sizeof(why));
	printf("probe %s (line %" PRIu32 ")\n", p->name, p->line);
	label("target");
	puts(p->target);
	label("bind");
	printf("%s%s%s\n", bind_names[p->bind], note ? ": " : "", note ? note : "");
	if (p->signature_text[0]) {
		label("signature");
		puts(p->signature_text);
	}
	label("success");
	puts(p->success.compare == INV_COMPARE_NONE ? "every return" : p->success_text);
	print_fields(p);
	print_code_rules(p);
	print_text_rules(p);
	label("error.default");
	puts(p->error_default);
}

/*
 * A pipe is read to its end, a FIFO that nobody writes to is empty: to wait at its open for
 * someone who may never come is what O_NONBLOCK prevents there, and there alone.
 */
static FILE *open_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	FILE *from = fd < 0 ? NULL : fdopen(fd, "r");
	if (!from && fd >= 0)
		close(fd);
	return from;
}

/* Returns: how many bytes; -1: it cannot be read. */
static ssize_t load(const char *path, char *text, size_t size)
{
	FILE *from = open_text(path);
	size_t n = from ? fread(text, 1, size, from) : 0;
	bool good = from && !ferror(from);
	if (from)
		fclose(from);
	return good ? (ssize_t)n : -1;
}

static int read_text(struct inv_probe_file *file, const char *path, const char *text,
		     char *const *command, char **resolved, struct inv_probe_error *error)
{
	int r = inv_probe_resolve(resolved, text, command, error);
	snprintf(error->path, sizeof(error->path), "%s", path);
	if (r)
		return r;
	const char *checked = *resolved ? *resolved : text;
	return inv_probe_file_parse(file, path, checked, strlen(checked), error);
}

int inv_check_read(struct inv_probe_file *file, const char *path, char *const *command,
		   char **resolved)
{
	struct inv_probe_error error = {.line = 0};
	char *text = malloc(INV_PROBE_BYTES_MAX + 1), *made = NULL;
	ssize_t n = text ? load(path, text, INV_PROBE_BYTES_MAX + 1) : -1;
	memset(file, 0, sizeof(*file));
	int r;
	if (n < 0) {
		r = inv_probe_file_read(file, path, &error); /* says why */
	} else if (n > INV_PROBE_BYTES_MAX || memchr(text, 0, (size_t)n)) {
		r = inv_probe_file_parse(file, path, text, (size_t)n, &error);
	} else {
		text[n] = '\0';
		r = read_text(file, path, text, command, &made, &error);
	}
	if (r && error.line)
		inv_say("invreg: %s:%" PRIu32 ":%" PRIu32 ": %s\n", error.path, error.line,
			error.column, error.text);
	else if (r)
		inv_say("invreg: %s: %s\n", error.path, error.text);
	free(text);
	if (resolved && !r)
		*resolved = made;
	else
		free(made);
	return r;
}

static int check_file(const char *path, char *const *command)
{
	struct inv_probe_file file;
	if (!strcmp(path, "-"))
		path = "/dev/stdin";
	fflush(stdout); /* in order, where both streams are one */
	if (inv_check_read(&file, path, command, NULL))
		return INV_EXIT_REFUSED;
	printf("%s: %" PRIu32 " probe%s\n", path, file.count, file.count == 1 ? "" : "s");
	for (uint32_t i = 0; i < file.count; i++)
		print_probe(&file.probes[i]);
	inv_probe_file_free(&file);
	return 0;
}

int inv_verb_check(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	int r = 0;
	opterr = 0;
	optind = 0;
	for (int c; (c = getopt_long(argc, argv, "+h", options, NULL)) != -1;) {
		if (c == 'h')
			return inv_help(argv[0]);
		inv_say("invreg: check: unknown option '%s': see `invreg check --help`\n",
			argv[optind - 1]);
		return INV_EXIT_USAGE;
	}
	if (optind == argc || !strcmp(argv[optind], "--")) {
		inv_say("invreg: check: no file: see `invreg check --help`\n");
		return INV_EXIT_USAGE;
	}
	int files = optind;
	while (files < argc && strcmp(argv[files], "--") != 0)
		files++;
	char **command = files + 1 < argc ? argv + files + 1 : NULL;
	for (int i = optind; i < files; i++)
		if (check_file(argv[i], command))
			r = INV_EXIT_REFUSED;
	int written = inv_output_stdout_done();
	return written ? written : r;
}
