/* SPDX-License-Identifier: MIT */
/*
 * python_ask.h - starts the interpreter of a command for a text of ours, and reads its answer.
 *
 * An answer is a mark, a status, a line end and a text, the last thing on the standard output;
 * what stands before it the interpreter's own start has printed (sitecustomize, a wrapper).
 *
 * One thread; the only child is reaped before the call returns. Its input is empty.
 */
#ifndef INV_READER_PYTHON_ASK_H
#define INV_READER_PYTHON_ASK_H

#include <stdbool.h>

#include "reader/buf.h"
#include "reader/python_command.h"

#define INV_PYTHON_ASK_WORDS_MAX 16

/*
 * Starts it with the command's words and then `words` (options and -c TEXT; NULL ends them),
 * which leave no __pycache__. quiet: what it says on standard error is dropped.
 * Returns: 0, all that it printed in `out`, and its status; or -errno.
 */
int inv_python_ask(const struct inv_python_command *command, const char *const *words, bool quiet,
		   struct inv_buf *out, int *status);

/* Returns: the text of the answer in `out`, NUL-terminated, and its status; NULL: there is none. */
char *inv_python_answer(struct inv_buf *out, int *code);

#endif
