#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pause, resume and filter on a running Python program: functions that raise, that recurse, and
# coroutines that wait while the session is paused or goes on. Each call is recorded or paused.
. "$(dirname "$0")/lib.sh"
need python3
mapfile -t pythons < <("$root/tests/e2e/pythons.sh")
((${#pythons[@]})) || skip "no CPython 3.8 to 3.14 here"

cat >"$work/target.ini" <<'INI'
[probe call]
target      = python:__main__:World.invoke
invoker_id  = "world"
artifact_id = "ledger"
method      = "invoke"
[probe wait]
target      = python:__main__:World.wait
invoker_id  = "world"
artifact_id = "bell"
method      = "wait"
INI
cat >"$work/world.py" <<'PY'
import asyncio
import signal

stopped = False


def stop(*_):
    global stopped
    stopped = True


class World:
    def invoke(self, i):
        if i % 5 == 0:
            raise ValueError(i)
        return self.invoke(i - 1) if i % 5 == 3 else i

    async def wait(self, i):
        await asyncio.sleep(0)
        return i


async def main():
    world, calls, i = World(), 0, 0
    while not stopped:
        i += 1
        calls += 2 if i % 5 == 3 else 1
        try:
            world.invoke(i)
        except ValueError:
            pass
        if i % 50 == 0:
            calls += 5
            await asyncio.gather(*(world.wait(k) for k in range(5)))
    print(calls)


signal.signal(signal.SIGTERM, stop)
asyncio.run(main())
PY

for python in "${pythons[@]}"; do
	forget_sessions
	env "LD_PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" "${python#* }" "$work/world.py" >"$work/out" &
	host=$!
	for _ in $(seq 250); do
		compgen -G "$INVREG_DIR/*.ctl" >/dev/null && break
		sleep 0.02
	done
	sleep 0.2
	for _ in $(seq 8); do
		invreg pause
		sleep 0.03
		invreg filter --artifact bell
		invreg resume
		sleep 0.03
		invreg filter --clear
		sleep 0.01
	done >"$work/said" 2>&1
	kill -TERM "$host"
	wait "$host" || fail "python ended with $?"
	snapshot_json "$(session)" >"$work/s.json"
	assert_eq "$python: calls recorded + paused" "$(cat "$work/out")" \
		"$(json "$work/s.json" 'total() + d["status"]["calls_paused"]')"
	assert_eq "$python: events kept + lapped + filtered" "$(json "$work/s.json" 'total()')" \
		"$(json "$work/s.json" 'd["status"]["events_kept"] + d["status"]["events_lapped"] + d["status"]["events_filtered"]')"
	assert_eq "$python: open calls" "0 0" "$(json "$work/s.json" '"%d %d" % (d["status"]["in_flight"], d["status"]["never_returned"])')"
	echo "exact: $python: $(cat "$work/out") calls, $(json "$work/s.json" 'lost("paused"), lost("filtered")') paused and filtered"
	paused=$(json "$work/s.json" 'lost("paused")')
	((paused > 0)) || fail "$python: nothing was paused"
done
