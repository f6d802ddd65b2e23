#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Output, exit status, signals, open files and environment: the same bare and observed.
# skip-under: address: its runtime catches signals by itself
# skip-under: thread: its runtime makes a fork of a vfork
. "$(dirname "$0")/lib.sh"

for host in threads nest forks longjmps churn ballast dlopens; do
	same_output "$hosts/$host" --calls 200
	diff "$work/bare.err" "$work/observed.err" || fail "stderr of $host differs"
done
for command in "ls /" "sort $root/README.md" "sh -c 'exit 42'" "sh -c 'kill -9 \$\$'" \
	"sh -c 'kill -SEGV \$\$'" "sh -c 'ls /proc/self/fd'" "false" ${emulated:+--} "bash -c 'echo x; exit 3'"; do
	[[ $command != -- ]] || break # the rest is not of the machine that is emulated
	eval "same_output $command"
	diff "$work/bare.err" "$work/observed.err" || fail "stderr of $command differs"
done

# the host's own crash: same status; by `run` it is 128 + the signal, as in a shell
probes=$root/preload/probes/executor.ini
for how in segv abort; do
	crash=("$hosts/ecology" --fast --quiet --ticks 9 --crash-at-tick 2 --crash-by "$how")
	same_output "${crash[@]}"
	status_of "${crash[@]}" >/dev/null 2>&1
	want=$status
	status_of run -- "${crash[@]}" >/dev/null 2>&1
	assert_eq "exit status through run" "$want" "$status"
done
# exit statuses of run: the command's own, 126, 127, and 125 for what is our own
probes=$work/target.ini
status_of run -- sh -c 'exit 7'
assert_eq "run: the command's status" 7 "$status"
status_of run -- "$work/target.ini"
assert_eq "run: not executable" 126 "$status"
status_of run -- "$work/no-such-program"
assert_eq "run: not found" 127 "$status"
status_of run -p "$work/no-such-file.ini" -- true
assert_eq "run: no probe file" 125 "$status"

# What INVREG_DEBUG=1 says may find a pipe that nobody reads, or a file at its limit: the status
# is the program's own, which has no handler for the signals of that.
need python3
INVREG_DEBUG=1 LD_PRELOAD='' python3 - "$preload" "$work/target.ini" "$hosts/threads" "$work/full" <<'PYTHON' || fail "what we say to nobody"
import os, resource, subprocess, sys

shim, probes, host, full = sys.argv[1:]
environment = {**os.environ, "LD_PRELOAD": shim, "INVREG_PROBES": probes, "INVREG_DIR": "/nowhere/to/be"}
reading, writing = os.pipe()
os.close(reading)
limit = 1 << 20 # qemu-user writes files of its own, which are shorter
at_limit = os.open(full, os.O_WRONLY | os.O_CREAT)
os.lseek(at_limit, limit, os.SEEK_SET)
for name, descriptor, prepare in (
    ("a pipe that nobody reads", writing, None),
    ("a file at its limit", at_limit, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))),
):
    status = subprocess.run(
        [host, "--calls", "10"], env=environment, stderr=descriptor, stdout=subprocess.PIPE, preexec_fn=prepare
    ).returncode
    if status:
        sys.exit(f"{name}: the program ended with {status}")
PYTHON
