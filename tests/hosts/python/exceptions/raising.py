# SPDX-License-Identifier: MIT
"""What the probes observe: functions that are left by exceptions in every way."""
import asyncio
import sys

from counted import counted


class OwnError(Exception):
    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


class OwnBase(BaseException):
    pass


def leave(exception):
    """Raises what it is given; counted by its class, as it is recorded."""
    counted("leave", type(exception).__name__)
    raise exception


def chained(how):
    counted("chained", "OwnError")
    try:
        {}["missing"]
    except KeyError as e:
        if how == "cause":
            raise OwnError("chained", 1) from e
        if how == "suppress":
            raise OwnError("chained", 2) from None
        raise OwnError("chained", 3)


def through(depth, exception):
    """The exception passes through probed frames: each is left by it."""
    counted("through", type(exception).__name__)
    if depth:
        through(depth - 1, exception)
    raise exception


def swallows(exception):
    counted("swallows")
    try:
        raise exception
    except BaseException:
        return sys.exc_info()[0].__name__


def handled_state():
    """What is being handled, as a callee sees it."""
    counted("handled_state")
    return repr(sys.exc_info()[:2])


def reraise():
    """Raises what its caller handles."""
    counted("reraise", type(sys.exc_info()[1]).__name__)
    raise


def with_finally(log):
    counted("with_finally", "ValueError")
    try:
        raise ValueError("in try")
    finally:
        log.append("finally")


def returns_in_finally():
    counted("returns_in_finally")
    try:
        raise ValueError("dropped")
    finally:
        return 5


def exits(code):
    counted("exits", "SystemExit")
    sys.exit(code)


def endless(n):
    return endless(n + 1)


def countdown(n):
    return countdown(n - 1) + 1 if n else 0


def leave_quietly(exception):
    raise exception


def generator(log):
    """Its call is counted; what happens to it later is no business of the call."""
    counted("generator")
    try:
        while True:
            try:
                log.append(("sent", (yield len(log))))
            except ValueError as e:
                log.append(("thrown", repr(e)))
    finally:
        log.append("closed")


async def waits(seconds, result):
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        counted("waits", "CancelledError")
        raise
    counted("waits")
    return result


async def fails_later(exception):
    await asyncio.sleep(0)
    counted("fails_later", type(exception).__name__)
    raise exception


async def shielded(result):
    """Is cancelled, and returns nevertheless."""
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        counted("shielded")
        return result


class Context:
    """A context manager and an iterator whose methods are probed."""

    def __enter__(self):
        counted("enter")
        return self

    def __exit__(self, kind, value, traceback):
        counted("exit")
        return kind is KeyError


class Pair:
    """What a task does: artifact and result belong together."""

    def __init__(self, artifact, result):
        self.artifact, self.result = artifact, result


async def task(pair, naps):
    for nap in naps:
        await asyncio.sleep(nap)
    if pair.result == "raise":
        raise OwnError(pair.artifact, 0)
    return pair.result


def busy(n):
    """What a signal interrupts: nothing of it takes time by itself."""
    return n + 1


def nothing(a, b=None):
    return a
