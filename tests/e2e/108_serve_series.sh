#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# /api/series: calls of each second add up to the totals where the server watched, whatever was
# lost of events; before that, and of a file, they are of kept events, and say so.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/serve_lib.sh"
need python3 curl

sums='sum(p["calls"] for p in d), sum(p["failures"] for p in d), sorted({p["from"] for p in d})'

echo "-- nothing has happened; what is wrong is said"
serve --keep 100 watched
assert_eq "of nothing" '[]' "$(get /api/series)"
assert_eq "of nothing, an artifact" '[]' "$(get '/api/series?artifact_id=x')"
for wrong in seconds=0 seconds=901 seconds=-1; do
	assert_eq "$wrong" 422 "$(status_code "/api/series?$wrong")"
done
assert_eq "seconds=x" 422 "$(status_code '/api/series?seconds=x')"
assert_contains "seconds=x" '"type":"int_parsing","loc":["query","seconds"]' "$(cat "$work/body")"
assert_eq "HEAD" 200 "$(status_code /api/series -I)"

echo "-- watched from its beginning: the sums are the totals, though hardly an event is kept"
observed env INVREG_SESSION=watched "$hosts/threads" --threads 2 --calls 100000 --work-us 20 >/dev/null
becomes /api/status 'd["state"], d["total_invocations"]' "('ended', 200000)"
failed=$(ask /api/status 'd["failed"]')
assert_eq "sums" "(200000, $failed, ['tallies'])" "$(ask '/api/series?seconds=900' "$sums")"
(($(ask /api/status 'd["events"]["served"]') == 100)) || fail "all events were kept"
get '/api/artifacts?limit=1000' >"$work/artifacts.json"
python3 - "$url" "$work/artifacts.json" <<'PYTHON' || fail "series of artifacts"
import datetime, json, sys, urllib.request

def series(query):
    with urllib.request.urlopen(sys.argv[1] + "/api/series?seconds=900" + query) as r:
        return json.load(r)

whole = series("")
times = [datetime.datetime.fromisoformat(p["timestamp"].replace("Z", "+00:00")) for p in whole]
assert all(list(p) == ["timestamp", "calls", "failures", "from"] and p["failures"] <= p["calls"] for p in whole)
assert all(t.microsecond == 0 for t in times)
assert all((b - a).total_seconds() == 1 for a, b in zip(times, times[1:])), "each second once, in order"
assert sum(p["calls"] > 0 for p in whole) >= 2, whole
assert whole[-1]["calls"] > 0, "it ends with the session"
of_all = [0] * len(whole)
for a in json.load(open(sys.argv[2], encoding="utf-8")):
    own = series("&artifact_id=" + a["artifact_id"])
    assert [p["timestamp"] for p in own] == [p["timestamp"] for p in whole]
    assert sum(p["calls"] for p in own) == a["total_invocations"], a
    assert sum(p["failures"] for p in own) == a["failed"], a
    of_all = [n + p["calls"] for n, p in zip(of_all, own)]
assert of_all == [p["calls"] for p in whole] or sum(of_all) == 200000
PYTHON
assert_eq "the newest second alone" 1 "$(ask '/api/series?seconds=1' 'len(d)')"
assert_eq "one that was never called" "(0, 0, ['tallies'])" "$(ask '/api/series?artifact_id=never' "$sums")"
stop_server

echo "-- had ended before: of what is left of its events"
serve watched
becomes /api/status 'd["state"], d["events"]["served"] > 0' "('ended', True)"
served=$(ask /api/status 'd["events"]["served"]')
assert_eq "sums" "$served" "$(ask '/api/series?seconds=900' 'sum(p["calls"] for p in d)')"
assert_eq "from" "['events']" "$(ask /api/series 'sorted({p["from"] for p in d})')"
stop_server

echo "-- joined late: of events before, exact from then on, and nothing is counted twice"
calls=3000
[[ -z ${SAN:-} ]] || calls=9000 # the server is slow to start
observed env INVREG_SESSION=late "$hosts/ballast" --calls $calls --work-us 1500 >/dev/null &
program=$!
for _ in $(seq 100); do
	[[ -e $INVREG_DIR/late.seg ]] && break
	sleep 0.05
done
sleep 2
serve late
# events come first, then tallies
becomes /api/series '[p["from"] for p in d] == sorted((p["from"] for p in d)), {p["from"] for p in d} == {"events", "tallies"}' "(True, True)"
wait "$program"
becomes /api/status 'd["state"], d["total_invocations"]' "('ended', $calls)"
# At the seam: a call's event tells its own second, its tally when it was looked at.
sum=$(ask '/api/series?seconds=900' 'sum(p["calls"] for p in d)')
((sum > calls * 9 / 10 && sum <= calls * 21 / 20)) || fail "$sum calls of $calls"
stop_server

echo "-- silence is seconds without a call"
forget_sessions
serve silent
observed env INVREG_SESSION=silent "$hosts/ballast" --calls 2 --work-us 2500000 >/dev/null
becomes /api/status 'd["state"], d["total_invocations"]' "('ended', 2)"
assert_eq "calls" "[1, 1]" "$(ask /api/series '[p["calls"] for p in d if p["calls"]]')"
assert_eq "seconds without one" True "$(ask /api/series 'sum(not p["calls"] for p in d) >= 3 and all(p["from"] == "tallies" for p in d)')"
stop_server

echo "-- a file: each call in the second in which it returned"
{
	for i in 1 2 3; do event "$i" ok alice wheat; done
	event 5 timeout bob wheat
	event 6 ok bob ore | sed 's/:06\.000000Z/:05.900000Z/'
	event 8 open bob ore
} >"$work/run.jsonl"
serve "$work/run.jsonl"
becomes /api/status 'd["total_invocations"]' 5
assert_eq "all" "[('00:01', 1, 0), ('00:02', 1, 0), ('00:03', 1, 0), ('00:04', 0, 0), ('00:05', 2, 1)]" \
	"$(ask /api/series '[(p["timestamp"][14:19], p["calls"], p["failures"]) for p in d]')"
assert_eq "one" "[('00:05', 1, 0)]" "$(ask '/api/series?artifact_id=ore' '[(p["timestamp"][14:19], p["calls"], p["failures"]) for p in d]')"
assert_eq "the last two seconds" "[0, 2]" "$(ask '/api/series?seconds=2' '[p["calls"] for p in d]')"
assert_eq "from" "['events']" "$(ask /api/series 'sorted({p["from"] for p in d})')"
assert_eq "one that is not there" '[]' "$(get '/api/series?artifact_id=never')"
event 9 ok bob ore >>"$work/run.jsonl"
becomes /api/series 'd[-1]["timestamp"][14:19], d[-1]["calls"]' "('00:09', 1)"
stop_server
