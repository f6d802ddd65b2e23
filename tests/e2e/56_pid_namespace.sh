#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Programs in pid namespaces of their own, in a directory shared with the one outside, as
# containers are: counts stay exact, liveness is "unknown", nothing is taken from another.
# skip-under: thread: its runtime makes it take minutes
. "$(dirname "$0")/lib.sh"
need python3 unshare
if [[ $(id -u) != 0 ]] || ! unshare -m -p -f --mount-proc true 2>/dev/null; then
	skip "no right to make pid namespaces"
fi

inside=(-m -p -f --mount-proc --kill-child) # as pid 1, with a /proc of its own

# The host's calls, all into one session and one truth.
command_of_host() { # [UNSHARE OPTIONS] -- CALLS [HOST OPTIONS]
	command=(unshare)
	while [[ $1 != -- ]]; do
		command+=("$1")
		shift
	done
	command+=(env "LD_PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" INVREG_SESSION=shared
		"$hosts/ballast" --truth "$work/truth" --calls "${@:2}")
}
host() {
	command_of_host "$@"
	"${command[@]}" >/dev/null
}
host_starts() { # the same; in `started`, whose end is the end of all inside
	command_of_host "$@"
	"${command[@]}" >/dev/null &
	started=$!
}
host_killed() { # PID...
	local child children
	children=$(for child; do cat "/proc/$child/task/$child/children"; done)
	kill -9 "$@"
	wait "$@" 2>/dev/null || true
	for child in $children; do # gone, or nothing but its exit status
		while grep -q '^State:[[:space:]]*[^ZX]' "/proc/$child/status" 2>/dev/null; do
			sleep 0.02
		done
	done
}

start_over() {
	forget_sessions
	rm -f "$work/truth"
}

await() { # WHAT CMD...
	local what=$1
	shift
	for _ in $(seq 200); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	fail "$what did not happen in 10 s"
}

# Taken while it runs; how many calls are open in processes of this liveness.
open_calls() { # LIVENESS
	snapshot_json shared >"$work/open.json" || return 1
	json "$work/open.json" "sum(c['process'] == '$1' for c in d['in_flight'] + d['never_returned'])"
}
has_open() { # LIVENESS COUNT
	[[ $(open_calls "$1") == "$2" ]]
}

state_of() { # SESSION
	invreg ls | awk -v name="$1" '$1 == name { print $2 }'
}

check() { # WHAT [--killed]
	snapshot_json shared >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth" "${@:2}"
	echo "exact: $1: $(json "$work/snapshot.json" 'total()') calls"
}

# ---- one inside, the reader outside ---------------------------------------------------------

start_over
host "${inside[@]}" -- 100000
check "inside, read outside"
assert_eq "state of what ended elsewhere" unknown "$(state_of shared)"

for round in 1 2 3; do
	start_over
	host_starts "${inside[@]}" -- 4000000000 --work-us 200
	await "a call inside" has_open unknown 1
	assert_eq "state of what runs elsewhere" unknown "$(state_of shared)"
	sleep "0.$round"
	# held, for a namespace's inode number is given out again, and then all in it are dead
	exec 9<"/proc/$(tr -d " " <"/proc/$started/task/$started/children")/ns/pid"
	host_killed "$started"
	check "SIGKILL inside, read outside" --killed
	assert_eq "open calls of a process that may live" 1 "$(open_calls unknown)"
	assert_eq "open calls of a process said to be dead" 0 "$(open_calls dead)"
done

# what it left is not taken by a process outside, and its open call stays its own
host -- 50000
check "a lane of a process killed inside, and a joiner outside" --killed
assert_eq "the call that was open inside" 1 "$(open_calls unknown)"
host "${inside[@]}" -- 50000
check "a joiner of a third namespace" --killed
assert_eq "the call that was open inside" 1 "$(open_calls unknown)"
exec 9<&-
invreg prune --keep 0 >/dev/null
[[ -e $INVREG_DIR/shared.seg ]] || fail "prune removed a session that may live elsewhere"

# its end cannot be seen from outside: a follower says so, and goes when it is told to
"$build/invreg" events -f -n 0 shared >"$work/out" 2>"$work/err" &
follower=$!
for _ in $(seq 200); do
	[[ ! -s $work/err ]] || break
	sleep 0.05
done
kill -TERM "$follower"
status_of wait "$follower"
assert_eq "exit status of a follower that was told to stop" 0 "$status"
assert_contains "a follower" "another pid namespace" "$(cat "$work/err")"

# run outside, the program in a container: followed to its end
start_over
run --session around -o "$work/run.jsonl" -- unshare "${inside[@]}" \
	"$hosts/threads" --threads 2 --calls 3000 --truth "$work/truth" >/dev/null
for source in around "$work/run.jsonl"; do
	snapshot_json "$source" >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth"
	echo "exact: run around a namespace, $(basename "$source"): $(json "$work/snapshot.json" 'total()') calls"
done

# ---- equal numbers --------------------------------------------------------------------------

# Two namespaces, each with the host as pid 1, and one outside, all at full speed.
for round in 1 2 3; do
	start_over
	host_starts "${inside[@]}" -- 200000
	first=$started
	host_starts "${inside[@]}" -- 200000
	second=$started
	host -- 200000
	wait "$first" "$second"
	check "pid 1 twice, and one outside"
	assert_eq "processes of the session" 3 "$(invreg ls | awk '$1 == "shared" { print $4 }')"
done

start_over
host_starts "${inside[@]}" -- 4000000000 --work-us 200
first=$started
host_starts "${inside[@]}" -- 4000000000 --work-us 200
second=$started
await "both inside are in a call" has_open unknown 2
assert_eq "pids of both" "[1, 1]" "$(json "$work/open.json" '[c["pid"] for c in d["in_flight"]]')"
# one outside, and one in a third: nobody's lane is free
host -- 20000
host "${inside[@]}" -- 20000
assert_eq "open calls of both" 2 "$(open_calls unknown)"
host_killed "$first" "$second"
check "both killed" --killed

# ---- a namespace that still shows the /proc outside -----------------------------------------

# Where /proc/<pid> is another's, a living neighbour must not look like one that is gone.
start_over
# shellcheck disable=SC2016 # expanded inside
LD=$preload PROBES=$work/target.ini HOST=$hosts/ballast TRUTH=$work/truth unshare -p -f bash -euc '
	observed() {
		env LD_PRELOAD="$LD" INVREG_PROBES="$PROBES" INVREG_SESSION=shared \
			"$HOST" --truth "$TRUTH" --calls "$@" >/dev/null
	}
	observed 30000 --work-us 50 &
	sleep 0.3
	for i in 1 2 3; do
		observed 100000
	done
	wait'
check "neighbours under a /proc of outside"
assert_eq "calls said never to have returned" 0 "$(json "$work/snapshot.json" 'len(d["never_returned"])')"

# ---- what else differs in a container -------------------------------------------------------

# a boot id of its own (systemd-nspawn), or none (a /proc of processes only)
boot=/proc/sys/kernel/random/boot_id
echo 01234567-89ab-cdef-0123-456789abcdef >"$work/boot_id"
# shellcheck disable=SC2016 # expanded inside
for how in 'mount --bind "$BOOT" '$boot 'mount -t proc -o subset=pid proc /proc'; do
	for namespaces in "-m" "${inside[*]}"; do
		start_over
		host_starts -- 60000 --work-us 50 # 3 s, for it is to outlive the others
		await "the one outside" has_open alive 1
		# shellcheck disable=SC2086 # several options
		BOOT=$work/boot_id LD=$preload PROBES=$work/target.ini HOST=$hosts/ballast TRUTH=$work/truth \
			HOW=$how READER=$build/invreg unshare $namespaces bash -euc '
			eval "$HOW" || { echo "cannot: $HOW" && exit 0; }
			"$READER" ls >"$TRUTH.ls"
			"$READER" prune --keep 0 >/dev/null
			for i in 1 2 3; do
				env LD_PRELOAD="$LD" INVREG_PROBES="$PROBES" INVREG_SESSION=shared \
					"$HOST" --truth "$TRUTH" --calls 50000 >/dev/null
			done'
		if grep -q ended "$work/truth.ls"; then
			fail "a live session is said to have ended, by a reader after '$how'"
		fi
		wait
		check "$how ($namespaces)"
	done
done

# a time namespace: the same process has another start time there
if unshare -T --boottime 100000 -f true 2>/dev/null; then
	start_over
	host_starts -- 30000 --work-us 50
	await "the one outside" has_open alive 1
	host -T --boottime 100000 -f -- 50000
	host -T --boottime 100000 -f -- 50000
	wait
	check "a time namespace"
else
	echo "no time namespaces here"
fi

# ---- making a session, all at once ----------------------------------------------------------

# The same program with the same pid makes the same session in two containers.
for round in $(seq 12); do
	start_over
	host_starts "${inside[@]}" -- 2000
	first=$started
	host_starts "${inside[@]}" -- 2000
	second=$started
	wait "$first" "$second"
	check "made by two at once" >/dev/null
	left=$(find "$INVREG_DIR" -name '*.tmp')
	assert_eq "temporary files left" "" "$left"
done
echo "exact: made by two at once, 12 times"

# a half-made one of elsewhere is not swept away for its number, an old one is
pid=$(bash -c 'echo $$')
touch "$INVREG_DIR/.young.0.$pid.tmp"
touch -d '2 minutes ago' "$INVREG_DIR/.old.0.$pid.tmp"
touch -d '2 minutes ago' "$INVREG_DIR/.mine.0.$$.tmp"
invreg prune >/dev/null
assert_eq "temporary files that stay" ".mine.0.$$.tmp .young.0.$pid.tmp" \
	"$(cd "$INVREG_DIR" && echo .*.tmp)"
