#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a Python probe adds to a call, as parts of what other ways to record it add, all measured
# in one process by turns; and what a program costs none of whose functions is probed.
# A row is the median of seven runs, each a median over rounds, the processes by turns.
#   PYTHONS='3.11 3.13' bench...    only these versions
# What the interpreter makes of a wrapper in Python differs by its version: 3.11 has a budget of
# its own, and those before it, another interpreter, that of 3.12.
part=python
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/python_lib.sh"
(python_targets) || { echo "Python: not measured" && exit 0; }

bench=$root/tests/bench
probes=$bench/python.ini
runs=7

# Rows of what is in $work/{rows,tracers}: ns added, and ratios in each run.
report() {
	python3 - "$root" "$rows" "$work/rows" "$work/tracers" "python.$version" <<'PYTHON'
import json
import sys

root, path, rows, tracers, name = sys.argv[1:]
sys.path.insert(0, root + "/tests/bench")
sys.dont_write_bytecode = True
from rows import Part, line

part = Part(path)
runs = [json.loads(text) for text in open(rows)]
whole = [json.loads(text) for text in open(tracers)]

def add(row, unit, values):
    print(line(part.add(f"{name}.{row}", unit, values)))

add("bare", "ns a call", [run["bare"] for run in runs])
for kind in runs[0]["added"]:
    add(kind, "ns added", [run["added"][kind] for run in runs])
for kind in whole[0]["added"]:
    add(kind, "ns added", [run["added"][kind] for run in whole])
for kind in ("wrapped", "dataclassed", "registered"):
    add(f"full_to_{kind}", "of it", [run["added"]["full"] / run["added"][kind] for run in runs])
add("timed_to_decorated", "of it", [run["added"]["timed"] / run["added"]["decorated"] for run in runs])
for kind in whole[0]["added"]:  # a process each, of the same turn
    add(f"full_to_{kind}", "of it", [a["added"]["full"] / b["added"][kind] for a, b in zip(runs, whole)])
PYTHON
}

# A bench of a probe that recorded nothing would be a fast one.
all_recorded() { # CALLS
	snapshot_json "$(session)" >"$work/snapshot.json"
	assert_eq "$version: calls recorded, all fields and timing alone" "$1 $1" "$(json "$work/snapshot.json" \
		'"%d %d" % tuple(sum(r["total_invocations"] for r in d["artifacts"] if bool(r["artifact_id"]) == full) for full in (True, False))')"
}

calls() {
	rm -f "$work"/{rows,tracers}
	for ((i = 0; i < runs; i++)); do
		forget_sessions
		observed "$python" -B "$bench/python_calls.py" "$work/by-hand.jsonl" >>"$work/rows"
		rm -f "$work/by-hand.jsonl"
		all_recorded "$(tail -n 1 "$work/rows" | sed 's/.*"calls": \([0-9]*\).*/\1/')"
		"$python" -B "$bench/python_calls.py" "$work/by-hand.jsonl" --tracers >>"$work/tracers"
	done
	report
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
	row "python.$version.unprobed" "of the bare time" "$(python3 -c '
import statistics, sys
bare, seen = ([float(line) for line in open(path)] for path in sys.argv[1:])
print(min(min(seen) / min(bare), statistics.median(seen) / statistics.median(bare)))' "$work/bare.ms" "$work/seen.ms")"
}

for line in "${pythons[@]}"; do
	version=${line%% *} python=${line#* }
	echo "Python $version ($python):"
	note "$version" "$python"
	calls
	unprobed
done
note ways "full: the shim, all fields; timed: the shim, no fields; wrapped: a wrapper with the same fields into a deque; decorated: a decorator with two clock reads; dataclassed: a decorator that appends a dataclass; registered: dataclass, json.dumps and open-append a call; profiled: cProfile; hooked: sys.setprofile; monitored: sys.monitoring of that function (the last three keep no fields)"
judged
