#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares recorded events with the log that a simulation wrote of its own calls.

    compare_calls.py EVENTS.jsonl LOG.jsonl [SNAPSHOT.json]

The log is that of tests/hosts/py_ecology (src/calllog.py). Events and log are joined by
process and by the order in which the calls began: the Nth attempt of a process is its Nth
call, and all of it has to be equal, nesting depth, tick and kind of failure included. A call
never takes less time than those nested in it. The totals of a snapshot have to be those of
the log. Prints what differs, and exits 1; or one line of what is equal.
"""
import collections
import json
import sys

PROBES = {"World._execute_invoke": "invoke", "SafeExecutor.execute_with_invoke": "execute"}
ATTEMPT, OUTCOMES = "invoke_attempt", ("invoke_success", "invoke_failure")
SAME = ["invoker_id", "artifact_id", "method", "tick", "depth"]
MAY_LOSE = {"unbound_proc"}  # a process that binds nothing, such as the shell of a wrapper

problems = []


def check(condition, text):
    if not condition:
        problems.append(text)
    return condition


def read_lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def read_log(path):
    """pid -> calls as they began."""
    pids, calls = {}, collections.defaultdict(list)
    for line in read_lines(path):
        if line["event"] == "process":
            pids[line["process"]] = line["pid"]
        else:
            calls[line["process"]].append(line)
    for own in calls.values():
        own.sort(key=lambda call: call["order"])
    return {pid: calls[process] for process, pid in pids.items()}


def read_events(path):
    """pid -> (attempt, outcome) as they began."""
    attempts, outcomes = collections.defaultdict(list), {}
    for event in read_lines(path):
        kind, key = event["event_type"], (event.get("pid"), event.get("call"))
        if kind == ATTEMPT:
            attempts[event["pid"]].append(event)
        elif kind in OUTCOMES:
            check(key not in outcomes, f"call {key[1]} of process {key[0]} has two outcomes")
            outcomes[key] = event
        elif kind == "events_lost":
            check(False, f"events were lost: {event}")
        elif kind == "invoke_losses":
            check_losses(event["lost"])
    pairs = {}
    for pid, own in attempts.items():
        own.sort(key=lambda attempt: attempt["sequence"])
        pairs[pid] = [(attempt, outcomes.pop((pid, attempt["call"]), None)) for attempt in own]
    check(not outcomes, f"{len(outcomes)} outcomes without an attempt")
    return pairs


def check_losses(lost):
    for row in lost:
        check(row["reason"] in MAY_LOSE, f"lost: {row['count']} {row['reason']}")


def expected_outcome(call):
    want = {"event_type": OUTCOMES[not call["success"]]}
    if call["success"]:
        want["result_type"] = call["result_type"]
    else:
        want["error_type"] = call["error_type"]
        if not call.get("raised"):  # the text of an exception is the recorder's choice
            want["error_message"] = call["error_message"]
    return want


def compare_call(label, call, attempt, outcome):
    want = {key: call[key] for key in SAME}
    want["probe"] = PROBES[call["function"]]
    for key, value in {**want, "args_count": call["args_count"]}.items():
        check(attempt[key] == value, f"{label}: the attempt's {key} is {attempt[key]!r}, not {value!r}")
    if not check(outcome is not None, f"{label}: no outcome"):
        return
    want.update(expected_outcome(call))
    for key, value in want.items():
        check(outcome.get(key) == value, f"{label}: the outcome's {key} is {outcome.get(key)!r}, not {value!r}")


def check_durations(pid, pairs):
    """Times are rounded to a nanosecond, each by itself."""
    open_calls = []  # (duration, sum of the children so far) of each depth
    for _, outcome in pairs:
        if outcome is None:
            return
        depth, spent = outcome["depth"], outcome["duration_ms"]
        del open_calls[depth:]
        if open_calls:
            parent = open_calls[-1]
            parent[1] += spent
            check(
                parent[1] <= parent[0] * 1.000001 + 1e-5,
                f"process {pid}: a call of {parent[0]} ms has nested ones of {parent[1]} ms",
            )
        open_calls.append([spent, 0.0])


def compare_events(log, events):
    for pid in sorted(set(log) | set(events)):
        calls, pairs = log.get(pid, []), events.get(pid, [])
        for call, (attempt, outcome) in zip(calls, pairs):
            compare_call(f"process {call['process']}, call {call['order']}", call, attempt, outcome)
        check(len(calls) == len(pairs), f"process {pid}: {len(pairs)} calls recorded, {len(calls)} logged")
        check_durations(pid, pairs)


def totals(calls, key):
    """key -> Counter of None for a success, else the type of the failure."""
    rows = collections.defaultdict(collections.Counter)
    for call in calls:
        rows[key(call)][None if call["success"] else call["error_type"]] += 1
    return rows


def row_counts(row):
    counts = collections.Counter(row["failure_types"])
    counts[None] = row["successful"]
    return +counts


def compare_rows(what, want, have):
    for key in sorted(set(want) | set(have), key=str):
        a, b = dict(want.get(key, {})), dict(have.get(key, {}))
        check(a == b, f"snapshot: {what} {key}: {b}, logged {a}")


def compare_snapshot(calls, snapshot):
    artifacts = snapshot["artifacts"]
    compare_rows(
        "artifact",
        totals(calls, lambda call: call["artifact_id"]),
        {row["artifact_id"]: row_counts(row) for row in artifacts},
    )
    compare_rows(
        "method",
        totals(calls, lambda call: (call["artifact_id"], call["method"])),
        {(row["artifact_id"], m["method"]): row_counts(m) for row in artifacts for m in row["methods"]},
    )
    compare_rows(
        "invoker",
        {
            key: {"good": counts[None], "all": sum(counts.values())}
            for key, counts in totals(calls, lambda call: call["invoker_id"]).items()
        },
        {
            row["invoker_id"]: {"good": row["successful"], "all": row["total_invocations"]}
            for row in snapshot["invokers"]
        },
    )
    # The tick of the call that ended last; which process that was in, no log can say.
    ticks = collections.defaultdict(dict)
    for call in calls:
        last = ticks[call["artifact_id"]]
        last[call["process"]] = max(call["tick"], last.get(call["process"], 0))
    for row in artifacts:
        want = sorted(set(ticks[row["artifact_id"]].values()))
        logged = " or ".join(map(str, want))
        check(row["last_tick"] in want, f"snapshot: {row['artifact_id']}: last tick {row['last_tick']}, logged {logged}")
    compare_probes(calls, snapshot)


def compare_probes(calls, snapshot):
    by_probe = collections.Counter(PROBES[call["function"]] for call in calls)
    for probe in snapshot["probes"]:
        want = by_probe.pop(probe["name"], 0)
        check(probe["calls"] == want, f"snapshot: probe {probe['name']}: {probe['calls']} calls, logged {want}")
    check(not by_probe, f"snapshot: no probe {', '.join(by_probe)}")
    check_losses(snapshot["lost"])
    for key in ("in_flight", "never_returned"):
        check(not snapshot[key], f"snapshot: {key}: {snapshot[key]}")


def main():
    log = read_log(sys.argv[2])
    calls = [call for own in log.values() for call in own]
    if not check(calls, "the log has no call"):
        return report()
    compare_events(log, read_events(sys.argv[1]))
    if len(sys.argv) > 3:
        with open(sys.argv[3], encoding="utf-8") as f:
            compare_snapshot(calls, json.load(f))
    if problems:
        return report()
    failures = [call["error_type"] for call in calls if not call["success"]]
    ticks = [call["tick"] for call in calls]
    print(
        f"{len(calls)} calls of {len(log)} process{'es' * (len(log) > 1)} are equal: {len(failures)} failures "
        f"of {len(set(failures))} types, depth 0 to {max(call['depth'] for call in calls)}, "
        f"ticks {min(ticks)} to {max(ticks)}"
    )
    return 0


def report():
    for problem in problems[:20]:
        print(problem)
    if len(problems) > 20:
        print(f"... and {len(problems) - 20} more")
    return 1


if __name__ == "__main__":
    sys.exit(main())
