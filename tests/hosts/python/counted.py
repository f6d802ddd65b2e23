# SPDX-License-Identifier: MIT
"""A program's own count of its calls: what a test compares the record with.

A body calls `counted("name")` when it ends, so the count does not depend on how the call was
made; `counted("name", "ValueError")` where it ends by that. Each process appends one line to
the file that TRUTH names: {"name": {"ok": 3, "ValueError": 1}}. Appending to a deque is one
step of the interpreter: threads need no lock, which a forked child could inherit taken.
"""
import collections
import json
import os

_seen = collections.deque()
_more = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_seen.clear)


def counted(name, outcome="ok"):
    _seen.append((name, outcome))


def counted_many(name, count):
    """As many calls of a name at once: where counting each would be most of the work."""
    _more.append((name, count))


def report():
    """Writes what was counted since the last report."""
    names = {}
    for (name, outcome), count in collections.Counter(_seen).items():
        names.setdefault(name, {})[outcome] = count
    for name, count in _more:
        names.setdefault(name, collections.Counter())["ok"] += count
    _seen.clear()
    _more.clear()
    with open(os.environ["TRUTH"], "a") as f:
        f.write(json.dumps(names) + "\n")
