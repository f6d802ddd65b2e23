/* SPDX-License-Identifier: MIT */
/*
 * doctor_interpreter.c - an interpreter is asked for /proc/self/exe.
 *
 * sys.executable was rejected: it is made from the name by which Python was called, and may be
 * the wrapper again. posix is built in: nothing is imported from a folder.
 */
#include "reader/doctor_interpreter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reader/probe_python.h"
#include "reader/python_ask.h"

#define TEXT                                                                                       \
	"import posix\n"                                                                           \
	"print('" INV_PROBE_PYTHON_MARK "0\\n' + posix.readlink('/proc/self/exe'))\n"

static bool take_answer(char *path, size_t size, struct inv_buf *out)
{
	int code;
	char *answer = inv_python_answer(out, &code);
	if (!answer || code)
		return false;
	size_t length = strcspn(answer, "\n");
	if (*answer != '/' || length >= size)
		return false;
	memcpy(path, answer, length);
	path[length] = '\0';
	return true;
}

int inv_doctor_interpreter(char *path, size_t size, char *const *command)
{
	static const char *const words[] = {"-I", "-S", "-c", TEXT, NULL};
	struct inv_python_command python;
	struct inv_buf out;
	char why[512];
	int status;
	bool found = false;
	if (inv_python_command_parse(&python, command, why, sizeof(why)))
		return -ENOENT;
	if (!inv_buf_init(&out, -1)) {
		found = !inv_python_ask(&python, words, true, &out, &status) &&
			take_answer(path, size, &out);
		inv_buf_free(&out);
	}
	inv_python_command_release(&python);
	return found ? 0 : -ENODATA;
}
