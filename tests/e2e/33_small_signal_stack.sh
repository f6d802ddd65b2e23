#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A signal handler on a stack of 8 KB has room for its calls as it has without us, whatever we
# would have to find out at that very call: it is found out later, and all is counted.
# skip-under: address thread: their own handlers need more
. "$(dirname "$0")/lib.sh"
need cc python3
[[ -z $emulated ]] || skip "qemu-user's frame of a signal is another's"

. "$(dirname "$0")/plugin_lib.sh"
cat >"$work/host.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int work(const char *);

static void handler(int signal)
{
	work("handler");
}

/* host first | late | child: three calls in all */
int main(int argc, char **argv)
{
	enum { STACK = 8192, GUARD = 65536 };
	char *guard = mmap(NULL, GUARD + STACK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t stack = {.ss_sp = guard + GUARD, .ss_size = STACK};
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
	if (mprotect(stack.ss_sp, STACK, PROT_READ | PROT_WRITE) || sigaltstack(&stack, NULL) ||
	    sigaction(SIGUSR1, &action, NULL))
		return 77;
	int status = 0, first = !strcmp(argv[1], "first");
	if (!first)
		work("before");
	if (!strcmp(argv[1], "late") && !dlopen("libplugin.so", RTLD_NOW))
		return 2;
	pid_t pid = !strcmp(argv[1], "child") ? fork() : 0;
	if (pid)
		return waitpid(pid, &status, 0) != pid || status;
	raise(SIGUSR1);
	if (first)
		work("between");
	work("after");
	return 0;
}
C
cc -O1 -o "$work/host" "$work/host.c" -L"$work" -lwork -Wl,-rpath,"$work" -Wl,-z,now -ldl
status_of "$work/host" first
[[ $status == 0 ]] || skip "8 KB are too few on this machine"

for bind in got auto; do
	cat >"$work/target.ini" <<INI
[probe one]
target = work
bind = $bind
signature = int (str artifact_id)
[probe two]
target = plugged
signature = int ()
artifact_id = "plugged"
INI
	for mode in first late child; do
		same_output "$work/host" "$mode"
		snapshot_json "$(session)" >"$work/snapshot.json"
		assert_eq "calls, $mode, by $bind" 3 "$(json "$work/snapshot.json" 'total()')"
		forget_sessions
	done
done
