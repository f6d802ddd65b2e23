#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A budget of `make bench` is met, missed by no more than its noise, or broken; only the last fails.
. "$(dirname "$0")/lib.sh"
need python3

rows() {
	python3 -B "$root/tests/bench/rows.py" "$@"
}

judged() { # VALUE STATE STATUS [ROW]
	rows begin "$work/part.json" part
	rows add "$work/part.json" "${4:-reader.jsonl.1000000}" unit "$1" 9 0.01 >/dev/null
	status_of rows judge "$work/part.json" >"$work/verdict"
	assert_eq "exit status for $1" "$3" "$status"
	grep -qE "^  $2 " "$work/verdict" || fail "$1 is not $2: $(cat "$work/verdict")"
}

# The median of three is the first: at least 2, noise 10 %; at most 0.5, noise 20 %.
judged 2 met 0
judged 1.9 missed 0
judged 1.7 BROKEN 1
judged 0.5 met 0 reader.snapshot.1000000
judged 0.55 missed 0 reader.snapshot.1000000
judged 0.7 BROKEN 1 reader.snapshot.1000000

rows begin "$work/none.json" none
rows absent "$work/none.json" native.empty.1t.got.to_floor "does not run here: no reason" >/dev/null
rows join "$work/bench.json" "$work/part.json" "$work/none.json" >"$work/table" && fail "a broken budget passes"
assert_eq "parts" "part none" "$(json "$work/bench.json" '" ".join(p["part"] for p in d["parts"])')"
grep -q 'not measured  native.empty.1t.got.to_floor' "$work/table" || fail "what is absent is not said"

# Each budget is one that a row can have: its name is a pattern, its limit one of two kinds.
python3 - "$root/tests/bench/budget.json" <<'PYTHON'
import json, re, sys
for budget in json.load(open(sys.argv[1]))["budgets"]:
    re.compile(budget["name"])
    assert len({"at_most", "at_least"} & budget.keys()) == 1 and budget["noise"] >= 0, budget
PYTHON
