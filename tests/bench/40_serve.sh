#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the server's answers cost, at 4 connections on loopback: medians with 10,000 and with
# 1,000,000 kept events, with 1,000 idle or half-open connections beside them; and what the observed
# demo simulation notices of a server that is asked as fast as it can be. Ratios, in turns.
part=serve
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/serve_lib.sh"
for tool in wrk curl python3 taskset; do
	command -v $tool >/dev/null || { rows_py absent serve "$tool is not installed: not measured"; exit 0; }
done

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

# `in_turns URL URL`: seven medians each, $first and $second, and their $ratios
in_turns() {
	local a b
	ratios=() first=() second=()
	for turn in 1 2 3 4 5 6 7; do
		if ((turn % 2)); then
			a=$(median_us "$1") b=$(median_us "$2")
		else
			b=$(median_us "$2") a=$(median_us "$1")
		fi
		ratios+=("$(ratio "$b" "$a")") first+=("$a") second+=("$b")
	done
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
	in_turns "$small$path" "$url$path"
	of=artifact
	[[ $path == *\?artifact_id=* ]] && of=filter
	row "serve.$of.10000" "us, median of $path" "${first[@]}"
	row "serve.$of.1000000" "us, median of $path" "${second[@]}"
	row "serve.$of.growth" "x as long with 1,000,000 events" "${ratios[@]}"
	growth=$(middle "${ratios[@]}")
done

python3 -c '
import resource, socket, sys, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
host, port = sys.argv[1].removeprefix("http://").split(":")
def one(i):  # half a request, a whole one and then silence, or nothing at all
    s = socket.create_connection((host, int(port)))
    s.send((b"GET / HTTP/1.1\r\nHo", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"")[i % 3])
    return s
held = [one(i) for i in range(1000)]
print("open", flush=True)
while True:
    time.sleep(15)
    held = [one(i) for i in range(1000)]  # before their time is up' "$url" >"$work/held" &
held=$!
for _ in $(seq 100); do
	grep -q open "$work/held" && break
	sleep 0.1
done
in_turns "$small${paths[1]}" "$url${paths[1]}"
kill "$held"
wait "$held" || true
for i in "${!ratios[@]}"; do
	ratios[i]=$(ratio "${ratios[i]}" "$growth")
done
row serve.idle_connections "x without 1,000 idle or half-open ones" "${ratios[@]}"
kill "$small_server"
stop_server

# The demo simulation, which does next to no work between its calls (--fast), on one core; the
# server and wrk on the other: what is measured is what reading the segment does to who writes
# it, by the memory they share, and not that there is no core left. In turns: not asked, asked
# flat out, asked, not asked; a bare run of the demo beside each tells the overhead from the rest.
if (($(nproc) < 2)); then
	rows_py absent serve.demo_time "one core: not measured"
	judged
	exit
fi
read -r cores < <(taskset -cp $$ | sed 's/.*: //' | tr ',-' '  ')
demo_core=${cores%% *} server_core=${cores##* }
taskset -cp "$server_core" $$ >/dev/null
ticks=100000
demo=(taskset -c "$demo_core" "$hosts/ecology" --fast --ticks "$ticks" --quiet)
calls=$("$hosts/ecology" --fast --ticks "$ticks" | awk '/invocations/ { print $2 + 0 }')

cpu_ns() { # COMMAND...: its CPU time in ns a call
	python3 - "$calls" "$@" <<'PYTHON'
import resource, subprocess, sys
subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print((used.ru_utime + used.ru_stime) * 1e9 / int(sys.argv[1]))
PYTHON
}

# `beside_server SESSION asked|left`: $seen and $bare, ns a call
beside_server() {
	local load=
	forget_sessions
	serve "$1"
	if [[ $2 == asked ]]; then
		wrk -t 1 -c 4 -d 60s "$url/api/invocations?limit=100" >"$work/wrk" &
		load=$!
	fi
	seen=$(cpu_ns env "LD_PRELOAD=$preload" "INVREG_PROBES=$root/preload/probes/executor.ini" \
		"INVREG_SESSION=$1" "${demo[@]}")
	bare=$(cpu_ns "${demo[@]}")
	if [[ -n $load ]]; then
		kill -INT "$load" # it sums up
		wait "$load" || true
		rates+=("$(awk '/^Requests\/sec/ { print int($2) }' "$work/wrk")")
	fi
	becomes /api/status 'd["state"], d["total_invocations"]' "('ended', $calls)"
	stop_server
}

add() { # NUMBER...
	printf '%s\n' "$@" | awk '{ n += $1 } END { print n }'
}

times=() overheads=() rates=() seen_left=() over_left=()
for turn in 1 2 3 4 5 6 7; do
	beside_server "demo$turn-1" left
	left=("$seen") left_bare=("$bare")
	beside_server "demo$turn-2" asked
	asked=("$seen") asked_bare=("$bare")
	beside_server "demo$turn-3" asked
	asked+=("$seen") asked_bare+=("$bare")
	beside_server "demo$turn-4" left
	left+=("$seen") left_bare+=("$bare")
	times+=("$(ratio "$(add "${asked[@]}")" "$(add "${left[@]}")")")
	overhead=$(add "${left[@]}" "${left_bare[@]/#/-}")
	overheads+=("$(ratio "$(add "${asked[@]}" "${asked_bare[@]/#/-}")" "$overhead")")
	seen_left+=("$(awk -v n="$(add "${left[@]}")" 'BEGIN { printf "%.1f", n / 2 }')")
	over_left+=("$(awk -v n="$overhead" 'BEGIN { printf "%.1f", n / 2 }')")
done
note demo "on core $demo_core, the server and wrk on core $server_core: $calls calls, $(middle "${rates[@]}") requests a second"
row serve.demo "ns a call, server left alone" "${seen_left[@]}"
row serve.demo_overhead "ns a call, server left alone" "${over_left[@]}"
row serve.demo_time "x left alone, its server asked flat out" "${times[@]}"
row serve.demo_overhead_asked "x left alone, its server asked flat out" "${overheads[@]}"
judged
