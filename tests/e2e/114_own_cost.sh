#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What observing cost: measured by `run`, kept in the session, and said alike by every report;
# without `run`, or where it cannot be measured, nothing is said and nothing else changes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/serve_lib.sh"
need python3 curl

# A busy machine may take too long to measure it: that is no error, another run is.
measured=False
for _ in $(seq 10); do
	forget_sessions
	run --session measured -o "$work/run.jsonl" -- "$hosts/threads" --calls 5000 --threads 2 --work-us 20 >/dev/null
	snapshot_json measured >"$work/live.json"
	measured=$(json "$work/live.json" '"shim" in d')
	[[ $measured == False ]] || break
done
[[ $measured == True ]] || skip "too busy to measure anything within 100 ms"
assert_eq "other files" "" "$(find "$INVREG_DIR" -type f ! -name 'measured.*')"
invreg snapshot measured -o "$work/copy.seg"
python3 - "$work/live.json" <<'PY' || fail "the numbers of the snapshot"
import json, sys
shim = json.load(open(sys.argv[1]))["shim"]
assert 1 < shim["cost_ns_per_call"] < 50000, shim
assert abs(shim["cost_ms"] - 10000 * shim["cost_ns_per_call"] / 1e6) < 0.001 * shim["cost_ms"] + 0.001, shim
assert shim["elapsed_ms"] > 100, shim
assert abs(shim["cost_percent"] - 100 * shim["cost_ms"] / shim["elapsed_ms"]) < 0.001, shim
PY
# Each look measures the clock's rate anew: equal to a hundredth.
read -r cost percent < <(json "$work/live.json" '"%r %r" % (d["shim"]["cost_ns_per_call"], d["shim"]["cost_percent"])')
same="abs(d['shim']['cost_ns_per_call'] / $cost - 1) < 0.01 and abs(d['shim']['cost_percent'] / $percent - 1) < 0.01"
words='^Observing cost about [0-9]+ ns a call, [0-9.]+[mu]s in all: (less than )?[0-9.]+ % of the run$'
invreg snapshot measured | grep -qE "$words" || fail "a line of snapshot: $(invreg snapshot measured)"
for source in measured "$work/copy.seg" "$work/run.jsonl"; do
	invreg stats "$source" 2>/dev/null | grep -qE "$words" || fail "a line of stats $source"
	invreg stats "$source" --json >"$work/stats.json" 2>/dev/null
	assert_eq "JSON of $source" True "$(json "$work/stats.json" "$same")"
done
assert_eq "CSV has rows alone" 0 "$(invreg stats measured --csv 2>/dev/null | grep -c Observing || true)"
serve measured
becomes /api/status "$same" True
get /metrics | grep -E '^invocation_observing_seconds_per_call [0-9.]+e-0[5-9]$' >/dev/null || fail "/metrics: $(get /metrics | grep observing)"
stop_server

# Nobody measured it.
forget_sessions
observed "$hosts/threads" --calls 100 >/dev/null
name=$(session)
snapshot_json "$name" >"$work/bare.json"
assert_eq "JSON without run" False "$(json "$work/bare.json" '"shim" in d')"
assert_eq "a line without run" "" "$(invreg snapshot "$name" | grep Observing || true)"
serve "$name"
assert_eq "/api/status without run" "0.0 0.0" "$(ask /api/status 'd["shim"]["cost_ns_per_call"], d["shim"]["cost_percent"]' | tr -d '(),')"
assert_eq "/metrics without run" 0 "$(get /metrics | grep -c observing || true)"
stop_server

# What was measured is a native call's: of Python it is the least, in events too.
forget_sessions
cat >"$work/work.py" <<'PY'
class World:
    def invoke(self, invoker, artifact):
        return invoker

world = World()
for _ in range(1000):
    world.invoke("alice", "wheat")
PY
cat >"$work/python.ini" <<'INI'
[probe invoke]
target      = python:__main__:World.invoke
invoker_id  = invoker
artifact_id = artifact
INI
read -r _ python < <("$root/tests/e2e/pythons.sh") || skip "no CPython 3.8 to 3.14 here"
for _ in $(seq 10); do
	forget_sessions
	probes=$work/python.ini run --session python -o "$work/python.jsonl" -- "$python" "$work/work.py"
	[[ $(invreg snapshot python) == *Observing* ]] && break
done
[[ $(invreg snapshot python) == *"1000 calls"* ]] || skip "calls in Python are not seen here"
[[ $(invreg snapshot python) == *Observing* ]] || skip "too busy to measure anything within 100 ms"
for source in python "$work/python.jsonl"; do
	assert_contains "Python, $source" "Observing cost at least " "$(invreg stats "$source")"
	invreg stats "$source" --json >"$work/stats.json"
	assert_eq "JSON, $source" True "$(json "$work/stats.json" 'd["shim"]["cost_at_least"]')"
done
