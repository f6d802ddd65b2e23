# SPDX-License-Identifier: MIT
"""A program none of whose functions is probed: prints the least time of its rounds, in ms.

Calls of every kind, attributes, containers and text, as programs have them; rounds are short,
so that the least of many was disturbed by nobody.
"""
import json
import re
import sys
from time import perf_counter


class Node:
    __slots__ = ("value", "left", "right")

    def __init__(self, value):
        self.value, self.left, self.right = value, None, None

    def insert(self, value):
        side = "left" if value < self.value else "right"
        child = getattr(self, side)
        if child is None:
            setattr(self, side, Node(value))
        else:
            child.insert(value)

    def walk(self):
        if self.left:
            yield from self.left.walk()
        yield self.value
        if self.right:
            yield from self.right.walk()


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def words(text, *, least=3):
    return {word: len(word) for word in re.findall(r"\w+", text) if len(word) >= least}


def work():
    root = Node(500)
    for n in range(300):
        root.insert(n * 7919 % 1000)
    total = sum(root.walk()) + fib(16)
    for n in range(40):
        record = {"n": n, "names": sorted(words(__doc__)), "half": n / 2}
        total += len(json.loads(json.dumps(record))["names"])
    for n in range(2000):
        try:
            if n % 50 == 0:
                raise ValueError(n)
            total += max(n, 3) + len(str(n))
        except ValueError as e:
            total += e.args[0]
    return total


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    least = None
    for _ in range(rounds):
        start = perf_counter()
        work()
        taken = perf_counter() - start
        least = taken if least is None else min(least, taken)
    print(least * 1000)


if __name__ == "__main__":
    main()
