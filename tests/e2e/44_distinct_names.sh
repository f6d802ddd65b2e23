#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A million calls, each with a name that none had before: as artifact, invoker, method, and all
# three at once. Memory stays where it was after a tenth of them, what found no room of its own
# is counted to the call, the grand total is exact, and the last calls cost what the first did.
. "$(dirname "$0")/lib.sh"
need python3

calls=1000000
((${QUICK:-0})) && calls=200000

observe() { # WHICH CALLS
	forget_sessions
	observed "$hosts/distinct" --state "$1" --calls "$2" >"$work/out" 2>"$work/err"
	assert_eq "output" "calls $2" "$(grep calls "$work/out")"
	snapshot_json "$(session)" >"$work/snapshot.json"
	assert_eq "calls, each with a new $1" "$2" "$(json "$work/snapshot.json" 'total()')"
	assert_eq "failures" $(($2 / 4)) "$(json "$work/snapshot.json" 'total("failed")')"
	assert_eq "calls by invoker" "$2" \
		"$(json "$work/snapshot.json" 'sum(r["total_invocations"] for r in d["invokers"])')"
}

status() { # FIELD
	json "$work/snapshot.json" "d['status']['$1']"
}

for which in artifact invoker method all; do
	observe $which $((calls / 10))
	tenth=$(status reserved_bytes)
	observe $which $calls
	whole=$(status reserved_bytes)
	((whole <= tenth + 65536)) || fail "$which: $tenth bytes after a tenth, $whole at the end"
	((whole <= $(status budget_bytes))) || fail "$which: more than the budget"
	new=$calls
	[[ $which != all ]] || new=$((3 * calls))
	named=$((new - $(json "$work/snapshot.json" 'lost("name_overflow")')))
	# 7/8 of 65,536, less the host's other names and our types
	((named > 57000 && named <= 57344)) || fail "$which: $named names have an id"
	own=$(json "$work/snapshot.json" 'sum(a["total_invocations"] for a in d["artifacts"] if a["artifact_id"] != "_other")')
	case $which in
	artifact | all) assert_eq "calls in cells of their own, or in _other" $calls \
		$((own + $(json "$work/snapshot.json" 'lost("tally_overflow")'))) ;;
	invoker) assert_eq "the artifact has all its calls" $calls "$own" ;;
	esac
	# a ratio in one run; 1.5 is more than noise here, and far less than what grows with names
	ratio=$(sed -n 's/.* ratio \([0-9.]*\) .*/\1/p' "$work/err")
	grew=$(sed -n 's/.* grew_kb \([0-9]*\)$/\1/p' "$work/err")
	[[ -n $runtime ]] || python3 -c "import sys; sys.exit(not $ratio < 1.5)" || fail "$which: the last calls cost $ratio of the first"
	[[ -n $runtime ]] || ((grew < 32768)) || fail "$which: the program's memory grew by $grew KB"
	echo "exact: $calls calls, each with a new $which: $named named, last tenth $ratio of the first, $grew KB more"
done
