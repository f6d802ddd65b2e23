#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The matrix of programs that nobody here wrote: each row in rows/ is run bare and observed,
# JOBS (2) at a time, and said in a table: program, tier, calls recorded, and whether the run was
# the same. A program that is not here is a line that says so (scripts/transparency-programs.sh
# installs them). A row that differs, or that recorded less than it has to, fails.
#   tests/transparency/run.sh [PATTERN...]    only rows whose name contains one of them
set -uo pipefail

cd "$(dirname "$0")/../.." || exit
. tests/chosen.sh
jobs=${JOBS:-2}
[[ -z ${LONG:-} ]] || ROW_TIMEOUT=${ROW_TIMEOUT:-3600}
export BUILD=${BUILD:-build}
logs=$BUILD/tests/transparency
mkdir -p "$logs"
rm -f "$logs"/*

print_table() { # FILE
	local what tier calls result
	while IFS=$'\t' read -r what tier calls result; do
		printf '%-34s %-12s %9s  %s\n' "$what" "$tier" "$calls" "$result"
	done <"$1"
}

run_row() { # FILE
	local name status=0 start=$SECONDS
	name=$(basename "$1" .sh)
	: >"$logs/$name.table"
	TABLE=$logs/$name.table timeout -k 5 "${ROW_TIMEOUT:-300}" bash "$1" >"$logs/$name.log" 2>&1 ||
		status=$?
	((status != 124 && status != 137)) ||
		printf '%s\t-\t-\tFAIL: took more than %s s\n' "$name" "${ROW_TIMEOUT:-300}" >>"$logs/$name.table"
	[[ -s $logs/$name.table ]] ||
		printf '%s\t-\t-\tFAIL: said nothing: %s\n' "$name" "$(tail -n 1 "$logs/$name.log")" >"$logs/$name.table"
	echo "$((SECONDS - start)) s" >"$logs/$name.time"
	print_table "$logs/$name.table"
}

printf '%-34s %-12s %9s  %s\n' PROGRAM TIER CALLS RESULT
running=0
for file in tests/transparency/rows/*.sh; do
	chosen "$(basename "$file")" "$@" || continue
	if ((running >= jobs)); then
		wait -n
		running=$((running - 1))
	fi
	run_row "$file" &
	running=$((running + 1))
done
wait

count() { cat "$logs"/*.table 2>/dev/null | cut -f 4 | grep -cE "$1"; }
failed=$(count '^FAIL') skipped=$(count '^skipped')
passed=$(($(count '') - failed - skipped))
echo "transparency: $passed passed, $failed failed$( ((skipped)) && echo ", $skipped skipped")"
((failed == 0 && passed > 0))
