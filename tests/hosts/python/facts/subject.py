# SPDX-License-Identifier: MIT
"""Functions of every kind, asked by run.py for everything that can be asked of a function."""
import functools
import inspect
import sys
import traceback
import warnings


def plain(a: int, b: str = "b", *args, c=3, **kwargs) -> str:
    """A function with everything.

    >>> plain(1)
    '1b3'
    """
    return f"{a}{b}{c}"


def keyword_only(*, a, b=2):
    return a + b


def generator(n):
    yield from range(n)


async def coroutine(n):
    return n


async def async_generator(n):
    yield n


lambda_function = lambda x, y=1: x + y  # noqa: E731


def wrapping(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@wrapping
def wrapped(a, b=2):
    """What is behind the wrapper."""
    return a, b


def make(k):
    def closure(n):
        "With a cell."
        return n + k

    return closure


closure = make(4)


def caller():
    """Who calls, as the callee sees it: no frame is between."""
    frame = sys._getframe(1)
    return (
        frame.f_code.co_name,
        frame.f_lineno,
        len(inspect.stack(0)),
        [f.name for f in traceback.extract_stack()][-3:],
        sorted(sys._getframe(0).f_locals),
    )


def warns():
    warnings.warn("from inside", UserWarning, stacklevel=2)


def replaced():
    return "as written"


def other():
    return "another's code"


def other_default(a="first", *, b="kw first"):
    return a, b


class Base:
    """A class whose methods are probed."""

    label = "base"

    def __init__(self, n=1):
        """Takes a number."""
        self.n = n

    def method(self, x=2):
        """Adds."""
        return self.n + x

    def overridden(self):
        return "base"

    @staticmethod
    def static(a, b=1):
        return a + b

    @classmethod
    def klass(cls, a=1):
        return cls.__name__, a

    @property
    def prop(self):
        """A property."""
        return self.n

    def __eq__(self, other):
        return self.n == other.n

    def __hash__(self):
        return hash(self.n)


class Child(Base):
    def __init__(self):
        super().__init__(10)

    def overridden(self):
        return "child of " + super().overridden()
