#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Exceptions of every kind pass through probed calls unchanged and are recorded once: what is
# raised, its traceback text, context and cause are those of the bare run; by handlers of
# signals and by cancellation too. Recursion ends where it does bare. Tasks that take turns do
# not mix up. A million calls leave reference counts and memory as they were.
# skip-under: thread: its runtime hands a signal on at the next call of libc, not at once
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/python_lib.sh"
need python3

program=$work/python/exceptions/run.py
export PYTHONIOENCODING=utf-8
probes=$work/raising.ini

for name in leave chained through swallows handled_state reraise with_finally returns_in_finally \
	exits generator waits fails_later shielded endless countdown leave_quietly busy; do
	printf '[probe %s]\ntarget = python:raising:%s\nartifact_id = "%s"\nmethod = "call"\n\n' \
		$name $name $name
done >"$probes"
for name in enter exit; do
	printf '[probe %s]\ntarget = python:raising:Context.__%s__\nartifact_id = "%s"\n\n' \
		$name $name $name
done >>"$probes"
cat >>"$probes" <<'INI'
[probe task]
target        = python:raising:task
artifact_id   = pair.artifact
method        = "task"
; every result is told, as the message of a failure
success       = return is None
error_message = return

[probe nothing]
target        = python:raising:nothing
artifact_id   = type(a)
invoker_id    = type(b)
args_count    = a.slow
method        = "nothing"
result_type   = type(return)
INI

part() { # NAME: sets the version's bare run, and observes it
	bare "$version $1" "$python" "$program" "$1"
	[[ -n $observing ]] && seen "$version $1" "$python" "$program" "$1"
	[[ -n $observing ]]
}

# Every function counts how it ended: each is recorded once, as that.
counted_part() {
	if part "$1"; then
		counts "$version $1"
	fi
}

each_task_has_its_own_result() {
	invreg events "$(session)" >"$work/events.jsonl"
	python3 - "$work/events.jsonl" <<'PY' || fail "$version: the tasks are mixed up"
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
ends = [e for e in events if e["event_type"] in ("invoke_success", "invoke_failure") and e["probe"] == "task"]
names = [e["artifact_id"] for e in events if e["event_type"] == "invoke_attempt" and e["probe"] == "task"]
assert sorted(names) == sorted(e["artifact_id"] for e in ends), "attempts and outcomes differ"
assert sorted(names) == sorted("artifact%d" % n for n in range(100)), names
for end in ends:
    number = int(end["artifact_id"][len("artifact"):])
    got = (end["event_type"], end["error_type"], end.get("error_message"))
    if number % 5 == 0:
        assert got[1] == "OwnError", (number, got)
    else:
        assert got == ("invoke_failure", "execution", "result%d" % number), (number, got)
    nap = ((number * 7 % 5) / 2 + (number * 3 % 4) / 2)
    assert end["duration_ms"] >= nap * 0.9, (number, end["duration_ms"], "ends before the result is there")
PY
}

# Calls that an alarm interrupts are failures by it, once each; the others are all there.
alarms() {
	snapshot_json "$(session)" >"$work/snapshot.json"
	python3 - "$work/snapshot.json" "$TRUTH" <<'PY' || fail "$version alarm: not recorded once each"
import json, sys
rows = {row["artifact_id"]: row for row in json.load(open(sys.argv[1]))["artifacts"]}
busy = rows["busy"]
calls = json.loads(open(sys.argv[2]).readline())["busy"]["ok"]
alarms = 400
assert set(busy["failure_types"]) <= {"Alarm"}, busy["failure_types"]
assert busy["failed"] <= alarms, busy
assert abs(busy["successful"] - calls) <= alarms, (busy["successful"], calls)
PY
}

parts() {
	local name
	for name in kinds handling unraisable generators asyncio; do
		counted_part $name
	done
	want_status=1 counted_part exit
	if part tasks; then
		each_task_has_its_own_result
	fi
	if part alarm; then
		alarms
	fi
	for name in never_awaited interrupt recursion references references_async alarm_properties; do
		part $name || true
	done
	if [[ -n $observing ]]; then
		properties_part
	fi
}

# The alarm may be raised in the field's own code: it still is the program's.
properties_part() {
	local probes=$work/properties.ini
	sed 's/^args_count    = a.slow/&\nproperties = yes/' "$work/raising.ini" >"$probes"
	part alarm_properties
}

every_python parts
echo "bare: ${#pythons[@]} interpreters"
python_targets
observing=yes
every_python parts
