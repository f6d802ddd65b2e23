/* SPDX-License-Identifier: MIT */
/*
 * python_ask.c - fork, exec, and a pipe.
 *
 * PYTHONINSPECT would end in a prompt. A time-out was rejected: an interpreter that hangs here
 * would hang the program, too, and its user can see which it is.
 */
#include "reader/python_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reader/probe_python.h"
#include "reader/verbs.h"

#define ANSWER_BYTES_MAX (1u << 20)

/* What the child needs. */
struct question {
	char *words[INV_PYTHON_WORDS_MAX + INV_PYTHON_ASK_WORDS_MAX + 2];
	bool quiet;
	int to;
};

static void fill_words(struct question *question, const struct inv_python_command *command,
		       const char *const *words)
{
	size_t n = 0;
	for (; n < command->count; n++)
		question->words[n] = command->words[n];
	question->words[n++] = (char *)"-B";
	for (size_t i = 0; i < INV_PYTHON_ASK_WORDS_MAX && words[i]; i++)
		question->words[n++] = (char *)words[i];
	question->words[n] = NULL;
}

static void say_exec_error(const char *program)
{
	char line[512];
	int n = snprintf(line, sizeof(line), INV_PROBE_PYTHON_MARK "%d\n%.300s: %s\n",
			 INV_EXIT_RUNTIME, program, strerror(errno));
	if (write(STDOUT_FILENO, line, (size_t)n) < 0)
		_exit(127);
}

static _Noreturn void become(const struct question *question)
{
	int nothing = open("/dev/null", O_RDWR);
	unsetenv("PYTHONINSPECT");
	signal(SIGPIPE, SIG_DFL);
	if (nothing >= 0)
		dup2(nothing, STDIN_FILENO);
	if (nothing >= 0 && question->quiet)
		dup2(nothing, STDERR_FILENO);
	dup2(question->to, STDOUT_FILENO);
	execvp(question->words[0], question->words);
	say_exec_error(question->words[0]);
	_exit(127);
}

static void read_all(int fd, struct inv_buf *out)
{
	for (;;) {
		ssize_t n = read(fd, inv_buf_room(out, INV_BUF_ROOM_MAX), INV_BUF_ROOM_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || out->error || out->length > ANSWER_BYTES_MAX)
			return;
		inv_buf_took(out, out->data + out->length + n);
	}
}

int inv_python_ask(const struct inv_python_command *command, const char *const *words, bool quiet,
		   struct inv_buf *out, int *status)
{
	struct question question = {.quiet = quiet};
	int ends[2];
	fill_words(&question, command, words);
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	question.to = ends[1];
	pid_t pid = fork();
	if (pid == 0)
		become(&question);
	int err = pid < 0 ? errno : 0;
	close(ends[1]);
	if (!err)
		read_all(ends[0], out);
	close(ends[0]);
	while (!err && waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return err ? -err : out->error;
}

/* Behind the last mark: the text of a start may have one, too. */
char *inv_python_answer(struct inv_buf *out, int *code)
{
	static const char mark[] = INV_PROBE_PYTHON_MARK;
	char *answer = NULL, *end;
	inv_buf_put(out, "", 1);
	if (out->error)
		return NULL;
	for (char *at = out->data;
	     (at = memmem(at, out->length - (size_t)(at - out->data), mark, sizeof(mark) - 1));)
		answer = at += sizeof(mark) - 1;
	if (!answer)
		return NULL;
	*code = (int)strtol(answer, &end, 10);
	return *end == '\n' ? end + 1 : NULL;
}
