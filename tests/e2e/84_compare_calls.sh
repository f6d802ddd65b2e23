#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The judge of the Python tests is judged: compare_calls.py accepts a log, events and a snapshot
# that were written by hand to agree, and sees each single thing that is changed in them.
. "$(dirname "$0")/lib.sh"
need python3

cat >"$work/judge.py" <<'PY'
import copy, json, os, subprocess, sys

work, compare = sys.argv[1:]

# Process 0: an action that runs code, which invokes other code, which raises; then a refusal.
# Process 1: one call. Lines of a log come as calls end, and processes interleave.
LOG = r'''
{"event": "process", "process": 0, "pid": 100}
{"event": "process", "process": 1, "pid": 200}
{"event": "call", "process": 0, "order": 2, "function": "SafeExecutor.execute_with_invoke", "invoker_id": "forwarder", "artifact_id": "spinner", "method": "run", "tick": 4, "args_count": 0, "depth": 2, "success": false, "error_type": "ExecutionTimeout", "raised": true}
{"event": "call", "process": 1, "order": 0, "function": "World._execute_invoke", "invoker_id": "zo\u00eb", "artifact_id": "ledger", "method": "balance", "tick": 3, "args_count": 2, "depth": 0, "success": true, "result_type": "int"}
{"event": "call", "process": 0, "order": 1, "function": "SafeExecutor.execute_with_invoke", "invoker_id": "bob", "artifact_id": "forwarder", "method": "run", "tick": 4, "args_count": 1, "depth": 1, "success": false, "error_type": "timeout", "error_message": "timed out"}
{"event": "call", "process": 0, "order": 0, "function": "World._execute_invoke", "invoker_id": "bob", "artifact_id": "forwarder", "method": "run", "tick": 4, "args_count": 1, "depth": 0, "success": false, "error_type": "timeout", "error_message": "Execution failed: timed out"}
{"event": "call", "process": 0, "order": 3, "function": "World._execute_invoke", "invoker_id": "bob", "artifact_id": "ledger", "method": "sell", "tick": 5, "args_count": 0, "depth": 0, "success": false, "error_type": "method_not_found", "error_message": "Method sell not found on ledger"}
'''
EVENTS = r'''
{"event_type": "invoke_attempt", "tick": 4, "invoker_id": "bob", "artifact_id": "forwarder", "method": "run", "args_count": 1, "sequence": 1, "call": 1, "pid": 100, "depth": 0, "probe": "invoke"}
{"event_type": "invoke_attempt", "tick": 4, "invoker_id": "bob", "artifact_id": "forwarder", "method": "run", "args_count": 1, "sequence": 2, "call": 2, "pid": 100, "depth": 1, "probe": "execute"}
{"event_type": "invoke_attempt", "tick": 4, "invoker_id": "forwarder", "artifact_id": "spinner", "method": "run", "args_count": 0, "sequence": 3, "call": 3, "pid": 100, "depth": 2, "probe": "execute"}
{"event_type": "invoke_failure", "tick": 4, "invoker_id": "forwarder", "artifact_id": "spinner", "method": "run", "error_type": "ExecutionTimeout", "error_message": "", "duration_ms": 20.0, "sequence": 3, "call": 3, "pid": 100, "depth": 2, "probe": "execute"}
{"event_type": "invoke_attempt", "tick": 3, "invoker_id": "zo\u00eb", "artifact_id": "ledger", "method": "balance", "args_count": 2, "sequence": 1, "call": 1, "pid": 200, "depth": 0, "probe": "invoke"}
{"event_type": "invoke_success", "tick": 3, "invoker_id": "zo\u00eb", "artifact_id": "ledger", "method": "balance", "duration_ms": 0.002, "result_type": "int", "sequence": 1, "call": 1, "pid": 200, "depth": 0, "probe": "invoke"}
{"event_type": "invoke_failure", "tick": 4, "invoker_id": "bob", "artifact_id": "forwarder", "method": "run", "error_type": "timeout", "error_message": "timed out", "duration_ms": 20.5, "sequence": 2, "call": 2, "pid": 100, "depth": 1, "probe": "execute"}
{"event_type": "invoke_failure", "tick": 4, "invoker_id": "bob", "artifact_id": "forwarder", "method": "run", "error_type": "timeout", "error_message": "Execution failed: timed out", "duration_ms": 21.0, "sequence": 1, "call": 1, "pid": 100, "depth": 0, "probe": "invoke"}
{"event_type": "invoke_attempt", "tick": 5, "invoker_id": "bob", "artifact_id": "ledger", "method": "sell", "args_count": 0, "sequence": 7, "call": 7, "pid": 100, "depth": 0, "probe": "invoke"}
{"event_type": "invoke_failure", "tick": 5, "invoker_id": "bob", "artifact_id": "ledger", "method": "sell", "error_type": "method_not_found", "error_message": "Method sell not found on ledger", "duration_ms": 0.001, "sequence": 7, "call": 7, "pid": 100, "depth": 0, "probe": "invoke"}
{"event_type": "invoke_stats", "artifact_id": "ledger"}
{"event_type": "invoke_losses", "lost": [{"reason": "unbound_proc", "count": 1}]}
'''
SNAPSHOT = {
    "artifacts": [
        {"artifact_id": "forwarder", "successful": 0, "failure_types": {"timeout": 2}, "last_tick": 4,
         "methods": [{"method": "run", "successful": 0, "failure_types": {"timeout": 2}}]},
        {"artifact_id": "spinner", "successful": 0, "failure_types": {"ExecutionTimeout": 1}, "last_tick": 4,
         "methods": [{"method": "run", "successful": 0, "failure_types": {"ExecutionTimeout": 1}}]},
        {"artifact_id": "ledger", "successful": 1, "failure_types": {"method_not_found": 1}, "last_tick": 5,
         "methods": [{"method": "balance", "successful": 1, "failure_types": {}},
                     {"method": "sell", "successful": 0, "failure_types": {"method_not_found": 1}}]},
    ],
    "invokers": [
        {"invoker_id": "bob", "total_invocations": 3, "successful": 0},
        {"invoker_id": "forwarder", "total_invocations": 1, "successful": 0},
        {"invoker_id": "zo\u00eb", "total_invocations": 1, "successful": 1},
    ],
    "probes": [{"name": "invoke", "calls": 3}, {"name": "execute", "calls": 2}],
    "lost": [], "in_flight": [], "never_returned": [],
}


def lines(text):
    return [json.loads(line) for line in text.strip().splitlines()]


def judge(log, events, snapshot):
    paths = [os.path.join(work, name) for name in ("events.jsonl", "log.jsonl", "snapshot.json")]
    for path, content in zip(paths, (events, log, [snapshot])):
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(json.dumps(line) + "\n" for line in content)
    done = subprocess.run([sys.executable, compare, *paths], stdout=subprocess.PIPE, universal_newlines=True)
    return done.returncode, done.stdout


changes = []


def expect_red(what, change, part):
    changes.append(what)
    world = {"log": lines(LOG), "events": lines(EVENTS), "snapshot": copy.deepcopy(SNAPSHOT)}
    change(world)
    status, said = judge(**world)
    if status != 1 or part not in said:
        sys.exit(f"{what}: exit {status}, '{part}' is not in: {said}")


def setter(table, index, key, value):
    return lambda world: world[table][index].__setitem__(key, value)


status, said = judge(lines(LOG), lines(EVENTS), SNAPSHOT)
want = "5 calls of 2 processes are equal: 4 failures of 3 types, depth 0 to 2, ticks 3 to 5\n"
if status != 0 or said != want:
    sys.exit(f"the unchanged one: exit {status}: {said}")

# each word of an event; lines 0 and 7 are a call's attempt and its outcome, 5 is a success
for key, value in {"tick": 5, "invoker_id": "boB", "artifact_id": "forward", "method": "", "args_count": 2,
                   "depth": 1, "probe": "execute"}.items():
    expect_red(f"attempt: {key}", setter("events", 0, key, value), f"call 0: the attempt's {key}")
for key, value in {"tick": 5, "invoker_id": "boB", "artifact_id": "forward", "method": "", "depth": 1,
                   "probe": "execute", "error_type": "execution", "error_message": "timed out",
                   "event_type": "invoke_success"}.items():
    expect_red(f"outcome: {key}", setter("events", 7, key, value), f"call 0: the outcome's {key}")
expect_red("result_type", setter("events", 5, "result_type", "str"), "process 1, call 0: the outcome's result_type")
expect_red("class", setter("events", 3, "error_type", "execution"), "call 2: the outcome's error_type")
expect_red("a name that is no ASCII", setter("events", 4, "invoker_id", "zoe"), "attempt's invoker_id")

# whole events
expect_red("no outcome", lambda w: w["events"].pop(6), "call 1: no outcome")
expect_red("no attempt", lambda w: w["events"].pop(8), "1 outcomes without an attempt")
expect_red("a call that is not recorded", lambda w: [w["events"].pop(8), w["events"].pop(8)],
           "process 100: 3 calls recorded, 4 logged")
expect_red("a call that is not logged", lambda w: w["log"].pop(), "process 100: 4 calls recorded, 3 logged")
expect_red("a process that is not recorded", setter("log", 1, "pid", 201), "process 201: 0 calls recorded")
expect_red("two outcomes", lambda w: w["events"].append(w["events"][7]), "two outcomes")
expect_red("another order", lambda w: [w["events"][i].update(sequence=9) for i in (0, 7)], "call 0: the attempt's")
expect_red("nested calls that take longer", setter("events", 3, "duration_ms", 30.0), "a call of 20.5 ms has")
expect_red("lost", lambda w: w["events"].append({"event_type": "events_lost"}), "events were lost")
expect_red("losses", setter("events", 11, "lost", [{"reason": "unreadable", "count": 2}]), "lost: 2 unreadable")
expect_red("an empty log", lambda w: w["log"].clear(), "the log has no call")

# totals
row = lambda table, index: (lambda w: w["snapshot"][table][index])
expect_red("success", lambda w: row("artifacts", 2)(w).update(successful=2), "artifact ledger")
expect_red("failures", lambda w: row("artifacts", 0)(w).update(failure_types={"timeout": 1, "execution": 1}),
           "artifact forwarder")
expect_red("a method", lambda w: row("artifacts", 2)(w)["methods"].pop(), "method ('ledger', 'sell')")
expect_red("an artifact", lambda w: w["snapshot"]["artifacts"].pop(1), "artifact spinner")
expect_red("last tick", lambda w: row("artifacts", 0)(w).update(last_tick=5), "last tick 5, logged 4")
expect_red("an invoker", lambda w: row("invokers", 0)(w).update(total_invocations=4), "invoker bob")
expect_red("calls of a probe", lambda w: row("probes", 1)(w).update(calls=3), "probe execute: 3 calls, logged 2")
expect_red("a probe", lambda w: w["snapshot"]["probes"].pop(), "no probe execute")
expect_red("never returned", lambda w: w["snapshot"].update(never_returned=[{"call": 1}]), "never_returned")
expect_red("lost in the snapshot", lambda w: w["snapshot"].update(lost=[{"reason": "lapped", "count": 1}]), "1 lapped")
print(f"compare_calls.py accepts what agrees, and sees each of {len(changes)} changes")
PY
python3 "$work/judge.py" "$work" "$root/tests/e2e/compare_calls.py" || fail "compare_calls.py is no judge"
