#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# invoke_success_event: attempt and success lines of a call, field by field.
. "$(dirname "$0")/lib.sh"
need python3

run --session success -o "$work/run.jsonl" -- "$hosts/ballast" --calls 50 --codes 1
python3 "$root/tests/e2e/check_events.py" "$work/run.jsonl" success 50 int

# nested: depth counts from 0, outermost
run --session nested -o "$work/nest.jsonl" -- "$hosts/nest" --calls 3 --depth 4 --codes 1
python3 "$root/tests/e2e/check_events.py" "$work/nest.jsonl" success 12 int
depths=$(python3 -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
print(sorted({line["depth"] for line in lines if line["event_type"] == "invoke_success"}))' "$work/nest.jsonl")
assert_eq "depths" "[0, 1, 2, 3]" "$depths"
