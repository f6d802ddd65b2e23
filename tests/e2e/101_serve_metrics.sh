#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# /metrics: equal to the totals, well-formed whatever the names are, series that stay, a cap
# that holds; checked by promtool and scraped by Prometheus where they are installed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/serve_lib.sh"
need python3 curl

cat >"$work/metrics.py" <<'PYTHON'
"""The text format as its documentation has it, read strictly: {(name, labels): value}."""
import re

LINE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')

def parse(path):
    found, types = {}, {}
    for line in open(path, encoding="utf-8", newline="\n").read().split("\n")[:-1]:
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types, name
            types[name] = kind
        elif not line.startswith("# HELP "):
            m = LINE.fullmatch(line)
            assert m, repr(line)
            labels = tuple((k, re.sub(r"\\(.)", lambda e: "\n" if e[1] == "n" else e[1], v)) for k, v in LABEL.findall(m[2] or ""))
            key = m[1], frozenset(labels)
            assert key not in found, f"twice: {line}"
            found[key] = float(m[3])
            base = re.sub(r"_(bucket|sum|count)$", "", m[1])
            assert m[1] in types or types.get(base) == "histogram", line
    return found

def histograms(found):
    """{artifact: (bounds in order, cumulative counts, sum, count)}"""
    out = {}
    for (name, labels), value in found.items():
        labels = dict(labels)
        if name.startswith("invocation_duration_seconds"):
            h = out.setdefault(labels["artifact"], {})
            h[labels.get("le", name[28:])] = value
    for artifact, h in out.items():
        bounds = sorted((k for k in h if k not in ("sum", "count")), key=float)
        counts = [h[b] for b in bounds]
        assert bounds[-1] == "+Inf" and counts == sorted(counts) and counts[-1] == h["count"], (artifact, h)
        out[artifact] = bounds, counts, h["sum"], h["count"]
    return out
PYTHON
export PYTHONPATH=$work

promtool_check() { # FILE
	command -v promtool >/dev/null || return 0
	promtool check metrics <"$1" >"$work/promtool" 2>&1 || fail "promtool: $(cat "$work/promtool")"
	assert_eq "promtool has nothing to say" "" "$(cat "$work/promtool")"
}

echo "-- equal to the totals, while it runs and after"
serve metered
observed env INVREG_SESSION=metered "$hosts/threads" --threads 3 --calls 2000 --work-us 300 >/dev/null &
program=$!
becomes /api/status 'd["state"]' live
get /metrics >"$work/during"
sleep 0.5
get /metrics >"$work/later"
wait "$program"
becomes /api/status 'd["total_invocations"], d["state"]' "(6000, 'ended')"
get /metrics >"$work/after"
assert_contains "the type" "Content-Type: text/plain; version=0.0.4; charset=utf-8" "$(curl -sI "$url/metrics")"
for file in during later after; do promtool_check "$work/$file"; done
get '/api/artifacts?limit=1000' >"$work/artifacts.json"
python3 - "$work" <<'PYTHON' || fail "values"
import json, sys
from metrics import parse, histograms
during, later, after = (parse(f"{sys.argv[1]}/{name}") for name in ("during", "later", "after"))
for old, new in (during, later), (later, after):
    for key, value in old.items():
        if key[0] not in ("invocation_in_flight", "invocation_session_live"):
            assert new[key] >= value, ("a counter that goes back, or has gone", key)
total = lambda found, name, **labels: sum(v for (n, l), v in found.items() if n == name and set(labels.items()) <= l)
h = histograms(after)
for a in json.load(open(f"{sys.argv[1]}/artifacts.json", encoding="utf-8")):
    name = a["artifact_id"]
    assert total(after, "invocation_calls_total", artifact=name, outcome="success") == a["successful"]
    assert total(after, "invocation_calls_total", artifact=name, outcome="failure") == a["failed"]
    for kind, count in a["failure_types"].items():
        assert after["invocation_failures_total", frozenset({("artifact", name), ("error_type", kind)})] == count
    assert h[name][3] == a["total_invocations"]
    assert abs(h[name][2] * 1e3 / a["total_invocations"] / a["avg_duration_ms"] - 1) < 0.01, (h[name], a)
assert {float(b) for b in h[name][0][:-1]} == {2**k / 1e9 for k in range(10, 35)}, h[name][0]
assert total(after, "invocation_in_flight") == 0 and total(after, "invocation_session_live") == 0 and total(during, "invocation_session_live") == 1
assert total(after, "invocation_events_lost_total", reason="lapped") == 0
assert ("invocation_build_info", frozenset({("version", [dict(l)["version"] for n, l in after if n == "invocation_build_info"][0])})) in after
assert not any("invoker" in dict(labels) for _, labels in after), "an invoker label that nobody asked for"
PYTHON
stop_server

echo "-- durations land in their buckets"
{
	event 1 ok a exact 0.001024
	event 2 ok a exact 0.001025
	event 3 ok a exact 0.000001
	event 4 ok a exact 17179.869184
	event 5 ok a exact 60000
} >"$work/exact.jsonl"
serve "$work/exact.jsonl"
becomes /api/status 'd["total_invocations"]' 5
get /metrics >"$work/exact"
promtool_check "$work/exact"
python3 - "$work/exact" <<'PYTHON' || fail "buckets"
import sys
from metrics import parse, histograms
bounds, counts, total, count = histograms(parse(sys.argv[1]))["exact"]
assert counts[-1] == count == 5 and counts[-2] == 3, counts
assert counts[0] == 1 and counts[1] == 3, counts  # a tally's bucket from 1.024 us on is beyond the bound
assert abs(total - 77.179871) < 1e-4, total
PYTHON
stop_server

echo "-- hostile names, and names that are the same when escaped"
python3 - "$work/names.jsonl" <<'PYTHON'
import json, sys
names = ['quote"', "back\\slash", "new\nline", "tab\t\x01\x7f", "<img src=x onerror=alert(1)>", '"} 1\nfake_total 7', "\u2028 🐟 é", "", "nul\0l", "nul\ufffdl", "_other", '\\"\\n']
with open(sys.argv[1], "w", encoding="utf-8") as f:
    for i, name in enumerate(names, 1):
        e = {"event_type": "invoke_failure", "tick": i, "invoker_id": name, "artifact_id": name, "method": name, "error_type": name, "error_message": name, "duration_ms": 1.0, "timestamp": "2026-11-01T00:00:00.000000Z", "sequence": i, "call": i, "pid": 1, "tid": 1, "depth": 0, "probe": "p", "session": "s"}
        f.write(json.dumps(e) + "\n")
PYTHON
serve "$work/names.jsonl" --metrics-invokers
becomes /api/status 'd["total_invocations"]' 12
get /metrics >"$work/names"
promtool_check "$work/names"
python3 - "$work/names" <<'PYTHON' || fail "names"
import sys
from metrics import parse, histograms
found = parse(sys.argv[1])
calls = {dict(l)["artifact"]: v for (n, l), v in found.items() if n == "invocation_calls_total"}
assert sum(calls.values()) == 12 and calls["nul\ufffdl"] == 2 and calls['"} 1\nfake_total 7'] == 1 and calls["new\nline"] == 1, calls
assert not any("fake_total" in n for n, _ in found)
assert len(histograms(found)) == 11
assert {dict(l)["invoker"] for n, l in found if n == "invocation_invoker_calls_total"} == set(calls)
PYTHON
stop_server

echo "-- a cap on series: it holds, nothing is missing from the sums, what is shown stays"
python3 - "$work/many.jsonl" <<'PYTHON'
import json, sys
with open(sys.argv[1], "w", encoding="utf-8") as f:
    for i in range(1, 6001):
        kind = "ok" if i % 3 else "timeout"
        name = "busy" if i % 2 else f"artifact_{i % 2000}"
        e = {"event_type": "invoke_success" if kind == "ok" else "invoke_failure", "tick": i, "invoker_id": f"invoker_{i}", "artifact_id": name, "method": f"m{i % 700}" if name == "busy" else "m", "error_type": kind, "error_message": "", "result_type": "int", "duration_ms": 1.0, "timestamp": "2026-11-01T00:00:00.000000Z", "sequence": i, "call": i, "pid": 1, "tid": 1, "depth": 0, "probe": "p", "session": "s"}
        f.write(json.dumps(e) + "\n")
PYTHON
for cap in 200 2000; do
	head -n 3000 "$work/many.jsonl" >"$work/grows.jsonl"
	serve "$work/grows.jsonl" --metrics-invokers --metrics-max-series $cap
	becomes /api/status 'd["total_invocations"]' 3000
	get /metrics >"$work/half"
	tail -n +3001 "$work/many.jsonl" >>"$work/grows.jsonl"
	becomes /api/status 'd["total_invocations"]' 6000
	get /metrics >"$work/whole"
	promtool_check "$work/half"
	promtool_check "$work/whole"
	python3 - "$work" $cap <<'PYTHON' || fail "the cap of $cap"
import sys
from metrics import parse, histograms
half, whole, cap = parse(f"{sys.argv[1]}/half"), parse(f"{sys.argv[1]}/whole"), int(sys.argv[2])
for found, calls in (half, 3000), (whole, 6000):
    assert len(found) <= cap, (len(found), cap)
    assert sum(v for (n, _), v in found.items() if n == "invocation_calls_total") == calls
    assert sum(v for (n, _), v in found.items() if n == "invocation_invoker_calls_total") == calls
    assert sum(h[3] for h in histograms(found).values()) == calls
    assert "_other" in histograms(found) and "busy" in histograms(found)
    assert found["invocation_series_folded", frozenset()] > 0
for key, value in half.items():
    if key[0] != "invocation_series_folded":
        assert whole[key] >= value, key
print(f"{len(whole)} series of {cap}")
PYTHON
	stop_server
done

echo "-- events that were lost are counted by reason"
observed env INVREG_SESSION=lapped "$hosts/ballast" --calls 40000 >/dev/null
serve lapped
becomes /api/status 'd["state"]' ended
get /metrics >"$work/lost"
python3 - "$work/lost" "$(ask /api/status 'd["events"]["missed"], d["events"]["served"], d["events_lost"]')" <<'PYTHON' || fail "losses"
import sys
from metrics import parse
found = parse(sys.argv[1])
lost = found["invocation_events_lost_total", frozenset({("reason", "lapped")})]
assert (lost, 40000 - lost, lost) == eval(sys.argv[2]) and lost > 20000, (lost, sys.argv[2])
assert found["invocation_events_lost_total", frozenset({("reason", "no_lane")})] == 0
PYTHON

if ! command -v prometheus >/dev/null; then
	skip "all but promtool and Prometheus, which are not installed"
fi
echo "-- Prometheus scrapes it"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/prometheus.yml" <<YAML
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: invreg
    static_configs: [{targets: ["${url#http://}"]}]
YAML
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" \
	--web.listen-address="127.0.0.1:$port" >"$work/prometheus.log" 2>&1 &
prometheus=$!
own=$url
url=http://127.0.0.1:$port
query() { # QUERY
	curl -s --max-time 10 -G "$url/api/v1/query" --data-urlencode "query=$1" |
		python3 -c 'import json, sys; r = json.load(sys.stdin)["data"]["result"]; print(r[0]["value"][1] if r else "")' 2>/dev/null || true
}
value=
for _ in $(seq 200); do
	value=$(query 'sum(invocation_calls_total)')
	[[ -n $value ]] && break
	sleep 0.1
done
assert_eq "calls by Prometheus" 40000 "$value"
assert_eq "up" 1 "$(query 'up{job="invreg"}')"
assert_eq "a histogram that it understands" 40000 "$(query 'sum(invocation_duration_seconds_count)')"
[[ $(query 'histogram_quantile(0.5, sum by (le) (invocation_duration_seconds_bucket))') != "" ]] || fail "no quantile"
kill "$prometheus"
wait "$prometheus" || true
url=$own
stop_server
