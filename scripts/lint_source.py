#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The house rules that a program can check; called by lint.sh: C_FILES -- OTHER_FILES.

A warning does not fail: it says what to look at. Everything else does.
"""
import re
import sys

FILE_LINES_MAX = 600  # beyond it a file is two modules, or says "lint: long file: REASON"
FUNCTION_LINES_WARN = 60
FUNCTION_LINES_MAX = 100

# What of preload/ the reader judges a probe by, before a run.
SHARED = ("preload/probe.h", "preload/prologue.h")

# folder -> what its quoted includes may begin with (a name without a folder is its own)
MAY_INCLUDE = {
    "shm": ("shm/",),
    "preload": ("shm/", "preload/"),
    "reader": ("shm/", "reader/", *SHARED),
}

# INV_WORD_LOAD and _STORE are tagged where they are defined
ORDERED = re.compile(r"memory_order_(acquire|release|acq_rel|seq_cst)")
ACQUIRES = re.compile(r"memory_order_(acquire|acq_rel|seq_cst)")
RELEASES = re.compile(r"memory_order_(release|acq_rel|seq_cst)")
TAG = re.compile(r"\[([A-Z][0-9]+)\]")
DEFINITION = re.compile(r"^\s*(?:/\*|\*)?\s*\[([A-Z][0-9]+)\]\s+(\S.*)")

complaints = []


def complain(path, line, text):
    complaints.append(f"{path}:{line}: {text}")


def folder(path):
    return path.split("/", 1)[0] if "/" in path else ""


def check_head(path, lines):
    if not any("SPDX-License-Identifier: MIT" in line for line in lines[:3]):
        complain(path, 1, "no SPDX-License-Identifier: MIT in the first three lines")


def check_todo(path, lines):
    word = "TO" + "DO"
    for number, line in enumerate(lines, 1):
        for match in re.finditer(r"\b(%s|FIX(?:ME)|XX(?:X))\b(.{0,3})" % word, line):
            if match[1] != word or not re.match(r"\(#\d|\(\d| ?#\d", match[2]):
                complain(path, number, f"{match[1]} without an issue: write {word}(#N)")


def check_includes(path, lines):
    allowed = MAY_INCLUDE.get(folder(path))
    if not allowed:
        return
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not match:
            continue
        target = match[1]
        if target.startswith(".."):
            complain(path, number, f"include {target} by its path from the root")
        elif "/" in target and not target.startswith(allowed):
            complain(path, number, f"{folder(path)}/ may not include {target}")
        if folder(path) == "reader" and target.startswith("preload/") and target not in SHARED:
            complain(path, number, f"reader/ sees {' and '.join(SHARED)} only, not {target}")
    if folder(path) == "shm":
        for number, line in enumerate(lines, 1):
            if re.match(r"\s*#\s*include\s+<(ini\.h|json|urcu|ffi|criterion)", line):
                complain(path, number, "shm/ includes libc only")


def statement_tags(lines, at):
    """Tags of the ordered operation in line `at`: of its statement, or of the comment above."""
    if lines[at].lstrip().startswith("#"):
        return TAG.findall(lines[at])
    first = at
    while first > 0 and not re.search(r"[;{}]\s*(/\*.*\*/)?\s*$|^\s*#|\*/\s*$|^\s*//", lines[first - 1]):
        first -= 1
    last = at
    while last + 1 < len(lines) and not re.search(r"[;{]", lines[last]):
        last += 1
    # a comment that begins at the end of the statement and goes on
    while last + 1 < len(lines) and "/*" in lines[last] and "*/" not in lines[last][lines[last].rfind("/*"):]:
        last += 1
    found = TAG.findall("".join(lines[first : last + 1]))
    above = first - 1
    if not found and above >= 0 and re.match(r"\s*(/\*|\*).*\*/\s*$", lines[above]):
        while above >= 0:
            found += TAG.findall(lines[above])
            if "/*" in lines[above]:
                break
            above -= 1
    return found


def strip_comment(line):
    return re.sub(r"/\*.*?(\*/|$)", "", line)


def check_barriers(files):
    """Each ordered operation has a tag; each tag a table row, a store side and a load side."""
    defined, stores, loads, used = {}, {}, {}, {}
    for path, lines in files:
        at_head = True  # a .c file may define its own tags, in its file comment
        for number, line in enumerate(lines, 1):
            at_head = at_head and re.match(r"\s*(/?\*|$)", line)
            match = DEFINITION.match(line) if path.endswith(".h") or at_head else None
            # a use, not a row: "[B4] */", "/* [B1] release: ... */"
            if match and not re.match(r"(acquire|release|seq_cst|acq_rel)\b|\*/", match[2]):
                other = defined.get(match[1])
                if other and other[0].rsplit("/", 1)[-1] in match[2]:
                    pass  # a table's row that points to the definition: "... (names.h)"
                elif other and path.rsplit("/", 1)[-1] in other[2]:
                    defined[match[1]] = (path, number, line)
                elif other:
                    complain(path, number, f"[{match[1]}] is defined in {other[0]}:{other[1]} already")
                else:
                    text = "".join(lines[number - 1 : number + 3])
                    # a row ends where the next begins
                    text = re.split(r"\n\s*\*?\s*\[[A-Z][0-9]+\]", text)[0]
                    defined[match[1]] = (path, number, text)
            for tag in TAG.findall(line):
                used.setdefault(tag, (path, number))
        if folder(path) not in ("shm", "preload"):
            continue
        in_comment = False
        for index, line in enumerate(lines):
            if in_comment or line.lstrip().startswith("/*"):
                in_comment = "*/" not in line
                continue
            code = strip_comment(line)
            if "/*" in line and "*/" not in line[line.rfind("/*"):]:
                in_comment = True
            if not ORDERED.search(code) or "atomic_signal_fence" in code:
                continue
            tags = statement_tags(lines, index)
            if not tags:
                complain(path, index + 1, "acquire, release or fence without a [tag]")
            for tag in tags:
                if RELEASES.search(code):
                    stores.setdefault(tag, (path, index + 1))
                if ACQUIRES.search(code):
                    loads.setdefault(tag, (path, index + 1))
    for tag, where in used.items():
        if tag not in defined:
            complain(*where, f"[{tag}] is defined in no header or file comment")
    for tag in sorted(set(stores) | set(loads)):
        if tag not in defined or "single-sided:" in defined[tag][2]:
            continue
        if tag not in stores:
            complain(*loads[tag], f"[{tag}] has a load side but no store side")
        if tag not in loads:
            complain(*stores[tag], f"[{tag}] has a store side but no load side")
    for tag, (path, number, text) in defined.items():
        if tag[0] == "B" and tag not in stores and tag not in loads and "single-sided:" not in text:
            complain(path, number, f"[{tag}] is in the table but nowhere in the code")


def check_size(path, lines):
    reason = re.search(r"lint: long file: \S.{10,}", "".join(lines))
    if len(lines) > FILE_LINES_MAX and not reason:
        complain(path, len(lines), f"{len(lines)} lines; beyond {FILE_LINES_MAX} it is two modules")
    start = None
    for number, line in enumerate(lines, 1):
        # a function body begins and ends at the margin (.clang-format sees to that)
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start:
            length = number - start + 1
            if length > FUNCTION_LINES_MAX:
                complain(path, start, f"function of {length} lines; beyond {FUNCTION_LINES_MAX} it is split")
            elif length > FUNCTION_LINES_WARN:
                print(f"{path}:{start}: warning: function of {length} lines; 60 needs a reason")
            start = None


def main():
    split = sys.argv.index("--")
    sources = sys.argv[1:split]
    files = []
    for path in sources:
        with open(path, encoding="utf-8") as f:
            files.append((path, f.read().splitlines(keepends=True)))
    for path, lines in files:
        check_head(path, lines)
        check_todo(path, lines)
        check_includes(path, lines)
        check_size(path, lines)
    check_barriers(files)
    for path in sys.argv[split + 1 :]:
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines(keepends=True)
        check_head(path, lines)
        check_todo(path, lines)
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
