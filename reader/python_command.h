/* SPDX-License-Identifier: MIT */
/*
 * python_command.h - which interpreter a command starts, with which options, for what.
 *
 * `env A=1 python3 -E -m pkg --its own` is taken apart, so that the same interpreter can be
 * started in the same way for a text of ours. What comes before the interpreter is kept (env
 * and its like set up what it sees), and so are the interpreter's options; those that would
 * only disturb (-i, -v, -q ...) are not. A script is followed to its `#!` line as the kernel
 * would do it.
 *
 * Starts nothing; reads PATH and first lines.
 */
#ifndef INV_READER_PYTHON_COMMAND_H
#define INV_READER_PYTHON_COMMAND_H

#include <stddef.h>

#define INV_PYTHON_WORDS_MAX 64 /* up to the program; its own arguments are not kept */

struct inv_python_command {
	char *words[INV_PYTHON_WORDS_MAX + 1]; /* up to the interpreter's options; NULL ends them */
	size_t count;
	size_t interpreter; /* which of the words */
	const char *kind;   /* of the program: script, module, command, or stdin */
	char *value;	    /* its file, name or text; may be empty */
};

/*
 * Takes a command apart. `why`: one line without a full stop.
 * Returns: 0, and *out is to be released; -EINVAL: it starts no Python program, and *why;
 * -ENOENT: there is no such command, and *why; -ENOMEM.
 */
int inv_python_command_parse(struct inv_python_command *out, char *const *command, char *why,
			     size_t size);
void inv_python_command_release(struct inv_python_command *command);

#endif
