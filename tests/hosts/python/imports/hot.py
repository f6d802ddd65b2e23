# SPDX-License-Identifier: MIT
"""Every kind of function, called often enough for the interpreter to specialise the call."""
import asyncio
import functools

from counted import counted

N = 5000


def plain(a, b):
    counted("hot_plain")
    return a + b


def no_arguments():
    counted("hot_no_arguments")


def defaults(a, b=2, c=3):
    counted("hot_defaults")
    return a + b + c


def keyword_only(a, *, b, c=1):
    counted("hot_keyword_only")
    return a + b + c


def star(*args, **kwargs):
    counted("hot_star")
    return len(args) + len(kwargs)


def positional_only(a, b=1, /):
    counted("hot_positional_only")
    return a + b


def generator(n):
    counted("hot_generator")
    yield n
    yield n + 1


async def coroutine(n):
    counted("hot_coroutine")
    return n


async def waiting(n):
    await asyncio.sleep(0)
    counted("hot_waiting")
    return n


async def async_generator(n):
    counted("hot_async_generator")
    yield n


def recursion(n):
    counted("hot_recursion")
    return n if n < 2 else recursion(n - 1) + recursion(n - 2)


def callback(n):
    counted("hot_callback")
    return -n


lambda_function = lambda n: counted("hot_lambda") or n  # noqa: E731


def make_closure(k):
    def inner(n):
        return n + k

    return inner


class Base:
    def over(self, n):
        counted("hot_super")
        return n


class Kinds(Base):
    def __init__(self, n):
        counted("hot_init")
        self.n = n

    def method(self, n):
        counted("hot_method")
        return self.n + n

    def method_keyword(self, n, *, k=1):
        counted("hot_method_keyword")
        return self.n + n + k

    @staticmethod
    def static(n):
        counted("hot_static")
        return n

    @classmethod
    def klass(cls, n):
        counted("hot_class")
        return n

    @property
    def prop(self):
        counted("hot_property")
        return self.n

    def over(self, n):
        return super().over(n) + 1

    def __call__(self, n):
        counted("hot_call")
        return n

    def __getitem__(self, n):
        counted("hot_getitem")
        return n

    def __len__(self):
        counted("hot_len")
        return 3

    def __add__(self, n):
        counted("hot_add")
        return n

    def __enter__(self):
        counted("hot_enter")
        return self

    def __exit__(self, *exc):
        counted("hot_exit")


class Slots:
    __slots__ = ("n",)

    def __init__(self, n):
        counted("hot_slots_init")
        self.n = n

    def method(self):
        counted("hot_slots_method")
        return self.n


class Iterator:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        counted("hot_iter")
        return self

    def __next__(self):
        counted("hot_next", "ok" if self.n else "StopIteration")
        if not self.n:
            raise StopIteration
        self.n -= 1
        return self.n


def functions():
    total = 0
    arguments, keywords = (1, 2), {"x": 1, "y": 2}
    for i in range(N):
        total += plain(i, 1)
        no_arguments()
        total += defaults(i)
        total += defaults(i, 1)
        total += defaults(i, c=1)
        total += keyword_only(i, b=2)
        total += keyword_only(a=i, b=2, c=3)
        total += star(i, 1, x=2)
        total += star(*arguments, **keywords)
        total += positional_only(i)
        total += lambda_function(i)
        for value in generator(i):
            total += value
    return total + recursion(19)


def methods():
    total = 0
    thing, slots = Kinds(5), Slots(4)
    bound = thing.method
    for i in range(N):
        total += thing.method(i)
        total += bound(i)
        total += Kinds.method(thing, i)
        total += thing.method_keyword(i, k=2)
        total += thing.static(i) + Kinds.static(i)
        total += thing.klass(i) + Kinds.klass(i)
        total += thing.prop
        total += thing.over(i)
        total += thing(i) + thing[i] + len(thing) + (thing + i)
        total += Kinds(i).n
        total += slots.method() + Slots(i).n
        with thing as same:
            total += same.n
    for value in Iterator(N):
        total += value
    return total


def from_c():
    """Calls that are not made by the interpreter's own loop."""
    total = sum(map(callback, range(N)))
    total += len(sorted(range(N), key=callback))
    total += functools.reduce(plain, range(N), 0)
    total += max(range(N), key=callback)
    return total + functools.partial(callback, 3)()


async def awaited():
    total = 0
    for i in range(N):
        total += await coroutine(i)
        async for value in async_generator(i):
            total += value
    for _ in range(10):
        total += sum(await asyncio.gather(*[waiting(i) for i in range(100)]))
    return total


def closures():
    return sum(make_closure(k)(k) for k in range(100))


def use():
    return [functions(), methods(), from_c(), asyncio.run(awaited()), closures()]
