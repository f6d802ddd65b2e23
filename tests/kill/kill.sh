#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Kills an observed program: N times at random, and once (at the first and the 100th
# passage) at each test point of the -DINV_TEST_POINTS build. After each: no completed call
# is missing, no tally is torn, what was open is named, and the lane's invariant holds.
#   tests/kill/kill.sh [N]        seed printed; KILL_SEED=n repeats a run
. "$(dirname "$0")/../e2e/lib.sh"
need python3

count=${1:-1000}
RANDOM=${KILL_SEED:-$$}
echo "kill: $count at random, seed ${KILL_SEED:-$$}"

# after HOW: checks the session of a program that was killed
after() {
	local name=$1
	snapshot_json "$name" >"$work/snapshot.json" || fail "$2: snapshot fails"
	compare_truth "$work/snapshot.json" "$work/truth" --killed
	invreg events "$name" >"$work/events.jsonl" || fail "$2: events fail"
	python3 - "$work/snapshot.json" "$work/events.jsonl" "$threads" <<'PY' || fail "$2: see above"
import json, sys
snapshot = json.load(open(sys.argv[1]))
threads = int(sys.argv[3])
open_calls = len(snapshot["never_returned"]) + len(snapshot["in_flight"])
deepest = threads * 3
assert open_calls <= deepest, f"{open_calls} calls open in {threads} threads"
for call in snapshot["never_returned"] + snapshot["in_flight"]:
    assert call["artifact_id"].startswith("artifact_"), call
seen = set()
for line in open(sys.argv[2]):
    event = json.loads(line)
    kind = event["event_type"]
    if not kind.startswith("invoke_") or kind == "invoke_stats":
        continue
    # torn events would mix names, ticks and threads of different calls
    assert event["artifact_id"].startswith("artifact_"), event
    assert event["invoker_id"].startswith(("invoker_", "worker_", "handler_")), event
    assert (kind, event["call"]) not in seen, f"twice: {event}"
    seen.add((kind, event["call"]))
PY
}

one() { # HOW PROGRAM...: observes it until it dies; sets status
	status=0
	forget_sessions
	rm -f "$work/truth"
	"${@:2}" >/dev/null 2>&1 &
	wait $! 2>/dev/null || status=$?
	[[ $status == 137 || $status == 0 ]] || fail "$1: exit status $status"
	# killed in the constructor, before main could make its truth: then there is no call
	[[ -e $work/truth ]] || "$hosts/threads" --calls 0 --truth "$work/truth" >/dev/null
	if [[ -n $(find "$INVREG_DIR" -name '*.seg') ]]; then
		after "$(session)" "$1"
	fi
}

kill_at_random() { # LOAD...
	local victim
	"${@}" >/dev/null 2>&1 &
	victim=$!
	sleep "0.0$((RANDOM % 90 + 10))"
	kill -9 "$victim" 2>/dev/null || true
	wait "$victim" 2>/dev/null || return 137
}

for ((i = 0; i < count; i++)); do
	threads=$((RANDOM % 3 + 1))
	case $((RANDOM % 3)) in
	0) load=(threads --threads "$threads" --calls 4000000000) ;;
	1) load=(nest --threads "$threads" --calls 4000000000 --depth 3) ;;
	2) load=(churn --threads "$threads" --calls 200 --depth 100000) ;;
	esac
	one "random kill $i of ${load[*]}" kill_at_random env "LD_PRELOAD=$preload" \
		"INVREG_PROBES=$work/target.ini" "$hosts/${load[0]}" "${load[@]:1}" --truth "$work/truth"
done
echo "kill: $count random kills, nothing missing, nothing torn"

shim=$build/tp/libinvreg_preload.so
[[ -e $shim ]] || fail "no build with test points: make tp"
points=$(awk '/define INV_TEST_POINTS_LIST/ { on = 1; next } on && /X\(/ { gsub(/[^a-z_]/, ""); print; next } { on = 0 }' \
	"$root/shm/testpoint.h")
passages=(1 100)
((count < 1000)) || passages=(1 2 3 100)
reached=0
total=0
threads=2
for point in $points; do
	died=0
	for passage in "${passages[@]}"; do
		for load in "nest --threads 2 --calls 300 --depth 3" "longjmps --calls 300 --depth 3" \
			"churn --threads 2 --calls 20 --depth 20" "signals --threads 1 --calls 100000 --rate-us 100"; do
			read -ra words <<<"$load"
			one "$point:$passage in $load" env "LD_PRELOAD=$shim" "INVREG_PROBES=$work/target.ini" \
				"INVREG_TEST_POINT=$point:$passage" "$hosts/${words[0]}" "${words[@]:1}" --truth "$work/truth"
			if [[ $status == 137 ]]; then
				died=1
				break
			fi
		done
		# not reached once: then not a hundred times either
		((died)) || break
	done
	total=$((total + 1))
	if ((died)); then
		reached=$((reached + 1))
	else
		echo "kill: $point is not on the way of these loads"
	fi
done
echo "kill: died at $reached of $total test points, nothing missing, nothing torn"
((reached * 2 > total)) || fail "most test points were never reached"
