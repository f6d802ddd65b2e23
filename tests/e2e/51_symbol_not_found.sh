#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A symbol that nothing defines: the program runs; `run` and `snapshot` say which and why.
. "$(dirname "$0")/lib.sh"
need python3

sed 's/target_invoke/no_such_function/; s/probe target/probe missing/' "$work/target.ini" >"$work/missing.ini"
same_output "$hosts/ballast" --calls 10
probes=$work/missing.ini same_output "$hosts/ballast" --calls 10
diff "$work/bare.err" "$work/observed.err" || fail "the shim talked"

status_of invreg run --session missing -p "$work/missing.ini" -- "$hosts/ballast" --calls 10 \
	>/dev/null 2>"$work/run.err"
assert_eq "exit status" 0 "$status"
assert_contains "what run says" no_such_function "$(cat "$work/run.err")"
snapshot_json missing >"$work/snapshot.json"
assert_eq "probe" missing "$(json "$work/snapshot.json" 'd["probes"][0]["name"]')"
assert_eq "calls" 0 "$(json "$work/snapshot.json" 'd["probes"][0]["calls"]')"
[[ -n $(json "$work/snapshot.json" 'd["probes"][0]["why"]') ]] || fail "no reason is given"

# one of two: the other is observed
cat "$work/target.ini" "$work/missing.ini" >"$work/both.ini"
probes=$work/both.ini run --session both -- "$hosts/ballast" --calls 10 >/dev/null
snapshot_json both >"$work/snapshot.json"
assert_eq "calls of the other" 10 "$(json "$work/snapshot.json" 'total()')"
