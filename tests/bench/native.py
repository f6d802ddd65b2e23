#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What observing a native call costs, beside other ways to observe it.

    native.py BUILD WORK ROWS CASE [ROUNDS]     CASE: empty-1 | empty-2 | work-1 | work-2

A case is the work of the observed function (next to none, or 1 us) and the threads that call
it. Each way is a process that measures the bare call and the floor by turns with its own; the
processes take turns too, in one order and the other, so that what the machine does for a minute
befalls all of them. A ratio to the floor is taken within each process, a ratio to the shim
between the processes of one round; rows are medians over the rounds.

A peer that is not installed, or that the kernel does not let run, is a row that says so.
"""
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

from peers import Bpftrace, Ltrace, Lttng, Uftrace
from rows import Part

CALLS = {"empty": 100000, "work": 10000}
ROUNDS_IN_PROCESS = 15


class Way:
    """One way to observe: a command line of bench_overhead, and what surrounds it."""

    same_fields = False  # as the shim records: what it is compared with
    seen_calls = None  # in a round, of a way that is slow

    def __init__(self, name, **arguments):
        self.name, self.arguments = name, arguments
        self.failed = None

    def wrap(self, program, arguments, bench):
        """Returns: command line and environment."""
        return [program("bench_overhead"), *arguments], {}

    def start(self, bench):
        """Before the rounds. Returns: why it cannot run here, or None."""

    def stop(self, bench):
        """After the rounds. Returns: why its figures mean nothing, or None."""


class Shim(Way):
    def __init__(self, name, probes, environment=(), **arguments):
        super().__init__(name, **arguments)
        self.probes, self.environment = probes, dict(environment)

    def wrap(self, program, arguments, bench):
        sessions = os.path.join(bench.work, "sessions")
        shutil.rmtree(sessions, ignore_errors=True)
        os.mkdir(sessions, 0o700)
        return [program("bench_overhead"), *arguments], {
            "LD_PRELOAD": os.path.join(bench.build, "libinvreg_preload.so"),
            "INVREG_DIR": sessions,
            "INVREG_PROBES": os.path.join(bench.work, self.probes),
            **self.environment,
        }


class Json(Way):
    same_fields = True
    seen_calls = 20000

    def wrap(self, program, arguments, bench):
        log = os.path.join(bench.work, "calls.jsonl")
        return [program("bench_overhead"), *arguments, "--way", "json", "--log", log], {}


def ways(threads):
    ignore = {"INVREG_CHILDREN": "ignore"}
    rows = [
        Shim("got", "got.ini"),
        Shim("entry", "entry.ini"),
        Shim("nop_got", "got.ini", ignore, unobserved=1),
        Shim("nop_entry", "entry.ini", ignore, unobserved=1),
        Shim("reader_1khz", "got.ini", reader=1),
        Shim("libffi", "entry.ini", way="wide"),
        Json("fprintf"),
        Lttng("lttng_ust"),
        Uftrace("uftrace"),
        Bpftrace("uprobe"),
        Ltrace("ltrace"),
    ]
    if threads > 1:  # what a second thread adds is a ratio to this one
        rows.insert(1, Shim("got_one_thread", "got.ini", threads=1))
    return rows


class Bench:
    def __init__(self, build, work, case):
        self.build, self.work = build, work
        kind, threads = case.split("-")
        self.threads, self.work_ns, self.calls = int(threads), 1000 if kind == "work" else 0, CALLS[kind]
        self.name = f"native.{'1us' if self.work_ns else 'empty'}.{threads}t"
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("INVREG_", "LD_PRELOAD"))
        }

    def program(self, name):
        return os.path.join(self.build, "tests", name)

    def probe_files(self):
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench.ini")
        with open(source) as f:
            text = f.read()
        with open(os.path.join(self.work, "entry.ini"), "w") as f:
            f.write(text)
        head, wide = text.split("[probe wide]")
        with open(os.path.join(self.work, "got.ini"), "w") as f:
            f.write(head.rstrip("\n; ") + "\nbind = got\n")

    def run(self, way):
        """One process. Returns: what it printed; a way that fails is left out from then on."""
        given = {
            "threads": self.threads,
            "work-ns": self.work_ns,
            "calls": self.calls,
            "seen-calls": min(way.seen_calls or self.calls, self.calls),
            "rounds": ROUNDS_IN_PROCESS,
            "pin": 1,
            **way.arguments,
        }
        arguments = [text for key, value in given.items() for text in (f"--{key}", str(value))]
        command, environment = way.wrap(self.program, arguments, self)
        try:
            done = subprocess.run(
                command, env={**self.environment, **environment}, capture_output=True, text=True, timeout=60
            )
        except subprocess.TimeoutExpired:
            way.failed = "does not run here: takes more than a minute"
            return None
        said = done.stderr or done.stdout
        for line in done.stdout.splitlines():
            if line.startswith("{") and '"to_floor"' in line:
                return json.loads(line)
        way.failed = "does not run here: " + (short(said) or f"exit status {done.returncode}, and nothing was printed")
        return None

    def measure(self, rounds):
        all_ways = ways(self.threads)
        for way in all_ways:
            way.failed = way.start(self)
        found = {way.name: {} for way in all_ways}
        try:
            for turn in range(rounds):
                for way in all_ways if turn % 2 == 0 else reversed(all_ways):
                    result = None if way.failed else self.run(way)
                    if result:
                        found[way.name][turn] = result
        finally:
            for way in all_ways:
                useless = way.stop(self)
                way.failed = way.failed or useless
        return all_ways, found


def short(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:150] if lines else ""


def ratio_of_turns(above, below):
    """What two ways add, as a ratio of their ratios to the floor, round by round."""
    return [above[turn]["to_floor"] / below[turn]["to_floor"] for turn in above if turn in below]


def added_of_turns(above, below):
    return [above[turn]["added_ns"] / below[turn]["added_ns"] for turn in above if turn in below]


def report(part, bench, all_ways, found):
    values = [result for results in found.values() for result in results.values()]
    if not values:
        sys.exit("native.py: nothing could be measured: " + "; ".join(way.failed or "" for way in all_ways))
    print(f"{bench.name}:")
    part.add(f"{bench.name}.bare", "ns a call", [value["bare_ns"] for value in values])
    part.add(f"{bench.name}.floor", "ns added", [value["floor_added_ns"] for value in values])
    # 20 ns in 1,000 is what two halves of one process differ by: a ratio to the floor that is
    # measured beside 1 us of work would be one of noise
    ratio = added_of_turns if bench.work_ns else ratio_of_turns
    for way in all_ways:
        results = found[way.name]
        name = f"{bench.name}.{way.name}"
        if way.failed or not results:
            part.absent(name, way.failed or "no run")
            continue
        part.add(name, "ns added", [result["added_ns"] for result in results.values()])
        if not bench.work_ns:
            part.add(name + ".to_floor", "x floor", [result["to_floor"] for result in results.values()])
        for shim in ("got", "entry"):
            if found[shim] and way.name not in ("got", "entry"):
                part.add(f"{name}.to_{shim}", f"x {shim}", ratio(results, found[shim]))
    best_peer(part, bench, all_ways, found, ratio)
    if found.get("got_one_thread"):
        part.add(f"{bench.name}.second_thread", "x one thread", ratio(found["got"], found["got_one_thread"]))


def best_peer(part, bench, all_ways, found, ratio):
    for shim in ("got", "entry"):
        name = f"{bench.name}.best_peer_to_{shim}"
        peers = {
            way.name: ratio(found[way.name], found[shim])
            for way in all_ways
            if way.same_fields and not way.failed and found[way.name] and found[shim]
        }
        if not peers:
            part.absent(name, "no peer that captures the same fields runs here")
            continue
        least = min(peers, key=lambda peer: statistics.median(peers[peer]))
        part.add(name, f"x {shim}", peers[least], note=least)


def main():
    build, work, rows, case = sys.argv[1:5]
    rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 7
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bench = Bench(build, work, case)
    bench.probe_files()
    part = Part(rows, f"native-{case}")
    begun = time.monotonic()
    all_ways, found = bench.measure(rounds)
    report(part, bench, all_ways, found)
    cores = len(os.sched_getaffinity(0))
    part.note(
        "runs",
        f"{rounds} rounds of one process a way, in one order and the other, {time.monotonic() - begun:.0f} s; each a "
        f"median of {ROUNDS_IN_PROCESS} interleaved rounds of {bench.calls} calls (of the slow ways "
        + ", ".join(f"{way.name} {min(way.seen_calls, bench.calls)}" for way in all_ways if way.seen_calls)
        + "); "
        + (f"threads pinned to {cores} cores" if cores > 1 else "one core"),
    )
    for way in all_ways:
        if getattr(way, "note", None):
            part.note(way.name, way.note)
    part.note("same fields as the shim", ", ".join(way.name for way in all_ways if way.same_fields))
    part.save()


if __name__ == "__main__":
    main()
