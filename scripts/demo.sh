#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The demo: an unmodified simulation, observed. About ten seconds; run it by `make demo`.
set -euo pipefail

cd "$(dirname "$0")/.."
build=${BUILD:-build}
invreg=$build/invreg
host=$build/hosts/ecology
probes=preload/probes/executor.ini
out=$build/demo
mkdir -p "$out"
rm -f "$out"/*

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
	bold=$'\e[1m' dim=$'\e[2m' off=$'\e[0m'
else
	bold='' dim='' off=''
fi

say() { printf '\n%s== %s%s\n' "$bold" "$1" "$off"; }
show() { printf '%s$ %s%s\n' "$dim" "$*" "$off"; }
now_ns() { date +%s%N; }

session=demo-$$
load=(--fast --ticks 6000 --quiet)

say "1. An unmodified simulation, observed: it was not built with invreg and does not know"
show "invreg run -p $probes -o run.jsonl -- ecology --threads 4"
"$invreg" run --session "$session" -p "$probes" -o "$out/run.jsonl" -- \
	"$host" --ticks 120 --agents 24 --threads 4 --truth "$out/truth.tsv" 2>"$out/summary.txt"

say "2. What the shared memory says, after the program has ended"
show "invreg snapshot $session"
"$invreg" snapshot "$session" --format table

say "3. The program's own log of the same run, for comparison"
awk -F'\t' '!/^#/ { n[$1] += $4; if ($3 == 0) ok[$1] += $4 }
	END { for (a in n) printf "  %-18s %6d invocations, %6d succeeded\n", a, n[a], ok[a] }' \
	"$out/truth.tsv" | sort

say "4. The last events, as JSON lines"
show "grep invoke_ run.jsonl | tail -n 4"
grep -E '"event_type": ?"invoke_(attempt|success|failure)"' "$out/run.jsonl" | tail -n 4

say "5. A crash in the middle of a call: what was it doing?"
show "ecology --crash-at-tick 5   # exit status as the program's own: 128 + SIGSEGV"
status=0
"$invreg" run --session "$session-crash" -p "$probes" -- \
	"$host" --ticks 10 --fast --quiet --crash-at-tick 5 2>/dev/null || status=$?
echo "exit status $status"
"$invreg" snapshot "$session-crash" --format json | python3 -c '
import json, sys
for call in json.load(sys.stdin)["never_returned"]:
    print("  never returned:", json.dumps(call))'

say "6. What observing costs: the same load bare and observed, best of five"
best() { # COMMAND...: best wall time in ns
	local best=0 t0 t1
	for _ in 1 2 3 4 5; do
		t0=$(now_ns)
		"$@" >/dev/null 2>&1
		t1=$(now_ns)
		((best == 0 || t1 - t0 < best)) && best=$((t1 - t0))
	done
	echo "$best"
}
calls=$("$host" --fast --ticks 6000 | awk '/invocations/ { print $2 + 0 }')
bare=$(best env "$host" "${load[@]}")
observed=$(best env "INVREG_PROBES=$PWD/$probes" "LD_PRELOAD=$(realpath "$build")/libinvreg_preload.so" \
	"$host" "${load[@]}")
awk -v b="$bare" -v o="$observed" -v n="$calls" 'BEGIN {
	printf "  %d calls: bare %.1f ms, observed %.1f ms: %.0f ns a call (start-up included)\n",
		n, b / 1e6, o / 1e6, (o - b) / n }'

say "Done. $out/run.jsonl has $(wc -l <"$out/run.jsonl") lines; try: $invreg stats $session --by method"
