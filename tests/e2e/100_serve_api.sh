#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every route over a real socket: bodies, pages, wrong parameters, ids of any bytes; a
# session from before it exists until after it ended.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/serve_lib.sh"
need python3 curl

echo "-- before there is a session it answers, and says that it waits"
serve
assert_contains "what it says" "waiting for a session" "$(cat "$work/serve.err")"
assert_eq "state" waiting "$(ask /api/status 'd["state"]')"
for path in artifacts invokers methods errors invocations inflight; do
	assert_eq "/api/$path of nothing" '[]' "$(get "/api/$path")"
done
assert_eq "an artifact of nothing" \
	'{"artifact_id":"x","total_invocations":0,"successful":0,"failed":0,"success_rate":0.0,"avg_duration_ms":0.0,"failure_types":{},"p50_ms":0.0,"p90_ms":0.0,"p99_ms":0.0,"p999_ms":0.0,"max_ms":0.0,"self_ms":0.0,"in_flight":0,"unique_invokers":0,"last_tick":0}' \
	"$(get /api/artifacts/x/invocations)"
assert_eq "a graph of nothing" '{"edges":[],"nested":{"edges":[],"from":"events"}}' "$(get /api/graph)"

echo "-- a session that begins, runs and ends meanwhile: every total is the host's own"
observed "$hosts/threads" --threads 3 --calls 2000 --work-us 300 --truth "$work/truth" >/dev/null &
program=$!
becomes /api/status 'd["state"]' live
becomes /api/inflight 'len(d) > 0' True
assert_eq "calls in flight" True "$(ask /api/inflight \
	'all(c["age_ms"] >= 0 and c["process"] == "alive" and c["pid"] > 0 for c in d)')"
wait "$program"
becomes /api/status 'd["state"], d["total_invocations"]' "('ended', 6000)"
assert_contains "what it says" "has ended; it is served on" "$(cat "$work/serve.err")"
name=$(session)
invreg snapshot "$name" --format json >"$work/snapshot.json"
python3 - "$url" "$work/snapshot.json" <<'PYTHON' || fail "totals, lists and pages"
import json, sys, urllib.parse, urllib.request

url, snapshot = sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8"))

def get(path):
    with urllib.request.urlopen(url + path) as r:
        assert r.status == 200 and r.headers["Content-Type"] == "application/json", path
        return json.load(r), r.headers

SIX = ["artifact_id", "total_invocations", "successful", "failed", "success_rate", "avg_duration_ms", "failure_types"]
OURS = ["p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms", "self_ms", "in_flight", "unique_invokers", "last_tick"]
TEN = ["tick", "timestamp", "invoker_id", "artifact_id", "method", "success", "duration_ms", "error_type", "error_message", "result_type"]
want = {a["artifact_id"]: a for a in snapshot["artifacts"]}
rows, headers = get("/api/artifacts")
assert headers["X-Total-Count"] == str(len(want)) == str(len(rows))
for row in rows:
    assert list(row) == SIX + OURS, list(row)
    assert all(row[k] == want[row["artifact_id"]][k] for k in SIX[1:4] + SIX[6:] + ["unique_invokers", "last_tick"]), row
    assert abs(row["avg_duration_ms"] - want[row["artifact_id"]]["avg_duration_ms"]) < 0.001
    one, _ = get("/api/artifacts/%s/invocations" % row["artifact_id"])
    assert one == row, (one, row)

calls, headers = get("/api/invocations?limit=1000")
assert headers["X-Total-Count"] == "6000" and len(calls) == 1000
for c in calls:
    assert list(c) == TEN, c
    assert (c["error_type"] is None) == (c["error_message"] is None) == c["success"] == (c["result_type"] is not None), c
times = [c["timestamp"] for c in calls]
assert times == sorted(times, reverse=True), "not newest first"

# pages: walking by Link gives everything once, in order
path, seen = "/api/invocations?artifact_id=artifact_3&success=false&limit=100", []
while path:
    page, headers = get(path)
    seen += page
    links = dict(reversed([p.strip(" <>") for p in l.split(";", 1)]) for l in headers["Link"].split(", "))
    links = {rel.split('"')[1]: target for rel, target in ((k, v) for k, v in links.items())}
    assert links["first"].endswith("limit=100&offset=0") and "last" in links, links
    path = links.get("next")
assert len(seen) == want["artifact_3"]["failed"] == int(headers["X-Total-Count"]), len(seen)
assert all(c["artifact_id"] == "artifact_3" and not c["success"] for c in seen)
assert "prev" in links and "next" not in links, links
assert get("/api/invocations?offset=6000")[0] == [] and get("/api/invocations?offset=99999999999999999999")[0] == []
assert get("/api/invocations?offset=5999")[0] == get("/api/invocations?limit=1&offset=5999")[0]
assert [c["tick"] for c in get("/api/invocations?limit=3&offset=2")[0]] == [c["tick"] for c in calls[2:5]]

mine, _ = get("/api/invokers/invoker_1/invocations?limit=1000")
assert len(mine) == 1000 and all(c["invoker_id"] == "invoker_1" for c in mine)
both, headers = get("/api/invocations?invoker_id=invoker_1&artifact_id=artifact_3&limit=1000")
newest = [c for c in mine if c["artifact_id"] == "artifact_3"]
assert len(both) > len(newest) > 0 and both[:len(newest)] == newest
assert get("/api/invokers/invoker_1/invocations?artifact_id=artifact_3&limit=1000")[0] == both
for word in "true 1 on yes y t TRUE On yEs".split():
    assert all(c["success"] for c in get("/api/invocations?success=" + word)[0]), word
for word in "false 0 off no n f FALSE oFf".split():
    assert not any(c["success"] for c in get("/api/invocations?success=" + word)[0]), word
# as pydantic takes integers, and the last of two
for text in ["5", "%2B5", "+5", "5.0", "0_5", "05", "900&limit=5"]:
    assert len(get("/api/invocations?limit=" + text)[0]) == 5, text

invokers, _ = get("/api/invokers?sort=name&order=asc")
assert [r["invoker_id"] for r in invokers] == ["invoker_0", "invoker_1", "invoker_2"], invokers
assert all(r["percentiles"]["from"] == "events" and r["total_invocations"] == 2000 for r in invokers)
assert sum(r["total_invocations"] for r in get("/api/invokers?artifact_id=artifact_3")[0]) == want["artifact_3"]["total_invocations"]
methods, headers = get("/api/methods?limit=1000")
assert sum(r["total_invocations"] for r in methods) == 6000 and len(methods) == int(headers["X-Total-Count"])
errors, _ = get("/api/errors")
assert sum(r["count"] for r in errors) == sum(a["failed"] for a in want.values())
assert {r["error_type"] for r in get("/api/errors?artifact_id=artifact_3")[0]} == set(want["artifact_3"]["failure_types"])
for key, value in {"total": "total_invocations", "failed": "failed", "mean": "avg_duration_ms", "p50": "p50_ms", "p90": "p90_ms",
                   "p99": "p99_ms", "max": "max_ms", "self": "self_ms"}.items():
    column = [r[value] for r in get("/api/artifacts?sort=" + key)[0]]
    assert column == sorted(column, reverse=True), key
    column = [r[value] for r in get("/api/artifacts?order=asc&sort=" + key)[0]]
    assert column == sorted(column), key
rates = [r["success_rate"] for r in get("/api/artifacts?sort=rate")[0]]
assert rates == sorted(rates), "the worst first"
assert [r["artifact_id"] for r in get("/api/artifacts?search=fact_3")[0]] == ["artifact_3"]
assert len(get("/api/artifacts?limit=3&offset=6&sort=name")[0]) == min(3, len(want) - 6)
graph, _ = get("/api/graph?limit=1000")
assert sum(e["calls"] for e in graph["edges"]) == 6000 and {e["kind"] for e in graph["edges"]} == {"invoker"}
status, _ = get("/api/status")
assert status["lanes"] == 3 and status["processes"] == {"alive": 0, "ended": 1, "unknown": 0} and status["from"] == "tallies"
assert status["events"]["written"] == status["events"]["served"] == 6000 and status["events"]["missed"] == 0, status["events"]
assert status["lost"] == [] and status["events_lost"] == 0
assert status["probes"][0]["name"] == "target" and status["shim"]["reserved_bytes"] > 0
PYTHON

echo "-- what is wrong is said as FastAPI says it"
detail() { # QUERY BODY
	assert_eq "status of $1" 422 "$(status_code "/api/invocations?$1")"
	assert_eq "body of $1" "{\"detail\":[$2]}" "$(cat "$work/body")"
}
bool='"msg":"Input should be a valid boolean, unable to interpret input"'
int='"msg":"Input should be a valid integer, unable to parse string as an integer"'
detail limit=5000 '{"type":"less_than_equal","loc":["query","limit"],"msg":"Input should be less than or equal to 1000","input":"5000","ctx":{"le":1000}}'
detail limit=0 '{"type":"greater_than_equal","loc":["query","limit"],"msg":"Input should be greater than or equal to 1","input":"0","ctx":{"ge":1}}'
detail offset=-1 '{"type":"greater_than_equal","loc":["query","offset"],"msg":"Input should be greater than or equal to 0","input":"-1","ctx":{"ge":0}}'
for text in abc 1.5 0x10 '' 1e3 5_ 1__0; do
	detail "limit=$text" "{\"type\":\"int_parsing\",\"loc\":[\"query\",\"limit\"],$int,\"input\":\"$text\"}"
done
for text in maybe 2 ''; do
	detail "success=$text" "{\"type\":\"bool_parsing\",\"loc\":[\"query\",\"success\"],$bool,\"input\":\"$text\"}"
done
detail 'success=%22%0A&limit=x&offset=y' "{\"type\":\"bool_parsing\",\"loc\":[\"query\",\"success\"],$bool,\"input\":\"\\\"\\n\"},{\"type\":\"int_parsing\",\"loc\":[\"query\",\"limit\"],$int,\"input\":\"x\"},{\"type\":\"int_parsing\",\"loc\":[\"query\",\"offset\"],$int,\"input\":\"y\"}"
detail limit=99999999999999999999999 '{"type":"less_than_equal","loc":["query","limit"],"msg":"Input should be less than or equal to 1000","input":"99999999999999999999999","ctx":{"le":1000}}'
for path in artifacts invokers methods errors inflight graph invokers/x/invocations; do
	assert_eq "limit of /api/$path" 422 "$(status_code "/api/$path?limit=1001")"
	assert_eq "offset of /api/$path" 422 "$(status_code "/api/$path?offset=-1")"
done
for path in artifacts invokers methods errors; do
	assert_eq "sort of /api/$path" 422 "$(status_code "/api/$path?sort=colour")"
	assert_contains "the choices" '"type":"literal_error"' "$(cat "$work/body")"
	assert_eq "order of /api/$path" 422 "$(status_code "/api/$path?order=up")"
done
assert_eq "success of a stream" 422 "$(status_code '/api/events?success=maybe')"
assert_eq "unknown parameters are ignored" 200 "$(status_code '/api/invocations?colour=red')"

echo "-- HEAD, other methods, other paths"
for path in /api/invocations /api/artifacts/artifact_3/invocations /metrics / /openapi.json /healthz; do
	curl -sSI "$url$path" >"$work/head"
	assert_contains "HEAD $path" "HTTP/1.1 200 OK" "$(cat "$work/head")"
	length=$(sed -n 's/^Content-Length: \([0-9]*\)\r$/\1/p' "$work/head")
	((length > 10)) || fail "HEAD $path: length '$length'"
done
for method in POST PUT DELETE PATCH OPTIONS; do
	assert_eq "$method" 405 "$(status_code /api/invocations -X $method -d x=y)"
	assert_eq "$method" '{"detail":"Method Not Allowed"}' "$(cat "$work/body")"
done
assert_contains "405" "Allow: GET, HEAD" "$(curl -si -X POST "$url/")"
for path in /nope /api /api/ /api/artifacts/x /api/artifacts/x/ /api/invocations/ /../etc/passwd /%2e%2e/etc/passwd /index.htm; do
	assert_eq "$path" 404 "$(status_code "$path")"
	assert_eq "$path" '{"detail":"Not Found"}' "$(cat "$work/body")"
done
python3 - "$url" <<'PYTHON' || fail "openapi.json"
import json, sys, urllib.request
d = json.load(urllib.request.urlopen(sys.argv[1] + "/openapi.json"))
for path, item in d["paths"].items():
    path = path.replace("{artifact_id}", "x").replace("{invoker_id}", "x")
    for p in [] if path == "/api/events" else item["get"].get("parameters", []):
        if p["in"] == "query" and "default" in p["schema"]:
            urllib.request.urlopen(f"{sys.argv[1]}{path}?{p['name']}={p['schema']['default']}")
    if path != "/api/events":
        assert urllib.request.urlopen(sys.argv[1] + path).status == 200, path
assert len(d["paths"]) == 14
PYTHON
stop_server

echo "-- ids of any bytes"
{
	event 1 ok 'a/b' 'x/y z?&=#%+"<img src=x onerror=alert(1)>' 2
	event 2 timeout 'a/b' 'über/🐟' 3
	event 3 ok '' ''
	event 4 ok 'x/invocations' 'x/invocations'
} >"$work/ids.jsonl"
printf '%s\n' '{"event_type":"invoke_success","tick":5,"invoker_id":"n\u0000l","artifact_id":"n\u0000l","method":"m","duration_ms":1.0,"result_type":"int","timestamp":"2026-11-01T01:00:00.000000Z","sequence":5,"call":5,"pid":1,"tid":1,"depth":0,"probe":"p","session":"file"}' >>"$work/ids.jsonl"
serve "$work/ids.jsonl"
becomes /api/status 'd["total_invocations"]' 5
python3 - "$url" <<'PYTHON' || fail "ids"
import json, sys, urllib.parse, urllib.request

def get(path):
    return json.load(urllib.request.urlopen(sys.argv[1] + path))

names = ['x/y z?&=#%+"<img src=x onerror=alert(1)>', "über/🐟", "", "x/invocations", "n\0l"]
assert sorted(r["artifact_id"] for r in get("/api/artifacts")) == sorted(names)
for name in names:
    for coded in urllib.parse.quote(name, safe=""), urllib.parse.quote(name, safe="/"):
        one = get(f"/api/artifacts/{coded}/invocations")
        assert one["artifact_id"] == name and one["total_invocations"] == 1 and one["from"] == "events", (name, one)
        assert [c["artifact_id"] for c in get(f"/api/invocations?artifact_id={coded}")] == [name], name
assert len(get("/api/invokers/a%2Fb/invocations")) == len(get("/api/invokers/a/b/invocations")) == 2
assert get("/api/artifacts/n/invocations")["total_invocations"] == 0, "a NUL ends nothing"
assert get("/api/artifacts/%ff%zz%/invocations")["artifact_id"] == "\ufffd%zz%"
PYTHON
stop_server
