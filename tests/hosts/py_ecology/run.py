#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small agent simulation: the program that `make demo-python` and the tests observe.

It stands for somebody else's: it knows nothing of invreg and imports the standard library
only, 3.8 to 3.14. The same seed gives the same calls on every machine and every version.

    run.py [--ticks N] [--agents N] [--seed N] [--processes N] [--log FILE] [--pause SECONDS]

Agents take turns, a tick at a time. Each invokes an artifact through World._execute_invoke;
the code of an artifact runs in SafeExecutor.execute_with_invoke and may invoke others, which
are nested calls of it. Much of that fails, in each of the ways that such a world has. --log
writes a line of JSON for each call, when it ends (src/calllog.py): what really happened.
With --processes the agents are split among forked processes, each with a world of its own.
"""
import argparse
import os
import sys
import time

from src.agents import Agent
from src.calllog import CallLog
from src.world.world import World


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--ticks", type=int, default=20)
    parser.add_argument("--agents", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--log", metavar="FILE")
    parser.add_argument("--pause", type=float, default=0, help="seconds after each tick")
    return parser.parse_args()


def simulate(options, process):
    log = CallLog(options.log, process)
    world = World(log)
    mine = range(process, options.agents, options.processes)
    agents = [Agent(number, options.seed, world) for number in mine]
    for _ in range(options.ticks):
        for agent in agents:
            agent.act()
        world.advance()
        if options.pause:
            time.sleep(options.pause)
    return log


def print_summary(log):
    print("%d invocations, %d succeeded, depth at most %d" % (log.calls, log.succeeded, log.deepest))
    for error_type, count in sorted(log.failures.items()):
        print("  %-22s %6d" % (error_type, count))


def main():
    options = parse_options()
    if options.log:
        open(options.log, "w").close()
    children = []
    for process in range(1, options.processes):
        pid = os.fork()
        if pid == 0:
            simulate(options, process)
            return 0
        children.append(pid)
    log = simulate(options, 0)
    failed = [pid for pid in children if os.waitpid(pid, 0)[1] != 0]
    print_summary(log)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
