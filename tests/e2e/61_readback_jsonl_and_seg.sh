#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `run -o` and `snapshot -o` wrote is read back: the same totals from all three sources.
. "$(dirname "$0")/lib.sh"
need python3

run --session source -o "$work/run.jsonl" -- "$hosts/threads" --threads 3 --calls 3000 >/dev/null
snapshot_json source >"$work/live.json"
invreg snapshot source -o "$work/copy.seg"
invreg snapshot "$work/copy.seg" --format json >"$work/seg.json"
invreg snapshot source -o "$work/copy.json"
invreg stats "$work/run.jsonl" --json >"$work/jsonl.json"
invreg stats source --json >"$work/stats.json"

totals='sorted((a["artifact_id"], a["total_invocations"], a["successful"], sorted(a["failure_types"].items()), a["last_tick"]) for a in d["artifacts"])'
want=$(json "$work/live.json" "$totals")
for file in seg copy jsonl stats; do
	assert_eq "totals of $file" "$want" "$(json "$work/$file.json" "$totals")"
done
assert_eq "calls" 9000 "$(json "$work/live.json" 'total()')"
invreg snapshot "$work/run.jsonl" --format json >"$work/lines.json"
assert_eq "calls begun" "$(json "$work/live.json" 'd["status"]["begun"]')" \
	"$(json "$work/lines.json" 'd["status"]["begun"]')"

# whole lines of valid JSON, and as many outcomes as calls, less what is said to be lost
python3 -c '
import json, sys
kinds = {}
for line in open(sys.argv[1]):
    kind = json.loads(line)["event_type"]
    kinds[kind] = kinds.get(kind, 0) + 1
done = kinds.get("invoke_success", 0) + kinds.get("invoke_failure", 0)
assert kinds.get("invoke_stats"), kinds
assert "events_lost" in kinds or done == kinds["invoke_attempt"] == 9000, kinds' "$work/run.jsonl"

# a pipe that is closed early is no error
status_of bash -c "set -o pipefail; '$build/invreg' events source | head -n 1 >/dev/null"
assert_eq "events | head" 0 "$status"
# history: newest first, bounded
invreg history invoker_0 -n 5 >"$work/history" || fail "history"

# two runs in one file: the same numbers of calls are others' in the second
run --session again -o "$work/again.jsonl" -- "$hosts/threads" --threads 3 --calls 2000 >/dev/null
cat "$work/run.jsonl" "$work/again.jsonl" >"$work/two.jsonl"
grep -hv invoke_stats "$work/run.jsonl" "$work/again.jsonl" >"$work/events.jsonl"
for file in two events; do
	invreg stats "$work/$file.jsonl" --json >"$work/stats.json" 2>"$work/stats.err"
	assert_eq "calls of $file" 15000 "$(json "$work/stats.json" 'total() + lost("lapped")')"
done
assert_eq "events of two runs" "$(cat "$work"/{run,again}.jsonl | grep -c '"invoke_[sf][au]')" \
	"$(invreg events "$work/two.jsonl" | grep -c '"invoke_[sf][au]')"

# what is no event is skipped, and said, by whichever verb reads it
head -c -20 "$work/events.jsonl" >"$work/cut.jsonl"
echo '{"event_type": 1, "no": ' >>"$work/cut.jsonl"
for verb in snapshot stats events 'history invoker_0'; do
	# shellcheck disable=SC2086
	invreg $verb "$work/cut.jsonl" >/dev/null 2>"$work/cut.err"
	assert_contains "$verb of a cut file" "cut.jsonl: 1 line is no event and was skipped" \
		"$(cat "$work/cut.err")"
done

# "nul" and "nul\0in" are two artifacts, and two types of error
python3 - >"$work/nul.jsonl" <<'PY'
import json
for call, name in enumerate(["nul"] * 3 + ["nul\0in"]):
    for error in "nul", "nul\0in":
        print(json.dumps({"event_type": "invoke_failure", "call": call * 2 + len(error) // 4, "artifact_id": name,
                          "method": name, "error_type": error, "duration_ms": 1.0}))
PY
invreg snapshot "$work/nul.jsonl" --format json >"$work/nul.json"
assert_eq "names with a NUL byte" \
	"[('nul', {'nul': 3, 'nul\\x00in': 3}, ['nul']), ('nul\\x00in', {'nul': 1, 'nul\\x00in': 1}, ['nul\\x00in'])]" \
	"$(json "$work/nul.json" '[(a["artifact_id"], a["failure_types"], [m["method"] for m in a["methods"]]) for a in d["artifacts"]]')"

# a follower reads what the rings lose later: the file lacks nothing, and nobody says it does
run --session lapped -o "$work/whole.jsonl" -- "$hosts/threads" --threads 1 --calls 60000 --work-us 5 >/dev/null
snapshot_json lapped >"$work/lapped.json"
(($(json "$work/lapped.json" 'lost("lapped")') > 1000)) || fail "60,000 calls lapped no ring"
if ! grep -q events_lost "$work/whole.jsonl"; then
	invreg snapshot "$work/whole.jsonl" --format json >"$work/whole.json"
	assert_eq "lost by a file that lacks nothing" "([], 0, 60000)" \
		"$(json "$work/whole.json" '(d["lost"], d["status"]["events_lapped"], d["status"]["events_kept"])')"
fi

# calls that overlap: newest first by when they returned, which is their timestamp, as in the API
python3 - >"$work/overlap.jsonl" <<'PY'
import json
for call, begin, end in (1, 0.0, 1.5), (2, 1.0, 1.2), (3, 2.0, 9.0), (4, 3.0, 3.1), (5, 4.0, None), (6, 5.0, 5.1):
    common = {"tick": call, "call": call, "invoker_id": "i", "artifact_id": "a", "method": "m"}
    stamp = lambda s: "2026-11-01T00:00:%09.6fZ" % s
    print(json.dumps({"event_type": "invoke_attempt", "timestamp": stamp(begin), **common}))
    if end:
        print(json.dumps({"event_type": "invoke_success", "timestamp": stamp(end), "duration_ms": round((end - begin) * 1000, 3), **common}))
PY
assert_eq "order of calls that overlap" "3 09.000000Z, 6 05.100000Z, 5 04.000000Z, 4 03.100000Z, 1 01.500000Z, 2 01.200000Z" \
	"$(invreg history i "$work/overlap.jsonl" | python3 -c '
import json, sys
print(", ".join("%d %s" % (d["tick"], d["timestamp"][17:]) for d in map(json.loads, sys.stdin)))')"

# percentiles by invoker are of the calls that are kept, of each of the three sources
cat >"$work/percentiles.py" <<'PY'
import json, math, sys
times, rows = {}, json.load(open(sys.argv[2]))["invokers"]
for line in open(sys.argv[1]):
    event = json.loads(line)
    if event["event_type"] in ("invoke_success", "invoke_failure"):
        times.setdefault(event["invoker_id"], []).append(event["duration_ms"])
assert rows and {row["invoker_id"] for row in rows} == set(times)
for row in rows:
    kept, told = sorted(times[row["invoker_id"]]), row["percentiles"]
    assert (told["calls"], told["from"]) == (len(kept), "events"), row
    for key, share in ("p50_ms", 0.5), ("p90_ms", 0.9), ("p99_ms", 0.99), ("p999_ms", 0.999):
        exact = kept[math.ceil(share * len(kept)) - 1]
        assert abs(told[key] - exact) <= exact * 0.0625 + 0.000001, (row, key, exact)
    assert abs(told["max_ms"] - kept[-1]) <= kept[-1] * 1e-4 + 0.000002, row
PY
for source in source "$work/copy.seg" "$work/run.jsonl"; do
	invreg events "$source" >"$work/kept.jsonl"
	invreg stats "$source" --by invoker --json >"$work/invokers.json" 2>"$work/invokers.err"
	python3 "$work/percentiles.py" "$work/kept.jsonl" "$work/invokers.json" || fail "percentiles of $source"
	assert_contains "what they are made from" "percentiles by invoker are of the calls that are kept" \
		"$(cat "$work/invokers.err")"
done
