# SPDX-License-Identifier: MIT
"""Agents are greenlets, whose calls wait for each other on one stack that is copied away and back.

Some raise, some are thrown out of a call, some are dropped in it. Prints its own counts.
"""

import collections
import json

import greenlet


class Executor:
    def __init__(self):
        self.tick = 0

    def invoke(self, invoker_id, artifact_id, method):
        self.tick += 1
        if method == "wait":
            return scheduler.switch()
        if method == "ask":
            return self.invoke(artifact_id, "oracle", "wait")
        if method == "fail":
            raise ValueError("no")
        return self.tick


executor = Executor()
scheduler = greenlet.getcurrent()
counts = collections.Counter()


def call(invoker_id, artifact_id, method):
    nested = method == "ask"
    try:
        executor.invoke(invoker_id, artifact_id, method)
        end = "ok"
    except ValueError:
        end = "ValueError"
    except greenlet.GreenletExit:
        end = "GreenletExit"
        raise
    finally:
        counts[artifact_id, end] += 1
        if nested:
            counts["oracle", end] += 1


def agent(number):
    for turn in range(60):
        call(f"agent{number}", f"artifact{turn % 3}", ("wait", "plain", "fail", "ask")[(turn + number) % 4])


agents = [greenlet.greenlet(agent) for _ in range(9)]
started = set()
turn = 0
while agents:
    turn += 1
    for number, one in list(enumerate(agents)):
        if one in started:
            one.switch()
        else:
            started.add(one)
            one.switch(number)
    if turn == 10:
        agents[0].throw(greenlet.GreenletExit)
        del agents[1], one  # collected in its call: GreenletExit, too
        started = set(agents)
    agents = [one for one in agents if not one.dead]

print(json.dumps(sorted([artifact, end, count] for (artifact, end), count in counts.items())))
