#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program killed with 64 threads in three nested calls each: all 192 are named, once, with
# whose they are and how deep; the session's next program takes the lanes over and they stay
# named, as the dead one's; 40 deep, 32 are named and the rest counted.
. "$(dirname "$0")/lib.sh"
need python3

killed() { # THREADS DEPTH: leaves a dead session, $name
	forget_sessions
	rm -f "$work/truth" "$work/out"
	env "LD_PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" "$hosts/blocked" --threads "$1" \
		--calls 100 --depth "$2" --truth "$work/truth" >"$work/out" 2>&1 &
	local program=$!
	for _ in $(seq 1000); do
		grep -q inside "$work/out" && break
		sleep 0.01
	done
	grep -q inside "$work/out" || fail "the host did not get there"
	name=$(session)
	snapshot_json "$name" >"$work/live.json"
	kill -9 "$program"
	wait "$program" 2>/dev/null || true
	snapshot_json "$name" >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth"
}

named() { # FILE THREADS DEPTH: the table is all the calls that are open
	python3 - "$@" <<'PY' || fail "$1"
import collections, json, sys
d, threads, depth = json.load(open(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
rows = d["in_flight"] + d["never_returned"]
seen = collections.Counter((r["invoker_id"], r["artifact_id"], r["method"]) for r in rows)
methods = ("transfer", "query", "bid", "settle")
want = collections.Counter(
    (f"invoker_{t}", f"artifact_{level % 8}", methods[t % 4]) for t in range(threads) for level in range(depth))
missing, more = want - seen, seen - want
assert seen == want, (len(rows), list(missing)[:5], list(more)[:5])
PY
}

killed 64 3
named "$work/live.json" 64 3
assert_eq "in flight while it lived" 192 "$(json "$work/live.json" 'len(d["in_flight"])')"
named "$work/snapshot.json" 64 3
invreg snapshot "$name" -o "$work/copy.seg"
invreg snapshot "$work/copy.seg" --format json >"$work/copy.json"
named "$work/copy.json" 64 3

INVREG_SESSION=$name observed "$hosts/threads" --threads 64 --calls 50 --work-us 20 --truth "$work/truth" >/dev/null
snapshot_json "$name" >"$work/next.json"
compare_truth "$work/next.json" "$work/truth"
named "$work/next.json" 64 3
assert_eq "counted as never returned" 192 \
	"$(json "$work/next.json" 'sum(a["never_returned"] for a in d["artifacts"])')"
echo "named: 192 calls of 64 threads, killed and taken over"

killed 4 40
assert_eq "named" $((4 * 32)) "$(json "$work/snapshot.json" 'len(d["in_flight"]) + len(d["never_returned"])')"
assert_eq "counted" $((4 * 40)) "$(json "$work/snapshot.json" 'd["status"]["in_flight"] + d["status"]["never_returned"]')"
echo "named: 32 of 40 deep in each of 4 threads; all counted"
