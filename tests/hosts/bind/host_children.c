/* SPDX-License-Identifier: MIT */
/*
 * A process that starts another one, which starts another one: HOW DEPTH COUNTS. Each then
 * calls the probed function ten times. HOW: fork, fork-exec, vfork, spawn, system, popen, exec
 * (itself, in the same process), clean (with no environment), unset (without LD_PRELOAD).
 * COUNTS is where counts go: an image without environment is told so.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int probed(int x);

extern char **environ;
static char path[4096];

static int call(int status)
{
	for (int i = 0; i < 10; i++)
		probed(i);
	return status;
}

static int ended(pid_t pid)
{
	int status = -1;

	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static int by_shell(const char *how, char **argv)
{
	char command[8192];
	FILE *output;

	snprintf(command, sizeof(command), "'%s' %s %s %s", path, argv[1], argv[2], argv[3]);
	if (!strcmp(how, "system"))
		return system(command);
	output = popen(command, "r");
	return output ? pclose(output) : -1;
}

static int by_fork(const char *how, char **argv)
{
	char *nothing[] = {NULL};
	pid_t pid = fork();

	if (pid)
		return ended(pid);
	if (!strcmp(how, "unset"))
		unsetenv("LD_PRELOAD");
	execve(path, argv, !strcmp(how, "clean") ? nothing : environ);
	_exit(127);
}

static int by_vfork(char **argv)
{
	pid_t pid = vfork();

	if (pid)
		return ended(pid);
	execve(path, argv, environ);
	_exit(127);
}

static int by_spawn(char **argv)
{
	pid_t pid;

	return posix_spawn(&pid, path, NULL, NULL, argv, environ) ? -1 : ended(pid);
}

static int start(const char *how, char **argv)
{
	if (!strcmp(how, "system") || !strcmp(how, "popen"))
		return by_shell(how, argv);
	if (!strcmp(how, "vfork"))
		return by_vfork(argv);
	if (!strcmp(how, "spawn"))
		return by_spawn(argv);
	if (!strcmp(how, "exec"))
		return execv(path, argv);
	return by_fork(how, argv);
}

/* Nothing but fork: the whole tree is one image. */
static int fork_down(int depth)
{
	pid_t pid = depth > 0 ? fork() : 0;

	if (depth > 0 && pid == 0)
		exit(fork_down(depth - 1));
	return call(depth > 0 ? ended(pid) : 0);
}

int main(int argc, char **argv)
{
	int depth = argc == 4 ? atoi(argv[2]) : -1, status = 0;
	char next[16];

	if (depth < 0 || readlink("/proc/self/exe", path, sizeof(path) - 1) <= 0)
		return 2;
	setenv("BIND_TRUTH", argv[3], 1);
	if (!strcmp(argv[1], "fork"))
		return fork_down(depth) != 0;
	if (depth > 0) {
		snprintf(next, sizeof(next), "%d", depth - 1);
		argv[2] = next;
		status = start(argv[1], argv);
	}
	return call(status != 0);
}
