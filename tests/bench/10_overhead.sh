#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What observing a call costs, as multiples of the floor, all measured in one process a row.
# These machines are shared: a neighbour on the same core makes the same binary cost half as
# much again for seconds on end. So a row is the least disturbed of seven runs (each a median
# of 31 interleaved rounds), and the worst is printed beside it. Budgets: the shim adds at most
# 2.5 times the floor, by either tier; a second thread and a reader at 1 kHz add nothing
# measurable, which is taken as at most 1.25 times the first row's ratio; hooks that record
# nothing (a child that is not observed) cost a quarter of the floor, the thunk of `entry` 0.6.
. "$(dirname "$0")/../e2e/lib.sh"

sed 's/^\(target.*\)/\1\nbind = got/' "$root/tests/bench/bench.ini" >"$work/got.ini"
cp "$root/tests/bench/bench.ini" "$work/entry.ini"
tier=got

run() { # ARGS...: prints the least and the greatest of seven shim_to_floor ratios
	for _ in 1 2 3 4 5 6 7; do
		rm -rf "$INVREG_DIR"
		LD_PRELOAD=$shim INVREG_PROBES=$work/$tier.ini \
			"$build/tests/bench_overhead" "$@" | tee -a "$work/rows" | sed 's/.*"shim_to_floor":\([0-9.]*\).*/\1/'
	done | sort -n | sed -n '1p;$p' | paste -sd ' '
}

within() { # WHAT "LEAST GREATEST" LIMIT
	if awk -v value="${2% *}" -v limit="$3" 'BEGIN { exit !(value <= limit) }'; then
		echo "  $1: ${2% *}, at worst ${2#* } (budget $3)"
	else
		echo "  $1: ${2% *} BREAKS THE BUDGET of $3"
		broken=1
	fi
}

broken=0
echo "overhead (shim added / floor added, all fields, tally and histogram):"
one=$(run)
within "one thread" "$one" 2.5
near=$(awk -v one="${one% *}" 'BEGIN { print one * 1.25 }')
within "two threads" "$(run --threads 2)" "$near"
within "one thread, a reader at 1 kHz" "$(run --reader 1)" "$near"
tier=entry
within "one thread, the function itself patched" "$(run)" 2.5
export INVREG_CHILDREN=ignore
within "the thunk alone: patched, nothing recorded" "$(run --unobserved 1)" 0.6
tier=got
within "by got, nothing recorded" "$(run --unobserved 1)" 0.25
sed 's/^/  /' "$work/rows"
exit $broken
