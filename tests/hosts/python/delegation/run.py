# SPDX-License-Identifier: MIT
"""Coroutines in generators that are coroutines (types.coroutine), and where they do not belong."""
import asyncio
import collections.abc
import types

import work

loop = asyncio.new_event_loop()


@types.coroutine
def delegates(n):
    return (yield from work.work(n)) + 1


@types.coroutine
def loops_over():
    for _ in work.work(1):
        yield


def plain_generator():
    yield from work.work(2)


async def both():
    return await delegates(3) + await work.work(5)


def told(function, *arguments):
    try:
        print(function(*arguments))
    except Exception as error:
        print(type(error).__name__, error)


told(loop.run_until_complete, delegates(3))
told(loop.run_until_complete, delegates(-1))
told(loop.run_until_complete, loops_over())
told(loop.run_until_complete, both())
told(next, plain_generator())
for ask in (iter, list, tuple):
    coroutine = work.work(1)
    told(ask, coroutine)
    coroutine.close()
coroutine = work.work(1)
print(hasattr(coroutine, "__iter__"), hasattr(coroutine, "__next__"), "__next__" in dir(coroutine))
print(isinstance(coroutine, collections.abc.Iterable), isinstance(coroutine, collections.abc.Iterator))
coroutine.close()
loop.close()
