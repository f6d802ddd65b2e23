#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# /api/events: what happens comes as it happens, each call once; resumed by Last-Event-ID;
# filters; another session is told; losses are told.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/serve_lib.sh"
need python3 curl

stream() { # FILE [CURL OPTIONS...] PATH: until it is killed; $streamer
	curl -sN "${@:2}" >"$1" &
	streamer=$!
}

count_of() { # FILE EVENT
	grep -c "^event: $2\$" "$1" || true
}

until_count() { # FILE EVENT COUNT
	for _ in $(seq 100); do
		(($(count_of "$1" "$2") >= $3)) && return
		sleep 0.1
	done
	fail "$1: $(count_of "$1" "$2") events '$2', not $3"
}

file=$work/run.jsonl
event 1 ok alice wheat >"$file"
serve "$file"
becomes /api/status 'd["total_invocations"]' 1

echo "-- as they happen, and a status"
stream "$work/all" "$url/api/events"
all=$streamer
stream "$work/failed" "$url/api/events?success=no&artifact_id=ore&only=invocations"
failed=$streamer
until_count "$work/all" status 1
sleep 0.3
for i in 2 3 4; do event $i ok bob wheat; done >>"$file"
until_count "$work/all" invocation 3
event 5 timeout bob ore >>"$file"
event 6 timeout bob wheat >>"$file"
until_count "$work/all" invocation 5
until_count "$work/failed" invocation 1
# one a second at most, and a second's tick may come just before it is allowed
last_status() {
	grep '^data: {"state"' "$work/all" | tail -n 1
}
for _ in $(seq 100); do
	[[ $(last_status) == *'"total_invocations":6'* ]] && break
	sleep 0.1
done
kill "$all" "$failed"
assert_eq "only failures of ore" 1 "$(count_of "$work/failed" invocation)"
assert_eq "no status when it is not asked for" 0 "$(count_of "$work/failed" status)"
assert_contains "the last status" '"total_invocations":6' "$(last_status)"
assert_contains "the call" '"artifact_id":"ore","method":"buy","success":false' "$(grep '^data: {"tick"' "$work/failed")"

echo "-- resumed: what came since, once"
third=$(sed -n 's/^id: //p' "$work/all" | sed -n 3p)
stream "$work/resumed" -H "Last-Event-ID: $third" "$url/api/events?only=invocations"
until_count "$work/resumed" invocation 2
kill "$streamer"
assert_eq "what was missed" "$(grep '^data: {"tick"' "$work/all" | tail -n 2)" "$(grep '^data: {"tick"' "$work/resumed")"
for id in nonsense ffff-1 "${third%-*}-fffff"; do
	stream "$work/strange" -H "Last-Event-ID: $id" "$url/api/events?only=invocations"
	until_count "$work/strange" reset 1
	until_count "$work/strange" invocation 6
	kill "$streamer"
done

echo "-- another file: told so, and all of it comes"
stream "$work/anew" "$url/api/events?only=invocations"
sleep 0.3
event 7 ok carol salt >"$work/new"
mv "$work/new" "$file"
until_count "$work/anew" reset 1
until_count "$work/anew" invocation 1
kill "$streamer"
stop_server

echo "-- fast: every call is sent once, or is in a count of skipped ones"
serve --keep 20000 fast
stream "$work/fast" "$url/api/events?only=invocations"
for _ in $(seq 300); do # what was called before the stream began is not in it
	grep -q '^retry:' "$work/fast" && break
	sleep 0.1
done
observed env INVREG_SESSION=fast "$hosts/threads" --threads 2 --calls 20000 --work-us 20 >/dev/null
becomes /api/status 'd["total_invocations"], d["state"]' "(40000, 'ended')"
python3 - "$work/fast" "$url" <<'PYTHON' || fail "events that are gone"
import json, sys, time, urllib.request


def ask_missed():  # known once the server has read that far, which totals do not wait for
    return json.load(urllib.request.urlopen(sys.argv[2] + "/api/status"))["events"]["missed"]


def add_up():
    calls, skipped, ids = 0, 0, set()
    for block in open(sys.argv[1], encoding="utf-8").read().split("\n\n")[:-1]:
        lines = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if lines.get("event") == "invocation":
            assert lines["id"] not in ids, lines
            ids.add(lines["id"])
            calls += len(json.loads(lines["data"])) == 10
        elif lines.get("event") == "skipped":
            skipped += json.loads(lines["data"])["count"]
    return calls, skipped

for _ in range(50):  # until the last has come
    calls, skipped = add_up()
    missed = ask_missed()
    if calls + skipped + missed >= 40000:
        break
    time.sleep(0.2)
print(f"{calls} sent, {skipped} skipped, {missed} missed by the server")
assert calls + skipped + missed == 40000, (calls, skipped, missed)
PYTHON
kill "$streamer"

echo "-- and lists are newest first over all threads, however fast they were"
stop_server
serve flood
observed env INVREG_SESSION=flood "$hosts/threads" --threads 3 --calls 300000 >/dev/null
becomes /api/status 'd["state"], d["total_invocations"]' "('ended', 900000)"
for offset in 0 5000 20000; do
	assert_eq "order from $offset on" True "$(ask "/api/invocations?limit=1000&offset=$offset" \
		'[c["timestamp"] for c in d] == sorted((c["timestamp"] for c in d), reverse=True) and len(d) == 1000')"
done
stop_server

echo "-- streams end with the server"
serve "$file"
stream "$work/end" "$url/api/events"
until_count "$work/end" status 1
stop_server
wait "$streamer" || true

echo "-- streams that nobody reads do not stop the rest; there is an end to their number"
serve "$file"
for _ in $(seq 260); do
	curl -sN --limit-rate 1 "$url/api/events" >/dev/null 2>&1 &
done
sleep 1
assert_eq "one too many" 503 "$(status_code /api/events)"
assert_eq "the rest" 200 "$(status_code /api/status)"
