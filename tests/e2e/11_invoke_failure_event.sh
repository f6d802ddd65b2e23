#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# invoke_failure_event: error type by return code, the program's own message, field by field.
. "$(dirname "$0")/lib.sh"
need python3

run --session failure -o "$work/run.jsonl" -- "$hosts/ballast" --calls 400
python3 "$root/tests/e2e/check_events.py" "$work/run.jsonl" failure 400 \
	permission,validation,timeout,execution
types=$(python3 -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
print(*sorted({line["error_type"] for line in lines if line["event_type"] == "invoke_failure"}))' "$work/run.jsonl")
assert_eq "error types" "execution permission timeout validation" "$types"

# only failures, as the reader filters them
invreg events failure --failed >"$work/failed.jsonl"
if grep -q invoke_success "$work/failed.jsonl"; then
	fail "events --failed shows a success"
fi
