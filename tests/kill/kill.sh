#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Kills an observed program: N times at random, with 1, 2 and 8 threads, with forks and execs
# (then all its processes at once), and at the first and the 100th passage of each test point
# of the -DINV_TEST_POINTS build. After each:
#   - snapshot and events end, and what they print is whole
#   - judge.c finds no torn record, each lane's invariant, and the host's own tallies
#   - a second run that joins the dead one's session takes its lanes over, and all holds again
#   - a run of its own in the same directory is exact
#   tests/kill/kill.sh [N]        seed printed; KILL_SEED=n repeats a run; 0: test points alone
. "$(dirname "$0")/../e2e/lib.sh"
need python3 setsid timeout

count=${1:-1000}
seed=${KILL_SEED:-$$}
RANDOM=$seed
judge=$build/kill_judge
[[ -x $judge ]] || fail "$judge is not built: make kill"
echo "kill: $count at random, seed $seed"
shim=$build/libinvreg_preload.so

# Each outcome once, of calls that there are: python is slow, so not after each kill.
whole_json() { # HOW
	# a call that was forked in may return more often than it began: the judge knows
	[[ $1 == *brood* ]] || compare_truth "$work/snapshot.json" "$work/truth" --killed
	python3 - "$work/snapshot.json" "$work/events.jsonl" <<'PY' || fail "$1: see above"
import json, sys
snapshot = json.load(open(sys.argv[1]))
for call in snapshot["never_returned"] + snapshot["in_flight"]:
    assert call["artifact_id"].startswith("artifact_"), call
seen = set()
for line in open(sys.argv[2]):
    event = json.loads(line)
    kind = event["event_type"]
    if not kind.startswith("invoke_") or kind == "invoke_stats":
        continue
    assert event["artifact_id"].startswith("artifact_"), event
    assert event["invoker_id"].startswith(("invoker_", "worker_", "handler_", "image_")), event
    # a call that was forked in is told by both processes
    key = kind, event["call"], event["pid"]
    assert key not in seen, f"twice: {event}"
    seen.add(key)
PY
}

judged() { # HOW SESSION EXTRA [--settled | --counted]
	"$hosts/threads" --print-truth "$work/truth" >"$work/truth.tsv"
	"$judge" "$INVREG_DIR/$2.seg" "$work/truth.tsv" "${@:3}" >"$work/judge.out" || {
		cat "$work/judge.out" >&2
		cp "$INVREG_DIR/$2.seg" "$work/truth" "${KEEP:-/tmp}" 2>/dev/null || true
		fail "$1 (seed $seed, kept in ${KEEP:-/tmp})"
	}
}

live_calls() { # HOST OPTIONS...: the same shim, more calls on the same truth
	env "LD_PRELOAD=$shim" "INVREG_PROBES=$work/target.ini" "$hosts/$1" "${@:2}" --truth "$work/truth" >/dev/null
}

after() { # HOW SESSION EXTRA: checks the session of a program that was killed
	timeout 60 "$build/invreg" snapshot "$2" --format json >"$work/snapshot.json" || fail "$1: snapshot: $?"
	timeout 60 "$build/invreg" events "$2" >"$work/events.jsonl" || fail "$1: events: $?"
	judged "$1" "$2" "$3" ${counted:+--counted}
	redone=$((redone + $(sed 's/.* \([0-9]*\) redone$/\1/' "$work/judge.out")))
	((++judgements % 10 != 1)) || whole_json "$1"
	INVREG_SESSION=$2 live_calls threads --threads 4 --calls 50
	judged "$1, joined by another" "$2" "$3"
	rm "$work/truth"
	INVREG_SESSION=clean-$2 live_calls threads --threads 2 --calls 100
	judged "$1, the next run" "clean-$2" 0 --settled
}
counted=''
judgements=0
redone=0

one() { # HOW EXTRA PROGRAM...: observes it until it dies; sets status
	status=0
	forget_sessions
	rm -f "$work/truth"
	"${@:3}" >/dev/null 2>&1 &
	wait $! 2>/dev/null || status=$?
	[[ $status == 137 || $status == 0 ]] || fail "$1: exit status $status"
	# killed in the constructor, or before main had made its truth: then there is no call
	if ! "$hosts/threads" --print-truth "$work/truth" >/dev/null 2>&1; then
		rm -f "$work/truth"
		"$hosts/threads" --calls 0 --truth "$work/truth" >/dev/null
	fi
	if [[ -n $(find "$INVREG_DIR" -name '*.seg') ]]; then
		after "$1" "$(session)" "$2"
	fi
}

# In a process group of its own, so that its children die with it.
kill_at_random() { # LOAD...
	local victim
	setsid "$@" >/dev/null 2>&1 &
	victim=$!
	sleep "0.0$((RANDOM % 90 + 10))"
	kill -9 -- "-$victim" 2>/dev/null || kill -9 "$victim" 2>/dev/null || true
	wait "$victim" 2>/dev/null || return 137
}

threads_of=(1 2 8)
kinds=(threads nest churn forks execs)
declare -A kills
for ((i = 0; i < count; i++)); do
	threads=${threads_of[i % 3]}
	kind=${kinds[i / 3 % 5]}
	extra=$threads
	case $kind in
	threads) load=(threads --threads "$threads" --calls 4000000000) ;;
	nest) load=(nest --threads "$threads" --calls 4000000000 --depth 3) ;;
	churn) load=(churn --threads "$threads" --calls 200 --depth 100000) ;;
	# in each thread, and in the child of each thread
	forks) extra=$((2 * threads)) load=(brood --threads "$threads" --calls 300 --depth 100000) ;;
	execs) extra=$((2 * threads)) load=(brood --threads "$threads" --calls 300 --depth 100000 --state exec) ;;
	esac
	one "random kill $i of ${load[*]}" "$extra" kill_at_random env "LD_PRELOAD=$shim" \
		"INVREG_PROBES=$work/target.ini" "$hosts/${load[0]}" "${load[@]:1}" --truth "$work/truth"
	kills[$kind $threads]=$((${kills[$kind $threads]:-0} + 1))
done
echo "kill: $count random kills, nothing missing, nothing torn; $judgements left a session;" \
	"$redone lanes had a commit to be finished"
for key in "${!kills[@]}"; do
	echo "      ${kills[$key]} of $key threads"
done | sort -k 3,3 -k 4n

shim=$build/tp/libinvreg_preload.so
[[ -e $shim ]] || fail "no build with test points: make tp"
points=$(awk '/define INV_TEST_POINTS_LIST/ { on = 1; next } on && /X\(/ { gsub(/[^a-z_]/, ""); print; next } { on = 0 }' \
	"$root/shm/testpoint.h")
passages=(1 100)
((count > 0 && count < 1000)) || passages=(1 2 3 100)
reached=0
total=0
# `signals`: its handler's call may be cut in two besides the one that it interrupted;
# `brood`: each child dies at its own passage
loads=("2 nest --threads 2 --calls 300 --depth 3" "1 longjmps --calls 300 --depth 3"
	"2 churn --threads 2 --calls 20 --depth 20" "2 signals --threads 1 --calls 100000 --rate-us 100"
	"22 brood --threads 1 --calls 20 --depth 20")
for point in $points; do
	died=0 counted=
	# between this and the next step a call is counted, and its name not yet taken away
	[[ $point != abandon_counted ]] || counted=1
	for passage in "${passages[@]}"; do
		for load in "${loads[@]}"; do
			read -ra words <<<"$load"
			one "$point:$passage in $load" "${words[0]}" env "LD_PRELOAD=$shim" \
				"INVREG_PROBES=$work/target.ini" "INVREG_TEST_POINT=$point:$passage" \
				"$hosts/${words[1]}" "${words[@]:2}" --truth "$work/truth"
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
