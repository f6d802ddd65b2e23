#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a Python probe adds to a call, as parts of what other ways to record it add, all measured
# in one process by turns; and what a program costs none of whose functions is probed.
# A cost is that of the least disturbed of seven runs, each a median over rounds; beside the
# ratio of the least costs is the median of the runs' own ratios.
#   PYTHONS='3.11 3.13' bench...    only these versions
# Budgets: all fields 0.75 of a wrapper in Python with the same fields (3.11; 0.9 on 3.12 and
# later), timing alone 0.4 of a decorator that asks the clock twice, all fields 1/50 of a
# registry written by hand; a program that is not probed 1.01. Before 3.11 the interpreter is
# another one, and the budget is that of 3.12.
. "$(dirname "$0")/../e2e/lib.sh"
. "$root/tests/e2e/python_lib.sh"
(python_targets) || { echo "Python: not measured" && exit 0; }

bench=$root/tests/bench
probes=$bench/python.ini
runs=7

ratios() { # OF TO: ratio of the least, and the median ratio of the runs
	python3 -c '
import json, statistics, sys
of, to = sys.argv[1:]
rows = [json.loads(line)["added"] for line in sys.stdin]
least = min(row[of] for row in rows) / min(row[to] for row in rows)
print("%.4f %.4f" % (least, statistics.median(row[of] / row[to] for row in rows)))' "$1" "$2" <"$work/rows"
}

within() { # WHAT "LEAST MEDIAN" LIMIT
	if awk -v value="${2% *}" -v limit="$3" 'BEGIN { exit !(value <= limit) }'; then
		echo "  $1: ${2% *}, also ${2#* } (budget $3)"
	else
		echo "  $1: ${2% *} BREAKS THE BUDGET of $3, also ${2#* }"
		broken=1
	fi
}

# A bench of a probe that recorded nothing would be a fast one.
all_recorded() { # CALLS
	snapshot_json "$(session)" >"$work/snapshot.json"
	assert_eq "$version: calls recorded, all fields and timing alone" "$1 $1" "$(json "$work/snapshot.json" \
		'"%d %d" % tuple(sum(r["total_invocations"] for r in d["artifacts"] if bool(r["artifact_id"]) == full) for full in (True, False))')"
}

calls() {
	local full=0.9
	[[ $version == 3.11.* ]] && full=0.75
	rm -f "$work/rows"
	for ((i = 0; i < runs; i++)); do
		forget_sessions
		observed "$python" -B "$bench/python_calls.py" "$work/by-hand.jsonl" >>"$work/rows"
		rm -f "$work/by-hand.jsonl"
		all_recorded "$(tail -n 1 "$work/rows" | sed 's/.*"calls": \([0-9]*\).*/\1/')"
	done
	within "all fields / a wrapper with a deque" "$(ratios full wrapped)" $full
	within "timing alone / a decorator with the clock" "$(ratios timed decorated)" 0.4
	within "all fields / a registry by hand" "$(ratios full registered)" 0.02
	python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
added = {kind: min(row["added"][kind] for row in rows) for kind in rows[0]["added"]}
print("  ns added to %.1f:" % min(row["bare"] for row in rows), ", ".join("%s %.1f" % kind for kind in added.items()))' \
		<"$work/rows"
}

# The least of many short rounds, bare and observed by turns. One in a hundred is what the place
# of a table in the cache makes of the same program: the lesser of two estimates is judged, the
# least of all processes and their median, since what slows a program shows in both.
unprobed() {
	local -x PYTHONHASHSEED=0
	rm -f "$work"/{bare,seen}.ms
	for ((i = 0; i < runs * 3; i++)); do
		"$python" -B "$bench/python_work.py" >>"$work/bare.ms"
		forget_sessions
		observed "$python" -B "$bench/python_work.py" >>"$work/seen.ms"
	done
	within "a program that is not probed" "$(python3 -c '
import statistics, sys
bare, seen = ([float(line) for line in open(path)] for path in sys.argv[1:])
print("%.4f %.4f" % tuple(sorted((min(seen) / min(bare), statistics.median(seen) / statistics.median(bare)))))' "$work/bare.ms" "$work/seen.ms")" 1.01
}

broken=0
for line in "${pythons[@]}"; do
	version=${line%% *} python=${line#* }
	echo "Python $version ($python):"
	calls
	unprobed
done
exit $broken
