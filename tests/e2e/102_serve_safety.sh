#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Who may ask, and what a client can not do: Host, token, large heads, slow and half-open
# connections; what --listen takes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/serve_lib.sh"
need python3 curl

event 1 ok alice wheat >"$work/run.jsonl"

echo "-- Host: an address, localhost, and what is allowed; a rebound name is refused"
serve "$work/run.jsonl" --allow-host sim.example,Other.example
for host in localhost LOCALHOST:99 127.0.0.1 127.0.0.1:8080 '[::1]:8080' 192.0.2.7 sim.example sim.example:80 other.example; do
	assert_eq "Host: $host" 200 "$(status_code /api/status -H "Host: $host")"
done
for host in evil.example evil.example:8080 localhost.evil.example 127.0.0.1.evil.example xsim.example '' '[::1' 'a b' ':80' 'sim.example:x' '127.0.0.1:80@evil.example'; do
	assert_eq "Host: $host" 403 "$(status_code /api/status -H "Host;" -H "Host: $host")"
	assert_contains "Host: $host" '{"detail":"this Host is not allowed here' "$(cat "$work/body")"
done
assert_eq "a page, too" 403 "$(status_code / -H 'Host: evil.example')"

echo "-- no CORS, no sniffing, a strict policy for scripts"
headers=$(curl -si -H 'Origin: http://evil.example' "$url/")
[[ ${headers,,} != *access-control* ]] || fail "CORS: $headers"
assert_contains "policy" "Content-Security-Policy: default-src 'none'; script-src 'self';" "$headers"
assert_contains "sniffing" "X-Content-Type-Options: nosniff" "$headers"
assert_contains "type" "Content-Type: text/html; charset=utf-8" "$headers"
[[ $headers != *unsafe-* ]] || fail "the policy allows what is unsafe: $headers"
assert_contains "of the API, too" "Content-Security-Policy: default-src 'none'" "$(curl -si "$url/api/status")"

echo "-- heads that are too large, requests that are none"
large=$(head -c 40000 /dev/zero | tr '\0' a)
code=$(status_code "/api/invocations?artifact_id=$large" || true)
[[ $code == 414 || $code == 431 || $code == 413 ]] || fail "a path of 40 KB: $code"
code=$(status_code /api/status -H "X-Large: $large" || true)
[[ $code == 431 || $code == 413 ]] || fail "a header of 40 KB: $code"
name=$(head -c 1023 /dev/zero | tr '\0' a)
assert_eq "the longest name" 200 "$(status_code "/api/artifacts/${name//a/%61}/invocations")"
python3 - "$url" <<'PYTHON' || fail "requests that are none"
import socket, sys
host, port = sys.argv[1].removeprefix("http://").split(":")
for junk in b"\0" * 100, b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", b"\r\n" * 2000:
    with socket.create_connection((host, int(port)), timeout=5) as s:
        s.sendall(junk)
        s.settimeout(0.3)
        try:
            assert s.recv(4096)[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 505"), junk
        except (TimeoutError, ConnectionResetError):
            pass  # it waits for more, and ends that when the time is up: below
PYTHON
assert_eq "it is still there" 200 "$(status_code /healthz)"

echo "-- a connection serves many requests, also when they do not wait for their answers"
python3 - "$url" <<'PYTHON' || fail "requests on one connection"
import socket, sys
host, port = sys.argv[1].removeprefix("http://").split(":")
def answers(requests, last):
    with socket.create_connection((host, int(port)), timeout=10) as s:
        s.sendall(requests)
        text = b""
        while last not in text:
            more = s.recv(65536)
            assert more, "closed after %r" % text[-200:]
            text += more
        return text
head = b" HTTP/1.1\r\nHost: localhost\r\n"
ids = [b"/api/artifacts/%d/invocations" % i for i in range(50)]
text = answers(b"".join(b"GET " + i + head + b"\r\n" for i in ids), b'"artifact_id":"49"')
places = [text.index(b'"artifact_id":"%d"' % i) for i in range(50)]
assert places == sorted(places) and text.count(b"HTTP/1.1 200") == 50, text
# a body is passed over, and what follows it is a request; HEAD has none
text = answers(b"GET /healthz" + head + b"Content-Length: 9\r\n\r\nGET /noth" +
               b"HEAD /metrics" + head + b"\r\n" + b"GET /api/artifacts/x/invocations" + head + b"\r\n", b'"artifact_id":"x"')
assert text.count(b"HTTP/1.1 200") == 3 and b"# HELP" not in text, text
PYTHON

echo "-- 1,000 connections that say half a request, or nothing, or a byte now and then"
python3 - "$url" <<'PYTHON' || fail "half-open connections"
import resource, socket, statistics, sys, threading, time, urllib.request
url = sys.argv[1]
host, port = url.removeprefix("http://").split(":")
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4000), hard))

def median(n=200):
    times = []
    for _ in range(n):
        t = time.perf_counter()
        urllib.request.urlopen(url + "/api/artifacts/wheat/invocations", timeout=5).read()
        times.append(time.perf_counter() - t)
    return statistics.median(times)

median(50)
before = min(median() for _ in range(3))
halves = []
for i in range(1000):
    s = socket.create_connection((host, int(port)), timeout=5)
    if i % 3:
        s.sendall(b"GET /api/status HTTP/1.1\r\nHost: loc")
    halves.append(s)
opened = time.monotonic()
during = min(median() for _ in range(3))
print(f"median {before * 1e6:.0f} us, with 1,000 half-open connections {during * 1e6:.0f} us")
assert during < before * 3 + 0.002, (before, during)

# silence is not what ends them: each says a byte a second
ended = 0
while time.monotonic() - opened < 28 and len(halves) > ended:
    ended = 0
    for s in halves:
        try:
            s.send(b"a")
            ended += 0
        except OSError:
            ended += 1
    time.sleep(1)
assert ended == len(halves), f"{ended} of {len(halves)} were ended in 28 s"
print(f"all were ended after {time.monotonic() - opened:.0f} s")
PYTHON

echo "-- a client that takes no answer is ended, others do not notice"
python3 - "$work/long.jsonl" <<'PYTHON'
import json, sys
with open(sys.argv[1], "w", encoding="utf-8") as f:
    for i in range(1, 2001):
        e = {"event_type": "invoke_failure", "tick": i, "invoker_id": "i", "artifact_id": "a", "method": "m", "error_type": "t", "error_message": "x" * 10000, "duration_ms": 1.0, "timestamp": "2026-11-01T00:00:00.000000Z", "sequence": i, "call": i, "pid": 1, "tid": 1, "depth": 0, "probe": "p", "session": "s"}
        f.write(json.dumps(e) + "\n")
PYTHON
stop_server
serve "$work/long.jsonl"
becomes /api/status 'd["total_invocations"]' 2000
python3 - "$url" "${SAN:+20}" <<'PYTHON' || fail "a client that takes no answer"
import os, socket, sys, urllib.request
host, port = sys.argv[1].removeprefix("http://").split(":")
lazy = []
for _ in range(20):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect((host, int(port)))
    s.sendall(b"GET /api/invocations?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    lazy.append(s)
# twenty answers of 10 MB come first
patience = float(sys.argv[2] or (10 if os.environ.get("INVREG_EMULATED") else 2))
for _ in range(100):
    assert len(urllib.request.urlopen(sys.argv[1] + "/api/invocations?limit=1", timeout=patience).read()) > 10000
PYTHON
stop_server

echo "-- an answer that would be too large is refused, a smaller part of it is given"
python3 - "$work/long.jsonl" "$work/huge.jsonl" <<'PYTHON'
import json, sys
with open(sys.argv[1], encoding="utf-8") as f, open(sys.argv[2], "w", encoding="utf-8") as out:
    for line in list(f)[:1000]:
        out.write(json.dumps(dict(json.loads(line), error_message="x" * 40000)) + "\n")
PYTHON
serve "$work/huge.jsonl"
becomes /api/status 'd["total_invocations"]' 1000
assert_eq "40 MB" 500 "$(status_code '/api/invocations?limit=1000')"
assert_eq "40 MB" '{"detail":"the answer would be too large: ask for less (limit)"}' "$(cat "$work/body")"
assert_eq "20 MB" 200 "$(status_code '/api/invocations?limit=500')"
assert_eq "and it is still there" 200 "$(status_code /healthz)"
stop_server

echo "-- a token"
echo 'correct-horse-battery' >"$work/token"
chmod 644 "$work/token"
status_of invreg serve --listen 127.0.0.1:0 --token-file "$work/token" "$work/run.jsonl" 2>"$work/err"
assert_eq "a token that others can read" 4 "$status"
assert_contains "the remedy" "chmod 600" "$(cat "$work/err")"
chmod 600 "$work/token"
echo short >"$work/short"
chmod 600 "$work/short"
for file in "$work/short" "$work/absent" /dev/zero "$work"; do
	status_of invreg serve --listen 127.0.0.1:0 --token-file "$file" "$work/run.jsonl" 2>"$work/err"
	assert_eq "--token-file $file" 4 "$status"
	assert_eq "one line" 1 "$(wc -l <"$work/err")"
done
serve "$work/run.jsonl" --token-file "$work/token"
for path in / /api/status /metrics /openapi.json /nope /api/events; do
	assert_eq "$path without a token" 401 "$(status_code $path)"
done
for token in wrong correct-horse-batter correct-horse-battery1 ''; do
	assert_eq "token '$token'" 401 "$(status_code /api/status -H "Authorization: Bearer $token")"
	assert_eq "cookie '$token'" 401 "$(status_code /api/status -H "Cookie: invreg_token=$token")"
done
assert_eq "POST tells nothing, either" 401 "$(status_code /api/status -X POST)"
assert_contains "how" "WWW-Authenticate: Bearer" "$(curl -si "$url/api/status")"
assert_eq "the token" 200 "$(status_code /api/status -H 'Authorization: Bearer correct-horse-battery')"
assert_eq "healthz" 200 "$(status_code /healthz)"
assert_eq "a browser's first step" 303 "$(status_code '/?token=correct-horse-battery' -c "$work/jar")"
assert_eq "and its second" 200 "$(status_code / -b "$work/jar")"
assert_contains "not for scripts" "#HttpOnly" "$(cat "$work/jar")"
assert_eq "a wrong first step" 401 "$(status_code '/?token=wrong')"
assert_eq "the token elsewhere" 401 "$(status_code '/api/status?token=correct-horse-battery')"
stop_server

echo "-- --listen"
listens() { # TEXT EXPECTED-URL
	: >"$work/err" # what the one before said is not this one's
	"$build/invreg" serve --listen "$1" "$work/run.jsonl" 2>"$work/err" &
	server=$!
	for _ in $(seq 100); do
		grep -q '^invreg: http' "$work/err" && break
		sleep 0.05
	done
	kill "$server"
	wait "$server" || true
	grep -qE "^invreg: http://$2/\$" "$work/err" || fail "--listen $1: $(cat "$work/err")"
}
listens 127.0.0.1:0 '127\.0\.0\.1:[1-9][0-9]*'
listens 0 '127\.0\.0\.1:[1-9][0-9]*'
listens :0 '127\.0\.0\.1:[1-9][0-9]*'
listens localhost:0 'localhost:[1-9][0-9]*'
listens 0.0.0.0:0 '0\.0\.0\.0:[1-9][0-9]*'
assert_contains "an address of all" "who can reach this address can read everything" "$(cat "$work/err")"
if [[ -e /proc/net/if_inet6 ]] && grep -q '^0*1 ' /proc/net/if_inet6; then
	listens '[::1]:0' '\[::1\]:[1-9][0-9]*'
fi
for text in '' ::1 '[::1' '[::1]:x' '[nonsense]:80' 127.0.0.1:65536 127.0.0.1:-1 127.0.0.1:80x 99999 a:b:c; do
	status_of invreg serve --listen "$text" "$work/run.jsonl" 2>"$work/err"
	assert_eq "--listen '$text'" 2 "$status"
	assert_eq "one line about '$text'" 1 "$(wc -l <"$work/err")"
done
status_of invreg serve --listen no-such-host.invalid:0 "$work/run.jsonl" 2>"$work/err"
assert_eq "no such address" 1 "$status"
serve "$work/run.jsonl"
status_of invreg serve --listen "${url#http://}" "$work/run.jsonl" 2>"$work/err"
assert_eq "an address that is taken" 1 "$status"
assert_contains "the remedy" "give another port" "$(cat "$work/err")"
for option in --keep=x --keep=51M --keep=-1 --metrics-max-series=99 --metrics-max-series=x --no-such; do
	status_of invreg serve $option "$work/run.jsonl" 2>/dev/null
	assert_eq "$option" 2 "$status"
done
stop_server

echo "-- more connections than there is room for: who says nothing goes, who asks is answered"
ulimit -n 200 # for good: it comes last
serve "$work/run.jsonl"
python3 - "$url" <<'PYTHON' || fail "a crowd"
import socket, sys, time, urllib.request
host, port = sys.argv[1].removeprefix("http://").split(":")
crowd = []
for i in range(150):
    s = socket.create_connection((host, int(port)), timeout=5)
    if i % 2:
        s.sendall(b"GET /api/status HTTP/1.1\r\nHost: loc")
    crowd.append(s)
begun, answers = time.monotonic(), 0
while time.monotonic() - begun < 10 and answers < 20:
    try:
        urllib.request.urlopen(sys.argv[1] + "/api/status", timeout=5).read()
        answers += 1
    except OSError:
        time.sleep(0.1)
took = time.monotonic() - begun
print(f"{answers} answers within {took:.1f} s")
assert answers == 20
PYTHON
stop_server
