#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `diff`: a run and its own copies differ in nothing; a slower one is named, with exit 1 when
# asked; what fails more is named; sessions, .seg and .jsonl are all taken.
. "$(dirname "$0")/lib.sh"
need python3

host() { # NAME ARGS...
	run --session "$1" -o "$work/$1.jsonl" -- "$hosts/threads" --calls 4000 --artifacts 2 --methods 1 "${@:2}" >/dev/null
}
host before --work-us 20
host slower --work-us 60
invreg snapshot before -o "$work/before.seg"

# The same numbers from each kind of source.
for other in before "$work/before.seg" "$work/before.jsonl"; do
	invreg diff before "$other" --fail-above 0 --json >"$work/same.json" || fail "before differs from $other"
	assert_eq "changes of $other" "0 0 0" "$(json "$work/same.json" '"%d %d %d" % (d["worse"], d["better"], d["above"])')"
	assert_eq "calls" "4000 4000" "$(json "$work/same.json" '"%d %d" % tuple(d[s]["total_invocations"] for s in "ab")')"
done

# Three times the work: each row is worse by about 200 %, whatever the machine adds.
status_of invreg diff before slower --fail-above 100 --json >"$work/slower.json" 2>"$work/err"
assert_eq "exit above the limit" 1 "$status"
assert_eq "one line" "invreg: 2 of 2 rows worse by more than 100 %" "$(cat "$work/err")"
assert_eq "verdicts" "worse worse" "$(json "$work/slower.json" '" ".join(r["p50"]["verdict"] for r in d["rows"])')"
json "$work/slower.json" 'all(100 < r["p50"]["change_percent"] for r in d["rows"])' | grep -qx True || fail "p50 by how much"
status_of invreg diff before slower --fail-above 100000 >"$work/table"
assert_eq "exit below the limit" 0 "$status"
assert_contains "table" "worse: p50" "$(cat "$work/table")"
assert_contains "which is which" "A  before: 4000 calls of $hosts/threads" "$(cat "$work/table")"
status_of invreg diff slower before --fail-above 0 >"$work/table"
assert_eq "better is no failure" 0 "$status"
assert_contains "better" "better: p50" "$(cat "$work/table")"

# A third of the codes are failures at first, then most.
host failing --work-us 20 --codes 9 --artifacts 3
host whole --work-us 20 --codes 1 --artifacts 3
invreg diff whole failing --json >"$work/failing.json"
assert_eq "failures" "worse worse worse" "$(json "$work/failing.json" '" ".join(r["failure_rate"]["verdict"] for r in d["rows"])')"
status_of invreg diff whole failing --fail-above 1e6 >/dev/null 2>&1
assert_eq "from none to some is worse than any limit" 1 "$status"
invreg diff before failing --by artifact --json >"$work/one.json"
assert_eq "only in one" "artifact_2 b" "$(json "$work/one.json" '" ".join(" ".join((r["artifact_id"], r["in"])) for r in d["rows"] if r["in"] != "both")')"

# Whatever is wrong is one line.
wrong() { # STATUS WORDS ARGS...
	status_of invreg diff "${@:3}" >"$work/out" 2>"$work/err"
	assert_eq "exit of diff ${*:3}" "$1" "$status"
	assert_eq "lines of diff ${*:3}" 1 "$(wc -l <"$work/err")"
	assert_contains "diff ${*:3}" "$2" "$(cat "$work/err")"
	assert_eq "output of diff ${*:3}" "" "$(cat "$work/out")"
}
wrong 2 "name two runs" before
wrong 2 "one argument too many" before slower failing
wrong 2 "--fail-above" before slower --fail-above -1
wrong 2 "--fail-above" before slower --fail-above 5x
wrong 2 "--fail-above" before slower --fail-above nan
wrong 2 "--by" before slower --by invoker
wrong 3 "no such session" before nonesuch
wrong 3 "no such session" nonesuch before
wrong 4 "not an invreg segment" before /etc/passwd
