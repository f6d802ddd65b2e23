#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program that shut itself in is not killed for what we would ask the kernel afterwards: by its
# dlsym, its dlopen, its new threads in Python.
. "$(dirname "$0")/lib.sh"
need cc
grep -q '^Seccomp:' /proc/self/status || skip "this kernel has no seccomp"
[[ -z $emulated && -z $runtime ]] || skip "what runs it makes system calls of its own"

. "$(dirname "$0")/plugin_lib.sh"
cat >"$work/shut.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int work(const char *);

/* shut PLUGIN NUMBER...: system calls that kill from here on */
int main(int argc, char **argv)
{
	struct sock_filter code[64] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
	unsigned short n = 1;
	for (int i = 2; i < argc; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, atoi(argv[i]), 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {n, code};
	work("before");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 9;
	void *plugin = dlopen(argv[1], RTLD_NOW);
	int (*plugged)(void) = plugin ? (int (*)(void))dlsym(plugin, "plugged") : NULL;
	int (*found)(const char *) = (int (*)(const char *))dlsym(RTLD_DEFAULT, "work");
	if (!plugged || !found)
		return 8;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) /* a second one */
		return 9;
	int sum = work("after") + plugged() + found("found");
	_exit(sum == 0 ? 4 : 7);
}
C
cc -O1 -o "$work/shut" "$work/shut.c" -L"$work" -lwork -Wl,-rpath,"$work" -ldl

number() { # NAME...
	local name
	for name in "$@"; do
		printf '#include <sys/syscall.h>\nSYS_%s\n' "$name" | cc -E - | tail -1
	done
}

# A probe whose function is there, or comes with the plug-in, when it is too late to join.
for target in work plugged; do
	for bind in auto got; do
		cat >"$work/$target.$bind.ini" <<INI
[probe one]
target = $target
bind = $bind
signature = int ($([[ $target == plugged ]] && echo "" || echo "str artifact_id"))
INI
		for denied in rt_sigprocmask mincore "futex sched_yield" "sched_getaffinity tgkill" \
			ftruncate "geteuid fstatfs" getpid; do
			# shellcheck disable=SC2046,SC2086 # lists
			status_of "$work/shut" "$work/libplugin.so" $(number $denied)
			assert_eq "bare, without $denied" 4 "$status"
			# shellcheck disable=SC2046,SC2086 # lists
			probes=$work/$target.$bind.ini status_of observed "$work/shut" "$work/libplugin.so" \
				$(number $denied)
			assert_eq "observed ($target, $bind), without $denied" 4 "$status"
			forget_sessions
		done
	done
done

python=/usr/bin/python3
if [[ ! -x $python ]]; then
	echo "no $python: not tried in Python"
	exit 0
fi
cat >"$work/plain.ini" <<'INI'
[probe plain]
target = python:__main__:W.plain
INI
cat >"$work/shut.py" <<'PY'
import ctypes, os, struct, sys, threading
libc = ctypes.CDLL(None)
class W:
    def plain(self):
        return 1
gate, seen = threading.Event(), []
def body():
    gate.wait()
    seen.extend(W().plain() for _ in range(10))
thread = threading.Thread(target=body)
thread.start()
code = [(0x20, 0, 0, 0)]
for number in map(int, sys.argv[1:]):
    code += [(0x15, 0, 1, number), (6, 0, 0, 0x80000000)]
code.append((6, 0, 0, 0x7fff0000))
text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
program = struct.pack("HL", len(code), ctypes.addressof(text))
assert libc.prctl(38, 1, 0, 0, 0) == 0
# every thread: SECCOMP_FILTER_FLAG_TSYNC
assert libc.syscall({"x86_64": 317, "aarch64": 277}[os.uname().machine], 1, 1, program) == 0
gate.set()
thread.join()
W().plain()
os._exit(len(seen))
PY
for denied in sched_getaffinity openat; do # a thread that ends blocks its signals
	# shellcheck disable=SC2046 # a list
	status_of "$python" "$work/shut.py" $(number $denied)
	[[ $status == 10 ]] || continue # it cannot do without itself
	# shellcheck disable=SC2046 # a list
	probes=$work/plain.ini status_of observed "$python" "$work/shut.py" $(number $denied)
	assert_eq "python, observed, without $denied" 10 "$status"
	forget_sessions
done
echo "nobody was killed for what we ask"
