#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Files served while they change: one that is not there yet, that grows, by half a line too,
# that is truncated or replaced, that ends with exact totals; a snapshot; a bad file.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/serve_lib.sh"
need python3 curl

file=$work/run.jsonl
total='d["total_invocations"]'

echo "-- not there yet"
serve "$file"
assert_contains "what it says" "waiting for $file" "$(cat "$work/serve.err")"
event 1 ok alice wheat >"$file"
becomes /api/status "$total" 1
assert_eq "from" events "$(ask /api/status 'd["from"]')"

echo "-- it grows, by half lines"
event 2 timeout bob wheat 2 >"$work/more"
head -c 100 "$work/more" >>"$file"
sleep 0.7
assert_eq "half an attempt" 1 "$(ask /api/status "$total")"
tail -c +101 "$work/more" | head -c 380 >>"$file"
sleep 0.7
assert_eq "half an outcome" 1 "$(ask /api/status "$total")"
becomes /api/inflight 'len(d)' 1
tail -c +481 "$work/more" >>"$file"
becomes /api/artifacts/wheat/invocations \
	'd["successful"], d["failed"], d["failure_types"], d["unique_invokers"], d["from"]' \
	"(1, 1, {'timeout': 1}, 2, 'events')"
assert_eq "in flight" 0 "$(ask /api/inflight 'len(d)')"
assert_eq "newest first" "['timeout', None]" "$(ask /api/invocations '[c["error_type"] for c in d]')"

echo "-- the last line has no newline; lines that are no events are skipped"
{
	echo 'not JSON'
	echo '[]'
	event 3 ok alice ore
} | head -c -1 >>"$file"
becomes /api/status "$total" 3
printf '\n' >>"$file"
event 4 ok alice ore >>"$file"
becomes /api/status "$total" 4
assert_contains "what it says" "a line is no event" "$(cat "$work/serve.err")"

echo "-- truncated, written anew longer, replaced"
: >"$file"
becomes /api/status "$total" 0
event 5 ok carol salt >"$file"
becomes /api/artifacts '[r["artifact_id"] for r in d]' "['salt']"
for i in 6 7 8; do event $i ok carol iron; done >"$file"
becomes /api/artifacts '[(r["artifact_id"], r["total_invocations"]) for r in d]' "[('iron', 3)]"
for i in 9 10; do event $i execution carol clay; done >"$work/new"
mv "$work/new" "$file"
becomes /api/artifacts '[(r["artifact_id"], r["failed"]) for r in d]' "[('clay', 2)]"
assert_contains "what it says" "is another file now" "$(cat "$work/serve.err")"
event 11 ok carol clay >>"$file"
becomes /api/status "$total" 3
rm "$file"
sleep 0.3
assert_eq "a file that was removed is still served" 3 "$(ask /api/status "$total")"
stop_server

echo "-- lines that say what cannot be: every answer is JSON all the same"
cat >"$work/hostile.jsonl" <<'JSONL'
{"event_type":"invoke_success","tick":9223372036854775807,"invoker_id":5,"artifact_id":null,"method":[],"duration_ms":1e300,"result_type":"int","timestamp":"9999-99-99T99:99:99.999999Z","sequence":-5,"call":-1,"pid":1e99,"tid":-1,"depth":999}
{"event_type":"invoke_attempt","tick":-9223372036854775808,"invoker_id":"a","artifact_id":"b","method":"m","timestamp":"0000-00-00T00:00:00Z","call":18446744073709551615,"depth":-1}
{"event_type":"invoke_failure","duration_ms":8999999999999.0,"timestamp":"2261-01-01T00:00:00.000000Z","call":7,"error_type":"\ud800","error_message":"\u0000"}
{"event_type":"events_lost","lane":-1,"first":0,"last":9223372036854775807}
{"event_type":"events_lost","lane":-1,"first":0,"last":9223372036854775807}
{"event_type":"invoke_stats","artifact_id":"b","cells":[{"buckets":[[0,9223372036854775807],[343,9223372036854775807],[-1,5],[1]],"failed":"yes"}],"invokers":[{"calls":5,"failures":9}]}
{"event_type":"invoke_losses","lost":[{"reason":"lapped","count":9223372036854775807},{"reason":"no_ring","count":-1}]}
JSONL
serve "$work/hostile.jsonl"
becomes /api/invocations 'len(d)' 2
for path in artifacts invokers methods errors invocations inflight graph status; do
	ask "/api/$path" 'len(d) > 0' >/dev/null
done
stop_server

echo "-- one that run -o writes: totals become exact at its end, though events are missing"
run --session source -o "$work/full.jsonl" -- "$hosts/threads" --threads 3 --calls 3000 >/dev/null
grep -v '"event_type":"invoke_success"' "$work/full.jsonl" >"$work/gaps.jsonl"
serve "$work/gaps.jsonl"
becomes /api/status "$total, d[\"from\"]" "(9000, 'tallies')"
serve_json=$(ask /api/artifacts 'sorted((r["artifact_id"], r["total_invocations"], r["successful"]) for r in d)')
snapshot_json source >"$work/live.json"
assert_eq "totals" "$(json "$work/live.json" 'sorted((a["artifact_id"], a["total_invocations"], a["successful"]) for a in d["artifacts"])')" "$serve_json"
stop_server

echo "-- a session and its snapshot say the same"
invreg snapshot source -o "$work/copy.seg"
serve source
becomes /api/status "$total" 9000
get /api/artifacts >"$work/live.json"
assert_eq "state" ended "$(ask /api/status 'd["state"]')"
stop_server
serve "$work/copy.seg"
becomes /api/status "d[\"state\"], $total" "('file', 9000)"
becomes /api/invocations 'len(d)' 100
get /api/artifacts >"$work/copied.json"
# Each look measures the clock's rate anew: a call of milliseconds may differ by a nanosecond.
python3 - "$work/live.json" "$work/copied.json" <<'PY' || fail "artifacts: $(cat "$work/copied.json")"
import json, math, sys

def same(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and same(list(a.values()), list(b.values()))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-5, abs_tol=1.5e-6)
    return type(a) is type(b) and a == b

live, copied = (json.load(open(path)) for path in sys.argv[1:])
sys.exit(not (live and same(live, copied)))
PY
stop_server

echo "-- without a name: the newest; and the next that comes to life"
serve
becomes /api/status 'd["session"], d["state"]' "('source', 'ended')"
run --session later -- "$hosts/ballast" --calls 4000 --work-us 500 >/dev/null &
program=$!
becomes /api/status 'd["session"]' later
wait "$program"
becomes /api/status "d[\"state\"], $total" "('ended', 4000)"
run --session brief -- "$hosts/ballast" --calls 5 >/dev/null
becomes /api/status "d[\"session\"], $total" "('brief', 5)"
stop_server

echo "-- a session that is truncated while it is served ends it, with one line"
serve later
becomes /api/status "$total" 4000
truncate -s 100 "$INVREG_DIR/later.seg"
status_of wait "$server"
assert_eq "exit status" 4 "$status"
assert_contains "why" "was truncated while it was read" "$(cat "$work/serve.err")"

echo "-- what cannot be served ends it, with one line"
echo nonsense >"$work/bad.seg"
status_of invreg serve --listen 127.0.0.1:0 "$work/bad.seg" 2>"$work/err"
assert_eq "a file that is no segment" 4 "$status"
assert_eq "lines: where, and why not" 2 "$(wc -l <"$work/err")"
status_of invreg serve --listen 127.0.0.1:0 'no session' 2>"$work/err"
assert_eq "a name that no session has" 2 "$status"
