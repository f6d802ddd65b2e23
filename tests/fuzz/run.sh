#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the fuzz targets in BUILD, JOBS (2) at a time:
#   tests/fuzz/run.sh SECONDS [TARGET...]    each for so long, from its corpus
#   tests/fuzz/run.sh quick [TARGET...]      each over its corpus and some thousand runs more
#
# New inputs are kept in BUILD/corpus/TARGET and are the next run's, too; the corpus in the
# tree is never written. An input that fails is kept in BUILD/found and named.
set -uo pipefail

cd "$(dirname "$0")/../.." || exit
build=${BUILD:-build/fuzz}
mode=$1
shift
mkdir -p "$build/found" "$build/corpus"
# A segment cut short under its reader leaks what the reader had, by design: [U1] of guard.h;
# its target says so itself.
export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=32:allocator_may_return_null=1:handle_abort=1:${ASAN_OPTIONS:-}
export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}

if (($#)); then
	targets=("$@")
else
	targets=()
	for source in tests/fuzz/fuzz_*.c; do
		source=$(basename "$source" .c)
		targets+=("${source#fuzz_}")
	done
fi

run_one() { # TARGET
	local target=$1 log=$build/$1.log options=(-timeout=20 -rss_limit_mb=3072 -print_final_stats=1)
	local dirs=("$build/corpus/$target" "tests/fuzz/corpus/$target") # the first is written to
	# its inputs are short and all of a length: not to be made longer step by step
	[[ $target =~ ^(segment|join|elf)$ ]] && options+=(-len_control=0 -max_len=96)
	[[ $target == probe ]] && dirs+=(preload/probes)
	if [[ $mode == quick ]]; then
		dirs[0]=$build/quick/$target
		rm -rf "${dirs[0]}"
		options+=(-runs="${FUZZ_RUNS:-3000}" -max_total_time=4 -seed=1)
	else
		options+=(-max_total_time="$mode")
	fi
	mkdir -p "${dirs[0]}"
	[[ -e tests/fuzz/dictionary/$target ]] && options+=("-dict=tests/fuzz/dictionary/$target")
	if ! "$build/fuzz_$target" "${options[@]}" "-artifact_prefix=$build/found/$target-" \
		"${dirs[@]}" >"$log" 2>&1; then
		tail -n 60 "$log"
		echo "FAIL fuzz $target: see $log; again by: $build/fuzz_$target $build/found/$target-..."
		return 1
	fi
	printf 'pass fuzz %-10s %10s runs, %s\n' "$target" \
		"$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
		"$(grep -oE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+' "$log" | tail -n 1)"
}

failed=0 running=0
for target in "${targets[@]}"; do
	if ((running >= ${JOBS:-2})); then
		wait -n || failed=1
		running=$((running - 1))
	fi
	run_one "$target" &
	running=$((running + 1))
done
while ((running > 0)); do
	wait -n || failed=1
	running=$((running - 1))
done
exit "$failed"
