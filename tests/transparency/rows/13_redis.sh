#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# redis-server with clients: what redis-cli was answered, and what redis-benchmark ran.
. "$(dirname "$0")/../lib.sh"
installed redis-server redis-benchmark redis-cli || exit 0

cat >"$given/serve.sh" <<'SH'
redis-server --port 0 --unixsocket "$PWD/socket" --save '' --appendonly no --dir "$PWD" \
	--daemonize no >log 2>&1 &
server=$!
for _ in $(seq 200); do [ ! -S socket ] || break; sleep 0.05; done
redis-benchmark -s socket -n 3000 -c 20 -P 4 -q -t set,get,incr,lpush >benchmark
tr '\r' '\n' <benchmark | grep -o '^[A-Z]*: [0-9.]* requests per second' | sed 's/[0-9.]\+/N/'
redis-cli -s socket <<'COMMANDS'
set x 4999
incr x
lrange list 0 -1
rpush list a b c
lrange list 0 -1
eval "return redis.call('incrby', KEYS[1], ARGV[1])" 1 x 41
eval "return {1, redis.pcall('nonsense'), 'a'}" 0
get list
dbsize
save
COMMANDS
redis-cli -s socket shutdown nosave
wait $server
echo "status $?"
SH
# the log has times and process ids, and the dump the time when it was made
tidy() {
	sed -E -i 's/^[0-9]+:[A-Z] .{24} //; s/pid=[0-9]+/pid=N/; s/PID: [0-9]+/PID: N/; /^_|^ /d; s/[0-9.]+ seconds/N seconds/; /Memory overcommit/d' log
	sed -i 's/RDB memory usage.*//' log
	rm -f benchmark dump.rdb
}

probe call program:call 'void (ptr client, int args_count)' 'artifact_id = "call"'
probe script program:lua_pcall 'int (ptr lua, int args_count, int results, int handler)' \
	'success = return == 0' 'artifact_id = "script"'
program "redis-server, -benchmark, -cli" sh serve.sh
observe entry 12000+
observe auto 12000+

# What it calls in other objects: an exact count by its libc, of strings that are written.
forget_probes
probe write write 'i64 (int fd, ptr bytes, u64 args_count)' 'success = return >= 0' 'artifact_id = "write"'
program "redis-server, -benchmark, -cli" sh serve.sh
observe got 3000+
