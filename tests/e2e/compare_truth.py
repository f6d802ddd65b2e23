#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares a snapshot (JSON) with a host's own truth (TSV); prints what differs.

    compare_truth.py SNAPSHOT.json TRUTH.tsv [--killed | --totals]

Exact: for each artifact, method and outcome, recorded = returned.
--killed (SIGKILL): returned <= recorded <= begun: a call may have been recorded whose
    return the host did not live to count.
--totals: only the grand totals of successes and failures (more names than room for them).
"""
import collections
import json
import sys

# As in the probe file of lib.sh; what is not listed is error.default.
TYPES = {0: None, -13: "permission", -22: "validation", -110: "timeout"}
SIX = ["total_invocations", "successful", "failed", "success_rate", "avg_duration_ms", "failure_types"]

problems = []


def check(condition, text):
    if not condition:
        problems.append(text)


def read_truth(path):
    begun, returned = collections.Counter(), collections.Counter()
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.startswith("#"):
                continue
            artifact, method, code, b, r = line.rstrip("\n").split("\t")
            key = (artifact, method, TYPES.get(int(code), "execution"))
            begun[key] += int(b)
            returned[key] += int(r)
    return begun, returned


def read_snapshot(snapshot):
    """(artifact, method, error type or None) -> calls; checks that the parts add up."""
    recorded = collections.Counter()
    for artifact in snapshot["artifacts"]:
        name = artifact["artifact_id"]
        check(list(artifact)[1:7] == SIX, f"{name}: the six fields do not come first: {list(artifact)}")
        for part in [artifact] + artifact["methods"]:
            label = f"{name}.{part.get('method', '*')}"
            total, good, bad = part["total_invocations"], part["successful"], part["failed"]
            check(total == good + bad, f"{label}: {total} is not {good} + {bad}")
            check(sum(part["failure_types"].values()) == bad, f"{label}: failure types do not add up to {bad}")
        total = artifact["total_invocations"]
        rate = artifact["successful"] / total if total else 0.0
        check(abs(artifact["success_rate"] - rate) < 1e-5, f"{name}: success_rate {artifact['success_rate']}, not {rate}")
        methods = artifact["methods"]
        check(sum(m["total_invocations"] for m in methods) == total, f"{name}: its methods do not add up to {total}")
        for method in methods:
            recorded[name, method["method"], None] += method["successful"]
            for error_type, count in method["failure_types"].items():
                recorded[name, method["method"], error_type] += count
    return +recorded


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        snapshot = json.load(f)
    begun, returned = read_truth(sys.argv[2])
    mode = sys.argv[3] if len(sys.argv) > 3 else "--exact"
    recorded = read_snapshot(snapshot)
    if mode == "--totals":
        for failed in (False, True):
            want = sum(n for key, n in returned.items() if (key[2] is not None) == failed)
            have = sum(n for key, n in recorded.items() if (key[2] is not None) == failed)
            check(want == have, f"failed={failed}: recorded {have}, truth {want}")
    else:
        for key in sorted(set(returned) | set(recorded), key=str):
            low = returned[key]
            high = begun[key] if mode == "--killed" else low
            check(low <= recorded[key] <= high, f"{key}: recorded {recorded[key]}, truth {low} to {high}")
    invokers = sum(row["total_invocations"] for row in snapshot["invokers"])
    check(
        mode == "--killed" or invokers == sum(recorded.values()),
        f"invokers add up to {invokers}, artifacts to {sum(recorded.values())}",
    )
    for problem in problems[:20]:
        print(problem)
    if len(problems) > 20:
        print(f"... and {len(problems) - 20} more")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
