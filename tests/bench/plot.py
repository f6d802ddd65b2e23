#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the gnuplot script of one figure of build/bench.json.

    plot.py BENCH.json native|python OUT.svg

A bar is the median of what a way adds to a call, on a logarithmic axis, and the line across its
end goes from the least run to the greatest. The background is opaque, so that the figure reads
the same on a light page and on a dark one; nothing in it depends on when it is drawn.
"""
import json
import sys

OURS, OTHERS, FLOOR = "#1a7f64", "#8a8f98", "#c2c7ce"

NATIVE = (
    ("floor", "floor: two time stamps, one 64-byte store", FLOOR),
    ("nop_got", "invreg, hooked (got), nothing recorded", OURS),
    ("nop_entry", "invreg, hooked (entry), nothing recorded", OURS),
    ("got", "invreg (got)", OURS),
    ("reader_1khz", "invreg (got), a reader at 1 kHz", OURS),
    ("entry", "invreg (entry)", OURS),
    ("libffi", "invreg (got, arguments on the stack: libffi)", OURS),
    ("uftrace", "uftrace, arguments and return value", OTHERS),
    ("lttng_ust", "LTTng-UST, one event with the same fields", OTHERS),
    ("fprintf", "fprintf of a JSON line", OTHERS),
    ("uprobe", "uprobe and uretprobe (bpftrace)", OTHERS),
    ("ltrace", "ltrace", OTHERS),
)
PYTHON = (
    ("timed", "invreg, no fields", OURS),
    ("full", "invreg, all fields", OURS),
    ("profiled", "cProfile (no fields)", OTHERS),
    ("decorated", "decorator with two clock reads (no fields)", OTHERS),
    ("wrapped", "wrapper with the same fields, deque", OTHERS),
    ("monitored", "sys.monitoring (no fields)", OTHERS),
    ("hooked", "sys.setprofile (no fields)", OTHERS),
    ("dataclassed", "decorator that appends a dataclass", OTHERS),
    ("registered", "registry by hand: json.dumps, open-append", OTHERS),
)


def prefix_of(rows, figure):
    """Of Python, the newest version that was measured."""
    if figure == "native":
        return "native.empty.1t"
    versions = {tuple(map(int, name.split(".")[1:4])) for name in rows if name.startswith("python.")}
    if not versions:
        sys.exit("plot.py: no row of Python was measured")
    return "python.%d.%d.%d" % max(versions)


def say(value):
    return f"{value:,.0f} ns" if value >= 100 else f"{value:.1f} ns"


def main():
    path, figure, out = sys.argv[1:]
    with open(path) as f:
        bench = json.load(f)
    rows = {row["name"]: row for part in bench["parts"] for row in part["rows"] if "value" in row}
    prefix = prefix_of(rows, figure)
    bars = [
        (text, color, rows[f"{prefix}.{key}"])
        for key, text, color in (NATIVE if figure == "native" else PYTHON)
        if f"{prefix}.{key}" in rows
    ]
    bars.sort(key=lambda bar: bar[2]["value"])
    if not bars:
        sys.exit(f"plot.py: no row of {prefix} was measured")
    part = next(part for part in bench["parts"] if any(row["name"].startswith(prefix) for row in part["rows"]))
    machine = bench["machine"]
    what = "a near-empty native call" if figure == "native" else f"a Python call (CPython {prefix[7:]})"
    low = min(1.0, min(bar[2]["value"] for bar in bars) / 2)
    high = max(bar[2]["max"] for bar in bars) * 12
    print(f"set terminal svg size 860,{90 + 32 * len(bars)} font 'sans-serif,13' background '#ffffff' name '{figure}'")
    print(f"set output '{out}'")
    print("set encoding utf8\nunset key\nset border 1 lc rgb '#8a8f98'\nset tics textcolor rgb '#24292f'")
    title = f"ns added to {what}: median, least and greatest of {bars[-1][2]['runs']} runs"
    print(f"set label 1 '{title}' at screen 0.5, screen 0.96 center noenhanced textcolor rgb '#24292f'")
    print(
        f"set label 2 '{machine['processor']}, {machine['cores']} cores, {machine['architecture']}, Linux {machine['kernel']}, "
        f"{part['date'][:10]}; logarithmic' at screen 0.5, screen 0.03 center noenhanced font ',11' textcolor rgb '#57606a'"
    )
    print(f"set logscale x\nset xrange [{low}:{high}]\nset yrange [{len(bars) - 0.4}:-0.6]\nset format x '10^{{%L}}'")
    print("set xtics nomirror\nset grid xtics lc rgb '#e3e6ea' lw 1\nset tmargin 3\nset bmargin 4\nset style fill solid 1 noborder")
    print("set ytics scale 0 (" + ", ".join(f"'{text}' {i}" for i, (text, _, _) in enumerate(bars)) + ")")
    print("$bars << END")
    for i, (_, color, row) in enumerate(bars):
        least = max(row["min"], low)
        print(f"{row['value']} {i} {low} {row['value']} {i - 0.34} {i + 0.34} {int(color[1:], 16)} {least} {row['max']} \"{say(row['value'])}\"")
    print("END")
    print(
        "plot $bars using 1:2:3:4:5:6:7 with boxxyerror lc rgb variable, "
        "$bars using 1:2:8:9 with xerrorbars pt 0 lw 1.3 lc rgb '#24292f', "
        "$bars using ($9*1.15):2:10 with labels left font ',12' textcolor rgb '#24292f'"
    )


if __name__ == "__main__":
    main()
