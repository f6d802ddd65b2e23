#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A thousand forks, a thousand forks that exec, one after the other and in four threads: totals
# are exact, rows and lanes are taken again. More processes at once than the process table has
# rows: every call is tallied still, and it is said why those have no events.
# skip-under: thread: its runtime makes it take minutes
. "$(dirname "$0")/lib.sh"
need python3

forks=1000
((${QUICK:-0})) && forks=200

for state in plain exec; do
	exact brood --depth "$forks" --threads 1 --calls 10 --state $state
	exact brood --depth $((forks / 4)) --threads 4 --calls 10 --state $state
	assert_eq "calls without a lane or a row" 0 \
		"$(json "$work/snapshot.json" 'lost("no_lane") + lost("no_proc")')"
done

exact brood --depth 400 --threads 1 --calls 10 --state together
# the table has 256 rows, the parent has one of them
rowless=$(((400 + 1 - 256) * 10))
assert_eq "calls of processes without a row" $rowless "$(json "$work/snapshot.json" 'lost("no_proc")')"
assert_eq "open calls" "0 0" "$(json "$work/snapshot.json" 'str(len(d["in_flight"])) + " " + str(len(d["never_returned"]))')"
invreg snapshot "$(session)" --format table >"$work/table"
assert_contains "the table says why" "calls of processes beyond the process table" "$(cat "$work/table")"
echo "beyond the process table: $rowless calls without a row, all tallied"
