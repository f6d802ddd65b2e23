#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make bench`: what observing and reading cost, beside what others do. Each part leaves its rows
# in build/bench; all of them, also of earlier runs, become build/bench.json and a table, with the
# verdict on the budgets of tests/bench/budget.json. Exit 1 when one is broken by more than its
# noise. Installs nothing: scripts/bench-peers.sh does.
#   bench.sh [PART...]     some of: native-empty-1 native-empty-2 native-work-1 native-work-2
#                          reader python serve; none: just the table of what was measured
#   PYTHONS='3.11 3.13'    only these versions
set -uo pipefail

cd "$(dirname "$0")/.." || exit 1
build=$(realpath "${BUILD:-build}")
parts=(native-empty-1 native-empty-2 native-work-1 native-work-2 reader python serve)
export BENCH_ALL=1 BUILD=$build

status=0
for part in "$@"; do
	case $part in
	native-*) script=(tests/bench/10_native.sh "${part#native-}") ;;
	reader) script=(tests/bench/20_reader.sh) ;;
	python) script=(tests/bench/30_python.sh) ;;
	serve) script=(tests/bench/40_serve.sh) ;;
	*)
		echo "bench: no such part: $part (there are: ${parts[*]})" >&2
		exit 2
		;;
	esac
	"${script[@]}" || {
		echo "bench: $part could not be measured" >&2
		status=1
	}
done
files=()
for part in "${parts[@]}"; do
	[[ -e $build/bench/$part.json ]] && files+=("$build/bench/$part.json")
done
((${#files[@]})) || {
	echo "bench: nothing has been measured yet" >&2
	exit 1
}
python3 -B tests/bench/rows.py join "$build/bench.json" "${files[@]}" || status=1
exit "$status"
