#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks JSONL events: fields, their order and types, timestamps; pairs by `call`.

    check_events.py FILE success|failure CALLS RESULT_TYPE
"""
import json
import sys
from datetime import datetime

TAIL = ["sequence", "call", "pid", "tid", "depth", "probe", "session"]
FIELDS = {
    "invoke_attempt": ["event_type", "tick", "invoker_id", "artifact_id", "method", "args_count", "timestamp"],
    "invoke_success": [
        "event_type", "tick", "invoker_id", "artifact_id", "method", "duration_ms", "result_type", "timestamp",
    ],
    "invoke_failure": [
        "event_type", "tick", "invoker_id", "artifact_id", "method", "error_type", "error_message", "duration_ms",
        "timestamp",
    ],
}  # fmt: skip
INTEGERS = {"tick", "args_count", "sequence", "pid", "tid", "depth"}
TEXTS = {"event_type", "invoker_id", "artifact_id", "method", "result_type", "error_type", "error_message", "session"}


def check(condition, line, text):
    if not condition:
        sys.exit(f"line {line}: {text}")


def instant(value):
    if isinstance(value, str):
        return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    return float(value)


def check_line(number, event):
    want = FIELDS[event["event_type"]] + TAIL
    check(list(event)[: len(want)] == want, number, f"fields are {list(event)}, not {want}")
    for key, value in event.items():
        check(value is not None, number, f"{key} is null")
        if key in INTEGERS:
            check(type(value) is int, number, f"{key} is no integer: {value!r}")
        if key in TEXTS:
            check(type(value) is str and value, number, f"{key} is no text: {value!r}")
    if "duration_ms" in event:
        check(type(event["duration_ms"]) in (int, float), number, "duration_ms is no number")
        check(0 <= event["duration_ms"] < 60000, number, f"duration_ms {event['duration_ms']}")
    stamp = instant(event["timestamp"])
    check(abs(stamp - datetime.now().timestamp()) < 600, number, f"timestamp {event['timestamp']} is not now")
    return stamp


def main():
    path, wanted, calls, result_type = sys.argv[1], "invoke_" + sys.argv[2], int(sys.argv[3]), sys.argv[4]
    attempts, outcomes = {}, {}
    with open(path, "rb") as f:
        data = f.read()
    check(data.endswith(b"\n"), 0, "the file does not end with a whole line")
    for number, raw in enumerate(data.splitlines(), 1):
        event = json.loads(raw)
        if event["event_type"] not in FIELDS:
            continue
        stamp = check_line(number, event)
        table = attempts if event["event_type"] == "invoke_attempt" else outcomes
        check(event["call"] not in table, number, f"call {event['call']} twice")
        table[event["call"]] = (number, stamp, event)
    check(len(attempts) == calls, 0, f"{len(attempts)} attempts, not {calls}")
    check(attempts.keys() == outcomes.keys(), 0, "attempts and outcomes do not pair")
    chosen = [row for row in outcomes.values() if row[2]["event_type"] == wanted]
    check(chosen, 0, f"no {wanted} at all")
    for call, (number, stamp, event) in outcomes.items():
        _, begun, attempt = attempts[call]
        for key in ("tick", "invoker_id", "artifact_id", "method", "pid", "tid", "depth", "probe", "session"):
            check(event[key] == attempt[key], number, f"{key} differs from its attempt")
        check(stamp >= begun, number, "returned before it began")
    for number, _, event in chosen:
        if wanted == "invoke_success":
            check(event["result_type"] == result_type, number, f"result_type {event['result_type']}")
        else:
            check(event["error_type"] in result_type.split(","), number, f"error_type {event['error_type']}")
            check(event["artifact_id"] in event["error_message"], number, "error_message is not the host's")
    print(f"{len(chosen)} {wanted} of {calls} calls")


if __name__ == "__main__":
    main()
