#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the server's answers cost, at 4 connections on loopback: medians with 10,000 and with
# 1,000,000 kept events, with 1,000 half-open connections beside them; and what the observed
# program notices of a server that is asked as fast as it can be. Ratios, taken in turns.
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/../e2e/serve_lib.sh"
for tool in wrk curl python3; do
	command -v $tool >/dev/null || { echo "server: $tool is not installed: not measured"; exit 0; }
done

broken=0
judge() { # WHAT VALUE OP LIMIT
	if awk -v a="$2" -v b="$4" "BEGIN { exit !(a $3 b) }"; then
		echo "  $1: $2 (budget $3 $4)"
	else
		echo "  $1: $2 BREAKS THE BUDGET $3 $4"
		broken=1
	fi
}

median_us() { # URL: in one second
	wrk -t 1 -c 4 -d 1s --latency "$1" | python3 -c '
import re, sys
text = sys.stdin.read()
if "Non-2xx" in text:
    sys.exit(text)
value, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", text).groups()
print(float(value) * {"us": 1, "ms": 1e3, "s": 1e6}[unit])'
}

middle() { # NUMBER...
	printf '%s\n' "$@" | sort -g | sed -n "$(($# / 2 + 1))p"
}

ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f\n", a / b }'
}

# `in_turns URL URL`: the second's median to the first's, and both, middles of seven
in_turns() {
	local ratios=() first=() second=() a b
	for turn in 1 2 3 4 5 6 7; do
		if ((turn % 2)); then
			a=$(median_us "$1") b=$(median_us "$2")
		else
			b=$(median_us "$2") a=$(median_us "$1")
		fi
		ratios+=("$(ratio "$b" "$a")") first+=("$a") second+=("$b")
	done
	echo "$(middle "${ratios[@]}") $(middle "${first[@]}") $(middle "${second[@]}")"
}

start() { # KEEP: $server and $url serve so many events of the session
	serve --keep "$1" large
	becomes /api/status 'd["state"], d["events"]["served"]' "('ended', $1)"
}

echo "server:"
observed env INVREG_SIZE=1073741824 INVREG_SESSION=large "$hosts/threads" --threads 2 \
	--calls 600000 >/dev/null
paths=(/api/artifacts/artifact_3/invocations '/api/invocations?artifact_id=artifact_3&limit=100')
start 10000
small=$url small_server=$server
start 1000000
for path in "${paths[@]}"; do
	read -r growth few many <<<"$(in_turns "$small$path" "$url$path")"
	judge "$path, median in us with 10,000 events" "$few" "<=" 1000
	judge "$path, median in us with 1,000,000 events" "$many" "<=" 1000
	judge "$path, 1,000,000 events to 10,000" "$growth" "<=" 1.2
done

python3 -c '
import resource, socket, sys, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
host, port = sys.argv[1].removeprefix("http://").split(":")
def half():
    s = socket.create_connection((host, int(port)))
    s.send(b"GET / HTTP/1.1\r\nHo")
    return s
halves = [half() for _ in range(1000)]
print("open", flush=True)
while True:
    time.sleep(15)
    halves = [half() for _ in halves]  # before their time is up' "$url" >"$work/halves" &
halves=$!
for _ in $(seq 100); do
	grep -q open "$work/halves" && break
	sleep 0.1
done
read -r beside _ <<<"$(in_turns "$small${paths[1]}" "$url${paths[1]}")"
kill "$halves"
wait "$halves" || true
judge "with 1,000 half-open connections, to without" "$(ratio "$beside" "$growth")" "<=" 1.2
kill "$small_server"
stop_server

# The program's own time a call, with a server that is asked without a pause and with one
# that is not asked: what its calls take must not change. Both run beside a load of wrk, so
# that the cores are as busy: once on this server, once on another one.
cpu_ns() { # the CPU time of a run of the host, in ns a call
	python3 - "$@" <<'PYTHON'
import os, resource, subprocess, sys
subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print((used.ru_utime + used.ru_stime) * 1e9 / int(sys.argv[1]))
PYTHON
}

event 1 ok a b >"$work/other.jsonl"
serve "$work/other.jsonl"
other=$url other_server=$server
ratios=()
for turn in 1 2 3 4 5 6 7; do
	forget_sessions
	serve pair$turn
	declare -A cost=()
	order=("$other" "$url")
	((turn % 2)) && order=("$url" "$other")
	for asked in "${order[@]}"; do
		wrk -t 1 -c 4 -d 60s "$asked/api/invocations?limit=100" >/dev/null &
		load=$!
		cost[$asked]=$(cpu_ns 3000000 env "LD_PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" \
			"INVREG_SESSION=pair$turn" "$hosts/ballast" --calls 3000000)
		kill "$load"
		wait "$load" 2>/dev/null || true
	done
	ratios+=("$(ratio "${cost[$url]}" "${cost[$other]}")")
	stop_server
done
echo "  each turn: ${ratios[*]}"
judge "the program's CPU time, its server asked flat out, to another's (median of 7)" \
	"$(middle "${ratios[@]}")" "<=" 1.05
kill "$other_server"
wait "$other_server" || true
exit $broken
