#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Kills the readers of a running program N times at random: snapshot, events -f, serve, pause
# and filter, and `run -o` itself. The program does not notice: it prints the same, totals are
# exact; the next reader is whole; what was written to a JSONL file is whole lines.
#   tests/kill/readers.sh [N]        seed printed; KILL_SEED=n repeats a run
. "$(dirname "$0")/../e2e/lib.sh"
need python3 timeout

count=${1:-200}
seed=${KILL_SEED:-$$}
RANDOM=$seed
echo "kill: $count times a reader, seed $seed"
host=("$hosts/threads" --threads 2 --calls 4000000000 --truth "$work/truth")

# Whole lines, each valid; what is said of a call comes once. Lines are written many at once,
# and Linux lets a SIGKILL end a write between two pages: then the file ends with a page, and
# its last line may be cut. Readers take what is whole.
whole_lines() { # FILE HOW
	timeout 60 "$build/invreg" events "$1" >"$work/read" 2>"$work/read.err" || [[ ! -s $1 ]] ||
		fail "$2: what it wrote cannot be read: $(cat "$work/read.err")"
	python3 - "$1" <<'PY' || fail "$2: see above"
import json, sys
data = open(sys.argv[1], "rb").read()
if len(data) % 4096 == 0:
    data = data[: data.rfind(b"\n") + 1]
assert not data or data.endswith(b"\n"), f"the last line is cut: {data[-80:]}"
seen = set()
for line in data.splitlines():
    event = json.loads(line)
    if "call" in event:
        assert (event["event_type"], event["call"]) not in seen, event
        seen.add((event["event_type"], event["call"]))
PY
}

pause_a_little() {
	sleep "0.0$((RANDOM % 90 + 10))"
}

killed() { # READER...: after a moment; its output in $work/out
	local reader
	"$build/invreg" "$@" >"$work/out" 2>/dev/null &
	reader=$!
	pause_a_little
	kill -9 "$reader" 2>/dev/null || true
	wait "$reader" 2>/dev/null || true
}

# ---- beside a program that goes on all the while ------------------------------------------

start_program() {
	forget_sessions
	rm -f "$work/truth"
	env "LD_PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" "${host[@]}" >"$work/host.out" 2>"$work/host.err" &
	program=$!
	until compgen -G "$INVREG_DIR/*.seg" >/dev/null; do sleep 0.01; done
	name=$(session)
}

next_reader_is_whole() { # HOW
	timeout 60 "$build/invreg" snapshot "$name" --format json >"$work/snapshot.json" || fail "$1: snapshot: $?"
	timeout 60 "$build/invreg" events "$name" -n 100 >"$work/events" 2>"$work/events.err" || fail "$1: events: $?"
	json "$work/snapshot.json" 'total()' >"$work/total" || fail "$1: the next snapshot is not whole"
	whole_lines "$work/events" "$1: the next events"
}

start_program
for ((i = 0; i < count; i++)); do
	case $((i % 5)) in
	0) killed snapshot "$name" --format json ;;
	1) killed events -f "$name" && whole_lines "$work/out" "events -f, killed" ;;
	2) killed serve "$name" --listen 127.0.0.1:0 ;;
	3) killed snapshot "$name" -o "$work/copy.seg" ;;
	4)
		killed pause "$name"
		killed filter "$name" --method bid
		timeout 20 "$build/invreg" resume "$name" >/dev/null || fail "resume after a killed pause: $?"
		timeout 20 "$build/invreg" filter "$name" --clear >/dev/null || fail "no filter after a killed one: $?"
		;;
	esac
	kill -0 "$program" 2>/dev/null || fail "the program ended when a reader was killed ($i)"
	next_reader_is_whole "reader kill $i"
done
kill -9 "$program"
wait "$program" 2>/dev/null || true
assert_eq "what the program said" "" "$(cat "$work/host.err")"
begun=$("$hosts/threads" --print-truth "$work/truth" | awk '!/^#/ { n += $5 } END { printf "%.0f\n", n }')
snapshot_json "$name" >"$work/snapshot.json"
recorded=$(json "$work/snapshot.json" 'total() + d["status"]["calls_paused"]')
((recorded >= begun && recorded <= begun + 2)) || fail "$begun calls returned, $recorded recorded or paused"
echo "kill: $count readers beside one program: $recorded calls, all recorded or counted as paused"

# ---- `run -o`: the reader that started the program -----------------------------------------

"$hosts/ballast" --calls 20000 --work-us 20 >"$work/bare.out"
survived=0
for ((i = 0; i < (count + 3) / 4; i++)); do
	forget_sessions
	rm -f "$work/truth" "$work/run.jsonl"
	"$build/invreg" run --session killed -p "$work/target.ini" -o "$work/run.jsonl" -- \
		"$hosts/ballast" --calls 20000 --work-us 20 --truth "$work/truth" >"$work/host.out" 2>/dev/null &
	reader=$!
	until [[ -e $INVREG_DIR/killed.seg ]]; do sleep 0.005; done
	pause_a_little
	kill -9 "$reader"
	wait "$reader" 2>/dev/null || true
	host_ends "$work/host.out" 20 || true
	# killed before it had started the program: then there is none
	[[ -e $work/truth ]] || continue
	diff "$work/bare.out" "$work/host.out" || fail "run kill $i: the program's output differs"
	[[ ! -e $work/run.jsonl ]] || whole_lines "$work/run.jsonl" "run -o, killed"
	snapshot_json killed >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth"
	((++survived))
done
((survived > 0)) || fail "no program had started when its reader was killed"
echo "kill: $survived times run -o: the programs went on, all totals exact, whole lines"
