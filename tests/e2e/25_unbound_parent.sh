#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A process that binds no probe, and whose children by fork load the library and bind one (as
# Python's forkserver does): it stays the one process that is counted and noted as unbound,
# however many children it has.
. "$(dirname "$0")/lib.sh"
need gcc python3

gcc -O2 -shared -fPIC -o "$work/libact.so" -x c - <<'C'
int act(int n);
int act(int n) { __asm__ volatile(""); return n + 1; }
int act_twice(int n);
int act_twice(int n) { return act(n) + act(n + 1); }
C
gcc -O2 -o "$work/server" -x c - -ldl <<'C'
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>
static int child(const char *library)
{
	void *handle = dlopen(library, RTLD_NOW);
	int (*act)(int) = handle ? (int (*)(int))dlsym(handle, "act") : 0;
	int (*twice)(int) = handle ? (int (*)(int))dlsym(handle, "act_twice") : 0;
	return act && twice && act(1) == 2 && twice(1) == 5 ? 0 : 1;
}
int main(int argc, char **argv)
{
	int status, failed = argc < 2;
	for (int i = 0; i < 3; i++)
		if (fork() == 0)
			_exit(child(argv[1]));
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}
C

for bind in auto got; do
	forget_sessions
	printf '[probe act]\ntarget = libact.so:act\nbind = %s\nsignature = int (int n)\n' "$bind" \
		>"$work/act.ini"
	probes=$work/act.ini run --session server -- "$work/server" "$work/libact.so" ||
		fail "the server or a child of it failed"
	snapshot_json server >"$work/server.json"
	assert_eq "calls by $bind" 9 "$(json "$work/server.json" 'total()')"
	assert_eq "processes that bound no probe, by $bind" 1 "$(json "$work/server.json" 'lost("unbound_proc")')"
	assert_eq "notes of those, by $bind" "[('act', 1)]" \
		"$(json "$work/server.json" '[(n["probe"], n["count"]) for n in d["notes"]]')"
done
