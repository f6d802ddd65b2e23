# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# lib.sh - what every benchmark begins with, after `part=NAME`: the tests' lib.sh, and a file of
# rows in build/bench (BENCH_ROWS for another). `row NAME UNIT VALUE...` adds one, `note KEY TEXT`
# says what figures depend on, and `judged` ends the script by their budgets.
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

# shellcheck disable=SC2154
rows=${BENCH_ROWS:-$build/bench/$part.json}
mkdir -p "$(dirname "$rows")"

rows_py() {
	local verb=$1
	shift
	python3 -B "$root/tests/bench/rows.py" "$verb" "$rows" "$@"
}

row() {
	rows_py add "$@"
}

note() {
	rows_py note "$@"
}

# bench.sh judges all parts at once.
judged() {
	[[ -n ${BENCH_ALL:-} ]] || rows_py judge
}

rows_py begin "$part"
