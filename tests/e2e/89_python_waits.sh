#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Coroutines that end in another thread than the one that made them, or in any order, leave
# nothing behind: no depth, no call that never returned, and no time taken from each other's own.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3
[[ -z $emulated && -x $python ]] || skip "no $python of this machine"
probes=$work/waits.ini

cat >"$work/waits.ini" <<'INI'
[probe go]
target = python:__main__:W.go
method = "go"
[probe plain]
target = python:__main__:W.plain
method = "plain"
INI
cat >"$work/waits.py" <<'PY'
import asyncio, threading, time

class W:
    async def go(self, seconds):
        await asyncio.sleep(seconds)
    def plain(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass

w = W()
loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever)
thread.start()
for _ in range(100):
    asyncio.run_coroutine_threadsafe(w.go(0), loop).result()
w.plain(0)
loop.call_soon_threadsafe(loop.stop)
thread.join()

async def works():
    await asyncio.sleep(0.1)
    w.plain(0.1)

async def main():
    await asyncio.gather(w.go(0.05), w.go(0.5), works())

asyncio.run(main())
PY
run -q --session waits -o "$work/waits.jsonl" -- "$python" "$work/waits.py"
invreg snapshot waits --format json >"$work/waits.json"
python3 - "$work/waits.json" "$work/waits.jsonl" <<'PY'
import json, sys
snapshot = json.load(open(sys.argv[1]))
status = snapshot["status"]
assert [probe["calls"] for probe in snapshot["probes"]] == [102, 2], snapshot["probes"]
lines = [json.loads(line) for line in open(sys.argv[2])]
assert status["never_returned"] == status["in_flight"] == 0, status
assert status["calls"] == 104, status
depths = {line["depth"] for line in lines if line["event_type"] == "invoke_attempt"}
assert depths == {0}, depths
lost = [row["reason"] for line in lines for row in line.get("lost", [])]
assert "too_deep" not in lost, lost
for line in lines:
    for method in line.get("methods", []):
        whole = method["avg_duration_ms"] * method["total_invocations"]
        assert abs(whole - method["self_ms"]) < 0.01 * whole + 0.01, method
PY
# Each is one call, told whole by where it ended, whoever reads it when.
for how in "events waits" "events waits -f"; do
	# shellcheck disable=SC2086 # a verb and its options
	invreg $how >"$work/lines"
	assert_eq "attempts by $how" 104 "$(grep -c invoke_attempt "$work/lines")"
	assert_eq "outcomes by $how" 104 "$(grep -c invoke_success "$work/lines")"
done
assert_eq "open calls in the history" 0 "$(invreg history "" waits | grep -c '"success":null' || true)"
echo "100 coroutines ended in another thread, three in another order"
