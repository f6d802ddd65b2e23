#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the totals of a snapshot with what a program counted itself.

    compare_counts.py SNAPSHOT.json TRUTH.jsonl [--lost REASON]... [--open ARTIFACT]...
                      [--window ARTIFACT]... [--without-end]

TRUTH is that of tests/hosts/python/counted.py: artifact -> outcome -> count, a line for each
process. Every artifact has to be there with exactly these successes and failures by type, no
other may be, nothing may be in flight, abandoned or lost but for the reasons named. An --open
artifact may be missing altogether if its probe (of the same name) says why. Of a --window
artifact one call in twenty may be missing: its function is called while its module is still
being executed. --without-end: the program ended in the middle of calls, and made some that it
did not count. Prints what differs, and exits 1; or one line of what is equal.
"""
import argparse
import collections
import json
import sys

# A process that binds nothing, such as the shell of a wrapper; and what leaves totals exact.
MAY_LOSE = {"unbound_proc", "lapped", "reentered", "too_deep"}


def parse_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("snapshot")
    parser.add_argument("truth")
    parser.add_argument("--lost", action="append", default=[])
    parser.add_argument("--open", action="append", default=[])
    parser.add_argument("--window", action="append", default=[])
    parser.add_argument("--without-end", action="store_true")
    return parser.parse_args()


def read_truth(path):
    truth = collections.defaultdict(collections.Counter)
    with open(path) as f:
        for line in f:
            for artifact, outcomes in json.loads(line).items():
                truth[artifact].update(outcomes)
    return truth


def recorded(row):
    counts = collections.Counter(row["failure_types"])
    counts["ok"] = row["successful"]
    return +counts


def says_why(snapshot, name):
    return any(probe["name"] == name and probe["why"] for probe in snapshot["probes"])


def named_open(artifact, snapshot):
    """Calls that had begun when the program ended: the function has counted itself already."""
    rows = [row for row in snapshot["artifacts"] if row["artifact_id"] == artifact]
    return sum(row["in_flight"] + row["never_returned"] for row in rows)


def agree(artifact, want, got, snapshot, options):
    if want == got:
        return True
    if artifact in options.open and not got:
        return says_why(snapshot, artifact)
    if options.without_end:
        return sum(got.values()) + named_open(artifact, snapshot) >= sum(want.values())
    if artifact in options.window and set(got) == set(want):
        return all(count * 0.95 <= got[outcome] <= count for outcome, count in want.items())
    return False


def differences(truth, snapshot, options):
    have = {row["artifact_id"]: recorded(row) for row in snapshot["artifacts"]}
    for artifact in sorted(set(truth) | set(have)):
        want, got = dict(truth.get(artifact, {})), dict(have.get(artifact, {}))
        if not agree(artifact, want, got, snapshot, options):
            yield f"{artifact}: recorded {got}, counted {want}"
    for row in snapshot["lost"]:
        if row["reason"] not in MAY_LOSE.union(options.lost):
            yield f"lost: {row['count']} {row['reason']}"
    for key in ("in_flight", "never_returned"):
        if snapshot[key] and not options.without_end:
            yield f"{key}: {snapshot[key][:3]}"


def main():
    options = parse_options()
    truth = read_truth(options.truth)
    with open(options.snapshot) as f:
        snapshot = json.load(f)
    problems = list(differences(truth, snapshot, options))
    if not truth:
        problems.append("the program counted no call")
    for problem in problems[:30]:
        print(problem)
    if problems:
        return 1
    total = sum(sum(outcomes.values()) for outcomes in truth.values())
    print(f"{total} calls of {len(truth)} functions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
