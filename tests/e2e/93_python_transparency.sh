#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Whatever a program asks of a probed function, of the process and of itself, it is told what
# it is told unobserved: over a thousand facts of fifteen functions, printed by the program,
# and what patching, subclassing, assigning code and defaults, and reloading do.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/python_lib.sh"
need python3

program=$work/python/facts/run.py
# Else a sanitizer's runtime catches three signals, which the program can tell.
uncaught=handle_segv=0:handle_sigbus=0:handle_sigfpe=0
export ASAN_OPTIONS=$ASAN_OPTIONS:$uncaught TSAN_OPTIONS=$TSAN_OPTIONS:$uncaught
export PYTHONHASHSEED=1
probes=$work/facts.ini
for target in plain keyword_only generator coroutine async_generator lambda_function wrapped closure \
	caller warns replaced other other_default Base.__init__ Base.method Base.overridden Base.static \
	Base.klass Base.prop Base.__eq__ Base.__hash__ Child.__init__ Child.overridden; do
	printf '[probe %s]\ntarget = python:subject:%s\nartifact_id = "%s"\nmethod = "call"\n\n' \
		"${target//./-}" "$target" "$target"
done >"$probes"

# From 3.11 on the interpreter inlines the calls of an exact function, on 3.13 those of an
# __init__ only: there, the exact type is the one thing that is another.
may_differ() { # > a pattern of the keys
	case $version in
	3.11.*) echo '^exact ' ;;
	3.1[3-9].*) echo '^exact (init|process) ' ;;
	*) echo '^$' ;;
	esac
}

facts() { # FILE: without those that may differ here
	grep -Ev "$(may_differ)" "$1" || true
}

same_facts() {
	bare "$version" "$python" -B "$program"
	(($(grep -c : "$kept.out") > 1000)) || fail "$version: hardly any facts"
	[[ -n $observing ]] || return 0
	forget_sessions
	observed "$python" -B "$program" >"$work/seen.out" 2>"$work/seen.err" </dev/null ||
		fail "$version: the program failed: $(tail -n 5 "$work/seen.err")"
	diff <(facts "$kept.out") <(facts "$work/seen.out") >"$work/diff" ||
		fail "$version: $(grep -c '^[<>]' "$work/diff") facts differ: $(head -c 3000 "$work/diff")"
	diff "$kept.err" "$work/seen.err" || fail "$version: something else on stderr"
	it_was_probed
	echo "$version: $(wc -l <"$kept.out") facts, $(diff "$kept.out" "$work/seen.out" | grep -c '^>' || true) may differ and do"
}

# And it is no wonder if nothing was probed. `replaced` is called as itself, with the code of
# others, and by hand: its calls are those of the object, whatever its code.
it_was_probed() {
	snapshot_json "$(session)" >"$work/snapshot.json"
	assert_eq "$version: probes that saw nothing" "[]" \
		"$(json "$work/snapshot.json" '[p["name"] for p in d["probes"] if not p["calls"]]')"
	assert_eq "$version: calls of a function whose code was assigned" 203 \
		"$(json "$work/snapshot.json" '[p["calls"] for p in d["probes"] if p["name"] == "replaced"][0]')"
}

every_python same_facts
echo "bare: ${#pythons[@]} interpreters"
python_targets
observing=yes
every_python same_facts
