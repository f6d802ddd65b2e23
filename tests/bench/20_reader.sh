#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What reading costs: event lines a second on one core, a snapshot of a full default
# segment, and whether `run -o` keeps up with 200,000 calls a second on two cores.
. "$(dirname "$0")/../e2e/lib.sh"

broken=0
judge() { # WHAT VALUE OP LIMIT
	if awk -v a="$2" -v b="$4" "BEGIN { exit !(a $3 b) }"; then
		echo "  $1: $2 (budget $3 $4)"
	else
		echo "  $1: $2 BREAKS THE BUDGET $3 $4"
		broken=1
	fi
}

seconds() { # COMMAND...: the best of five, in seconds
	local best='' t0 t1
	for _ in 1 2 3 4 5; do
		t0=$(date +%s%N)
		"$@" >/dev/null
		t1=$(date +%s%N)
		if [[ -z $best ]] || ((t1 - t0 < best)); then best=$((t1 - t0)); fi
	done
	awk -v ns="$best" 'BEGIN { print ns / 1e9 }'
}

echo "reader:"
observe_env=(env "LD_PRELOAD=$shim" "INVREG_PROBES=$work/target.ini")
cat >"$work/target.ini" <<'INI'
[probe target]
target        = target_invoke
signature     = int (ptr world, str invoker_id, str artifact_id, str method, int args_count, ptr args)
success       = return == 0
tick          = world->16:i64
error_message = world->32:str
INI

"${observe_env[@]}" INVREG_SIZE=1073741824 INVREG_SESSION=large "$hosts/ballast" --calls 1000000 >/dev/null
lines=$("$build/invreg" events large | wc -l)
rate=$(awk -v n="$lines" -v s="$(seconds taskset -c 0 "$build/invreg" events large)" 'BEGIN { print n / s / 1e6 }')
judge "JSONL, million events a second on one core ($lines lines)" "$rate" ">=" 2

"${observe_env[@]}" INVREG_SESSION=full "$hosts/threads" --threads 12 --calls 40000 --work-us 1 >/dev/null
judge "snapshot of a full default segment, seconds" "$(seconds "$build/invreg" snapshot full --format json)" "<=" 0.1

t0=$(date +%s%N)
"$build/invreg" run --quiet -p "$work/target.ini" -o "$work/run.jsonl" -- \
	"$hosts/threads" --threads 2 --calls 500000 --work-us 8 >/dev/null
t1=$(date +%s%N)
lost=$(grep -c '"event_type":"events_lost"' "$work/run.jsonl" || true)
outcomes=$(grep -cE '"event_type":"invoke_(success|failure)"' "$work/run.jsonl")
judge "run -o: thousand calls a second" "$(awk -v n="$outcomes" -v ns="$((t1 - t0))" 'BEGIN { print n / (ns / 1e9) / 1e3 }')" ">=" 150
judge "run -o: ranges lost" "$lost" "<=" 0
judge "run -o: outcomes written of 1,000,000" "$outcomes" ">=" 1000000
"$build/tests/bench_jsonl" | sed 's/^/  /'
exit $broken
