# SPDX-License-Identifier: MIT
"""Makes the calls of a group of cases, or writes what observes them.

    run.py GROUP FOLDER               writes GROUP.ini and subject_GROUP.py into FOLDER
    run.py GROUP                      the program: needs subject_GROUP.py on its path
    run.py GROUP --expected           what is to be recorded, a line of JSON for each call

The program prints what each call returned, and, last, how often code in Python ran that reads
fields would run: a program that is observed prints the same.
"""
import asyncio
import collections
import functools
import json
import os
import sys

sys.path[:0] = [os.environ.get("SUBJECTS", "."), os.path.dirname(os.path.abspath(__file__))]
import shapes
from cases import GROUPS
from shapes import *  # noqa: F403  the calls of the cases name them


class Tools:
    """`t` in the calls of the cases."""

    def swallow(self, f, *args, **kwargs):
        try:
            f(*args, **kwargs)
        except BaseException as e:
            return type(e).__name__, len(e.args)

    def context_of(self, f, *args):
        try:
            f(*args)
        except BaseException as e:
            return type(e).__name__, e.__context__, e.__cause__, sys.exc_info()[1] is e

    def call(self, method, *args):
        return method(*args)

    def built(self, *parts):
        return "".join(parts)

    def sub(self, f):
        return type("Sub", (f,), {})

    def keep(self, mapping):
        self.kept = mapping
        return mapping

    def quiet(self, make):
        """What make() returns; the code that it ran itself is not counted."""
        before = shapes.runs.copy()
        thing = make()
        shapes.runs.clear()
        shapes.runs.update(before)
        return thing

    def cached(self, thing):
        self.quiet(lambda: thing.principal_id)
        return thing

    def change_class(self, cls):
        """The attribute of the class is another, where it had been read before."""
        cls.kind = "changed"
        return cls()

    def turn_property(self, cls):
        cls.kind = shapes.Property.principal_id
        return cls()


def source_of(name, parameters, body):
    if parameters == "class":
        return f"class {name}:\n    def __init__(self, tick=0): self.tick = tick\n    {body}\n"
    if parameters.startswith("async "):
        return f"async def {name}({parameters[6:]}):\n    {body}\n"
    if "yield" in body or "/" in parameters or "\n" not in body:
        return f"def {name}({parameters}):\n    {body}\n"
    raise ValueError(name)


def write(group, folder):
    with open(os.path.join(folder, f"subject_{group}.py"), "w", encoding="utf-8") as f:
        f.write("from shapes import *\n\n")
        for name, parameters, body, _, _ in GROUPS[group]:
            f.write(source_of(name, parameters, body) + "\n")
    with open(os.path.join(folder, f"{group}.ini"), "w", encoding="utf-8") as f:
        for name, parameters, _, probe, _ in GROUPS[group]:
            target = f"{name}.{name}" if parameters == "class" else name
            f.write(f"[probe {name}]\ntarget = python:subject_{group}:{target}\n")
            f.writelines(f"{key} = {value}\n" for key, value in probe.items())
            f.write("\n")


def expected(group):
    for name, _, _, _, calls in GROUPS[group]:
        for call, fields in calls:
            print(json.dumps({"probe": name, "call": call, "expected": fields}))


def shown(value):
    return f"{type(value).__name__} {value!r}" if isinstance(value, (int, str, float, tuple)) else type(value).__name__


def run(group):
    subject = __import__(f"subject_{group}")
    for name, _, _, _, calls in GROUPS[group]:
        tools = Tools()
        names = dict(globals(), f=getattr(subject, name), t=tools)
        for call, _ in calls:
            shown_value = shown(eval(call, names))
            print(name, shown_value.encode("ascii", "backslashreplace").decode())
        if hasattr(tools, "kept"):
            print(name, "kept", dict(tools.kept))
    if group != "properties":
        print("runs", sorted(shapes.runs.items()))


if __name__ == "__main__":
    if sys.argv[2:] == ["--expected"]:
        expected(sys.argv[1])
    elif len(sys.argv) > 2:
        write(sys.argv[1], sys.argv[2])
    else:
        run(sys.argv[1])
