#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What reading costs: event lines a second on one core; a snapshot's time and the memory of its
# reader, of 10^4 to 10^6 events and of 10^2 to 10^4 keys, and how each grows; and whether
# `run -o` keeps up with 200,000 calls a second on two cores.
part=reader
. "$(dirname "$0")/lib.sh"

# `measure COMMAND...`: $seconds and $megabytes, seven of each
measure() {
	seconds=() megabytes=()
	for _ in 1 2 3 4 5 6 7; do
		read -r took peak < <(python3 -c '
import os, resource, subprocess, sys, time
begun = time.monotonic()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)' "$@")
		seconds+=("$took") megabytes+=("$peak")
	done
}

each() { # EXPRESSION of v, VALUE...
	local expression=$1
	shift
	printf '%s\n' "$@" | awk "{ v = \$1; print $expression }"
}

# The ratio of two rows' medians, as a row.
grown() { # NAME FEW-ROW MANY-ROW
	python3 -c '
import json, sys
rows = {row["name"]: row["value"] for row in json.load(open(sys.argv[1]))["rows"]}
print(rows[sys.argv[3]] / rows[sys.argv[2]])' "$rows" "$2" "$3" >"$work/ratio"
	row "$1" "x as much" "$(cat "$work/ratio")"
}

cat >"$work/target.ini" <<'INI'
[probe target]
target        = target_invoke
signature     = int (ptr world, str invoker_id, str artifact_id, str method, int args_count, ptr args)
success       = return == 0
tick          = world->16:i64
error_message = world->32:str
INI

events() { # of kept events
	local name=$1 calls=$2
	INVREG_SIZE=1073741824 INVREG_SESSION=$name observed "$hosts/ballast" --calls "$calls" >/dev/null
	lines=$(invreg events "$name" | wc -l)
	row "reader.lines.$calls" "lines kept" "$lines"
	measure taskset -c "$core" "$build/invreg" events "$name"
	mapfile -t rates < <(each "$lines / v / 1e6" "${seconds[@]}")
	row "reader.jsonl.$calls" "million event lines a second, one core" "${rates[@]}"
	row "reader.jsonl.$calls.memory" "MB" "${megabytes[@]}"
	measure "$build/invreg" snapshot "$name" --format json
	row "reader.snapshot.$calls" "s" "${seconds[@]}"
	row "reader.snapshot.$calls.memory" "MB" "${megabytes[@]}"
	measure "$build/invreg" snapshot "$name" -o "$work/cut.seg"
	row "reader.snapshot_raw.$calls" "s" "${seconds[@]}"
	rm -f "$work/cut.seg"
}

keys() { # as many artifacts, each called ten times; a lane of its own for each hundred
	local name=keys$1
	INVREG_SIZE=1073741824 INVREG_SESSION=$name observed "$hosts/many_names" --artifacts "$1" --threads $(($1 / 100)) \
		--methods 1 --codes 2 --depth 10 >/dev/null
	measure "$build/invreg" snapshot "$name" --format json
	row "reader.shown.$1" "keys shown" "$(snapshot_json "$name" | python3 -c '
import json, sys
print(len(json.load(sys.stdin)["artifacts"]))')"
	row "reader.keys.$1" "s" "${seconds[@]}"
	row "reader.keys.$1.memory" "MB" "${megabytes[@]}"
}

core=$(taskset -cp $$ | sed 's/.*: //; s/[,-].*//')
for count in 10000 100000 1000000; do
	events "events$count" $count
done
for what in snapshot snapshot.memory jsonl.memory; do
	head=${what%%.*} tail=${what#"$head"}
	grown "reader.growth.${what/./_}.10x" "reader.$head.10000$tail" "reader.$head.100000$tail"
	grown "reader.growth.${what/./_}.100x" "reader.$head.10000$tail" "reader.$head.1000000$tail"
done
for count in 100 1000 10000; do
	keys $count
done
for what in "" .memory; do
	grown "reader.growth.keys${what/./_}.10x" "reader.keys.100$what" "reader.keys.1000$what"
	grown "reader.growth.keys${what/./_}.100x" "reader.keys.100$what" "reader.keys.10000$what"
done

INVREG_SESSION=full observed "$hosts/threads" --threads 12 --calls 40000 --work-us 1 >/dev/null
measure "$build/invreg" snapshot full --format json
row reader.snapshot.default "s, a full default segment" "${seconds[@]}"

t0=$(date +%s%N)
"$build/invreg" run --quiet -p "$work/target.ini" -o "$work/run.jsonl" -- \
	"$hosts/threads" --threads 2 --calls 500000 --work-us 8 >/dev/null
t1=$(date +%s%N)
lost=$(grep -c '"event_type":"events_lost"' "$work/run.jsonl" || true)
outcomes=$(grep -cE '"event_type":"invoke_(success|failure)"' "$work/run.jsonl")
row reader.run.rate "thousand calls a second" "$(awk -v n="$outcomes" -v ns="$((t1 - t0))" 'BEGIN { print n / (ns / 1e9) / 1e3 }')"
row reader.run.ranges_lost "ranges" "$lost"
row reader.run.outcomes "of 1,000,000" "$outcomes"
"$build/tests/bench_jsonl" >"$work/jsonl"
row reader.format "million event lines a second" "$(awk '/jsonl_format/ { print $2 / 1e6 }' "$work/jsonl")"
row reader.follow "million event lines a second" "$(awk '/jsonl_follow/ { print $2 / 1e6 }' "$work/jsonl")"
note segments "events and keys: --size 1 GB, of which what is granted; the full one: the default size"
note runs "seven processes a row, wall time of the whole command and its peak resident memory (the pages of the segment that it has read are among them)"
judged
