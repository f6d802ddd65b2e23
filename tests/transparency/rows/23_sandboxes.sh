#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# Programs that shut themselves in, or are shut in: man, whose parts run each under a filter of
# libseccomp's; file; python with a filter by prctl; fakeroot, which preloads a library of its own.
. "$(dirname "$0")/../lib.sh"

printf '.TH PAGE 1\n.SH NAME\npage \\- a page\n.SH DESCRIPTION\n.TP\n.B \\-x\nan option\n' >"$given/page.1"
probe getenv getenv 'str (str artifact_id)'
probe malloc malloc 'ptr (u64 bytes)' 'artifact_id = "malloc"'
if installed man groff; then
	program "man (its parts under seccomp)" sh -c 'man -l page.1; MANWIDTH=40 man -l page.1 | cat'
	observe got 100+
	observe auto 100+
fi
if installed file; then
	program file file page.1 /bin/sh .
	observe got 10+
	observe auto 10+
fi
if installed fakeroot; then
	program fakeroot fakeroot sh -c 'touch made; chown 12:34 made; stat -c "%u %g" made; id -u'
	observe got 10+
	observe auto 10+
fi
if installed /usr/bin/python3; then
	cat >"$given/filter.py" <<'PY'
import ctypes, struct, os, threading
libc = ctypes.CDLL(None, use_errno=True)
allowed = {"x86_64": [0, 1, 3, 9, 10, 11, 12, 13, 14, 15, 28, 56, 60, 186, 202, 228, 231, 273, 318, 334, 435],
           "aarch64": [63, 64, 57, 222, 226, 215, 214, 134, 135, 139, 233, 220, 93, 178, 98, 113, 94, 99, 278, 293, 435]}[os.uname().machine]
code = [(0x20, 0, 0, 0)]
for number in allowed:
    code += [(0x15, 0, 1, number), (6, 0, 0, 0x7fff0000)]
code.append((6, 0, 0, 0x80000000))
text = b"".join(struct.pack("HBBI", *one) for one in code)
buffer = ctypes.create_string_buffer(text)
program = struct.pack("HL", len(code), ctypes.addressof(buffer))
print(libc.getenv(b"HOME") != 0, flush=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program, 0, 0) == 0, ctypes.get_errno()
thread = threading.Thread(target=lambda: [libc.getenv(b"NAME%d" % i) for i in range(500)])
thread.start(); thread.join()
os.write(1, b"shut in: %d\n" % (libc.getenv(b"NOTHING") or 0))
os._exit(4)
PY
	forget_probes
	probe getenv getenv 'str (str artifact_id)'
	program "python3, shut in by prctl" /usr/bin/python3 filter.py
	assert_eq "bare status" 4 "$(cat "$work/bare.status")"
	observe got 500+
	observe auto 500+
fi

# Our hooks of the two functions are not in the way of probes on them.
cat >"$work/asks.c" <<'C'
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void)
{
	char name[17] = {0};
	for (int i = 0; i < 5; i++)
		prctl(PR_SET_NAME, "asks");
	prctl(PR_GET_NAME, name);
	for (int i = 0; i < 4; i++)
		printf("%s %d\n", name, syscall(SYS_getpid) == getpid());
	fflush(stdout);
	if (prctl(PR_SET_SECCOMP, 1))
		return 77;
	write(1, "shut in\n", 8);
	syscall(SYS_exit, 3);
}
C
forget_probes
probe prctl prctl 'int (int args_count, u64 a, u64 b, u64 c, u64 d)' 'artifact_id = "prctl"'
probe syscall syscall 'i64 (i64 args_count, u64 a, u64 b, u64 c, u64 d, u64 e)' 'artifact_id = "syscall"'
for linked in now lazy; do
	"${CC:-gcc}" "-Wl,-z,$linked" -o "$work/asks" "$work/asks.c" 2>"$work/cc.err" || continue
	program "probes on prctl and syscall, $linked" "$work/asks"
	observe got 11 # with the request itself
	observe entry 10
	observe auto 10
done
