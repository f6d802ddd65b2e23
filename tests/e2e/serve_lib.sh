# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# serve_lib.sh - for tests of the server, after lib.sh: one at a port that is free.

# `serve [NAME=]ARGS...`: in the background; $server, $url; what it says in $work/serve.err.
serve() {
	: >"$work/serve.err"
	"$build/invreg" serve --listen 127.0.0.1:0 "$@" 2>"$work/serve.err" &
	server=$!
	url=
	for _ in $(seq 200); do
		url=$(sed -n 's|^invreg: \(http://.*\)/$|\1|p' "$work/serve.err")
		[[ -n $url ]] && curl -sf "$url/healthz" >/dev/null && return
		kill -0 "$server" 2>/dev/null || fail "the server did not start: $(cat "$work/serve.err")"
		sleep 0.05
	done
	fail "the server does not answer: $(cat "$work/serve.err")"
}

stop_server() {
	kill "$server"
	status_of wait "$server"
	assert_eq "exit status of the server" 0 "$status"
}

get() { # PATH
	curl -sS --path-as-is --max-time 10 "$url$1"
}

# `ask PATH EXPRESSION`: a Python expression over d, the JSON that PATH answers with.
ask() {
	get "$1" >"$work/answer.json" || fail "no answer of $1"
	python3 -c '
import json, sys
d = json.load(open(sys.argv[1], encoding="utf-8"))
print(eval(sys.argv[2]))' "$work/answer.json" "$2" || fail "$1: $(cat "$work/answer.json")"
}

# `becomes PATH EXPRESSION VALUE`: within ten seconds
becomes() {
	local value=
	for _ in $(seq 100); do
		value=$(ask "$1" "$2")
		[[ $value == "$3" ]] && return
		sleep 0.1
	done
	fail "$1: $2 is '$value', not '$3'"
}

status_code() { # PATH [CURL OPTIONS...]
	curl -s -o "$work/body" -w '%{http_code}' --path-as-is --max-time 10 "${@:2}" "$url$1"
}

# A file of event lines: `event CALL OUTCOME INVOKER ARTIFACT [MS]`, OUTCOME a type of error or ok
event() {
	python3 -c '
import json, sys
call, outcome, invoker, artifact, ms = sys.argv[1:6]
call = int(call)
head = {"tick": call, "invoker_id": invoker, "artifact_id": artifact, "method": "buy"}
tail = {"sequence": call, "call": call, "pid": 1, "tid": 1, "depth": 0, "probe": "p", "session": "file"}
at = "2026-11-01T00:%02d:%02d.%06dZ" % (call // 60 % 60, call % 60, 0)
print(json.dumps({"event_type": "invoke_attempt", **head, "args_count": 0, "timestamp": at, **tail}))
if outcome == "ok":
    print(json.dumps({"event_type": "invoke_success", **head, "duration_ms": float(ms), "result_type": "int", "timestamp": at, **tail}))
elif outcome != "open":
    print(json.dumps({"event_type": "invoke_failure", **head, "error_type": outcome, "error_message": "no", "duration_ms": float(ms), "timestamp": at, **tail}))
' "$1" "$2" "$3" "$4" "${5:-1.5}"
}
