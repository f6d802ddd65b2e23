#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `yield from` of a probed coroutine in a generator that is one too (types.coroutine) works as it
# does unobserved, and whoever takes a coroutine for an iterable is told the same.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/python_lib.sh"
need python3

program=$work/python/delegation/run.py
probes=$work/delegation.ini
printf '[probe work]\ntarget = python:work:work\nartifact_id = "work"\n' >"$probes"

same_delegation() {
	forget_sessions
	"$python" -B -W ignore "$program" >"$work/bare.out" 2>&1 || fail "$version: $(tail -n 3 "$work/bare.out")"
	observed "$python" -B -W ignore "$program" >"$work/seen.out" 2>&1 || fail "$version: $(tail -n 3 "$work/seen.out")"
	diff "$work/bare.out" "$work/seen.out" || fail "$version: it was told something else"
	snapshot_json "$(session)" >"$work/snapshot.json"
	assert_eq "$version: calls and their ends" "[10, {'never_awaited': 6, 'ValueError': 1}]" "$(json "$work/snapshot.json" \
		'[total(), d["artifacts"][0]["failure_types"]]')"
	echo "$version: $(wc -l <"$work/seen.out") answers, $(json "$work/snapshot.json" 'total()') calls"
}

python_targets
every_python same_delegation
