#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The demo for Python: an unmodified simulation, with no line of Python added, observed and
# compared with what it logged itself. PYTHON=python3.12 chooses another; `make demo-python`.
set -euo pipefail

cd "$(dirname "$0")/.."
build=${BUILD:-build}
invreg=$build/invreg
python=${PYTHON:-python3}
host=tests/hosts/py_ecology/run.py
probes=preload/probes/agent-ecology.ini
out=$build/demo-python
mkdir -p "$out"
rm -f "$out"/*

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
	bold=$'\e[1m' dim=$'\e[2m' off=$'\e[0m'
else
	bold='' dim='' off=''
fi

say() { printf '\n%s== %s%s\n' "$bold" "$1" "$off"; }
show() { printf '%s$ %s%s\n' "$dim" "$*" "$off"; }

session=demo-python-$$

say "1. An unmodified simulation in Python: nothing is imported, wrapped or set for it"
show "invreg run -p $probes -o run.jsonl -- $python run.py --ticks 60 --agents 12 --processes 2"
"$invreg" run --session "$session" -p "$probes" -o "$out/run.jsonl" -- \
	"$python" -B "$host" --ticks 60 --agents 12 --processes 2 --log "$out/log.jsonl" \
	2>"$out/summary.txt"
if ! grep -q '"event_type": *"invoke_attempt"' "$out/run.jsonl"; then
	echo "Nothing was recorded:"
	cat "$out/summary.txt"
	exit 1
fi

say "2. What the shared memory says, after the program has ended"
show "invreg snapshot $session"
"$invreg" snapshot "$session" --format table

say "3. One action with the calls nested in it, as JSON lines (depth counts from 0)"
show "grep invoke_ run.jsonl | grep forwarder"
awk '!/"event_type": *"invoke_(attempt|success|failure)"/ || !match($0, /"pid": *[0-9]+/) { next }
	!pid && /"artifact_id": *"forwarder"/ && /"depth": *0,/ { pid = substr($0, RSTART, RLENGTH) }
	pid == substr($0, RSTART, RLENGTH) { print }
	pid == substr($0, RSTART, RLENGTH) && !/invoke_attempt/ && /"depth": *0,/ { exit }' "$out/run.jsonl"

say "4. Failures by type: the simulation's own log, and what was recorded"
"$invreg" snapshot "$session" --format json >"$out/snapshot.json"
python3 - "$out/log.jsonl" "$out/snapshot.json" <<'PY'
import collections, json, sys

logged, recorded = collections.Counter(), collections.Counter()
for line in open(sys.argv[1]):
    call = json.loads(line)
    if call["event"] == "call":
        logged[call.get("error_type", "(succeeded)")] += 1
for artifact in json.load(open(sys.argv[2]))["artifacts"]:
    recorded.update(artifact["failure_types"])
    recorded["(succeeded)"] += artifact["successful"]
print("  %-24s %8s %8s" % ("", "logged", "recorded"))
for name in sorted(set(logged) | set(recorded)):
    print("  %-24s %8d %8d" % (name, logged[name], recorded[name]))
PY

say "5. Event by event, joined by order: names, ticks, depth, outcome, type and message"
show "compare_calls.py run.jsonl log.jsonl snapshot.json"
python3 tests/e2e/compare_calls.py "$out/run.jsonl" "$out/log.jsonl" "$out/snapshot.json"

say "Done. $out/run.jsonl has $(wc -l <"$out/run.jsonl") lines; try: $invreg stats $session --by error"
