/* SPDX-License-Identifier: MIT */
/*
 * python_command.c - wrappers, `#!` lines, and the options of an interpreter.
 *
 * An interpreter is known by its name, since nothing is started: python, python3.11, pypy3,
 * python3.13t, or a link to one. Asking each word with -V was rejected: a word that is no
 * interpreter would be run.
 */
#include "reader/python_command.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader/command_file.h"

#define SCRIPTS_MAX 5 /* as the kernel: an interpreter may be a script again */

/* The command as it stands after each `#!` line; `words` own their texts. */
struct parser {
	struct inv_python_command *out;
	char **words;
	size_t count, at;
	char *script; /* the first, as it was called */
	char *why;
	size_t size;
};

static int __attribute__((format(printf, 3, 4)))
refuse(const struct parser *parser, int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(parser->why, parser->size, format, args);
	va_end(args);
	return code;
}

/* ---- names ------------------------------------------------------------------------------ */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* python, python3, python3.11, python3.13t, python3-dbg, pypy3; not python3-config. */
static bool is_interpreter(const char *path)
{
	static const char *const ends[] = {"", "t", "d", "td", "-dbg", "-debug"};
	const char *name = base_name(path);
	size_t length = strncmp(name, "python", 6) == 0 ? 6 : strncmp(name, "pypy", 4) ? 0 : 4;
	if (!length)
		return false;
	name += length;
	name += strspn(name, "0123456789.");
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (!strcmp(name, ends[i]))
			return true;
	return false;
}

/* Programs that start another one, which is named in their arguments. */
static bool is_wrapper(const char *path)
{
	static const char *const names[] = {"nice",    "nohup",	  "timeout", "setsid",
					    "stdbuf",  "taskset", "ionice",  "chrt",
					    "setarch", "uv",	  "poetry",  "pipenv"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(base_name(path), names[i]))
			return true;
	return false;
}

/* ---- words ------------------------------------------------------------------------------ */

static void free_words(char **words, size_t count)
{
	for (size_t i = 0; words && i < count; i++)
		free(words[i]);
	free(words);
}

static int keep(struct parser *parser, char *word)
{
	struct inv_python_command *out = parser->out;
	if (!word)
		return -ENOMEM;
	if (out->count == INV_PYTHON_WORDS_MAX) {
		free(word);
		return refuse(parser, -EINVAL, "more than %d words before the program",
			      INV_PYTHON_WORDS_MAX);
	}
	out->words[out->count++] = word;
	out->words[out->count] = NULL;
	return 0;
}

static int copy_words(struct parser *parser, char *const *command)
{
	size_t count = 0;
	while (command[count])
		count++;
	parser->words = calloc(count + 1, sizeof(*parser->words));
	if (!parser->words)
		return -ENOMEM;
	for (; parser->count < count; parser->count++) {
		parser->words[parser->count] = strdup(command[parser->count]);
		if (!parser->words[parser->count])
			return -ENOMEM;
	}
	return 0;
}

/* Puts the interpreter's words in front of the script, whose path takes the place of its name. */
static int put_interpreter(struct parser *parser, const char *path, char *line)
{
	char *rest = NULL;
	size_t room = strlen(line) / 2 + 2 + parser->count;
	char **words = calloc(room + 1, sizeof(*words));
	bool failed = !words, env = false;
	size_t count = 0;
	for (size_t i = 0; !failed && i < parser->at; i++)
		failed = !(words[count++] = strdup(parser->words[i]));
	for (char *word = strtok_r(line, " \t", &rest); !failed && word;
	     word = strtok_r(NULL, " \t", &rest)) {
		if (env && !strcmp(word, "-S"))
			continue; /* the words are apart already */
		env = count == parser->at && !strcmp(base_name(word), "env");
		failed = !(words[count++] = strdup(word));
	}
	if (!failed)
		failed = !(words[count++] = strdup(path));
	for (size_t i = parser->at + 1; !failed && i < parser->count; i++)
		failed = !(words[count++] = strdup(parser->words[i]));
	if (failed) {
		free_words(words, count);
		return -ENOMEM;
	}
	free_words(parser->words, parser->count);
	parser->words = words;
	parser->count = count;
	return 0;
}

/* ---- up to the interpreter -------------------------------------------------------------- */

/* Goes past `env [-S] [-u NAME] [NAME=VALUE...]`, or to a wrapper's first interpreter. */
static void pass_wrapper(struct parser *parser)
{
	bool env = !strcmp(base_name(parser->words[parser->at]), "env"), value = false;
	for (parser->at++; parser->at < parser->count; parser->at++) {
		const char *word = parser->words[parser->at];
		if (env ? *word != '-' && !strchr(word, '=') && !value : is_interpreter(word))
			return;
		value = env && (!strcmp(word, "-u") || !strcmp(word, "-C"));
	}
}

static int not_python(const struct parser *parser, const char *word)
{
	return refuse(parser, -EINVAL,
		      "%.200s is not Python, and no script with #!...python: if it starts Python, "
		      "give the command that it starts",
		      parser->script ? parser->script : word);
}

/* One word further. Returns: 1: go on; 0: parser->at is the interpreter; -errno. */
static int approach(struct parser *parser)
{
	char path[4096], line[256];
	if (parser->at >= parser->count)
		return refuse(parser, -EINVAL, "no interpreter in the command: expected python3");
	const char *word = parser->words[parser->at];
	if (is_interpreter(word))
		return 0;
	if (!strcmp(base_name(word), "env") || is_wrapper(word)) {
		pass_wrapper(parser);
		return 1;
	}
	if (!inv_command_find(path, sizeof(path), word))
		return refuse(parser, -ENOENT, "%.200s: command not found", word);
	char *real = realpath(path, NULL);
	bool is = real && is_interpreter(real);
	free(real);
	if (is)
		return 0;
	if (!inv_command_shebang(path, line, sizeof(line)) || !line[strspn(line, " \t")])
		return not_python(parser, word);
	if (!parser->script)
		parser->script = strdup(word);
	int r = put_interpreter(parser, path, line);
	return r ? r : 1;
}

static int find_interpreter(struct parser *parser)
{
	/* each `#!` line may name an env */
	for (int i = 0; i < 2 * SCRIPTS_MAX; i++) {
		int r = approach(parser);
		if (r <= 0)
			return r;
	}
	return refuse(parser, -EINVAL, "%.200s: too many scripts that start one another",
		      parser->words[parser->at]);
}

/* ---- its options ------------------------------------------------------------------------ */

static int set_program(struct parser *parser, const char *kind, const char *value)
{
	parser->out->kind = kind;
	parser->out->value = strdup(value);
	return parser->out->value ? 0 : -ENOMEM;
}

static int keep_letter(struct parser *parser, char letter)
{
	char word[] = {'-', letter, 0};
	return keep(parser, strdup(word));
}

static int no_program(const struct parser *parser, const char *word)
{
	return refuse(parser, -EINVAL, "%.100s: with this option Python runs no program", word);
}

/* -W and -X: the rest of the word, or the next one. Returns: 0 or -errno. */
static int keep_value(struct parser *parser, const char *at)
{
	const char *value = at[1] ? at + 1 : parser->words[++parser->at];
	if (!value)
		return no_program(parser, parser->words[parser->at - 1]);
	int r = keep_letter(parser, *at);
	return r ? r : keep(parser, strdup(value));
}

/* -m and -c. */
static int take_program(struct parser *parser, const char *at)
{
	const char *value = at[1] ? at + 1 : parser->words[++parser->at];
	if (!value)
		return no_program(parser, parser->words[parser->at - 1]);
	return set_program(parser, *at == 'm' ? "module" : "command", value);
}

/* A word of letters, as -uB or -Wignore. Returns: 1: go on; 0: the program is known; -errno. */
static int take_letters(struct parser *parser, const char *word)
{
	for (const char *at = word + 1; *at; at++) {
		if (*at == 'm' || *at == 'c')
			return take_program(parser, at);
		if (*at == 'W' || *at == 'X') {
			int r = keep_value(parser, at);
			return r ? r : 1;
		}
		if (strchr("hV?", *at))
			return no_program(parser, word);
		if (strchr("idqvx", *at))
			continue; /* talk, or a prompt at the end */
		if (!isalpha((unsigned char)*at))
			return refuse(parser, -EINVAL, "%.100s is no option of Python", word);
		int r = keep_letter(parser, *at);
		if (r)
			return r;
	}
	return 1;
}

static int take_long(struct parser *parser, const char *word)
{
	if (strcmp(word, "--check-hash-based-pycs") != 0 || !parser->words[parser->at + 1])
		return no_program(parser, word);
	int r = keep(parser, strdup(word));
	if (!r)
		r = keep(parser, strdup(parser->words[++parser->at]));
	return r ? r : 1;
}

static int take_options(struct parser *parser)
{
	int r = 1;
	while (r == 1 && ++parser->at < parser->count) {
		const char *word = parser->words[parser->at];
		if (!strcmp(word, "--") && parser->words[parser->at + 1])
			return set_program(parser, "script", parser->words[parser->at + 1]);
		if (word[0] != '-')
			return set_program(parser, "script", word);
		if (!word[1])
			return set_program(parser, "stdin", "");
		r = word[1] == '-' ? take_long(parser, word) : take_letters(parser, word);
	}
	return r == 1 ? set_program(parser, "stdin", "") : r;
}

/* ---- all of it -------------------------------------------------------------------------- */

static int parse(struct parser *parser, char *const *command)
{
	int r = copy_words(parser, command);
	if (!r)
		r = find_interpreter(parser);
	parser->out->interpreter = parser->at;
	for (size_t i = 0; !r && i <= parser->at; i++)
		r = keep(parser, strdup(parser->words[i]));
	return r ? r : take_options(parser);
}

int inv_python_command_parse(struct inv_python_command *out, char *const *command, char *why,
			     size_t size)
{
	struct parser parser = {.out = out, .why = why, .size = size};
	memset(out, 0, sizeof(*out));
	snprintf(why, size, "out of memory");
	int r = parse(&parser, command);
	free_words(parser.words, parser.count);
	free(parser.script);
	if (r)
		inv_python_command_release(out);
	return r;
}

void inv_python_command_release(struct inv_python_command *command)
{
	for (size_t i = 0; i < command->count; i++)
		free(command->words[i]);
	free(command->value);
	memset(command, 0, sizeof(*command));
}
