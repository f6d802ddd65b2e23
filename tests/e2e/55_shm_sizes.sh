#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A /dev/shm of 64 MB as in containers, a full one, one that fills while threads claim lanes,
# a read-only one, none at all: the program is never harmed, what is lost is counted.
# skip-under: thread: run is started without its runtime in front
if [[ -z ${IN_OWN_MOUNTS:-} ]]; then
	if [[ $(id -u) != 0 ]] || ! unshare -m --propagation private mount -t tmpfs none /dev/shm 2>/dev/null; then
		echo "no right to mount a /dev/shm of its own"
		exit 77
	fi
	IN_OWN_MOUNTS=1 exec unshare -m --propagation private bash "$0" "$@"
fi
mount -t tmpfs -o ro none /dev/shm # lib.sh then works elsewhere, out of the way of the mounts
. "$(dirname "$0")/lib.sh"
need python3 mount
unset INVREG_DIR
default=/dev/shm/invreg-0
MB=1048576

shm() { # OPTIONS: a new, empty /dev/shm
	umount /dev/shm
	mount -t tmpfs -o "mode=1777,$1" none /dev/shm
	rm -f "$work/truth"
}

fill() { # LEAVE: all of it but so many bytes, whoever takes some meanwhile
	local free
	free=$(($(stat -f -c '%a * %S' /dev/shm)))
	head -c $((free - $1)) /dev/zero >/dev/shm/filler 2>/dev/null ||
		(($(stat -f -c %a /dev/shm) == 0)) || fail "cannot fill /dev/shm"
}

field() { # KEY OF STATUS
	json "$work/snapshot.json" "d['status']['$1']"
}

# Bare, by hand and under `run`: the same output and status; nothing is said by the shim.
unharmed() { # HOST OPTIONS...
	local bare=0 seen=0
	same_output "$@"
	diff "$work/bare.err" "$work/observed.err" || fail "the shim talked"
	"$@" >"$work/bare.out" 2>/dev/null || bare=$?
	"$build/invreg" run -p "$work/target.ini" -- "$@" >"$work/run.out" 2>"$work/run.err" || seen=$?
	assert_eq "exit status of $* under run" "$bare" "$seen"
	diff "$work/bare.out" "$work/run.out" || fail "stdout of '$*' differs under run"
}

unobserved() { # WHAT REASON REMEDY
	unharmed "$hosts/threads" --threads 4 --calls 2000
	assert_contains "run says it, $1" "runs unobserved" "$(cat "$work/run.err")"
	assert_contains "run says why, $1" "$2" "$(cat "$work/run.err")"
	assert_contains "run says what to do, $1" "$3" "$(cat "$work/run.err")"
	INVREG_DEBUG=1 observed "$hosts/threads" --calls 10 2>"$work/debug.err" >/dev/null
	assert_contains "INVREG_DEBUG says why, $1" "$2" "$(cat "$work/debug.err")"
	# the remedy is one
	run --dir "$work/elsewhere" --session remedied -- "$hosts/threads" --calls 1000 >/dev/null
	invreg snapshot remedied --dir "$work/elsewhere" --format json >"$work/snapshot.json"
	assert_eq "calls observed elsewhere, $1" 1000 "$(json "$work/snapshot.json" 'total()')"
	rm -rf "$work/elsewhere"
	echo "unobserved, unharmed: $1"
}

# ---- 64 MB ----------------------------------------------------------------------------------

shm size=64m
"$build/invreg" run -p "$work/target.ini" --session first -- \
	"$hosts/threads" --threads 4 --calls 1500 --truth "$work/truth" >/dev/null 2>"$work/run.err"
snapshot_json first >"$work/snapshot.json"
compare_truth "$work/snapshot.json" "$work/truth"
assert_eq "memory of the session: half of what was free" $((32 * MB)) "$(field budget_bytes)"
assert_contains "run tells its size" "32.0 MB" "$(cat "$work/run.err")"
assert_contains "run tells the remedy" "--size" "$(cat "$work/run.err")"
assert_eq "losses" 0 "$(json "$work/snapshot.json" 'len(d["lost"])')"

# several at once: each takes half of what is left, all are exact
shm size=64m
for i in 1 2 3 4; do
	run --session "s$i" -- "$hosts/threads" --threads 4 --calls 40000 --truth "$work/truth.$i" \
		>"$work/out.$i" &
done
wait
for i in 1 2 3 4; do
	snapshot_json "s$i" >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth.$i"
	(($(field budget_bytes) <= 32 * MB)) || fail "session $i may take more than half"
	rm "$work/truth.$i"
done
used=$(($(stat -f -c '(%b - %a) * %S' /dev/shm)))
((used < 64 * MB)) || fail "nothing is left of 64 MB"
echo "exact: four sessions at once in 64 MB, $((used / MB)) MB used"

# more threads than any rings are left for, and a session that was promised more than there is
larger=512M
[[ -z ${INVREG_EMULATED:-} ]] || larger=128M # qemu-user cannot map 29 GB of addresses
for size in "" "--size $larger"; do
	shm size=64m
	# shellcheck disable=SC2086 # none or two words
	run --session many $size -- "$hosts/threads" --threads 300 --calls 500 --work-us 10 \
		--truth "$work/truth" >/dev/null
	snapshot_json many >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth" --totals
	echo "exact in total: 300 threads in 64 MB $size: $(json "$work/snapshot.json" 'd["lost"]' | cut -c 1-100)"
done

# ---- huge pages -----------------------------------------------------------------------------

if (shm size=1g,huge=always) 2>/dev/null; then
	run --session huge -- "$hosts/threads" --threads 60 --calls 500 --truth "$work/truth" >/dev/null
	snapshot_json huge >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth"
	used=$(($(stat -f -c '(%b - %a) * %S' /dev/shm)))
	((used <= $(field budget_bytes))) || fail "$((used / MB)) MB are used of a session of 48"
	echo "exact, where pages are huge: 60 threads in $((used / MB)) MB"
else
	echo "this kernel has no huge pages for a tmpfs"
	mount -t tmpfs none /dev/shm
fi

# ---- full -----------------------------------------------------------------------------------

shm size=64m
fill 0
unobserved "full" "no room left" "make room"
shm size=64m
fill $((3 * MB))
unobserved "3 MB free" "no room left" "make room"
shm size=5m
unobserved "5 MB, less than twice the least" "no room left" "take less by --size 4M"
run --size 4M --session less -- "$hosts/threads" --calls 1000 >/dev/null
snapshot_json less >"$work/snapshot.json"
assert_eq "calls observed in less" 1000 "$(json "$work/snapshot.json" 'total()')"
for inodes in 1 2 3; do # the directory, the file, its name
	shm size=64m,nr_inodes=$inodes
	unobserved "$inodes inodes" "no room left" "make room"
done

# What is recorded adds up to what was called, whole calls or counted ones.
filled_meanwhile() { # WHAT HOST OPTIONS...
	local what=$1 lost
	shift
	"$@" >"$work/bare.out" 2>/dev/null
	rm -f "$work/truth"
	status_of observed "$@" --truth "$work/truth" >"$work/observed.out" 2>"$work/observed.err"
	touch "$work/stop"
	wait
	rm -f "$work/stop"
	assert_eq "exit status, $what" 0 "$status"
	diff "$work/bare.out" "$work/observed.out" || fail "$what: stdout differs"
	INVREG_DIR=$default invreg snapshot --format json >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth" --totals
	lost=$(json "$work/snapshot.json" 'sum(r["count"] for r in d["lost"] if r["reason"] != "lapped")')
	((lost > 0)) || fail "$what: no loss is counted"
	echo "exact in total: $what: $(json "$work/snapshot.json" '{row["reason"]: row["count"] for row in d["lost"]}')"
}

session_there() {
	for _ in $(seq 5000); do
		! compgen -G "$default/*.seg" >/dev/null || return 0
		sleep 0.002
	done
	return 1
}

# once the session is there, all that is left goes: lanes that are claimed later find nothing
shm size=64m
(session_there && fill 0) &
filled_meanwhile "full from the first lanes on" \
	"$hosts/churn" --depth 30 --threads 100 --calls 50 --work-us 5

# a session that was made, and joined when there is no page left for a lane or a name
for host in threads churn signals; do
	shm size=64m
	run --session joined -- true >/dev/null
	fill 0
	INVREG_SESSION=joined filled_meanwhile "$host, full before the first lane" \
		"$hosts/$host" --threads 20 --depth 3 --calls 2000
done

# filled and emptied all the while: every claim meets another edge of it
shm size=24m
(
	session_there
	while [[ ! -e $work/stop ]]; do
		head -c 24m /dev/zero >/dev/shm/filler 2>/dev/null || true
		sleep 0.01
		truncate -s 2m /dev/shm/filler
		sleep 0.003
	done
) &
filled_meanwhile "filled and emptied" "$hosts/churn" --depth 60 --threads 100 --calls 30 --work-us 5

# ---- read-only ------------------------------------------------------------------------------

shm size=64m,ro
unobserved "read-only" "Read-only file system" "--dir"

# a session in it is read as ever
shm size=64m
run --session before -- "$hosts/threads" --threads 2 --calls 5000 --truth "$work/truth" >/dev/null
mount -o remount,ro /dev/shm
snapshot_json before >"$work/snapshot.json"
compare_truth "$work/snapshot.json" "$work/truth"
invreg ls | grep -q '^before *ended' || fail "ls on a read-only /dev/shm"

# told to join it, the shim cannot and leaves the program alone
INVREG_SESSION=before unharmed "$hosts/threads" --threads 2 --calls 500
snapshot_json before >"$work/snapshot.json"
compare_truth "$work/snapshot.json" "$work/truth"

# ---- none -----------------------------------------------------------------------------------

mkdir "$work/dev"
for device in null zero urandom; do
	touch "$work/dev/$device"
	mount --bind "/dev/$device" "$work/dev/$device"
done
mount --rbind "$work/dev" /dev
[[ ! -e /dev/shm ]] || fail "there is a /dev/shm still"
unobserved "no /dev/shm" "No such file or directory" "--dir"
umount -R /dev "$work/dev"/*
