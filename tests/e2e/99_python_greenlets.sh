#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Greenlets (Debian's python3-greenlet), which move calls that wait off the stack and back: each
# call is counted once, with its own outcome, those that are thrown out of one too.
# skip-under: address: greenlet moves the stack by memcpy, redzones too, which ends it without us as well
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/python_lib.sh"
need python3

program=$work/python/greenlets/run.py
probes=$work/greenlets.ini
cat >"$probes" <<-EOF
	[probe invoke]
	target      = python:__main__:Executor.invoke
	tick        = self.tick
	invoker_id  = invoker_id
	artifact_id = artifact_id
	method      = method
EOF
tried=0

same_counts() {
	"$python" -c 'import greenlet' 2>/dev/null || return 0
	tried=$((tried + 1))
	forget_sessions
	"$python" -B "$program" >"$work/bare.out" 2>&1 || fail "$version, bare: $(tail -n 3 "$work/bare.out")"
	observed "$python" -B "$program" >"$work/seen.out" 2>&1 || fail "$version: $(tail -n 3 "$work/seen.out")"
	diff "$work/bare.out" "$work/seen.out" || fail "$version: it counted something else"
	snapshot_json "$(session)" >"$work/snapshot.json"
	assert_eq "$version: artifacts and their ends" "$(cat "$work/bare.out")" "$(json "$work/snapshot.json" \
		'json.dumps(sorted([a["artifact_id"], end, n] for a in d["artifacts"] for end, n in
			[("ok", a["successful"])] + list(a["failure_types"].items()) if n))')"
	assert_eq "$version: calls in flight, and jumped over" "[0, 0]" \
		"$(json "$work/snapshot.json" '[d["status"]["in_flight"], d["status"]["abandoned"]]')"
	echo "$version: $(json "$work/snapshot.json" 'total()') calls"
}

python_targets
every_python same_counts
((tried)) || skip "no CPython here has greenlet (Debian: python3-greenlet)"
