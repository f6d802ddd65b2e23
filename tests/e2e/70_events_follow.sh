#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `events -f`: started before and during, named or not; each attempt and outcome once; ends
# with the session, by a signal, and with the reader of its output; disturbs nobody.
. "$(dirname "$0")/lib.sh"
need python3

follow() { # NAME [OPTIONS...]: in the background; $follower, and NAME.out, NAME.err
	"$build/invreg" events -f "${@:2}" >"$work/$1.out" 2>"$work/$1.err" &
	follower=$!
}

# Waits for a child, and fails when it is there after a minute (sanitizers are slow).
ends() { # WHAT PID STATUS
	for _ in $(seq 1200); do
		if ! kill -0 "$2" 2>/dev/null; then
			status_of wait "$2"
			assert_eq "exit status of $1" "$3" "$status"
			return
		fi
		sleep 0.05
	done
	fail "$1 did not end"
}

until_contains() { # FILE TEXT
	for _ in $(seq 200); do
		grep -q -- "$2" "$1" 2>/dev/null && return
		sleep 0.05
	done
	fail "no '$2' came in $1"
}

# `host NAME ARGS...`: observed, in the background; $program, $work/truth
host() {
	rm -f "$work/truth"
	env "LD_PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" \
		"$hosts/$1" "${@:2}" --truth "$work/truth" >"$work/host.out" 2>&1 &
	program=$!
}

check_follow() { # FILE [--killed]
	"$hosts/threads" --print-truth "$work/truth" >"$work/truth.tsv"
	python3 "$root/tests/e2e/check_follow.py" "$1" "$work/truth.tsv" "${@:2}" || fail "$1"
}

echo "-- before there is a session, or even a directory"
rm -rf "$INVREG_DIR"
follow before
until_contains "$work/before.err" waiting
sleep 0.2
host threads --threads 3 --calls 3000
ends "the program" "$program" 0
ends "the follower" "$follower" 0
check_follow "$work/before.out"
assert_eq "what it says" "invreg: waiting for a session in $INVREG_DIR" "$(cat "$work/before.err")"

echo "-- before, by name: another session comes and goes"
follow named wanted
until_contains "$work/named.err" "waiting for session wanted"
run --session other -- "$hosts/ballast" --calls 10 >/dev/null
kill -0 "$follower" || fail "the follower did not wait for its session"
assert_eq "lines of another session" 0 "$(wc -l <"$work/named.out")"
rm -f "$work/truth"
run --session wanted -- "$hosts/threads" --threads 2 --calls 2000 --truth "$work/truth" >/dev/null
ends "the follower" "$follower" 0
check_follow "$work/named.out"
assert_eq "the session" '"session":"wanted"' "$(grep -o '"session":"[^"]*"' "$work/named.out" | sort -u)"

echo "-- an ended session by name: what is kept, then the end"
follow again wanted
ends "the follower" "$follower" 0
check_follow "$work/again.out"

echo "-- during, with what is kept first; filters and -n beside it"
forget_sessions
host ballast --calls 6000 --work-us 500
for _ in $(seq 100); do
	compgen -G "$INVREG_DIR/*.seg" >/dev/null && break
	sleep 0.05
done
name=$(session)
sleep 0.4
follow during && during=$follower
follow failed --failed && failed=$follower
follow one --artifact artifact_3 --method bid && one=$follower
follow last "$name" -n 5 && last=$follower
follow none "$name" -n 0 --since 60 && none=$follower
ends "the program" "$program" 0
for pid in $during $failed $one $last $none; do
	ends "a follower" "$pid" 0
done
check_follow "$work/during.out"
assert_eq "silent" "" "$(cat "$work/during.err")"
python3 - "$work" <<'PYTHON' || fail "filters"
import json, sys

def lines(name):
    with open(f"{sys.argv[1]}/{name}.out", encoding="utf-8") as f:
        return [json.loads(line) for line in f]

def key(e):
    return e["call"], e["event_type"]

everything = lines("during")
begun = [e["call"] for e in everything if e["event_type"] == "invoke_attempt"]
assert begun == sorted(begun), "not in order"
want = [key(e) for e in everything if e["event_type"] == "invoke_failure"]
assert want and [key(e) for e in lines("failed")] == want, "--failed"
want = [key(e) for e in everything if (e["artifact_id"], e["method"]) == ("artifact_3", "bid")]
assert len(want) > 20 and sorted(map(key, lines("one"))) == sorted(want), "--artifact --method"
for name in ("last", "none"):
    got = lines(name)
    calls = [e["call"] for e in got if e["event_type"] == "invoke_attempt"]
    assert 100 < len(calls) < len(begun) - 100, (name, len(calls))
    assert calls == begun[-len(calls):], f"{name}: not the last of all"
    assert len(got) == 2 * len(calls), f"{name}: attempts and outcomes do not pair"
PYTHON

echo "-- killed: the program prints the same, and every total is exact"
forget_sessions
"$hosts/ballast" --calls 2000 --work-us 300 >"$work/bare.out"
host ballast --calls 2000 --work-us 300
follow killed
until_contains "$work/killed.out" invoke_attempt
kill -9 "$follower"
ends "the follower" "$follower" 137
ends "the program" "$program" 0
diff "$work/bare.out" "$work/host.out" || fail "the program's output differs"
snapshot_json "$(session)" >"$work/snapshot.json"
compare_truth "$work/snapshot.json" "$work/truth"

echo "-- the program is killed"
forget_sessions
host threads --threads 3 --calls 4000000 --work-us 200
follow orphan
until_contains "$work/orphan.out" invoke_attempt
sleep 0.3
kill -9 "$program"
ends "the program" "$program" 137
ends "the follower" "$follower" 0
check_follow "$work/orphan.out" --killed

echo "-- head, on a session that is idle but alive"
forget_sessions
run --session idle -- bash -c "'$hosts/ballast' --calls 5 >/dev/null; echo \$\$ >'$work/idle'; exec sleep 60" &
idle=$!
until_contains "$work/idle" '[0-9]'
(
	set +e
	"$build/invreg" events -f idle 2>"$work/head.err" | head -n 1 >"$work/head.out"
	exit "${PIPESTATUS[0]}"
) &
ends "events -f | head" $! 0
assert_eq "lines of head" 1 "$(wc -l <"$work/head.out")"
assert_eq "silent" "" "$(cat "$work/head.err")"
[[ $(invreg ls) == *idle*live* ]] || fail "the session had ended: nothing was shown"

echo "-- SIGTERM and SIGINT on an idle session"
for signal in TERM INT; do
	# a shell's background jobs ignore SIGINT, and we keep to that
	env --default-signal=INT "$build/invreg" events -f idle >"$work/$signal.out" &
	follower=$!
	until_contains "$work/$signal.out" invoke_attempt
	kill "-$signal" "$follower"
	ends "the follower by $signal" "$follower" 0
	check=$(python3 -c 'import json,sys; print(len([json.loads(l) for l in open(sys.argv[1])]))' "$work/$signal.out")
	assert_eq "lines" 10 "$check"
done
kill "$(cat "$work/idle")"
ends "run" "$idle" 143

echo "-- a closed pipe while it waits for a session"
forget_sessions
(
	set +e
	"$build/invreg" events -f never 2>/dev/null | true
	exit "${PIPESTATUS[0]}"
) &
ends "events -f | true" $! 0

echo "-- stopped while the ring is lapped: every call is written or in a lost range"
forget_sessions
calls=400000
follow lost
until_contains "$work/lost.err" waiting
host ballast --calls $calls --codes 1 --work-us 5
until_contains "$work/lost.out" invoke_attempt
kill -STOP "$follower"
ends "the program" "$program" 0
kill -CONT "$follower"
ends "the follower" "$follower" 0
python3 - "$work/lost.out" $calls <<'PYTHON' || fail "lost ranges"
import json, sys
seen, done, lost = set(), set(), 0
for line in open(sys.argv[1], encoding="utf-8"):
    e = json.loads(line)
    if e["event_type"] == "events_lost":
        assert e["reason"] == "lapped", e
        lost += e["last"] - e["first"] + 1
        continue
    table = seen if e["event_type"] == "invoke_attempt" else done
    assert e["call"] not in table, e
    table.add(e["call"])
assert lost > 1000, lost
assert len(seen) + lost == int(sys.argv[2]), (len(seen), lost)
assert len(seen - done) <= 1 and not done - seen, (len(seen), len(done))
print(f"{len(seen)} calls written, {lost} said to be lost")
PYTHON

echo "-- files are not followed"
invreg snapshot -o "$work/copy.seg"
echo '{}' >"$work/run.jsonl"
cd "$work"
for file in copy.seg ./copy.seg run.jsonl "$work/run.jsonl" absent.seg absent.jsonl; do
	status_of invreg events -f "$file" 2>"$work/refused"
	assert_eq "events -f $file" 2 "$status"
	assert_eq "one line" 1 "$(wc -l <"$work/refused")"
	assert_contains "the remedy" "leave -f out" "$(cat "$work/refused")"
done
status_of invreg events -f 'no name' 2>/dev/null
assert_eq "a name that cannot be" 2 "$status"
