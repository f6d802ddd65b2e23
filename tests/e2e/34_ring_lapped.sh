#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A ring lapped a hundred times with no reader: totals exact, and of the events every single
# one is either kept or counted as lost.
. "$(dirname "$0")/lib.sh"
need python3

calls=1700000 # 16,384 slots, a hundred times and more
exact ballast --calls $calls
name=$(session)
kept=$(invreg events "$name" | grep -c '"event_type": \?"invoke_attempt"')
lapped=$(json "$work/snapshot.json" 'lost("lapped")')
echo "kept $kept, lapped $lapped"
assert_eq "kept + lapped" $calls $((kept + lapped))
((kept > 4000)) || fail "only $kept events kept of a ring of 16,384 slots"

# every output says what it lacks: a list of calls, too, of each of the three sources
invreg history invoker_0 "$name" -n 1 >/dev/null 2>"$work/history.err"
assert_contains "history of a lapped ring" "invreg: lost $lapped: lapped" "$(cat "$work/history.err")"
invreg snapshot "$name" -o "$work/copy.seg"
invreg snapshot "$name" -o "$work/copy.jsonl"
for file in copy.seg copy.jsonl; do
	invreg history invoker_0 "$work/$file" -n 1 >/dev/null 2>"$work/history.err"
	assert_contains "history of $file" "invreg: lost $lapped: lapped" "$(cat "$work/history.err")"
done
