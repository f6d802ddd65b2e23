/* SPDX-License-Identifier: MIT */
/*
 * habits.c - what daemons, launchers and sandboxes do in the middle of a run.
 *
 *   habits --state HABIT --calls N --truth FILE
 *
 * A habit makes half of its calls before, half after what it is named for. Its words go to the
 * file habits.out in the folder where it was started: standard output may be closed by then.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth.h"

const char host_about[] =
	"habits: --state closes | daemon | limits | small_stacks | vfork | spawn | clone | "
	"dlmopen | core | chroot | no_tsc | strict | strict_first | sandbox | sandbox_first | "
	"tight | vfork_strict | sandboxed_child";

static const struct host_options *opt;
static struct host_caller caller;

static void calls(void)
{
	for (uint32_t i = 0; i < opt->calls / 2; i++)
		host_call_next(&caller);
}

static void said(int fd, const char *what, long value)
{
	char line[64];
	int length = snprintf(line, sizeof line, "%s %ld\n", what, value);

	if (write(fd, line, (size_t)length) != length) /* dprintf would fstat */
		_exit(5);
}

/* ---- descriptors --------------------------------------------------------------------- */

/* The numbers that are free must be those that were freed. */
static int closes(void)
{
	calls();
	fflush(stdout);
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	calls();
	int first = open("habits.out", O_WRONLY | O_CREAT, 0644);
	int second = open("/dev/null", O_RDONLY);
	said(first, "first", first);
	said(first, "second", second);
	return 0;
}

static void *in_a_thread(void *unused)
{
	struct host_caller own;

	(void)unused;
	host_caller_init(&own, "thread", 1);
	for (uint32_t i = 0; i < opt->calls; i++)
		host_call_next(&own);
	return NULL;
}

static int one_thread(const pthread_attr_t *attr)
{
	pthread_t thread;

	if (pthread_create(&thread, attr, in_a_thread, NULL))
		return 3;
	return pthread_join(thread, NULL) ? 3 : 0;
}

/* As in the books: fork, setsid, fork, chdir, umask, and every descriptor closed. */
static int daemon_life(void)
{
	char folder[4096];

	calls();
	if (!getcwd(folder, sizeof folder - 16))
		return 3;
	fflush(stdout);
	if (fork())
		_exit(0);
	setsid();
	if (fork())
		_exit(0);
	if (chdir("/"))
		_exit(3);
	umask(077);
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	open("/dev/null", O_RDWR);
	if (dup(0) != 1 || dup(0) != 2)
		_exit(4);
	calls();
	int status = one_thread(NULL);
	strcat(folder, "/habits.out");
	int out = open(folder, O_WRONLY | O_CREAT, 0644);
	said(out, "descriptor", out);
	said(out, "status", status);
	_exit(0);
}

/* ---- sandboxes ----------------------------------------------------------------------- */

/* From here on all but read, write, exit and sigreturn kill. */
static int strict(int before)
{
	if (before)
		calls();
	int out = open("habits.out", O_WRONLY | O_CREAT, 0644);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		return 77;
	calls();
	if (write(out, "after\n", 6) != 6)
		syscall(SYS_exit, 4);
	syscall(SYS_exit, 0);
	return 5;
}

/* The counter is taken away and given back; where there is none, nothing happens. */
static int no_tsc(void)
{
	calls();
	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0) {
		calls();
		if (prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0))
			return 3;
	}
	calls();
	return 0;
}

#define ALLOW(name)                                                                                \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1),                                     \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int install(struct sock_filter *code, unsigned short length)
{
	struct sock_fprog program = {.len = length, .filter = code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* A filter as of a program that parses what strangers send: it computes, and no more. */
static int filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(read),
		ALLOW(write),
		ALLOW(close),
		ALLOW(mmap),
		ALLOW(munmap),
		ALLOW(mprotect),
		ALLOW(brk),
		ALLOW(futex),
		ALLOW(rt_sigaction),
		ALLOW(rt_sigprocmask),
		ALLOW(rt_sigreturn),
		ALLOW(clone),
		ALLOW(clone3),
		ALLOW(set_robust_list),
		ALLOW(rseq),
		ALLOW(madvise),
		ALLOW(gettid),
		ALLOW(getrandom),
		ALLOW(exit),
		ALLOW(exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};

	return install(code, sizeof code / sizeof *code);
}

static int sandbox(int before)
{
	if (before)
		calls();
	int out = open("habits.out", O_WRONLY | O_CREAT, 0644);
	if (filter())
		return 77;
	calls();
	said(out, "thread", one_thread(NULL));
	_exit(0);
}

/* As strict, but by a filter and by seccomp(2): the clock stays. What is called with is new. */
static int tight(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(read),
		ALLOW(write),
		ALLOW(exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
	struct host_caller *fresh = mmap(NULL, sizeof *fresh, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	host_caller_init(fresh, "fresh", 1);
	int out = open("habits.out", O_WRONLY | O_CREAT, 0644);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		return 77;
	for (uint32_t i = 0; i < opt->calls; i++)
		host_call_next(fresh);
	said(out, "after", 1);
	_exit(0);
}

/* A child by fork within a sandbox is recorded, though it may not ask who it is. */
static int sandboxed_child(void)
{
	int status = -1;
	calls();
	fflush(stdout);
	int out = open("habits.out", O_WRONLY | O_CREAT, 0644);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(write),
		ALLOW(clone),
		ALLOW(clone3),
		ALLOW(wait4),
		ALLOW(set_robust_list),
		ALLOW(rt_sigprocmask),
		ALLOW(gettid),
		ALLOW(exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	if (install(code, sizeof code / sizeof *code))
		return 77;
	pid_t pid = fork();
	if (pid == 0) {
		calls();
		_exit(9);
	}
	waitpid(pid, &status, 0);
	said(out, "child", status);
	calls();
	_exit(0);
}

/* ---- limits -------------------------------------------------------------------------- */

static void lower(int what, rlim_t to)
{
	struct rlimit limit = {to, to};

	if (setrlimit(what, &limit))
		perror("setrlimit");
}

static int limits(void)
{
	calls();
	int out = open("habits.out", O_WRONLY | O_CREAT, 0644);
	lower(RLIMIT_NOFILE, 3);
	lower(RLIMIT_FSIZE, 64);
	lower(RLIMIT_MEMLOCK, 0);
	calls();
	said(out, "thread", one_thread(NULL));
	lower(RLIMIT_AS, 1);
	calls();
	said(out, "after", 1);
	return 0;
}

static void on_signal(int number)
{
	(void)number;
	calls();
}

/* The smallest thread that there may be, and a handler on a signal stack of the usual size. */
static int small_stacks(void)
{
	pthread_attr_t attr;
	stack_t stack = {.ss_size = 8192};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
	size_t smallest = 16384; /* on x86-64; 128 KiB on aarch64 */

	calls();
	pthread_attr_init(&attr);
	while (pthread_attr_setstacksize(&attr, smallest))
		smallest *= 2;
	int status = one_thread(&attr);
	stack.ss_sp = mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack.ss_sp = (char *)stack.ss_sp + 4096;
	if (mprotect(stack.ss_sp, stack.ss_size, PROT_READ | PROT_WRITE) ||
	    sigaltstack(&stack, NULL) || sigaction(SIGUSR1, &action, NULL))
		return 4;
	raise(SIGUSR1);
	return status;
}

/* ---- processes ----------------------------------------------------------------------- */

extern char **environ;
static char *const echo[] = {"sh", "-c", "echo child >>habits.out; exit 6", NULL};

static int status_of(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

static void call_in_child(void)
{
	host_call(&caller, 1, 1, 0, NULL, NULL);
}

static int by_vfork(void)
{
	calls();
	for (int i = 0; i < 3; i++) {
		pid_t pid = vfork();
		if (pid == 0) {
			call_in_child(); /* shares our memory, as its exec'ing callers do */
			execv("/bin/sh", echo);
			_exit(7);
		}
		printf("child %d\n", status_of(pid));
	}
	calls();
	return 0;
}

/* What a child does to itself before it executes is nothing to its parent. */
static int vfork_strict(void)
{
	calls();
	pid_t pid = vfork();
	if (pid == 0) {
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		syscall(SYS_exit, 6);
	}
	printf("child %d\n", status_of(pid));
	calls();
	return one_thread(NULL);
}

static int by_spawn(void)
{
	calls();
	for (int i = 0; i < 3; i++) {
		pid_t pid = 0;
		if (posix_spawn(&pid, "/bin/sh", NULL, NULL, echo, environ))
			return 3;
		printf("child %d\n", status_of(pid));
	}
	calls();
	return 0;
}

/* As fork, but by the system call: libc knows nothing of it. */
static int by_clone(void)
{
	calls();
	fflush(stdout);
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, NULL, NULL, 0);
	if (pid == 0) {
		calls();
		syscall(SYS_exit_group, 8);
	}
	printf("child %d\n", status_of(pid));
	calls();
	return 0;
}

/* A second copy of the library, in a namespace of its own; its calls are not counted here. */
static int by_dlmopen(void)
{
	char path[4096], *slash;
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);

	if (n <= 0)
		return 3;
	path[n] = 0;
	slash = strrchr(path, '/');
	strcpy(slash, "/libtruth_target.so");
	calls();
	void *handle = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
	if (!handle)
		return 4;
	__typeof__(&target_invoke) other;
	*(void **)&other = dlsym(handle, "target_invoke");
	struct target_ctx context = {.tick = 1};
	int r = 0;
	for (int i = 0; other && i < 100; i++)
		r += other(&context, "other", "namespace", "call", 1, NULL);
	calls();
	printf("other %d %d\n", other != target_invoke, r);
	dlclose(handle);
	return 0;
}

static int dumps_core(void)
{
	calls();
	fflush(stdout);
	abort();
}

static int by_chroot(void)
{
	int out = open("habits.out", O_WRONLY | O_CREAT, 0644);

	if (chroot("empty") || chdir("/"))
		return 77;
	calls();
	said(out, "thread", one_thread(NULL));
	calls();
	return 0;
}

int host_run(const struct host_options *options)
{
	const char *habit = options->state ? options->state : "";
	static const struct {
		const char *name;
		int (*run)(void);
	} all[] = {
		{"closes", closes},	 {"daemon", daemon_life},
		{"limits", limits},	 {"vfork", by_vfork},
		{"spawn", by_spawn},	 {"clone", by_clone},
		{"dlmopen", by_dlmopen}, {"core", dumps_core},
		{"chroot", by_chroot},	 {"small_stacks", small_stacks},
		{"tight", tight},	 {"vfork_strict", vfork_strict},
		{"no_tsc", no_tsc},	 {"sandboxed_child", sandboxed_child},
	};

	opt = options;
	host_caller_init(&caller, "habit", 0);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!strcmp(habit, all[i].name))
			return all[i].run();
	if (!strncmp(habit, "strict", 6))
		return strict(!habit[6]);
	if (!strncmp(habit, "sandbox", 7))
		return sandbox(!habit[7]);
	fprintf(stderr, "habits: no such habit: %s\n", habit);
	return 2;
}
