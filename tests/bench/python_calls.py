# SPDX-License-Identifier: MIT
"""What a call of a Python function costs, bare and recorded in six ways, all in one process.

    python_calls.py LOG [ROUNDS]      prints one line of JSON: ns added to a bare call

The functions are the same; `full` and `timed` are those that python.ini probes. Each is called
by a loop of its own, since the interpreter specialises the place of a call, and the loops take
turns in every round. `added` is the median over the rounds of what a call takes more than the
bare one of the same round.
"""
import collections
import dataclasses
import functools
import json
import statistics
import sys
import time
from time import perf_counter

CALLS = 20000
FEW = 100  # of the registry, which takes a thousand times as long


class Intent:
    def __init__(self, number):
        self.principal_id = ("alice", "bob", "carol", "dave")[number % 4]
        self.artifact_id = ("market_escrow", "oracle", "genesis_ledger")[number % 3]
        self.method = ("transfer", "query")[number % 2]
        self.args = [1, 2, 3]


class Result:
    def __init__(self):
        self.success = True
        self.data = None


RESULT = Result()
events = collections.deque(maxlen=16384)


def wrapper_with_deque(function):
    """The fields that the probe records, kept and nothing else: no names, no totals."""

    @functools.wraps(function)
    def wrapper(self, intent):
        start = perf_counter()
        tick, invoker, artifact = self.tick, intent.principal_id, intent.artifact_id
        method, count = intent.method, len(intent.args)
        try:
            result = function(self, intent)
        except BaseException as e:
            events.append((tick, invoker, artifact, method, count, start, perf_counter() - start, type(e).__name__))
            raise
        events.append((tick, invoker, artifact, method, count, start, perf_counter() - start, result.success))
        return result

    return wrapper


def decorator_with_clock(function):
    """For any function, keeping nothing: the least that a decorator which times does."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        start = perf_counter()
        result = function(*args, **kwargs)
        perf_counter() - start
        return result

    return wrapper


@dataclasses.dataclass
class Event:
    """What a registry written by hand keeps of a call."""

    event_type: str
    tick: int
    invoker_id: str
    artifact_id: str
    method: str
    duration_ms: float
    timestamp: float


def registry_by_hand(function):
    @functools.wraps(function)
    def wrapper(self, intent):
        start = perf_counter()
        result = function(self, intent)
        event = Event(
            "invoke_success" if result.success else "invoke_failure",
            self.tick,
            intent.principal_id,
            intent.artifact_id,
            intent.method,
            (perf_counter() - start) * 1000,
            time.time(),
        )
        with open(World.log, "a") as f:
            f.write(json.dumps(dataclasses.asdict(event)) + "\n")
        return result

    return wrapper


class World:
    log = None

    def __init__(self):
        self.tick = 7

    def bare(self, intent):
        return RESULT

    def full(self, intent):
        return RESULT

    def timed(self, intent):
        return RESULT

    @wrapper_with_deque
    def wrapped(self, intent):
        return RESULT

    @decorator_with_clock
    def decorated(self, intent):
        return RESULT

    @registry_by_hand
    def registered(self, intent):
        return RESULT


KINDS = {"bare": CALLS, "full": CALLS, "timed": CALLS, "wrapped": CALLS, "decorated": CALLS, "registered": FEW}


def make_loop(kind):
    source = f"def loop(world, intents):\n    for intent in intents:\n        world.{kind}(intent)\n"
    names = {}
    exec(source, names)
    return names["loop"]


def main():
    World.log = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 31
    world = World()
    intents = [Intent(number) for number in range(CALLS)]
    few = intents[:FEW]
    loops = {kind: make_loop(kind) for kind in KINDS}
    taken = {kind: [] for kind in KINDS}
    for turn in range(rounds + 2):  # two to warm up
        for kind, calls in KINDS.items():
            given = intents if calls == CALLS else few
            start = perf_counter()
            loops[kind](world, given)
            if turn >= 2:
                taken[kind].append((perf_counter() - start) / calls * 1e9)
    added = {
        kind: statistics.median(a - b for a, b in zip(taken[kind], taken["bare"])) for kind in KINDS if kind != "bare"
    }
    print(json.dumps({"bare": statistics.median(taken["bare"]), "added": added, "calls": CALLS * (rounds + 2)}))


if __name__ == "__main__":
    main()
