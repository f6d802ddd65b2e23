#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks what `events -f` wrote against the host's own truth.

    check_follow.py FILE TRUTH.tsv [--killed]

Whole lines; each call has one attempt and one outcome, the attempt first; for each
(artifact, method, error type) as many as the host counted. --killed: what was under way at
a kill may lack its outcome, and counts lie between those of returned and of begun.
"""
import collections
import json
import sys

ERRORS = {0: "", -13: "permission", -22: "validation", -110: "timeout"}
OUTCOMES = ("invoke_success", "invoke_failure")


def check(condition, text):
    if not condition:
        sys.exit(f"check_follow: {text}")


def read_truth(path):
    begun, returned = collections.Counter(), collections.Counter()
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.startswith("#"):
                continue
            artifact, method, code, b, r = line.split("\t")
            key = (artifact, method, ERRORS.get(int(code), "execution"))
            begun[key] += int(b)
            returned[key] += int(r)
    return begun, returned


def read_lines(path):
    with open(path, "rb") as f:
        data = f.read()
    check(data.endswith(b"\n"), "the output does not end with a whole line")
    attempts, outcomes = {}, {}
    for number, raw in enumerate(data.splitlines(), 1):
        event = json.loads(raw)
        call = event.get("call")
        if event["event_type"] == "invoke_attempt":
            check(call not in attempts, f"line {number}: a second attempt of call {call}")
            attempts[call] = event
        elif event["event_type"] in OUTCOMES:
            check(call not in outcomes, f"line {number}: a second outcome of call {call}")
            check(call in attempts, f"line {number}: an outcome before its attempt")
            outcomes[call] = event
        else:
            check(False, f"line {number}: {event['event_type']}")
    return attempts, outcomes


def main():
    killed = "--killed" in sys.argv
    begun, returned = read_truth(sys.argv[2])
    attempts, outcomes = read_lines(sys.argv[1])
    seen = collections.Counter((e["artifact_id"], e["method"], e.get("error_type", "")) for e in outcomes.values())
    check(seen, "no outcome at all")
    for key in begun | seen:
        if killed:
            check(returned[key] <= seen[key] <= begun[key], f"{key}: {returned[key]} <= {seen[key]} <= {begun[key]}")
        else:
            check(seen[key] == returned[key], f"{key}: {seen[key]} outcomes, not {returned[key]}")
    check(killed or attempts.keys() == outcomes.keys(), "an attempt without its outcome")
    check(len(attempts) <= begun.total(), "more attempts than calls")
    print(f"{len(attempts)} attempts, {len(outcomes)} outcomes: as the host counted")


if __name__ == "__main__":
    main()
