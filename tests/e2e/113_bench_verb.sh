#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# skip-under: thread: its runtime crashes the bash that stands in for a program
# `bench`: bare and observed in ABBA order, what it says adds up, it keeps no session and no
# output, and runs that end differently are one line.
. "$(dirname "$0")/lib.sh"
need python3
probe=$work/target.ini

# A program that says which run it is, by what it finds in its environment and its input.
cat >"$work/which" <<SH
#!/bin/sh
echo "\${INVREG_SESSION:+observed} \$(cat)" | tr -s ' ' >>$work/order
"$hosts/threads" --calls 500 --threads 2
echo noise >&2
SH
chmod +x "$work/which"
echo words >"$work/input"

invreg bench -n 3 -p "$probe" --input "$work/input" --json -- "$work/which" >"$work/bench.json" 2>"$work/err" || fail "bench: $(cat "$work/err")"
assert_eq "order of runs" "words|observed words|words|observed words|observed words|words|words|observed words|" "$(sed 's/^ //' "$work/order" | tr '\n' '|')"
assert_eq "talk" "" "$(cat "$work/err")"
assert_eq "sessions left" "" "$(ls "$INVREG_DIR")"
assert_eq "calls of each pair" "[1000, 1000, 1000]" "$(json "$work/bench.json" '[p["calls"] for p in d["pairs"]]')"
assert_eq "sure" "0.75" "$(json "$work/bench.json" 'd["confidence"]')"
assert_eq "status" "0 1000" "$(json "$work/bench.json" '"%d %d" % (d["exit_status"], d["calls"])')"
python3 - "$work/bench.json" <<'PY' || fail "the result is not the median of its pairs"
import json, statistics, sys
d = json.load(open(sys.argv[1]))
for kind in "wall", "cpu":
    ratios = [p[f"observed_{kind}_ms"] / p[f"bare_{kind}_ms"] for p in d["pairs"]]
    added = [p[f"observed_{kind}_ms"] - p[f"bare_{kind}_ms"] for p in d["pairs"]]
    r = d[kind]
    assert abs(r["ratio"]["median"] - statistics.median(ratios)) < 1e-4, kind
    assert abs(r["ratio"]["low"] - min(ratios)) < 1e-4 and abs(r["ratio"]["high"] - max(ratios)) < 1e-4, kind
    assert abs(r["added_ms"]["median"] - statistics.median(added)) < 1e-4, kind
    assert abs(r["ns_per_call"]["median"] - statistics.median(added) * 1e3) < 1, kind
    assert not r["more_than_noise"], "three pairs cannot tell"
PY

# What costs much is told from noise: a program that does nothing but be observed.
invreg bench -n 6 -p "$probe" --json -- "$hosts/threads" --calls 100000 >"$work/bench.json" 2>/dev/null
assert_eq "seen" True "$(json "$work/bench.json" 'd["cpu"]["more_than_noise"] and d["cpu"]["ns_per_call"]["low"] > 0')"
invreg bench -n 6 -p "$probe" -- "$hosts/threads" --calls 100000 >"$work/table" 2>"$work/err"
assert_contains "table" "100000 calls recorded in each" "$(cat "$work/table")"
assert_contains "table" "6 pairs of runs" "$(cat "$work/table")"
assert_contains "verdict" "Of CPU time: more than noise." "$(cat "$work/table")"
assert_eq "output of the program" "" "$(grep -c digest "$work/table" | grep -v '^0$' || true)"
invreg bench -n 1 -p "$probe" --show-output -- "$hosts/threads" --calls 10 >"$work/table" 2>"$work/err"
assert_eq "output let through" 4 "$(grep -c digest "$work/table")"
assert_contains "one pair" "too few pairs to tell" "$(cat "$work/table")"

# A status of its own is no error while it is the same one; nothing recorded is said.
invreg bench -n 1 -p "$probe" -- sh -c 'exit 3' >"$work/table" 2>"$work/err" || fail "a program's own status"
assert_contains "status" "Each run ended with status 3." "$(cat "$work/table")"
assert_contains "no calls" "no call was recorded" "$(cat "$work/err")"

wrong() { # STATUS WORDS ARGS...
	status_of invreg bench "${@:3}" >"$work/out" 2>"$work/err"
	assert_eq "exit of bench ${*:3}" "$1" "$status"
	assert_eq "lines of bench ${*:3}: $(cat "$work/err")" 1 "$(wc -l <"$work/err")"
	assert_contains "bench ${*:3}" "$2" "$(cat "$work/err")"
	assert_eq "output of bench ${*:3}" "" "$(cat "$work/out")"
}
# shellcheck disable=SC2016
differs='test -z "$INVREG_SESSION" || exit 7'
wrong 1 "ended with 7 when observed, after 0 when bare" -n 1 -p "$probe" -- sh -c "$differs"
wrong 1 "ended with 137 when observed" -n 1 -p "$probe" -- sh -c "test -z \"\$INVREG_SESSION\" || kill -9 \$\$"
wrong 1 "not found" -n 1 -p "$probe" -- "$work/nonesuch"
wrong 1 "Permission denied" -n 1 -p "$probe" -- "$work/input"
wrong 1 "nonesuch" -n 1 -p "$probe" --input "$work/nonesuch" -- true
wrong 2 "no command" -n 1 -p "$probe"
wrong 2 "no probe file" -n 1 -- true
wrong 2 "number of pairs" -n 0 -p "$probe" -- true
wrong 2 "number of pairs" -n many -p "$probe" -- true
wrong 2 "lacks its value" -n
wrong 2 "unknown option" --nonesuch -p "$probe" -- true
wrong 4 "expected KEY = VALUE" -n 1 -p "$work/input" -- true
assert_eq "sessions left by errors" "" "$(ls "$INVREG_DIR")"

# Told to stop, it stops the program, says so and leaves nothing.
"$build/invreg" bench -n 1000 -p "$probe" -- sh -c "echo \$\$ >>$work/pids; exec sleep 100" 2>"$work/err" &
bench=$!
until [[ -s $work/pids ]]; do sleep 0.05; done
kill -TERM $bench
status_of wait $bench
assert_contains "stopped" "stopped by signal 15" "$(cat "$work/err")"
kill -0 "$(tail -n 1 "$work/pids")" 2>/dev/null && fail "the program runs on"
assert_eq "sessions left by a stop" "" "$(ls "$INVREG_DIR")"
