#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Clocks that are not what they were. Processes in time namespaces of their own, where boottime
# and monotonic are days off: one session, civil times and durations right. The civil clock
# stepped by an hour: stepping that of the machine would disturb it, and no namespace has one
# of its own, so the anchors of a saved session are set to what a step leaves behind; it is
# told, times before it stay, times after it follow, durations and totals are the same.
. "$(dirname "$0")/lib.sh"
need python3 unshare

events_of() { # SESSION: pid, first and last start in seconds, longest of the shortest half, count
	invreg events "$1" 2>/dev/null | python3 -c '
import collections, datetime, json, sys
starts, took = collections.OrderedDict(), []
for line in sys.stdin:
    e = json.loads(line)
    if e["event_type"] == "invoke_attempt":
        at = datetime.datetime.fromisoformat(e["timestamp"].replace("Z", "+00:00"))
        starts.setdefault(e["pid"], []).append(at.timestamp())
    elif "duration_ms" in e:
        took.append(e["duration_ms"])
assert all(t == sorted(t) for t in starts.values()), "times go back within a process"
took.sort()
for pid, t in starts.items():
    print(pid, t[0], t[-1], took[len(took) // 2], len(t))'
}

# ---- time namespaces ---------------------------------------------------------------------------

began=$(date +%s)
host="'$hosts/ballast' --calls 400 --work-us 50 >/dev/null"
if [[ $(id -u) == 0 ]] && unshare -T --boottime 1000 --fork true 2>/dev/null; then
	run --session spaces -- bash -c "$host
		LD_PRELOAD= unshare -T --boottime 1000000 --monotonic 5000000 --fork bash -c \"LD_PRELOAD=\$LD_PRELOAD $host\"
		LD_PRELOAD= unshare -T --boottime -5000 --monotonic -5000 --fork bash -c \"LD_PRELOAD=\$LD_PRELOAD $host\"
		$host"
	events_of spaces >"$work/spaces"
	assert_eq "processes" 4 "$(wc -l <"$work/spaces")"
	while read -r pid first last middle count; do
		python3 -c "import sys; sys.exit(not ($began - 1 <= $first <= $last <= $(date +%s) + 1 and 0.049 < $middle < 5 and $count == 400))" ||
			fail "process $pid: from $first to $last, $count calls of $middle ms; the test began at $began"
	done <"$work/spaces"
	echo "right: four processes in three time namespaces"
else
	echo "no right to make a time namespace"
fi

# ---- a step ------------------------------------------------------------------------------------

run --session steady -- bash -c "$host; sleep 0.3; $host; sleep 0.3"
invreg snapshot steady -o "$work/steady.seg"
# [PROCS] is the second region; a row's anchor is at 32, its realtime 8 behind; `taken` at 304
python3 - "$work/steady.seg" "$work/stepped.seg" <<'PY'
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
procs = struct.unpack_from("<Q", data, 64 + 16)[0]
hour = 3600 * 10**9
rows = [procs + 1024 * i for i in range(256) if struct.unpack_from("<q", data, procs + 1024 * i + 40)[0]]
assert len(rows) >= 2, rows
for at in (rows[-1] + 40, 304 + 8):
    struct.pack_into("<q", data, at, struct.unpack_from("<q", data, at)[0] + hour)
open(sys.argv[2], "wb").write(data)
PY
for name in steady stepped; do
	events_of "$work/$name.seg" >"$work/$name"
	invreg snapshot "$work/$name.seg" --format json >"$work/$name.json"
done
assert_eq "steps of a steady clock" 0 "$(json "$work/steady.json" 'd["status"]["clock_steps"]')"
assert_eq "steps of the stepped one" 1 "$(json "$work/stepped.json" 'd["status"]["clock_steps"]')"
paste -d ' ' "$work/steady" "$work/stepped" >"$work/both"
assert_eq "processes" 2 "$(wc -l <"$work/both")"
row=0
while read -r _ first last middle count _ first_after last_after middle_after count_after; do
	python3 -c "import sys; sys.exit(not (abs($first_after - $first - $row * 3600) < 0.001
		and abs($last_after - $last - $row * 3600) < 0.001 and abs($middle - $middle_after) < 0.001
		and $count == $count_after))" || fail "process $row: $first to $last, after the step $first_after to $last_after"
	row=$((row + 1))
done <"$work/both"
same='[(a["artifact_id"], a["total_invocations"], a["failed"], a["p50_ms"], a["max_ms"]) for a in d["artifacts"]]'
assert_eq "totals and durations" "$(json "$work/steady.json" "$same")" "$(json "$work/stepped.json" "$same")"
echo "right: a civil clock stepped by an hour"
