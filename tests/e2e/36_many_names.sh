#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# More distinct names than there is room for: grand totals stay exact, what is folded into
# _other is counted.
. "$(dirname "$0")/lib.sh"
need python3

many() { # ARTIFACTS
	forget_sessions
	rm -f "$work/truth"
	observed "$hosts/many_names" --methods 1 --codes 2 --depth 2 --artifacts "$1" \
		--truth "$work/truth" >/dev/null
	snapshot_json "$(session)" >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth" --totals
}
many 1000
many 100000
((${QUICK:-0})) || many 1000000
overflow=$(json "$work/snapshot.json" 'lost("name_overflow") + lost("tally_overflow")')
((overflow > 0)) || fail "names overflowed, but no loss says so"
