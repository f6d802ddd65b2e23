/* SPDX-License-Identifier: MIT */
/*
 * verb_probe.c - the verb `probe`: a section for a function, guessed from debug information
 * (probe_native.h) or, for Python, from its source.
 *
 * The latter guess is made by Python itself (probe_python/), in the interpreter that the
 * command starts: only it knows where its modules are and how its language is parsed. Our part
 * is to start it. Either section is checked by the parser that will read it: one that `invreg
 * check` would refuse is not printed.
 *
 * An existing file is not overwritten: a section is made once and then corrected by hand.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/probe.h"
#include "reader/buf.h"
#include "reader/help.h"
#include "reader/output.h"
#include "reader/probe_native.h"
#include "reader/probe_python.h"
#include "reader/python_ask.h"
#include "reader/say.h"
#include "reader/verbs.h"

#define PYTHON_PREFIX "python:"

struct request {
	const char *target, *name, *output, *native_symbol;
	char **command;
	char object[4096];			     /* a native one; empty: Python */
	char module[128], symbol[192], own_name[64]; /* of the target, and the name derived */
};

static int fail(int code, const char *what, const char *detail)
{
	inv_say("invreg probe: %s%s%s\n", what, detail ? ": " : "", detail ? detail : "");
	return code;
}

/* ---- the command line ------------------------------------------------------------------- */

/* _execute_invoke is a probe named execute_invoke. */
static void derive_name(struct request *request)
{
	const char *dot = strrchr(request->symbol, '.'), *name = dot ? dot + 1 : request->symbol;
	size_t length;
	name += strspn(name, "_");
	length = strlen(name);
	while (length && name[length - 1] == '_')
		length--;
	snprintf(request->own_name, sizeof(request->own_name), "%.*s", length ? (int)length : 4,
		 length ? name : "call");
	request->name = request->own_name;
}

/* By the parser of probe files, which knows what a target and a name are. Returns: as below. */
static int check_words(struct request *request)
{
	static const char form[] = "[probe %s]\ntarget = " PYTHON_PREFIX "%s\n";
	struct inv_probe_file file;
	struct inv_probe_error error;
	char text[1024];
	if (strncmp(request->target, PYTHON_PREFIX, strlen(PYTHON_PREFIX)) == 0)
		request->target += strlen(PYTHON_PREFIX);
	int n = snprintf(text, sizeof(text), form, request->name ? request->name : "x",
			 request->target);
	if (n >= (int)sizeof(text) || strpbrk(request->target, "\n;") ||
	    (request->name && strpbrk(request->name, "\n;]")))
		return fail(INV_EXIT_USAGE, "--python MODULE:NAME and --name NAME are short words",
			    NULL);
	if (inv_probe_file_parse(&file, "", text, (size_t)n, &error))
		return fail(INV_EXIT_USAGE, error.line == 1 ? "--name" : "--python", error.text);
	strcpy(request->module, file.probes[0].module);
	strcpy(request->symbol, file.probes[0].symbol);
	inv_probe_file_free(&file);
	if (!request->name)
		derive_name(request);
	return -1;
}

/* OBJECT[:SYMBOL], where a :: is part of the symbol and a file's name goes before all. */
static void split_object(struct request *out, const char *word)
{
	const char *colon = access(word, F_OK) ? word : NULL;
	do
		colon = colon ? strchr(colon + (colon[0] == ':' ? 2 : 0), ':') : NULL;
	while (colon && colon[1] == ':');
	size_t length = colon ? (size_t)(colon - word) : strlen(word);
	snprintf(out->object, sizeof(out->object), "%.*s", (int)length, word);
	out->native_symbol = colon ? colon + 1 : NULL;
}

static int check_native(struct request *out)
{
	if (out->native_symbol && !*out->native_symbol)
		return fail(INV_EXIT_USAGE, "no symbol behind the colon", NULL);
	if (out->name && !out->native_symbol)
		return fail(INV_EXIT_USAGE, "--name names the probe of one symbol", NULL);
	if (out->name && (!*out->name || strpbrk(out->name, "\n;] \t\"'")))
		return fail(INV_EXIT_USAGE, "--name NAME is a short word", NULL);
	return -1;
}

/* The first word is a command's behind --python, else the object; options may follow that. */
static bool take_object(struct request *out, int argc, char **argv)
{
	if (out->target || out->object[0] || optind >= argc || !*argv[optind])
		return false;
	split_object(out, argv[optind++]);
	return true;
}

/* Returns: -1: go on; else the exit code. */
static int parse(struct request *out, int argc, char **argv)
{
	static const struct option options[] = {{"python", required_argument, NULL, 'p'},
						{"name", required_argument, NULL, 'n'},
						{"output", required_argument, NULL, 'o'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	optind = 0;
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "+o:h", options, NULL)) != -1 ||
		    take_object(out, argc, argv);) {
		if (c == -1)
			continue;
		if (c == 'h')
			return inv_help("probe");
		if (c == 'p')
			out->target = optarg;
		else if (c == 'n')
			out->name = optarg;
		else if (c == 'o')
			out->output = optarg;
		else
			return fail(INV_EXIT_USAGE, "bad option or no value; --help tells more",
				    argv[optind - 1]);
	}
	if (out->object[0] && (out->target || optind < argc))
		return fail(INV_EXIT_USAGE,
			    "no function: give OBJECT[:SYMBOL] alone, or --python MODULE:NAME",
			    NULL);
	if (out->object[0])
		return check_native(out);
	if (!out->target)
		return fail(INV_EXIT_USAGE,
			    "no function: give OBJECT[:SYMBOL], or --python MODULE:NAME", NULL);
	if (optind >= argc)
		return fail(INV_EXIT_USAGE, "no command: what starts the program?", NULL);
	out->command = argv + optind;
	return check_words(out);
}

/* ---- the interpreter -------------------------------------------------------------------- */

/* Its errors go where ours go. */
static int ask(const struct inv_python_command *command, const struct request *request,
	       struct inv_buf *out, int *status)
{
	const char *const words[] = {"-c",
				     inv_probe_python,
				     command->kind,
				     command->value,
				     request->module,
				     request->symbol,
				     request->name,
				     NULL};
	return inv_python_ask(command, words, false, out, status);
}

/* ---- its answer ------------------------------------------------------------------------- */

static int no_answer(const struct inv_python_command *command, int status)
{
	char how[64];
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "was killed by signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(status));
	inv_say("invreg probe: %s gave no answer: it %s\n", command->words[command->interpreter],
		how);
	return INV_EXIT_RUNTIME;
}

/* That it was made wrongly is a mistake of ours, and the user should not look for it. */
static int check_section(const char *text)
{
	struct inv_probe_file file;
	struct inv_probe_error error;
	if (inv_probe_file_parse(&file, "", text, strlen(text), &error)) {
		inv_say("invreg probe: a section was made that is not right (line %u: %s): please "
			"report the function's source\n",
			error.line, error.text);
		return INV_EXIT_RUNTIME;
	}
	inv_probe_file_free(&file);
	return 0;
}

/* ---- where it goes ---------------------------------------------------------------------- */

static int write_file(const char *path, const char *text)
{
	struct stat st;
	FILE *file = NULL;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size) {
		close(fd);
		inv_say("invreg probe: %s is not empty: remove it, or add to it by >>%s\n", path,
			path);
		return INV_EXIT_RUNTIME;
	}
	if (fd >= 0)
		file = fdopen(fd, "w");
	bool failed = !file || fputs(text, file) < 0;
	if (file && fclose(file))
		failed = true;
	return failed ? fail(INV_EXIT_RUNTIME, path, strerror(errno)) : 0;
}

static int write_out(const struct request *request, const char *text)
{
	if (request->output)
		return write_file(request->output, text);
	fputs(text, stdout);
	return inv_output_stdout_done();
}

static int put(const struct request *request, const char *text)
{
	int r = check_section(text);
	return r ? r : write_out(request, text);
}

static int judge(const struct request *request, const struct inv_python_command *command,
		 struct inv_buf *out, int status)
{
	int code = 0;
	char *text = inv_python_answer(out, &code);
	if (!text)
		return no_answer(command, status);
	if (code == 0)
		return put(request, text);
	text[strcspn(text, "\n")] = '\0';
	return fail(code, text, NULL);
}

static int probe_native(const struct request *request)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);
	if (!to)
		return fail(INV_EXIT_RUNTIME, strerror(errno), NULL);
	int code = request->native_symbol
			   ? inv_probe_native_section(to, request->object, request->native_symbol,
						      request->name)
			   : inv_probe_native_list(to, request->object);
	if (fclose(to) && !code)
		code = fail(INV_EXIT_RUNTIME, strerror(errno), NULL);
	if (!code && request->native_symbol)
		code = put(request, text);
	else if (!code)
		code = write_out(request, text);
	free(text);
	return code;
}

int inv_verb_probe(int argc, char **argv)
{
	struct request request = {0};
	struct inv_python_command command;
	struct inv_buf out;
	char why[512];
	int status = 0, code = parse(&request, argc, argv);
	if (code >= 0)
		return code;
	if (request.object[0])
		return probe_native(&request);
	int r = inv_python_command_parse(&command, request.command, why, sizeof(why));
	if (r)
		return fail(r == -EINVAL ? INV_EXIT_REFUSED : INV_EXIT_RUNTIME, why, NULL);
	r = inv_buf_init(&out, -1);
	if (!r)
		r = ask(&command, &request, &out, &status);
	code = r ? fail(INV_EXIT_RUNTIME, request.command[0], strerror(-r))
		 : judge(&request, &command, &out, status);
	inv_buf_free(&out);
	inv_python_command_release(&command);
	return code;
}
