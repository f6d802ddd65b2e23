# SPDX-License-Identifier: MIT
"""What a call of a Python function costs, bare and recorded in other ways, all in one process.

    python_calls.py LOG [ROUNDS]              prints one line of JSON: ns added to a bare call
    python_calls.py LOG [ROUNDS] --tracers    the same of what traces a whole interpreter

The functions are the same; `full` and `timed` are those that python.ini probes. Each is called
by a loop of its own, since the interpreter specialises the place of a call, and the loops take
turns in every round. What traces a whole interpreter has a process of its own, since it leaves
code behind that is no longer specialised; it is on while its own loop runs. `added` is the median over the rounds of what a call takes more than the
bare one of the same round.
"""
import collections
import cProfile
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
kept = []  # emptied after each round


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


def decorator_with_dataclass(function):
    """What people write when the events stay in memory: one object a call, appended to a list."""

    @functools.wraps(function)
    def wrapper(self, intent):
        start = perf_counter()
        result = function(self, intent)
        kept.append(
            Event(
                "invoke_success" if result.success else "invoke_failure",
                self.tick,
                intent.principal_id,
                intent.artifact_id,
                intent.method,
                (perf_counter() - start) * 1000,
                time.time(),
            )
        )
        return result

    return wrapper


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

    @decorator_with_dataclass
    def dataclassed(self, intent):
        return RESULT

    @registry_by_hand
    def registered(self, intent):
        return RESULT

    def profiled(self, intent):
        return RESULT

    def hooked(self, intent):
        return RESULT

    def monitored(self, intent):
        return RESULT


KINDS = {
    "bare": CALLS,
    "full": CALLS,
    "timed": CALLS,
    "wrapped": CALLS,
    "decorated": CALLS,
    "dataclassed": CALLS,
    "registered": FEW,
}
TRACERS = {"bare": CALLS, "profiled": CALLS, "hooked": CALLS}
if hasattr(sys, "monitoring"):
    TRACERS["monitored"] = CALLS

starts = []


def profile_hook(frame, event, argument):
    """Times the calls of one function, and keeps no fields."""
    if frame.f_code is World.hooked.__code__:
        if event == "call":
            starts.append(perf_counter())
        elif event == "return":
            events.append(("hooked", perf_counter() - starts.pop()))


def monitor_start(code, offset):
    starts.append(perf_counter())


def monitor_return(code, offset, result):
    events.append(("monitored", perf_counter() - starts.pop()))


def monitor(wanted):
    tool, code = 4, World.monitored.__code__  # cProfile has one, too
    on = sys.monitoring.events
    if wanted and sys.monitoring.get_tool(tool) is None:
        sys.monitoring.use_tool_id(tool, "bench")
        sys.monitoring.register_callback(tool, on.PY_START, monitor_start)
        sys.monitoring.register_callback(tool, on.PY_RETURN, monitor_return)
    sys.monitoring.set_local_events(tool, code, on.PY_START | on.PY_RETURN if wanted else 0)


profiler = cProfile.Profile()


def trace(kind, on):
    if kind == "profiled":
        profiler.enable() if on else profiler.disable()
    elif kind == "hooked":
        sys.setprofile(profile_hook if on else None)
    elif kind == "monitored":
        monitor(on)


def make_loop(kind):
    source = f"def loop(world, intents):\n    for intent in intents:\n        world.{kind}(intent)\n"
    names = {}
    exec(source, names)
    return names["loop"]


def one_round(loop, kind, world, given):
    trace(kind, True)
    start = perf_counter()
    loop(world, given)
    taken = perf_counter() - start
    trace(kind, False)
    kept.clear()
    return taken / len(given) * 1e9


def main():
    arguments = [text for text in sys.argv[1:] if text != "--tracers"]
    kinds = TRACERS if "--tracers" in sys.argv else KINDS
    World.log = arguments[0]
    rounds = int(arguments[1]) if len(arguments) > 1 else 31
    world = World()
    intents = [Intent(number) for number in range(CALLS)]
    loops = {kind: make_loop(kind) for kind in kinds}
    taken = {kind: [] for kind in kinds}
    for turn in range(rounds + 2):  # two to warm up
        for kind, calls in kinds.items():
            ns = one_round(loops[kind], kind, world, intents[:calls])
            if turn >= 2:
                taken[kind].append(ns)
    added = {
        kind: statistics.median(a - b for a, b in zip(taken[kind], taken["bare"])) for kind in kinds if kind != "bare"
    }
    print(json.dumps({"bare": statistics.median(taken["bare"]), "added": added, "calls": CALLS * (rounds + 2)}))


if __name__ == "__main__":
    main()
