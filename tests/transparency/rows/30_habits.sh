#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# What programs do in mid-run: close their descriptors, become daemons, shut themselves into a
# sandbox, lower their limits, start others. Each tells in a page of its own what it called.
. "$(dirname "$0")/../lib.sh"

export TMPDIR=$work
cat >"$given/habit.sh" <<'SH'
habits=$1 habit=$2
mkdir -p empty
ulimit -c 0
"$habits" --state "$habit" --calls 1000 --truth truth; status=$?
if [ "$habit" = daemon ]; then
	for _ in $(seq 200); do ! grep -qs status habits.out || break; sleep 0.02; done
fi
exit $status
SH
tidy() {
	[[ ! -e truth ]] || "$hosts/habits" --print-truth truth >truth.tsv
	rm -f truth
}

# CALLS is all that returned: nothing is missing, and nothing is there twice.
probe_target
habit() { # NAME CALLS [STATUS [WHY]]
	local tier
	program "habit: $1" sh habit.sh "$hosts/habits" "$1"
	if [[ $(cat "$work/bare.status") == 77 ]]; then
		say "$what" - - "skipped: the kernel grants it to nobody here"
		return
	fi
	assert_eq "bare status of $1" "${3:-0}" "$(cat "$work/bare.status")"
	for tier in entry got auto; do
		observe "$tier" "$2" "${4:-}"
	done
}
habit closes 1000
habit daemon 2000
habit limits 2500
habit small_stacks 2000
habit vfork 1003
habit spawn 1000
habit clone 1500
habit dlmopen 1000
habit no_tsc 1000 0 "the clock is forbidden"
habit core 500 134
if [[ $(id -u) == 0 ]]; then
	habit chroot 2000
else
	say "habit: chroot" - - "skipped: only root may"
fi
if grep -q '^Seccomp:' /proc/self/status; then
	clockless="the clock is forbidden"
	habit strict 500 0 "$clockless"
	habit strict_first 0 0 "$clockless"
	habit sandbox 2000
	habit sandbox_first 1500
	habit tight 1000
	habit sandboxed_child 1500
	habit vfork_strict 2000
else
	say "habit: sandbox" - - "skipped: this kernel has no seccomp"
fi
