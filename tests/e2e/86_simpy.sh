#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# probes/simpy.ini on SimPy, a library that nobody here wrote: the steps and the times that
# each process went on are those that a model counted itself; failures of a step are how the
# run ended.
. "$(dirname "$0")/lib.sh"

python=/usr/bin/python3 # Debian's: the package is its own
"$python" -c 'import simpy' 2>/dev/null || skip "python3-simpy3 is not installed"
probes=$root/preload/probes/simpy.ini
said=$(INVREG_DEBUG=1 observed "$python" -c pass 2>&1)
if [[ $said == *"kind of target is not supported by this build"* ]]; then
	skip "the shim says that this build does not support Python targets"
fi

cat >"$work/model.py" <<'PY'
"""Cars share two pumps; a driver is interrupted. Counts its steps, and how often each goes on."""
import collections, json, sys
import simpy

went_on = collections.Counter()

class Counted(simpy.Environment):
    steps = 0
    def step(self):
        self.steps += 1
        super().step()

def car(env, number, pumps):
    went_on["car"] += 1
    yield env.timeout(number)
    went_on["car"] += 1
    with pumps.request() as request:
        yield request
        went_on["car"] += 1
        yield env.timeout(2.5)
        went_on["car"] += 1

def driver(env):
    went_on["driver"] += 1
    try:
        while True:
            yield env.timeout(1)
            went_on["driver"] += 1
    except simpy.Interrupt:
        went_on["driver"] += 1

def inspector(env, victim):
    went_on["inspector"] += 1
    yield env.timeout(7.5)
    went_on["inspector"] += 1
    victim.interrupt()

env = Counted()
pumps = simpy.Resource(env, capacity=2)
for number in range(40):
    env.process(car(env, number, pumps))
env.process(inspector(env, env.process(driver(env))))
env.run(until=float(sys.argv[1]) if len(sys.argv) > 1 else None)
json.dump({"steps": env.steps, "went_on": went_on, "now": env.now}, sys.stdout)
PY

seen() { # EXPRESSION over the snapshot's artifacts, as a dict by name
	json "$work/snapshot.json" "(lambda by: $1)({row['artifact_id']: row for row in d['artifacts']})"
}

exact_model() { # ENDING [UNTIL]
	local ending=$1
	shift
	forget_sessions
	"$python" "$work/model.py" "$@" >"$work/bare.out"
	observed "$python" "$work/model.py" "$@" >"$work/own.json"
	diff "$work/bare.out" "$work/own.json" || fail "the model does something else when observed"
	snapshot_json "$(session)" >"$work/snapshot.json"
	assert_eq "steps until $ending" "$(json "$work/own.json" 'd["steps"]')" \
		"$(seen 'by["Counted"]["total_invocations"]')"
	assert_eq "how the run ended" "{'$ending': 1}" "$(seen 'by["Counted"]["failure_types"]')"
	assert_eq "times that each process went on" \
		"$(json "$work/own.json" 'sorted(d["went_on"].items())')" \
		"$(seen 'sorted((name, row["successful"]) for name, row in by.items() if name != "Counted")')"
	assert_eq "the last tick of a car" "$(json "$work/own.json" 'int(d["now"])')" \
		"$(seen 'by["car"]["last_tick"]')"
	assert_eq "lost" "[]" "$(json "$work/snapshot.json" 'd["lost"]')"
	echo "simpy until $ending: $(json "$work/own.json" 'd["steps"]') steps"
}

exact_model EmptySchedule
exact_model StopSimulation 20.5
