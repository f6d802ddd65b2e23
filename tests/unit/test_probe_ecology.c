/* SPDX-License-Identifier: MIT */
/*
 * test_probe_ecology.c - the rules of probes/agent-ecology.ini on the messages of a simulation.
 *
 * The Python demo simulation runs here, unobserved; its log has each failure's message and
 * the type that it had where it arose. The rules must come to the same type by the message.
 * Run from the root of the tree, as make does.
 */
#include "preload/probe.h"

#include <criterion/criterion.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROBES "preload/probes/agent-ecology.ini"

static struct inv_probe_file file;

static void read_probes(void)
{
	struct inv_probe_error error;

	cr_assert_eq(inv_probe_file_read(&file, PROBES, &error), 0, "%s:%u:%u: %s", PROBES,
		     error.line, error.column, error.text);
	cr_assert_eq(file.count, 2);
}

static void drop_probes(void)
{
	inv_probe_file_free(&file);
}

TestSuite(probe_ecology, .init = read_probes, .fini = drop_probes, .timeout = 120);

static const char *type_of(const struct inv_probe *probe, const char *message)
{
	int rule = inv_probe_match_message(probe, message, strlen(message));

	return rule < 0 ? probe->error_default : probe->text_rules[rule].type;
}

static const char *text(struct json_object *line, const char *key)
{
	return json_object_get_string(json_object_object_get(line, key));
}

/* The probe of a logged function: target is python:MODULE:FUNCTION. */
static const struct inv_probe *probe_of(const char *function)
{
	for (uint32_t i = 0; i < file.count; i++)
		if (strcmp(file.probes[i].symbol, function) == 0)
			return &file.probes[i];
	return NULL;
}

/* Types seen, once each: 32 are more than the simulation has. */
struct kinds {
	char name[32][64];
	unsigned int count;
};

static bool has(const struct kinds *kinds, const char *name)
{
	for (unsigned int i = 0; i < kinds->count; i++)
		if (strcmp(kinds->name[i], name) == 0)
			return true;
	return false;
}

static void judge(struct json_object *line, struct kinds *kinds)
{
	const char *message = text(line, "error_message"), *type = text(line, "error_type");
	const struct inv_probe *probe = probe_of(text(line, "function"));

	cr_assert(probe, "no probe for %s", text(line, "function"));
	cr_expect_str_eq(type_of(probe, message), type, "%s: '%s' is %s", probe->name, message,
			 type_of(probe, message));
	if (!has(kinds, type) && kinds->count < 32)
		snprintf(kinds->name[kinds->count++], 64, "%s", type);
}

static void judge_log(const char *path, struct kinds *kinds)
{
	char buffer[4096];
	FILE *log = fopen(path, "r");

	cr_assert(log);
	while (fgets(buffer, sizeof(buffer), log)) {
		struct json_object *line = json_tokener_parse(buffer);

		cr_assert(line, "not JSON: %s", buffer);
		if (json_object_object_get(line, "error_message"))
			judge(line, kinds);
		json_object_put(line);
	}
	fclose(log);
}

Test(probe_ecology, each_failure_of_the_simulation_gets_its_type_by_its_message)
{
	static const char *const all[] = {"timeout",
					  "validation",
					  "execution",
					  "method_not_found",
					  "exception",
					  "insufficient_scrip",
					  "insufficient_compute",
					  "permission_denied",
					  "method_failed",
					  "not_executable",
					  "insufficient_resource",
					  "not_found"};
	char path[] = "/tmp/invreg-unit.XXXXXX", command[256];
	struct kinds kinds = {.count = 0};
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
	snprintf(command, sizeof(command),
		 "python3 -B tests/hosts/py_ecology/run.py --ticks 12 --log %s >/dev/null", path);
	cr_expect_eq(system(command), 0);
	judge_log(path, &kinds);
	unlink(path);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		cr_expect(has(&kinds, all[i]), "the simulation had no failure of type %s", all[i]);
	cr_expect_eq(kinds.count, sizeof(all) / sizeof(all[0]));
}

Test(probe_ecology, the_first_rule_wins_and_case_is_ignored)
{
	static const struct {
		const char *message, *type;
	} all[] = {
		{"EXECUTION FAILED: it Timed Out", "timeout"},
		{"Execution failed: timed out on a syntax error", "timeout"},
		{"execution failed: SyntaxError", "validation"},
		{"Execution failed: access denied", "execution"},
		{"Execution failed", "execution"},
		{"timed out", "method_failed"},
		{"Method 'sell' not found on artifact genesis_store", "method_not_found"},
		{"Cannot afford method cost: insufficient scrip", "insufficient_compute"},
		{"Method execution error: Artifact a not found", "exception"},
		{"Artifact a is not executable", "not_executable"},
		{"access DENIED: insufficient scrip", "permission_denied"},
		{"writing is not allowed", "permission_denied"},
		{"Insufficient scrip: need 9, have 3", "insufficient_scrip"},
		{"Insufficient disk: need 9, have 3", "insufficient_resource"},
		{"Insufficient disk", "method_failed"},
		{"Artifact a not found", "not_found"},
		{"Agent a not found", "method_failed"},
		{"", "method_failed"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		cr_expect_str_eq(type_of(&file.probes[0], all[i].message), all[i].type, "%s",
				 all[i].message);
}
