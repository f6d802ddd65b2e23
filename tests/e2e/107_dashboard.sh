#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The page in a real browser: rows move while the demo runs, filters narrow, failures show by
# type, hostile names stay text, losses are told, it goes on after the server was away, works by
# keyboard and on a phone, stays quick with 1,000 artifacts; and it asks no other host.
# skip-under: address thread: the page is to be quick, and its server is not
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/serve_lib.sh"
need python3 curl chromium chromedriver

probes=$root/preload/probes/executor.ini
# shellcheck disable=SC2317 # by the trap
on_exit() {
	local status=$?
	set +e # an exit status below is no end
	[[ -f $work/again.pid ]] && kill "$(cat "$work/again.pid")" 2>/dev/null
	(exit "$status")
	cleanup
}
trap on_exit EXIT

# The program itself is the job, so that it ends with the test.
program() { # HOST ARGS...
	env "LD_PRELOAD=$preload" "INVREG_PROBES=$probes" "$@" >/dev/null &
	program=$!
}

page() { # PART ARGS...
	python3 "$root/tests/e2e/dashboard.py" "$work" "$@" || fail "the page: $1"
}

echo "-- live: the demo"
serve
program "$hosts/ecology" --ticks 100000 --threads 2
becomes /api/status 'd["total_invocations"] > 100' True
page live "$url"

echo "-- the server goes away and comes back on the same port"
port=${url##*:}
cat >"$work/again.sh" <<SH
kill $server
while kill -0 $server 2>/dev/null; do sleep 0.05; done
sleep 1
exec "$build/invreg" serve --listen 127.0.0.1:$port 2>"$work/again.err"
SH
page away "$url" "$work/again.sh"
kill "$(cat "$work/again.pid")"
kill "$program"

echo "-- names that are code, and every outcome"
hostile='<img src=x onerror=alert(1)>'
for i in 1 2 3 4 5; do
	event "$i" ok "$hostile" "$hostile" 2
done >"$work/hostile.jsonl"
{
	event 6 '<script>alert(2)</script>' "a\"b'c&d" 'path/with%2Fslash' 3
	event 7 timeout 'javascript:alert(3)' '漢字 and é' 4
	event 8 open 'waits' "$hostile" 4
} >>"$work/hostile.jsonl"
serve "$work/hostile.jsonl"
page hostile "$url" "$work/hostile.jsonl"
stop_server

echo "-- events were lost"
forget_sessions
run --session lost -- "$hosts/ecology" --ticks 3000 --fast --quiet >/dev/null
serve lost
for _ in $(seq 100); do # until all is read
	count=$(ask /api/status 'd["events_lost"]')
	((count == 0)) || break
	sleep 0.1
done
page lost "$url" "$count"
stop_server

echo "-- 1,000 artifacts, and many calls, while more come"
python3 "$root/tests/e2e/many_calls.py" "${CALLS:-200000}" 2000 >"$work/many.jsonl" &
serve "$work/many.jsonl" --keep 1M
for _ in $(seq 60); do
	(($(ask /api/status 'd["total_invocations"]') >= ${CALLS:-200000})) && break
	sleep 1
done
page many "$url"
