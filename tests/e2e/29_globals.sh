#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# global:SYMBOL: a variable of the program, exported or not, local or not, is read; of one that
# is not there, or that cannot be found since the symbols were stripped, a note has the name.
. "$(dirname "$0")/lib.sh"
need gcc python3

cat >"$work/clock.c" <<'C'
#include <stdint.h>
int64_t shown_tick;
__attribute__((visibility("hidden"))) int64_t hidden_tick;
static volatile int64_t local_tick;
int act(int n);
__attribute__((noinline)) int act(int n) { __asm__ volatile(""); return n + (int)local_tick; }
int main(void)
{
	int sum = 0;
	for (int i = 0; i < 10; i++) {
		local_tick = hidden_tick = shown_tick = i + 100;
		sum += act(i);
	}
	return sum == 0;
}
C
gcc -O2 -pie -fPIE -rdynamic -o "$work/exports" "$work/clock.c"
gcc -O2 -pie -fPIE -o "$work/plain" "$work/clock.c"
gcc -O2 -no-pie -fno-pie -o "$work/fixed" "$work/clock.c"
gcc -O2 -pie -fPIE -rdynamic -s -o "$work/stripped" "$work/clock.c"

observe() { # PROGRAM VARIABLE
	forget_sessions
	cat >"$work/clock.ini" <<INI
[probe act]
target    = act
signature = int (int n)
tick      = global:$2:i64
INI
	probes=$work/clock.ini run --session clock -o "$work/clock.jsonl" -- "$work/$1" ||
		fail "$1 failed"
	snapshot_json clock >"$work/clock.json"
	ticks=$(python3 -c '
import json, sys
print(*[e["tick"] for e in map(json.loads, open(sys.argv[1])) if e["event_type"] == "invoke_success"])' \
		"$work/clock.jsonl")
	notes=$(json "$work/clock.json" '[(n["reason"], n["detail"]) for n in d["notes"]]')
}

has_entry_tier || skip "a function within the program is seen by the entry tier alone"
for program in exports plain fixed; do
	for variable in shown_tick hidden_tick local_tick; do
		observe "$program" "$variable"
		assert_eq "ticks of $program, $variable" "$(seq -s ' ' 100 109)" "$ticks"
		assert_eq "notes of $program, $variable" "[]" "$notes"
	done
done
observe stripped shown_tick
assert_eq "ticks, exported though stripped" "$(seq -s ' ' 100 109)" "$ticks"
for missing in "stripped local_tick" "plain shown_tock"; do
	read -r program variable <<<"$missing"
	observe "$program" "$variable"
	assert_eq "ticks of $missing" "0 0 0 0 0 0 0 0 0 0" "$ticks"
	assert_eq "notes of $missing" \
		"[('a field reads a variable that is not there', '$variable')]" "$notes"
	assert_eq "unreadable fields of $missing" 10 "$(json "$work/clock.json" 'lost("unreadable")')"
done
