# SPDX-License-Identifier: MIT
"""Callables that are no functions, under the names of functions."""
import functools

from counted import counted


@functools.lru_cache(maxsize=None)
def cached(n):
    return n * 2


def add(a, b):
    return a + b


partial = functools.partial(add, 1)


@functools.singledispatch
def dispatched(x):
    counted("dispatched")


@dispatched.register(int)
def _(x):
    counted("dispatched")


def use_cached(n):
    """The call of a cached function is counted by its caller: the second runs no body."""
    counted("cached")
    return cached(n)


def use_partial(n):
    counted("partial")
    return partial(n)
