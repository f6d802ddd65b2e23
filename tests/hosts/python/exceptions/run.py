# SPDX-License-Identifier: MIT
"""Exceptions through probed calls: `run.py PART`, printing everything a program can see of them.

The same is printed bare and observed, tracebacks and all; parts whose numbers depend on time
compare themselves and print only whether they agree.
"""
import os
import sys

sys.path[:0] = [os.environ["PROGRAMS"], os.path.dirname(os.path.abspath(__file__))]
import asyncio
import gc
import signal
import threading
import traceback

from counted import counted, counted_many, report
import raising
from raising import OwnBase, OwnError


def show(what, e):
    """All that there is to see of an exception that was caught."""
    print("--", what)
    lines = traceback.format_exception(type(e), e, e.__traceback__)
    print("".join(lines), end="")
    print(repr(e), e.args, getattr(e, "__notes__", None))
    print("context", repr(e.__context__), "cause", repr(e.__cause__), e.__suppress_context__)
    print([(f.name, f.lineno, f.line) for f in traceback.extract_tb(e.__traceback__)])


def caught(what, function, *args):
    try:
        function(*args)
    except BaseException as e:
        show(what, e)
        assert sys.exc_info()[1] is e and sys.exc_info()[2] is e.__traceback__
    else:
        print("--", what, "returned")
    assert sys.exc_info() == (None, None, None)


def part_kinds():
    kinds = [
        ValueError("value"),
        KeyError("key"),
        OwnError("own", 7),
        OwnBase("base"),
        KeyboardInterrupt(),
        SystemExit(3),
        StopIteration("value"),
        GeneratorExit(),
        MemoryError("not really"),
        RecursionError("nor this"),
        OSError(2, "No such file", "name"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
        ZeroDivisionError(),
        AssertionError("žluť"),
        ImportError("no", name="n", path="p"),
        SyntaxError("bad", ("file", 1, 2, "text")),
        Exception("\udc80", None, [1]),
    ]
    if hasattr(Exception, "add_note"):
        kinds[0].add_note("a note")
    for e in kinds:
        caught(type(e).__name__, raising.leave, e)
    for how in ("context", "cause", "suppress"):
        caught(how, raising.chained, how)
    caught("through", raising.through, 5, OwnError("deep", 1))
    if sys.version_info >= (3, 11):
        group = eval("ExceptionGroup('group', [ValueError(1), ExceptionGroup('in', [KeyError(2)])])")
        caught("group", raising.leave, group)
        exec(
            "try:\n    raising.leave(group)\nexcept* ValueError as e:\n    print('star', repr(e))\n"
            "except* KeyError as e:\n    print('star', repr(e))\n",
            {"raising": raising, "group": group},
        )
    same = ValueError("raised twice")
    caught("first", raising.leave, same)
    caught("second", raising.leave, same)


def part_handling():
    log = []
    caught("finally", raising.with_finally, log)
    print(log, raising.returns_in_finally(), raising.swallows(ValueError("inside")))
    print(raising.handled_state())
    try:
        raise OwnError("being handled", 1)
    except OwnError as e:
        print(raising.handled_state(), raising.swallows(KeyError(1)), sys.exc_info()[1] is e)
        caught_inside(raising.leave, ValueError("while handling"))
        try:
            raising.reraise()
        except OwnError as again:
            show("reraised", again)
            print(again is e)
    with raising.Context():
        raise KeyError("swallowed by __exit__")
    try:
        with raising.Context():
            raise ValueError("not swallowed")
    except ValueError as e:
        show("through __exit__", e)
    threads = []
    hook, threading.excepthook = threading.excepthook, lambda args: threads.append(repr(args.exc_value))
    for function in (lambda: raising.exits(4), lambda: raising.leave(ValueError("in a thread"))):
        thread = threading.Thread(target=function)
        thread.start()
        thread.join()
    threading.excepthook = hook
    print(threads)


def caught_inside(function, *args):
    try:
        function(*args)
    except BaseException as e:
        show("inside a handler", e)


def part_unraisable():
    """An exception in a finaliser and in a callback go where they go unobserved."""
    seen = []
    sys.unraisablehook = lambda args: seen.append((repr(args.exc_value), args.err_msg))

    class Finalised:
        def __del__(self):
            raising.leave(ValueError("in __del__"))

    Finalised()
    gc.collect()
    sys.unraisablehook = sys.__unraisablehook__
    print(seen)


def part_generators():
    log = []
    g = raising.generator(log)
    print(next(g), g.send("one"), g.throw(ValueError("two")))
    g.close()
    h = raising.generator(log)
    next(h)
    try:
        h.throw(KeyError("out"))
    except KeyError as e:
        show("thrown through", e)
    i = raising.generator(log)
    counted("generator")  # a call is the making of the generator: its body never begins
    del i
    j = raising.generator(log)
    next(j)
    del j
    gc.collect()
    print(log)


def part_asyncio():
    async def main():
        print(await raising.waits(0, "result"))
        slow = asyncio.ensure_future(raising.waits(100, "never"))
        await asyncio.sleep(0.01)
        slow.cancel()
        try:
            await slow
        except asyncio.CancelledError as e:
            print("cancelled", repr(e), slow.cancelled())
        try:
            await asyncio.wait_for(raising.waits(100, "never"), 0.01)
        except asyncio.TimeoutError as e:
            print(type(e).__name__)
        kept = asyncio.ensure_future(raising.shielded("kept"))
        await asyncio.sleep(0)
        kept.cancel()
        print(await kept)
        for e in (ValueError("later"), OwnError("own", 2)):
            try:
                await raising.fails_later(e)
            except Exception as same:
                show("awaited", same)
                print(same is e)
        results = await asyncio.gather(
            *[raising.fails_later(KeyError(i)) for i in range(3)],
            raising.waits(0, 4),
            return_exceptions=True,
        )
        print(results)

    asyncio.run(main())


def part_never_awaited():
    coroutine = raising.waits(0, 1)
    print(type(coroutine).__name__, asyncio.iscoroutine(coroutine), asyncio.iscoroutinefunction(raising.waits))
    coroutine.close()
    begun = raising.waits(1, 1)
    print(asyncio.isfuture(begun), hasattr(begun, "cr_frame"), begun.__name__, begun.__qualname__)
    del begun  # "never awaited" is for the program to be told
    gc.collect()


def part_tasks():
    """Concurrent tasks: each has an artifact of its own and a result that belongs to it."""
    results = []

    async def one(number):
        nap = [(number * 7 % 5) / 2000.0, 0, (number * 3 % 4) / 2000.0]
        pair = raising.Pair("artifact%d" % number, "raise" if number % 5 == 0 else "result%d" % number)
        try:
            results.append((pair.artifact, await raising.task(pair, nap)))
        except OwnError as e:
            results.append((pair.artifact, "failed " + e.args[0]))

    async def main():
        await asyncio.gather(*[one(number) for number in range(100)])

    asyncio.run(main())
    print(sorted(results))


def part_exit():
    try:
        raising.exits("a message")
    finally:
        report()


def part_interrupt():
    """A KeyboardInterrupt by SIGINT while probed calls are made, again and again."""
    interrupts = 0

    def kill_again():
        os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    for _ in range(50):
        timer = threading.Timer(0.002, kill_again)
        try:
            timer.start()
            while True:
                raising.busy(1)
        except KeyboardInterrupt:
            interrupts += 1
        timer.join()
    print(interrupts, "interrupts")


class Alarm(Exception):
    pass


LOST = 20000000  # calls without an alarm that was due after a millisecond: it does not come


def call_on(made):
    """Makes calls until an exception ends it; made[0] is how many have returned."""
    while made[0] < LOST:
        made[0] = raising.busy(made[0])


def read_on(proxy):
    for _ in range(LOST // 10):
        raising.nothing(proxy)


def part_alarm():
    """A handler raises; every exception raised arrives, once, and as itself.

    The handler is called at any step of the interpreter, in probed calls and between them.
    """
    raised, arrived, others, made, calls = [], [], [], [0], 0
    wanted = int(os.environ.get("ALARMS", "400"))

    def handler(number, frame):
        e = Alarm(len(raised))
        raised.append(e)
        raise e

    def arm():
        signal.setitimer(signal.ITIMER_REAL, 0.0003 + len(raised) % 7 * 0.0001)

    signal.signal(signal.SIGALRM, handler)
    while len(arrived) < wanted and "lost" not in raised:
        try:
            made[0] = 0
            arm()
            call_on(made)
            raised.append("lost")
        except Alarm as e:
            arrived.append(e)
            calls += made[0]
        except BaseException as e:
            others.append(repr(e))
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(len(arrived), "alarms", "all arrived" if arrived == raised else (len(raised), len(arrived)), others)
    names = {f.name for e in arrived for f in traceback.extract_tb(e.__traceback__)}
    print(sorted(names - {"busy", "arm", "call_on"}))
    counted_many("busy", calls)  # and one more or less for each alarm
    assert all(e.__context__ is None and e.__cause__ is None for e in arrived)


class Proxy:
    """Reading it takes code, in which an alarm may be raised: see `properties = yes`."""

    @property
    def slow(self):
        return sum(range(50))

    def __getattr__(self, name):
        return sum(range(50))


def part_alarm_properties():
    """The same while fields are read by code of the program: no alarm is lost in it."""
    raised, arrived = [], []
    wanted = int(os.environ.get("ALARMS", "400"))

    def handler(number, frame):
        e = Alarm(len(raised))
        raised.append(e)
        raise e

    signal.signal(signal.SIGALRM, handler)
    proxy = Proxy()
    while len(arrived) < wanted and "lost" not in raised:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.0005 + len(raised) % 5 * 0.0001)
            read_on(proxy)
            raised.append("lost")
        except Alarm as e:
            arrived.append(e)
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(len(arrived), "alarms", "all arrived" if arrived == raised else (len(raised), len(arrived)))


def part_recursion():
    """RecursionError at the depth that the interpreter's limit gives, again and again.

    3.12 counts C frames apart from those of Python, and 3.11 does not look at the C stack at
    all: a wrapper of each call must not change where, or whether, recursion ends.
    """
    for limit in (300, 1000, 5000):
        sys.setrecursionlimit(limit)
        try:
            raising.endless(0)
        except RecursionError as e:
            depth, tb = 0, e.__traceback__
            while tb:
                depth, tb = depth + 1, tb.tb_next
            print(limit, "depth", depth, e.args)
    sys.setrecursionlimit(1000)
    threading.stack_size(256 * 1024 * 1024)
    thread = threading.Thread(target=deep, args=(15000,))
    thread.start()
    thread.join()
    if sys.version_info >= (3, 11):  # where a call of Python takes no C stack
        deep(15000)


def deep(levels):
    sys.setrecursionlimit(levels + 500)
    for _ in range(3):
        print("deep", raising.countdown(levels))


def resident_kb():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def part_references():
    """A million calls change no reference count, and take no memory."""
    calls = int(os.environ.get("CALLS", "1000000"))
    argument, keyword, error = object(), object(), ValueError("kept")
    own = (raising.nothing, raising.leave, argument, keyword, error, ValueError, type(None), "kept")
    watched = own + (raising.nothing.__code__, raising.nothing.__dict__, raising.__dict__)

    def many(count):
        for _ in range(count):
            raising.nothing(argument, b=keyword)
            raising.nothing(argument)

    def errors(count):
        for _ in range(count):
            try:
                raising.leave_quietly(error)
            except ValueError as e:
                e.__traceback__ = None

    many(1000)
    errors(1000)
    gc.collect()
    before = [sys.getrefcount(x) for x in watched]
    total = sys.gettotalrefcount() if hasattr(sys, "gettotalrefcount") else 0
    blocks, memory = sys.getallocatedblocks(), resident_kb()
    many(calls // 2)
    errors(calls // 10)
    gc.collect()
    after = [sys.getrefcount(x) for x in watched]
    print([b - a for a, b in zip(before, after)])
    if total:
        assert abs(sys.gettotalrefcount() - total) < 500, sys.gettotalrefcount() - total
    assert abs(sys.getallocatedblocks() - blocks) < 500, sys.getallocatedblocks() - blocks
    # the ring's pages are touched as it fills: the session's own memory, once
    assert resident_kb() - memory < 16384, (memory, resident_kb())


def part_references_async():
    """The same of awaited calls: results, exceptions, frames and tasks are freed."""

    async def some(count):
        pair = raising.Pair("a", "b")
        for _ in range(count):
            await raising.task(pair, ())
        broken = raising.Pair("a", "raise")
        for _ in range(count):
            try:
                await raising.task(broken, ())
            except OwnError:
                pass
        return sys.getrefcount(pair), sys.getrefcount(broken), sys.getrefcount(raising.task)

    loop = asyncio.new_event_loop()
    first = loop.run_until_complete(some(5000))
    gc.collect()
    blocks = sys.getallocatedblocks()
    second = loop.run_until_complete(some(20000))
    gc.collect()
    assert abs(sys.getallocatedblocks() - blocks) < 500, sys.getallocatedblocks() - blocks
    print([b - a for a, b in zip(first, second)])
    loop.close()


if __name__ == "__main__":
    globals()["part_" + sys.argv[1]]()
    report()
