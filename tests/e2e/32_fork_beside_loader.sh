#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A child by fork is not stuck where it would not be without us: because another thread of its
# parent was in the loader's list, by itself or on our behalf.
. "$(dirname "$0")/lib.sh"
need cc
export LD_LIBRARY_PATH=$work # a sanitizer's dlopen is not the program's: its RUNPATH is not looked at
[[ -z $emulated ]] || skip "qemu-user has locks of its own, which a fork beside a thread leaves locked"

. "$(dirname "$0")/plugin_lib.sh"
cat >"$work/host.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int work(const char *);

static atomic_int inside, stop;

static int stay(struct dl_phdr_info *info, size_t size, void *unused)
{
	inside = 1;
	while (!stop)
		usleep(1000);
	return 1;
}

static void *iterates(void *unused)
{
	dl_iterate_phdr(stay, NULL);
	return NULL;
}

static void *looks_up(void *unused)
{
	while (!stop) {
		inside = dlsym(RTLD_DEFAULT, "work") != NULL;
		usleep(1);
	}
	return NULL;
}

static int calls(void)
{
	int (*found)(const char *) = (int (*)(const char *))dlsym(RTLD_DEFAULT, "work");
	return work("child") + found("found");
}

static int loads(void)
{
	return !dlopen("libanother.so", RTLD_NOW);
}

/* host calls|loads CHILDREN: by each child; prints how many ended as they should */
int main(int argc, char **argv)
{
	int ended = 0, status;
	int calling = !strcmp(argv[1], "calls");
	pthread_t thread;
	if (!dlopen("libplugin.so", RTLD_NOW) || work("parent") ||
	    pthread_create(&thread, NULL, calling ? iterates : looks_up, NULL))
		return 1;
	while (!inside)
		usleep(100);
	for (int i = 0; i < atoi(argv[2]); i++) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(calling ? calls() : loads());
		int tries = 5000;
		while (waitpid(pid, &status, WNOHANG) != pid && tries--)
			usleep(1000);
		if (tries < 0) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			break;
		}
		ended += status == 0;
	}
	stop = 1;
	pthread_join(thread, NULL);
	return printf("%d children ended\n", ended) < 0;
}
C
cp "$work/libplugin.so" "$work/libanother.so"
cc -O1 -o "$work/host" "$work/host.c" -L"$work" -lwork -Wl,-rpath,"$work" -ldl -pthread

for bind in got auto; do
	cat >"$work/target.ini" <<INI
[probe one]
target = work
bind = $bind
signature = int (str artifact_id)
INI
	same_output "$work/host" calls 5
	same_output "$work/host" loads 300
	forget_sessions
done
