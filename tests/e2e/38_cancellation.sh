#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A thread that is to be cancelled is cancelled where it would be without us, not in a probed
# function that has no cancellation point: whatever we have to read from files for the call.
. "$(dirname "$0")/lib.sh"
need cc
export LD_LIBRARY_PATH=$work # a sanitizer's dlopen is not the program's: its RUNPATH is not looked at

cat >"$work/work.c" <<'C'
int work(const char *artifact_id, int depth)
{
	int (*volatile again)(const char *, int) = work;
	return depth > 1 ? again(artifact_id, depth - 1) + 1 : 1;
}
C
cat >"$work/plugin.c" <<'C'
int work(const char *, int);
int plugged(void)
{
	return work("plugin", 1);
}
C
cat >"$work/host.c" <<'C'
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int work(const char *, int);

static void *cancelled(void *depth)
{
	pthread_cancel(pthread_self());
	int r = work("cancelled", *(int *)depth);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	printf("worked %d\n", r);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	puts("not cancelled");
	return NULL;
}

static int in_a_thread(int depth)
{
	pthread_t thread;
	void *result;
	if (pthread_create(&thread, NULL, cancelled, &depth))
		return 1;
	pthread_join(thread, &result);
	return printf("cancelled %d\n", result == PTHREAD_CANCELED) < 0;
}

/* host deep | late | child */
int main(int argc, char **argv)
{
	work("before", 1);
	if (!strcmp(argv[1], "deep"))
		return in_a_thread(60); /* where does its stack end? */
	if (!strcmp(argv[1], "late")) /* what is in there? */
		return !dlopen("libplugin.so", RTLD_NOW) || in_a_thread(1);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		return in_a_thread(1); /* who are we now? */
	return waitpid(pid, NULL, 0) != pid;
}
C
cc -O1 -shared -fPIC -o "$work/libwork.so" "$work/work.c"
cc -O1 -shared -fPIC -o "$work/libplugin.so" "$work/plugin.c" -L"$work" -lwork
cc -O1 -o "$work/host" "$work/host.c" -L"$work" -lwork -Wl,-rpath,"$work" -ldl -pthread

for bind in got auto; do
	cat >"$work/target.ini" <<INI
[probe one]
target = work
bind = $bind
signature = int (str artifact_id, int depth)
[probe two]
target = plugged
bind = auto
signature = int ()
artifact_id = "plugged"
INI
	for mode in deep late child; do
		same_output "$work/host" "$mode"
		assert_contains "$mode, by $bind" "cancelled 1" "$(cat "$work/observed.out")"
		forget_sessions
	done
done
