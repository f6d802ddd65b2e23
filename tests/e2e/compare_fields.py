#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the fields of events with what each call is to record.

    compare_fields.py EVENTS.jsonl EXPECTED.jsonl SNAPSHOT.json

EXPECTED is that of tests/hosts/python/fields/run.py: the calls of each probe in their order,
with the fields of the attempt and outcome that they must have. Every field that shows _other
has to be among those counted as unreadable. Prints what differs, and exits 1; or one line.
"""
import collections
import json
import sys

MAY_LOSE = {"unreadable", "name_truncated", "text_truncated", "unbound_proc"}

BOTH = ("invoker_id", "artifact_id", "method", "tick")


def read_lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def matches(want, have):
    if not isinstance(want, dict):
        return type(want) is type(have) and want == have
    if "any" in want:
        return have in want["any"]
    if "cut" in want:  # the beginning of a text too long to be recorded whole
        # a name is at most 1,023 bytes, a message 480; a character may be cut in two
        return isinstance(have, str) and len(have) >= 200 and want["cut"].startswith(have.rstrip("\ufffd"))
    if "starts" in want:
        return isinstance(have, str) and have.startswith(want["starts"])
    if "ends" in want:
        return isinstance(have, str) and have.endswith(want["ends"])
    if "lacks" in want:
        return isinstance(have, str) and want["lacks"] not in have
    return "whatever" in want


def calls_of(events):
    """probe -> attempt and outcome in one dict, as they began."""
    calls = {}
    for event in events:
        key = (event.get("pid"), event.get("call"))
        if event["event_type"] == "invoke_attempt":
            calls[key] = event
        elif event["event_type"] in ("invoke_success", "invoke_failure"):
            attempt = calls.setdefault(key, {})
            for name in BOTH:
                if attempt.get(name) != event.get(name):
                    event["probe"] = f"{event['probe']}: {name} of attempt and outcome differ"
            attempt.update(event)
    by_probe = collections.defaultdict(list)
    for call in sorted(calls.values(), key=lambda call: call["call"]):
        by_probe[call["probe"]].append(call)
    return by_probe


def differences(by_probe, expected):
    for row in expected:
        label = f"{row['probe']}, {row['call']}"
        if not by_probe[row["probe"]]:
            yield f"{label}: not recorded"
            continue
        call = by_probe[row["probe"]].pop(0)
        if row["expected"].get("whatever"):
            continue
        for key, want in row["expected"].items():
            have = call.get(key)
            if not matches(want, have):
                yield f"{label}: {key} is {have!r:.200}, expected {want!r:.200}"
    for probe, rest in by_probe.items():
        if rest:
            yield f"{probe}: {len(rest)} calls more than were made"


def losses(snapshot, unreadable):
    counted = sum(row["count"] for row in snapshot["lost"] if row["reason"] == "unreadable")
    if counted < unreadable:
        yield f"{unreadable} fields show _other, and {counted} are counted as unreadable"
    for row in snapshot["lost"]:
        if row["reason"] not in MAY_LOSE:
            yield f"lost: {row['count']} {row['reason']}"


def main():
    by_probe = calls_of(read_lines(sys.argv[1]))
    expected = read_lines(sys.argv[2])
    with open(sys.argv[3], encoding="utf-8") as f:
        snapshot = json.load(f)
    names = ("invoker_id", "artifact_id", "method")
    unreadable = sum(
        call.get(name) == "_other" for calls in by_probe.values() for call in calls for name in names
    )
    problems = list(differences(by_probe, expected)) + list(losses(snapshot, unreadable))
    for problem in problems[:40]:
        print(problem)
    if problems:
        return 1
    print(f"{len(expected)} calls, {unreadable} unreadable fields")
    return 0


if __name__ == "__main__":
    sys.exit(main())
