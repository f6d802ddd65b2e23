# SPDX-License-Identifier: MIT
import functools

from counted import counted


def wrapping(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def bare(function):
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@wrapping
def with_wraps(n):
    counted("with_wraps")
    return n


@wrapping
def with_wraps_unprobed(n):
    return n


@bare
def without_wraps(n):
    counted("without_wraps")
    return n


@bare
def without_wraps_unprobed(n):
    return n


@bare
@wrapping
@bare
def thrice(n):
    counted("thrice")
    return n


class Kinds:
    def __init__(self):
        self.value = 3

    @property
    def prop(self):
        counted("property")
        return self.value

    @staticmethod
    def static(n):
        counted("static")
        return n

    @classmethod
    def klass(cls, n):
        counted("class_method")
        return n

    @wrapping
    def method(self, n):
        counted("decorated_method")
        return n

    @staticmethod
    @bare
    def static_decorated(n):
        counted("static_decorated")
        return n
