#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a user tries first: the demo simulation with --serve, curl of its API while it runs,
# grep of run.jsonl; and that run is run with a server beside it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/serve_lib.sh"
need python3 curl

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

run_served() { # ARGS...: in the background, with its stderr in run.err; $runner, $url
	port=$(free_port)
	url=http://127.0.0.1:$port
	"${sanitized[@]}" "$build/invreg" run -p "$probes" --serve="127.0.0.1:$port" "$@" \
		>"$work/run.out" 2>"$work/run.err" &
	runner=$!
	for _ in $(seq 200); do
		curl -sf "$url/healthz" >/dev/null && return
		sleep 0.05
	done
	fail "no server: $(cat "$work/run.err")"
}

probes=$root/preload/probes/executor.ini

echo "-- the demo, served while it runs"
cd "$work"
run_served -o run.jsonl --linger -- "$hosts/ecology" --threads 4
becomes /api/status 'd["state"]' live
becomes /api/invocations 'len(d) > 10' True
assert_eq "ten keys" \
	"['tick', 'timestamp', 'invoker_id', 'artifact_id', 'method', 'success', 'duration_ms', 'error_type', 'error_message', 'result_type']" \
	"$(ask '/api/invocations?limit=1' 'list(d[0])')"
becomes '/api/invocations?artifact_id=genesis_ledger&success=false&limit=5' 'len(d)' 5
assert_eq "filtered" True "$(ask '/api/invocations?artifact_id=genesis_ledger&success=false&limit=5' \
	'all(c["artifact_id"] == "genesis_ledger" and not c["success"] and c["error_type"] for c in d)')"
becomes /api/graph 'any(e["kind"] == "artifact" for e in d["edges"])' True

echo "-- it lingers, with the totals of the whole run; run.jsonl has the same"
becomes /api/status 'd["state"]' ended
for _ in $(seq 100); do
	grep -q 'Ctrl-C ends that' "$work/run.err" && break
	sleep 0.1
done
program=$(sed -n 's/^ *invocations \([0-9]*\): \([0-9]*\) succeeded, \([0-9]*\) failed/\1 \2 \3/p' "$work/run.out")
[[ -n $program ]] || fail "the demo did not say its totals: $(cat "$work/run.out")"
assert_eq "totals" "$program" "$(ask /api/status '"%d %d %d" % (d["total_invocations"], d["successful"], d["failed"])')"
read -r _ successful failed <<<"$program"
assert_eq "one artifact's, as FastAPI's consumers read them" True "$(ask '/api/artifacts/genesis_ledger/invocations' \
	'd["total_invocations"] == d["successful"] + d["failed"] and 0 < d["success_rate"] < 1 and sum(d["failure_types"].values()) == d["failed"]')"
invocations=$(grep -c 'invoke_success\|invoke_failure' "$work/run.jsonl")
assert_eq "outcomes in run.jsonl" "$((successful + failed))" "$invocations"
assert_eq "outcomes served" "$invocations" "$(ask /api/status 'd["events"]["served"]')"
assert_eq "failures in run.jsonl" "$failed" "$(grep -c '"event_type":"invoke_failure"' "$work/run.jsonl")"
kill -TERM "$runner"
status_of wait "$runner"
assert_eq "the demo's own exit status" 0 "$status"

echo "-- without --linger it is up until the command ends; the status is the command's"
probes=$work/target.ini
run_served --quiet -- bash -c "'$hosts/ballast' --calls 3000 --work-us 1000 >/dev/null; exit 7"
becomes /api/status 'd["total_invocations"] > 0' True
status_of wait "$runner"
assert_eq "exit status" 7 "$status"
curl -s "$url/healthz" && fail "it is still there"

echo "-- --serve alone is port 8080 of this machine"
if python3 -c 'import socket; socket.create_server(("127.0.0.1", 8080)).close()' 2>/dev/null; then
	probes=$root/preload/probes/executor.ini
	"${sanitized[@]}" "$build/invreg" run -p "$probes" --serve -o run.jsonl -- "$hosts/ecology" --ticks 40 \
		>"$work/run.out" 2>"$work/run.err" &
	runner=$!
	url=http://127.0.0.1:8080
	for _ in $(seq 100); do
		curl -sf "$url/healthz" >/dev/null && break
		sleep 0.05
	done
	becomes /api/invocations 'len(d) > 10' True
	status_of wait "$runner"
	assert_eq "exit status" 0 "$status"
	assert_contains "where" "invreg: http://127.0.0.1:8080/" "$(cat "$work/run.err")"
	program=$(sed -n 's/^ *invocations \([0-9]*\):.*/\1/p' "$work/run.out")
	assert_eq "outcomes in run.jsonl" "$program" "$(grep -c 'invoke_success\|invoke_failure' run.jsonl)"
	probes=$work/target.ini
else
	echo "   (another program has it: not tried)"
fi

echo "-- killed while it is served: 128 + N"
run_served --quiet -- bash -c 'sleep 1; kill -KILL $$'
status_of wait "$runner"
assert_eq "exit status" 137 "$status"

echo "-- what is refused is refused before the program runs"
port=$(free_port)
python3 -c "
import socket, time
s = socket.socket(); s.bind(('127.0.0.1', $port)); s.listen(); time.sleep(60)" &
until (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.05; done
for wrong in "--serve=127.0.0.1:$port" --serve=127.0.0.1:x --serve= --linger; do
	status_of invreg run -p "$probes" "$wrong" -- touch "$work/ran" 2>"$work/err"
	assert_eq "$wrong" 125 "$status"
	assert_eq "one line about $wrong" 1 "$(wc -l <"$work/err")"
done
[[ ! -e $work/ran ]] || fail "the program was started"
