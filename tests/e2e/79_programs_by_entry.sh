#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The entry tier on programs that nobody here wrote, against gdb's count of the same calls in a
# run without the shim: lua5.4, which has its library inside, so that no call crosses objects;
# apt-cache, whose C++ library compares versions through a virtual method; and redis-server,
# which exports its functions for its own backtraces, against its own statistics.
. "$(dirname "$0")/lib.sh"
need gdb python3
done_any=

calls_by_gdb() { # SYMBOL COMMAND...
	local symbol=$1
	shift
	cat >"$work/break.gdb" <<GDB
set debuginfod enabled off
set confirm off
set breakpoint pending on
break $symbol
ignore 1 100000000
run
info breakpoints
GDB
	SHELL=/bin/sh gdb -nx -batch -x "$work/break.gdb" --args "$@" 2>&1 |
		sed -n 's/.*breakpoint already hit \([0-9]*\) times.*/\1/p'
}

compare() { # SYMBOL COMMAND...
	local by_gdb symbol=$1
	shift
	by_gdb=$(calls_by_gdb "$symbol" "$@")
	[[ -n $by_gdb ]] || skip "gdb cannot trace a program here, or $1 made no call of $symbol"
	forget_sessions
	same_output "$@"
	snapshot_json "$(session)" >"$work/s.json"
	assert_eq "tier for $1" entry "$(json "$work/s.json" 'd["probes"][0]["tier"]')"
	assert_eq "calls of $symbol in $1 against gdb" "$by_gdb" "$(json "$work/s.json" 'total()')"
	assert_eq "in flight in $1" 0 "$(json "$work/s.json" 'd["status"]["in_flight"]')"
	echo "$1: $by_gdb calls of $symbol"
	done_any=yes
}

if command -v lua5.4 >/dev/null; then
	cat >"$work/script.lua" <<'LUA'
local function handler() error("again") end
local ok, runtime, bad = 0, 0, 0
for i = 1, 1000 do
	if i % 10 == 0 then xpcall(error, handler, "secret") bad = bad + 1
	elseif i % 3 == 0 then pcall(error, "secret" .. i) runtime = runtime + 1
	else pcall(function() return i end) ok = ok + 1 end
end
print(ok, runtime, bad)
LUA
	probes=$root/preload/probes/lua.ini
	compare lua_pcallk lua5.4 "$work/script.lua"
	# By hand: each tenth, each third of the others, the rest.
	assert_eq "what the script counted" "600 300 100" "$(tr '\t' ' ' <"$work/observed.out")"
	assert_eq "failures of lua5.4" "[('error_in_handler', 100), ('runtime', 300)]" \
		"$(json "$work/s.json" 'sorted(d["artifacts"][0]["failure_types"].items())')"
else
	echo "skip lua5.4: not installed"
fi

library=$(ldd "$(command -v apt-cache)" 2>/dev/null | awk '$1 ~ /^libapt-pkg/ { print $3 }')
if [[ -n $library ]]; then
	method=_ZN19debVersioningSystem12DoCmpVersionEPKcS1_S1_S1_
	cat >"$work/apt.ini" <<INI
[probe versions]
target      = $method
bind        = entry
signature   = int (ptr self, ptr a, ptr a_end, ptr b, ptr b_end)
artifact_id = "versions"
INI
	probes=$work/apt.ini
	compare $method "$(command -v apt-cache)" -o APT::Cache-Limit=0 policy bash libc6 dpkg
else
	echo "skip apt-cache: not here"
fi
# A server with clients; it counts its commands itself, the one that asks not yet.
redis() {
	redis-cli -s "$work/redis.sock" "$@"
}

if command -v redis-server redis-benchmark >/dev/null; then
	cat >"$work/redis.ini" <<'INI'
[probe call]
target      = program:call
bind        = entry
signature   = void (ptr client, int args_count)
artifact_id = "call"
[probe processCommand]
target      = program:processCommand
bind        = entry
signature   = int (ptr client)
artifact_id = "processCommand"
success     = return == 0
INI
	probes=$work/redis.ini
	forget_sessions
	observed redis-server --port 0 --unixsocket "$work/redis.sock" --save '' --appendonly no \
		--dir "$work" --daemonize no >"$work/redis.log" 2>&1 &
	server=$!
	for _ in $(seq 200); do
		[[ ! -S $work/redis.sock ]] || break
		sleep 0.05
	done
	redis-benchmark -s "$work/redis.sock" -n 5000 -c 20 -P 4 -q -t set,get,incr,lpush >/dev/null
	assert_eq "a value" "[OK] [5000]" "$(printf '[%s] [%s]' "$(redis set x 4999)" "$(redis incr x)")"
	commands=$(redis info stats | tr -d '\r' | sed -n 's/^total_commands_processed://p')
	redis shutdown nosave || true
	status_of wait $server
	assert_eq "redis-server's exit status" 0 "$status"
	snapshot_json "$(session)" >"$work/s.json"
	assert_eq tiers "['entry', 'entry']" "$(json "$work/s.json" '[p["tier"] for p in d["probes"]]')"
	# INFO itself and SHUTDOWN, which does not return, come after its count.
	assert_eq "commands of redis-server against its own count" "$((commands + 1))" \
		"$(json "$work/s.json" '[a["total_invocations"] for a in d["artifacts"] if a["artifact_id"] == "call"][0]')"
	assert_eq "what did not return" "['call', 'processCommand']" \
		"$(json "$work/s.json" 'sorted(c["artifact_id"] for c in d["never_returned"])')"
	echo "redis-server: $commands commands"
	done_any=yes
else
	echo "skip redis-server: not installed"
fi
[[ -n $done_any ]] || skip "none of the programs is here"
