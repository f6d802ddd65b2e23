# SPDX-License-Identifier: MIT
"""What every launched program calls: a method, a function, a coroutine and a fork inside."""
import os

from counted import counted


class Work:
    def step(self, n):
        counted("step")
        return n + 1

    def fails(self, n):
        counted("fails", "ValueError")
        raise ValueError(n)

    def forks(self):
        """Returns in both processes, and each counts what it returned from."""
        pid = os.fork()
        counted("forks")
        return pid


def function(n):
    counted("function")
    return n * 2


async def task(n):
    import asyncio  # not at the top: its modules in C cannot be loaded where libpython is local

    await asyncio.sleep(0)
    counted("task")
    return n


def use(times=20):
    work, total = Work(), 0
    for n in range(times):
        total += work.step(n) + function(n)
        try:
            work.fails(n)
        except ValueError as e:
            total += e.args[0]
    return total
