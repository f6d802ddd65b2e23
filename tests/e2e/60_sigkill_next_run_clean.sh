#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGKILL of the program, then of `invreg run`: what returned is there, the next run is clean.
. "$(dirname "$0")/lib.sh"
need python3

for round in 1 2 3 4 5; do
	forget_sessions
	rm -f "$work/truth"
	env "LD_PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" \
		"$hosts/threads" --threads 4 --calls 4000000000 --truth "$work/truth" >/dev/null 2>&1 &
	victim=$!
	sleep "0.$((round * 7 % 10 + 2))"
	kill -9 "$victim"
	wait "$victim" 2>/dev/null || true
	snapshot_json "$(session)" >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth" --killed
	echo "round $round: $(json "$work/snapshot.json" 'total()') calls before the kill"
	open=$(json "$work/snapshot.json" 'len(d["in_flight"]) + len(d["never_returned"])')
	((open <= 4)) || fail "$open calls open in 4 threads"
done

# the next run beside the dead one, in the same directory
dead=$(session)
rm -f "$work/truth"
run --session after -- "$hosts/threads" --threads 4 --calls 10000 --truth "$work/truth" >/dev/null
snapshot_json after >"$work/snapshot.json"
compare_truth "$work/snapshot.json" "$work/truth"
invreg ls | grep -q "$dead" || fail "the dead session is not listed"

# the reader is killed: the program goes on, and what it did is there
rm -f "$work/truth"
"$build/invreg" run --session orphan -p "$work/target.ini" -o "$work/orphan.jsonl" -- \
	"$hosts/ballast" --calls 2000 --work-us 500 --truth "$work/truth" >"$work/orphan.out" 2>/dev/null &
reader=$!
sleep 0.4
kill -9 "$reader"
wait "$reader" 2>/dev/null || true
host_ends "$work/orphan.out" 10 || fail "the program did not survive its reader"
snapshot_json orphan >"$work/snapshot.json"
compare_truth "$work/snapshot.json" "$work/truth"
