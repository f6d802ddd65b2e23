#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the benchmarks found: one file per part in build/bench, joined into build/bench.json.

    rows.py begin FILE PART            forgets what the part found before
    rows.py add FILE NAME UNIT [V...]  one row: the median, least and greatest of its runs
    rows.py note FILE KEY TEXT         what a figure depends on: sizes, modes, versions
    rows.py absent FILE NAME WHY       a row that could not be measured here
    rows.py judge FILE...              prints the budgets of these rows; exit 1 when one is broken
    rows.py join OUT FILE...           writes all of it as one JSON object, and prints the table

A part can run alone, on another day: each has its date. A budget (budget.json) is a limit on the
median of a row and its noise, the part of the limit that a neighbour on the machine may take: a
median beyond the limit is reported as missed, and one beyond the noise as well breaks the run.
"""
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys

BUDGETS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "budget.json")


class Part:
    def __init__(self, path, name=None):
        self.path = path
        if name is None:
            with open(path) as f:
                self.data = json.load(f)
        else:
            now = datetime.datetime.now(datetime.timezone.utc)
            self.data = {"part": name, "date": now.isoformat(timespec="seconds"), "settings": {}, "rows": []}

    def save(self):
        with open(self.path + ".new", "w") as f:
            json.dump(self.data, f, indent=1)
            f.write("\n")
        os.replace(self.path + ".new", self.path)

    def put(self, row):
        rows = [old for old in self.data["rows"] if old["name"] != row["name"]]
        self.data["rows"] = rows + [row]
        self.save()
        return row

    def add(self, name, unit, values, **more):
        row = {
            "name": name,
            "value": round(statistics.median(values), 4),
            "min": round(min(values), 4),
            "max": round(max(values), 4),
            "unit": unit,
            "runs": len(values),
        }
        return self.put({**row, **more})

    def absent(self, name, why):
        return self.put({"name": name, "absent": why})

    def note(self, key, text):
        self.data["settings"][key] = text
        self.save()


def number(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def line(row):
    if "absent" in row:
        return f"  {row['name']:<52} {row['absent']}"
    text = f"  {row['name']:<52} {number(row['value']):>10} {number(row['min']):>10} {number(row['max']):>10}"
    return f"{text}  {row['unit']} ({row['runs']})" + (f"  {row['note']}" if "note" in row else "")


def budgets():
    with open(BUDGETS) as f:
        return json.load(f)["budgets"]


def verdict(budget, row):
    """Returns: what to say, and whether the budget is met, missed or broken."""
    upper = "at_most" in budget
    limit = budget["at_most"] if upper else budget["at_least"]
    said = f"{number(row['value'])} {row['unit']} (budget: {'at most' if upper else 'at least'} {number(limit)}"
    said += f", noise {budget['noise'] * 100:.0f} %)"
    over = row["value"] - limit if upper else limit - row["value"]
    if over <= 0:
        return said, "met"
    return said, "missed" if over <= budget["noise"] * limit else "broken"


def judge(rows):
    found, states = {row["name"]: row for row in rows}, []
    for budget in budgets():
        names = [name for name in found if re.fullmatch(budget["name"], name)]
        for row in (found[name] for name in names):
            if "absent" in row:
                print(f"  not measured  {row['name']}: {row['absent']}")
                continue
            said, state = verdict(budget, row)
            states.append(state)
            print(f"  {state if state != 'broken' else 'BROKEN':<12}  {row['name']}: {said}")
            row["budget"] = {**budget, "state": state}
    if states:
        counts = {state: states.count(state) for state in ("met", "missed", "broken")}
        print("budgets: %(met)d met, %(missed)d missed by no more than their noise, %(broken)d broken" % counts)
    return 1 if "broken" in states else 0


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0].strip()
    except (OSError, IndexError):
        return "unknown"


def machine():
    processor = platform.machine()
    with open("/proc/cpuinfo") as f:
        models = re.findall(r"^model name\s*:\s*(.*)$", f.read(), re.M)
    with open("/proc/meminfo") as f:
        memory = int(re.search(r"MemTotal:\s+(\d+)", f.read())[1]) // 1024
    return {
        "processor": models[0] if models else processor,
        "architecture": processor,
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": memory,
        "virtual": first_line("systemd-detect-virt"),
        "kernel": platform.release(),
        "compiler": first_line(os.environ.get("CC", "cc"), "--version"),
        "libc": " ".join(platform.libc_ver()),
    }


def join(out, paths):
    parts = [Part(path).data for path in paths]
    for part in parts:
        print(f"\n{part['part']} ({part['date']})")
        print(f"  {'':<52} {'median':>10} {'least':>10} {'greatest':>10}  unit (runs)")
        for row in part["rows"]:
            print(line(row))
        for key, text in part["settings"].items():
            print(f"  - {key}: {text}")
    print("\nbudgets:")
    status = judge([row for part in parts for row in part["rows"]])
    dates = sorted(part["date"] for part in parts)
    whole = {"machine": machine(), "date": dates[-1] if dates else None, "parts": parts}
    with open(out, "w") as f:
        json.dump(whole, f, indent=1)
        f.write("\n")
    return status


def main():
    verb, *arguments = sys.argv[1:]
    if verb == "join":
        return join(arguments[0], arguments[1:])
    if verb == "judge":
        return judge([row for path in arguments for row in Part(path).data["rows"]])
    path, *rest = arguments
    if verb == "begin":
        Part(path, rest[0]).save()
    elif verb == "note":
        Part(path).note(rest[0], rest[1])
    elif verb == "absent":
        print(line(Part(path).absent(rest[0], rest[1])))
    elif verb == "add":
        print(line(Part(path).add(rest[0], rest[1], [float(value) for value in rest[2:]])))
    else:
        sys.exit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main())
