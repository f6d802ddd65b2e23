/* SPDX-License-Identifier: MIT */
/*
 * doctor_program.c - command -> PATH -> `#!` -> ELF file -> objects.
 *
 * The order of the checks is the order in which the kernel and the loader would stumble.
 * Reading DT_NEEDED and searching for the libraries ourselves was rejected: the rules
 * (RUNPATH, ld.so.cache, hwcaps, $ORIGIN, LD_LIBRARY_PATH) are the loader's, and it tells.
 */
#include "reader/doctor_program.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "reader/command_file.h"
#include "reader/doctor_interpreter.h"

#define SCRIPTS_MAX 5 /* as the kernel: an interpreter may be a script again */

#if defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#else
#define OUR_MACHINE EM_X86_64
#endif

static const struct {
	const char *word, *text, *remedy;
} blocks[INV_DOCTOR_BLOCK_COUNT] = {
	[INV_DOCTOR_BLOCK_NONE] = {"none", "nothing is in the way", ""},
	[INV_DOCTOR_BLOCK_NOT_FOUND] = {"not found", "there is no such program",
					"give its path, or correct PATH"},
	[INV_DOCTOR_BLOCK_NOT_EXECUTABLE] = {"not executable", "cannot be executed",
					     "chmod +x, or name the interpreter first"},
	[INV_DOCTOR_BLOCK_FORMAT] = {"format", "neither an ELF program nor a script with #!",
				     "name the program that runs it"},
	[INV_DOCTOR_BLOCK_CLASS] = {"32-bit", "a 32-bit program: it cannot load the 64-bit shim",
				    "use its 64-bit build"},
	[INV_DOCTOR_BLOCK_MACHINE] = {"machine", "a program of another machine",
				      "run invreg where the program runs natively"},
	[INV_DOCTOR_BLOCK_STATIC] = {"static",
				     "a static program: it has no loader that could preload",
				     "link it dynamically (without -static)"},
	[INV_DOCTOR_BLOCK_SECURE] =
		{"setuid",
		 "setuid, setgid or with file capabilities: the loader "
		 "ignores the preload",
		 "run a copy without the bit, as the user that it would become"},
	[INV_DOCTOR_BLOCK_MUSL] = {"musl", "its loader is musl's: the shim is made for glibc",
				   "use its glibc build"},
	[INV_DOCTOR_BLOCK_LOADER] = {"loader", "its loader does not list its objects",
				     "see what `ldd` says of it"},
};

const char *inv_doctor_block_word(enum inv_doctor_block block)
{
	return blocks[block].word;
}

const char *inv_doctor_block_text(enum inv_doctor_block block)
{
	return blocks[block].text;
}

const char *inv_doctor_block_remedy(enum inv_doctor_block block)
{
	return blocks[block].remedy;
}

static void block(struct inv_doctor_program *program, enum inv_doctor_block why, const char *detail)
{
	program->block = why;
	snprintf(program->detail, sizeof(program->detail), "%.500s", detail);
}

/* ---- the file --------------------------------------------------------------------------- */

/* Why there is no file of that name to be started. */
static void say_not_found(const struct inv_doctor_program *program, const char *name, char *out,
			  size_t size)
{
	struct stat st;
	const char *why = "command not found";
	bool script = program->script[0];
	if (!*name && script)
		why = "named by nothing behind #!";
	else if (strchr(name, '/') && stat(name, &st))
		why = strerror(errno);
	else if (strchr(name, '/'))
		why = S_ISDIR(st.st_mode) ? "a directory" : "not a regular file";
	snprintf(out, size, "%.200s%s%.200s: %s", program->script,
		 script ? ": its interpreter " : "", name, why);
}

/* Puts the command's file into program->path, or blocks. */
static void find_file(struct inv_doctor_program *program, const char *name)
{
	char found[sizeof(program->path)], why[512];
	if (!inv_command_find(found, sizeof(found), name)) {
		say_not_found(program, name, why, sizeof(why));
		block(program, INV_DOCTOR_BLOCK_NOT_FOUND, why);
	} else if (access(found, X_OK)) {
		block(program, INV_DOCTOR_BLOCK_NOT_EXECUTABLE, found);
	} else {
		snprintf(program->path, sizeof(program->path), "%s", found);
	}
}

/* The program behind `env [-S] [-u NAME] [NAME=VALUE...] PROGRAM`. Returns: NULL: none. */
static char *behind_env(char *arguments)
{
	char *rest = NULL;
	bool value = false;
	for (char *word = strtok_r(arguments, " \t", &rest); word;
	     word = strtok_r(NULL, " \t", &rest)) {
		if (*word != '-' && !strchr(word, '=') && !value)
			return word;
		value = !strcmp(word, "-u") || !strcmp(word, "-C");
	}
	return NULL;
}

/* Goes on to the interpreter. Returns: false when path is no script. */
static bool follow_script(struct inv_doctor_program *program)
{
	char line[256], *rest = NULL;
	if (!inv_command_shebang(program->path, line, sizeof(line)))
		return false;
	if (!program->script[0])
		snprintf(program->script, sizeof(program->script), "%s", program->path);
	char *interpreter = strtok_r(line, " \t", &rest);
	const char *slash = interpreter ? strrchr(interpreter, '/') : NULL;
	char *behind = slash && !strcmp(slash, "/env") ? behind_env(rest) : NULL;
	find_file(program, behind ? behind : interpreter ? interpreter : "");
	return true;
}

/* ---- what it is ------------------------------------------------------------------------- */

/*
 * Whether the kernel would start it in secure mode: an id that changes, or capabilities that
 * a user other than root gains. A nosuid mount gives neither, nor does PR_SET_NO_NEW_PRIVS.
 */
static bool is_secure(const char *path, char *detail, size_t size)
{
	struct stat st;
	struct statvfs fs;
	if (stat(path, &st) || (!statvfs(path, &fs) && fs.f_flag & ST_NOSUID) ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return false;
	bool user = st.st_mode & S_ISUID && st.st_uid != getuid();
	bool group = st.st_mode & S_ISGID && st.st_mode & S_IXGRP && st.st_gid != getgid();
	bool capable = getuid() && getxattr(path, "security.capability", NULL, 0) > 0;
	snprintf(detail, size, "%s", user ? "setuid" : group ? "setgid" : "file capabilities");
	return user || group || capable;
}

static void judge_elf(struct inv_doctor_program *program, const struct inv_doctor_elf *elf)
{
	char secure[64];
	const char *slash = strrchr(elf->interp, '/');
	if (!elf->wide)
		block(program, INV_DOCTOR_BLOCK_CLASS, elf->path);
	else if (elf->machine != OUR_MACHINE)
		block(program, INV_DOCTOR_BLOCK_MACHINE, elf->path);
	else if (!elf->interp[0])
		block(program, INV_DOCTOR_BLOCK_STATIC, elf->path);
	else if (is_secure(elf->path, secure, sizeof(secure)))
		block(program, INV_DOCTOR_BLOCK_SECURE, secure);
	else if (slash && !strncmp(slash, "/ld-musl", 8))
		block(program, INV_DOCTOR_BLOCK_MUSL, elf->interp);
}

/* ---- its objects ------------------------------------------------------------------------ */

static pid_t start_list(const char *loader, const char *path, int *from)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC))
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		execl(loader, loader, "--list", path, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	*from = ends[0];
	if (pid < 0)
		close(ends[0]);
	return pid;
}

/* The file that a line of the list names: "\tlibx.so => /path (0x...)", "\t/path (0x...)". */
static const char *listed_file(char *line)
{
	char *arrow = strstr(line, " => ");
	char *file = arrow ? arrow + 4 : line + strspn(line, " \t");
	char *end = strstr(file, " (0x");
	if (!strchr(file, '/') || !end)
		return NULL;
	*end = '\0';
	return file;
}

/* Loaders differ in how they say that a library is missing. An object that cannot be read is
 * left out: its calls cannot be told. */
static void take_line(struct inv_doctor_program *program, char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (strstr(line, "=> not found") || strstr(line, "error while loading")) {
		block(program, INV_DOCTOR_BLOCK_LOADER, line + strspn(line, " \t"));
		return;
	}
	const char *file = listed_file(line);
	const char *slash = file ? strrchr(file, '/') : NULL;
	/* the loader is none of the shim's objects either */
	if (!file || !strncmp(slash, "/ld-", 4) || program->count == INV_DOCTOR_OBJECTS_MAX)
		return;
	if (!inv_doctor_elf_open(&program->objects[program->count], file))
		program->count++;
}

static void read_list(struct inv_doctor_program *program, int fd)
{
	char *line = NULL;
	size_t room = 0;
	FILE *list = fdopen(fd, "r");
	if (!list) {
		close(fd);
		return;
	}
	while (getline(&line, &room, list) > 0)
		take_line(program, line);
	free(line);
	fclose(list);
}

static void list_objects(struct inv_doctor_program *program)
{
	const struct inv_doctor_elf *elf = &program->objects[0];
	const char *slash = strrchr(elf->interp, '/');
	int fd = -1, status = 0;
	if (!slash || (strncmp(slash, "/ld-linux", 9) && strncmp(slash, "/ld64.so", 8))) {
		block(program, INV_DOCTOR_BLOCK_LOADER, elf->interp);
		return;
	}
	pid_t pid = start_list(elf->interp, elf->path, &fd);
	if (pid > 0) {
		read_list(program, fd);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	if (!program->block && (pid < 0 || status))
		block(program, INV_DOCTOR_BLOCK_LOADER, elf->interp);
}

static void open_elf(struct inv_doctor_program *program)
{
	int r = inv_doctor_elf_open(&program->objects[0], program->path);
	if (r) {
		block(program,
		      r == -ENOEXEC ? INV_DOCTOR_BLOCK_FORMAT : INV_DOCTOR_BLOCK_NOT_EXECUTABLE,
		      program->path);
		return;
	}
	program->count = 1;
	judge_elf(program, &program->objects[0]);
	if (!program->block)
		list_objects(program);
}

static void close_objects(struct inv_doctor_program *program)
{
	for (size_t i = 0; i < program->count; i++)
		inv_doctor_elf_close(&program->objects[i]);
	program->count = 0;
}

/* ---- Python by way of another program ------------------------------------------------------ */

/* What PyPy and an older CPython do not export is the hook that a Python target binds by. */
const struct inv_doctor_elf *inv_doctor_program_python(const struct inv_doctor_program *program)
{
	struct inv_doctor_function unused;
	for (size_t i = 0; i < program->count; i++)
		if (inv_doctor_elf_find(&program->objects[i], "PySys_AddAuditHook", &unused) ==
		    INV_DOCTOR_SYMBOL_EXPORTED)
			return &program->objects[i];
	return NULL;
}

/* A wrapper may be static, or for another libc: what it starts has the preload all the same. */
static bool may_be_wrapper(const struct inv_doctor_program *program)
{
	return (!program->block || program->block == INV_DOCTOR_BLOCK_STATIC ||
		program->block == INV_DOCTOR_BLOCK_MUSL) &&
	       !inv_doctor_program_python(program);
}

static void follow_wrapper(struct inv_doctor_program *program, char *const *command)
{
	char path[sizeof(program->path)];
	int r = may_be_wrapper(program) ? inv_doctor_interpreter(path, sizeof(path), command)
					: -ENOENT;
	program->silent = r == -ENODATA;
	if (r)
		return;
	close_objects(program);
	program->block = INV_DOCTOR_BLOCK_NONE;
	program->detail[0] = '\0';
	program->asked = true;
	strcpy(program->path, path);
	open_elf(program);
}

/* ---- all ----------------------------------------------------------------------------------- */

int inv_doctor_program_open(struct inv_doctor_program *out, char *const *command, bool ask)
{
	memset(out, 0, sizeof(*out));
	out->objects = calloc(INV_DOCTOR_OBJECTS_MAX, sizeof(*out->objects));
	if (!out->objects)
		return -ENOMEM;
	find_file(out, command[0]);
	for (int i = 0; i < SCRIPTS_MAX && !out->block && follow_script(out); i++)
		;
	if (!out->block)
		open_elf(out);
	if (ask)
		follow_wrapper(out, command);
	return 0;
}

bool inv_doctor_program_accepts(const struct inv_doctor_program *program, const char *object,
				size_t i)
{
	if (!*object)
		return true;
	return i == 0 ? !strcmp(object, "program")
		      : inv_doctor_elf_is(&program->objects[i], object);
}

void inv_doctor_program_close(struct inv_doctor_program *program)
{
	close_objects(program);
	free(program->objects);
}
