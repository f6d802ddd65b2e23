/* SPDX-License-Identifier: MIT */
/*
 * verb_doctor.c - the verb `doctor`: would the probes of a file bind in a command?
 *
 * A table and a few lines, or one JSON object. Options end at the command, as with `run`.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "doctor.h"
#include "doctor_signature.h"
#include "help.h"
#include "json.h"
#include "output.h"
#include "say.h"
#include "table.h"
#include "verbs.h"

struct request {
	const char *probes;
	bool json;
	char **command;
};

static int wrong(const char *what)
{
	inv_say("invreg doctor: %s; --help tells more\n", what);
	return INV_EXIT_USAGE;
}

/* Returns: -1: go on; else the exit code. */
static int parse(struct request *out, int argc, char **argv)
{
	static const struct option options[] = {{"probes", required_argument, NULL, 'p'},
						{"json", no_argument, NULL, 'j'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	out->probes = getenv("INVREG_PROBES");
	optind = 0;
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "+p:h", options, NULL)) != -1;) {
		if (c == 'h')
			return inv_help("doctor");
		if (c == 'p')
			out->probes = optarg;
		else if (c == 'j')
			out->json = true;
		else
			return wrong("bad option or no value");
	}
	if (optind >= argc)
		return wrong("no command");
	if (!out->probes || !*out->probes)
		return wrong("no probe file: give -p FILE or set INVREG_PROBES");
	out->command = argv + optind;
	return -1;
}

/* ---- table ------------------------------------------------------------------------------ */

static const char *object_name(const struct inv_doctor_probe *probe)
{
	if (!probe->object)
		return "-";
	const char *slash = strrchr(probe->object->path, '/');
	return slash ? slash + 1 : probe->object->path;
}

static const char *symbol_name(const struct inv_probe *probe)
{
	return probe->symbol[0] ? probe->symbol : probe->target;
}

/* Where it binds, and what is not seen then. */
static void say_bound(char *out, size_t size, const struct inv_doctor_probe *probe,
		      const char *reason, const char *remedy)
{
	const char *why = probe->entry_why;
	snprintf(out, size, "%s: %s%s%s%s%s%s", reason, probe->where,
		 why ? "; not at its entry (" : "", why ? why : "",
		 why ? "): calls within its object are not seen" : "",
		 why && *remedy ? "; remedy: " : "", why ? remedy : "");
}

static void say_probe(const struct inv_doctor *doctor, const struct inv_doctor_probe *probe)
{
	char reason[1024], remedy[1024], what[3400], line[3500];
	inv_doctor_reason(doctor, probe, reason, sizeof(reason));
	inv_doctor_remedy(doctor, probe, remedy, sizeof(remedy));
	if (probe->verdict == INV_DOCTOR_BOUND)
		say_bound(what, sizeof(what), probe, reason, remedy);
	else
		snprintf(what, sizeof(what), "%s; remedy: %s", reason, remedy);
	int n = snprintf(line, sizeof(line), "%s: %s", probe->probe->name, what);
	inv_table_say(stdout, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
	putchar('\n');
	if (!probe->signature[0])
		return;
	n = snprintf(line, sizeof(line), "%s: warning: %s", probe->probe->name, probe->signature);
	inv_table_say(stdout, line, (size_t)n);
	putchar('\n');
}

/* The order that `run` allows, and a preload by hand does not. */
static void say_asan(const struct inv_doctor_program *program)
{
	const char *options = getenv("ASAN_OPTIONS");
	if (!program->count || !program->objects[0].asan[0] ||
	    (options && strstr(options, "verify_asan_link_order=0")))
		return;
	printf("%s wants to be the first library: `invreg run` sees to it; where you set "
	       "LD_PRELOAD "
	       "by hand, set ASAN_OPTIONS=verify_asan_link_order=0 as well\n",
	       program->objects[0].asan);
}

static void print_table(const struct inv_doctor *doctor)
{
	static const char *const head[] = {"probe",  "object",	"symbol",	 "tier",
					   ">sites", "verdict", "entry refused", NULL};
	struct inv_table table;
	inv_table_init(&table, head);
	for (size_t i = 0; i < doctor->count; i++) {
		const struct inv_doctor_probe *probe = &doctor->probes[i];
		inv_table_str(&table, probe->probe->name);
		inv_table_str(&table, object_name(probe));
		inv_table_str(&table, symbol_name(probe->probe));
		inv_table_str(&table, inv_doctor_tier(probe));
		inv_table_count(&table, probe->sites);
		inv_table_str(&table, inv_doctor_word(doctor, probe));
		inv_table_str(&table, probe->entry_why ? probe->entry_why : "-");
	}
	inv_table_print(&table, stdout, inv_table_width(stdout), inv_table_color(stdout));
	inv_table_free(&table);
	putchar('\n');
	for (size_t i = 0; i < doctor->count; i++)
		say_probe(doctor, &doctor->probes[i]);
	if (doctor->program.asked)
		printf("%s was judged: the interpreter that the command starts\n",
		       doctor->program.path);
	else if (doctor->program.script[0])
		printf("%s is a script: its interpreter was judged, not what it starts\n",
		       doctor->program.script);
	say_asan(&doctor->program);
}

/* ---- JSON ------------------------------------------------------------------------------- */

static void put(struct inv_json *json, const char *key, const char *text)
{
	inv_json_key(json, key);
	inv_json_put_str(json, text);
}

static void put_probe(struct inv_json *json, const struct inv_doctor *doctor,
		      const struct inv_doctor_probe *probe)
{
	char text[1024];
	inv_json_open(json, '{');
	put(json, "name", probe->probe->name);
	put(json, "object", probe->object ? probe->object->path : "");
	put(json, "symbol", symbol_name(probe->probe));
	put(json, "tier", inv_doctor_tier(probe));
	inv_json_key(json, "sites");
	inv_json_put_u64(json, probe->sites);
	put(json, "verdict", inv_doctor_word(doctor, probe));
	put(json, "entry_refused", probe->entry_why ? probe->entry_why : "");
	inv_doctor_reason(doctor, probe, text, sizeof(text));
	put(json, "why", text);
	inv_doctor_remedy(doctor, probe, text, sizeof(text));
	put(json, "remedy", text);
	put(json, "signature_differs", probe->signature);
	inv_json_key(json, "call_breaks");
	inv_json_put_bool(json, probe->breaks);
	inv_json_key(json, "nearest");
	inv_json_open(json, '[');
	for (uint32_t i = 0; i < probe->name_count; i++) {
		if (i)
			inv_buf_puts(json->out, ",");
		inv_json_string(json->out, probe->names[i], strlen(probe->names[i]));
	}
	inv_json_close(json, ']');
	inv_json_close(json, '}');
}

static int print_json(const struct inv_doctor *doctor)
{
	struct inv_buf out;
	int r = inv_output_open(&out);
	if (r)
		return r;
	struct inv_json json = {.out = &out};
	inv_json_open(&json, '{');
	put(&json, "program", doctor->program.path);
	put(&json, "script", doctor->program.script);
	inv_json_key(&json, "probes");
	inv_json_open(&json, '[');
	for (size_t i = 0; i < doctor->count; i++) {
		if (i)
			inv_buf_puts(&out, ",");
		json.comma = false;
		put_probe(&json, doctor, &doctor->probes[i]);
	}
	inv_json_close(&json, ']');
	inv_json_close(&json, '}');
	inv_buf_line_end(&out);
	return inv_output_close(&out);
}

/* ---- the verb --------------------------------------------------------------------------- */

static int report(const struct request *request, const struct inv_doctor *doctor)
{
	if (doctor->program.block == INV_DOCTOR_BLOCK_NOT_FOUND) {
		inv_say("invreg doctor: %s\n", doctor->program.detail);
		return INV_EXIT_RUNTIME;
	}
	if (!request->json)
		print_table(doctor);
	int r = request->json ? print_json(doctor) : inv_output_stdout_done();
	if (r)
		return r;
	return doctor->bound - doctor->broken == doctor->count ? INV_EXIT_OK : INV_EXIT_RUNTIME;
}

int inv_verb_doctor(int argc, char **argv)
{
	struct request request = {0};
	struct inv_probe_file file;
	struct inv_doctor doctor;
	int code = parse(&request, argc, argv);
	if (code >= 0)
		return code;
	if (inv_check_read(&file, request.probes, request.command, NULL))
		return INV_EXIT_REFUSED;
	int r = inv_doctor_open(&doctor, &file, request.command);
	if (r) {
		inv_say("invreg doctor: %s\n", strerror(-r));
		code = INV_EXIT_RUNTIME;
	} else {
		inv_doctor_check_signatures(&doctor);
		code = report(&request, &doctor);
		inv_doctor_close(&doctor);
	}
	inv_probe_file_free(&file);
	return code;
}
