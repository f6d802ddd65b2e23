#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `invreg probe`: the section that it guesses is accepted by `invreg check` as it is printed, and
# records what really happened: of the demo simulation, which has no annotations, joined with its
# log; and of annotated functions of each shape. The program is not run by it. On every CPython
# found here. What it cannot do is one line and an exit status.
# skip-under: thread: its runtime hands a signal on at the next call of libc: the limit of a loop is none
. "$(dirname "$0")/lib.sh"
need python3

host=$root/tests/hosts/py_ecology
mapfile -t pythons < <("$root/tests/e2e/pythons.sh")
((${#pythons[@]})) || skip "no CPython 3.8 to 3.14 here"
said=$(INVREG_DEBUG=1 observed "${pythons[0]#* }" -c pass 2>&1)
if [[ $said == *"kind of target is not supported by this build"* ]]; then
	skip "the shim says that this build does not support Python targets"
fi

probe() { # TARGET CMD...: appends to $work/made.ini
	local target=$1
	shift
	invreg probe --python "$target" "${name[@]}" -- "$@" >>"$work/made.ini" 2>"$work/err" ||
		fail "probe $target -- $*: $(cat "$work/err")"
	assert_eq "said of $target" "" "$(cat "$work/err")"
}

accepted() { # PROBES
	invreg check - <"$work/made.ini" >"$work/said" || fail "the section is refused"
	assert_eq "probes" "$1" "$(grep -c '^probe ' "$work/said")"
	probes=$work/made.ini
}

# ---- the demo simulation ------------------------------------------------------------------------

# What the section cannot know: that the log calls this method "run", and what a message means.
as_guessed='import json, sys
for line in sys.stdin:
    call = json.loads(line)
    if call.get("function") == "SafeExecutor.execute_with_invoke":
        call["method"] = "execute_with_invoke"
    elif "error_type" in call and not call.get("raised"):
        call["error_type"] = "execution"
    print(json.dumps(call))'

simulation() { # WHAT PYTHON
	rm -f "$work"/{made.ini,log.jsonl,events.jsonl}
	forget_sessions
	name=(--name invoke)
	probe src.world.world:World._execute_invoke "$2" "$host/run.py" --ticks 10
	name=(--name execute)
	probe python:src.world.executor:SafeExecutor.execute_with_invoke "$2" "$host/run.py"
	accepted 2
	run --session seen -o "$work/events.jsonl" -- \
		"$2" -B "$host/run.py" --ticks 15 --seed 7 --log "$work/log.jsonl" >/dev/null ||
		fail "$1: the simulation failed"
	python3 -c "$as_guessed" <"$work/log.jsonl" >"$work/guessed.jsonl"
	snapshot_json seen >"$work/snapshot.json"
	python3 "$root/tests/e2e/compare_calls.py" "$work/events.jsonl" "$work/guessed.jsonl" \
		"$work/snapshot.json" >"$work/verdict" || fail "$1: $(cat "$work/verdict")"
	echo "$1: $(cat "$work/verdict")"
}

# ---- annotated functions of each shape --------------------------------------------------------

mkdir -p "$work/app/deep/er" "$work/app/core"
touch "$work/app/core/__init__.py"
cat >"$work/app/core/types.py" <<'PY'
import enum
from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional, Union
open("was_imported", "w").close()

class Action(enum.Enum):
    BUY = "buy"

class Loud(str, enum.Enum):
    SHOUT = "shout"

@dataclass
class Base:
    principal_id: str

@dataclass
class InvokeIntent(Base):
    artifact_id: str
    method: Action
    args: List[Any] = field(default_factory=list)

@dataclass
class InvokeResult:
    ok: bool
    message: str = ""
    data: Optional[Dict[str, Any]] = None

class Outcome(NamedTuple):
    returncode: int
    stderr: str

class Clock:
    def __init__(self, start: int):
        self._passed = start
    @property
    def tick(self) -> int:
        """What time it is."""
        return self._passed

Answer = Union[InvokeResult, None]
PY
cat >"$work/app/core/engine.py" <<'PY'
from __future__ import annotations
import functools
import typing as t
from abc import ABC, abstractmethod
from .types import *
from . import types as kinds
if t.TYPE_CHECKING:
    from .types import InvokeIntent

class Agent:
    def __init__(self, name: str):
        self.name = name

    def act(self, target_id: str, action: kinds.Loud, *args) -> bool:
        return target_id != "wall"

class Engine(ABC):
    def __init__(self, clock: Clock):
        self.clock = clock

    @abstractmethod
    def nothing(self): ...

    def invoke(self, intent: t.Optional[InvokeIntent], *, retries: int = 0) -> "Answer":
        return InvokeResult(intent.artifact_id != "wall", "no way", {})

class World(Engine):
    def nothing(self):
        pass

    @staticmethod
    def run(caller: Agent, tool_name: "str", func: t.Callable[..., t.Any], arguments) -> Outcome:
        return Outcome(func(*arguments), "it is stderr")

    @classmethod
    async def later(cls, sender_id: str, payload: dict) -> t.Tuple[bool, str]:
        return payload["target"] != "wall", "of a tuple"

    def plan(self, who, what):
        for step in range(2):
            yield step
PY
cat >"$work/app/deep/er/functions.py" <<'PY'
def call_tool(request, tick=9):
    reply = {"is_error": True}
    if request["tool"] != "wall":
        reply = dict(is_error=False, content=[1])
    else:
        reply["message"] = "hit the %s" % request.get("tool")
    return reply

not_a_function = 3

class Order:
    caller, target = "joe", "door"

def relay(order):
    return carry(1, load=order)

def carry(weight, load):
    return {"success": load.target != "wall", "error": load.caller + " hit it"}
PY
cat >"$work/app/run.py" <<'PY'
import asyncio, sys
from core import engine
from core.types import Action, Clock, InvokeIntent, Loud
from deep.er.functions import Order, call_tool, relay

def main(agent_id: str, target):
    return agent_id == target

world, agent = engine.World(Clock(7)), engine.Agent("ann")
for wall in "door", "wall":
    world.invoke(InvokeIntent("bob", wall, Action.BUY, [1, 2, 3]))
    agent.act(wall, Loud.SHOUT, 1, 2)
    engine.World.run(agent, wall, len, [[] if wall == "door" else [1]])
    asyncio.new_event_loop().run_until_complete(world.later("eve", {"target": wall}))
    call_tool({"tool": wall, "agent_id": "joe"})
    order = Order()
    order.target = wall
    relay(order)
    list(world.plan("zoe", wall))
    main("main", "main" if wall == "door" else "x")
PY

# probe invoker artifact method tick args, then the result's type or the message of the failure;
# what has no guess is -, as a number 0
cat >"$work/expected" <<'TXT'
invoke bob door buy 7 3 ok dict
act ann door shout 0 2 ok bool
run ann door len 0 1 ok Outcome
later eve door later 0 1 ok tuple
call_tool - door call_tool 9 0 ok list
relay joe door relay 0 0 ok dict
plan zoe - plan 7 0 ok generator
main main main main 0 0 ok bool
invoke bob wall buy 7 3 no way
act ann wall shout 0 2 -
run ann wall len 0 1 it is stderr
later eve wall later 0 1 of a tuple
call_tool - wall call_tool 9 0 hit the wall
relay joe wall relay 0 0 joe hit it
plan zoe - plan 7 0 ok generator
main main x main 0 0 -
TXT

cat >"$work/calls.py" <<'PY'
import json, sys
attempts = {}
for line in map(json.loads, sys.stdin):
    if line["event_type"] == "invoke_attempt":
        attempts[line["call"]] = line
    elif line["event_type"] in ("invoke_success", "invoke_failure"):
        a, good = attempts[line["call"]], line["event_type"] == "invoke_success"
        print(line["probe"], a["invoker_id"] or "-", a["artifact_id"] or "-", a["method"], a["tick"],
              a["args_count"], "ok " + line["result_type"] if good else line["error_message"] or "-")
PY

annotated() { # WHAT PYTHON
	local target
	rm -f "$work"/{made.ini,events.jsonl} "$work/app/was_imported"
	forget_sessions
	name=()
	for target in core.engine:{World.invoke,Agent.act,World.run,World.later,World.plan} \
		deep.er.functions:{call_tool,relay} __main__:main; do
		probe "$target" "$2" run.py
	done
	[[ ! -e was_imported ]] || fail "$1: a module of the program was imported"
	accepted 8
	run --session seen -o "$work/events.jsonl" -- "$2" -B run.py || fail "$1: the program failed"
	python3 "$work/calls.py" <"$work/events.jsonl" >"$work/calls"
	diff "$work/expected" "$work/calls" || fail "$1: what was recorded is not what happened"
}

cd "$work/app"
for line in "${pythons[@]}"; do
	simulation "${line%% *}" "${line#* }"
	annotated "${line%% *}" "${line#* }"
done

# ---- how the program is started -------------------------------------------------------------

python=${pythons[0]#* }
made() { # WHAT PATTERN [VAR=VALUE...] OPTIONS... -- CMD...: it prints a section that matches
	local what=$1 pattern=$2
	shift 2
	invreg probe "$@" >"$work/out" 2>"$work/err" || fail "$what: $(cat "$work/err")"
	assert_eq "$what: said" "" "$(cat "$work/err")"
	grep -q -- "$pattern" "$work/out" || fail "$what: no '$pattern' in: $(cat "$work/out")"
	invreg check - <"$work/out" >"$work/said" || fail "$what: the section is refused"
}

mkdir -p "$work/bin"
printf '#!%s -s\nimport core\n' "$python" >"$work/app/tool"
chmod +x "$work/app/tool"
ln -s "$work/app/tool" "$work/bin/tool"
echo 'def main(caller, n): return n' >"$work/app/__main__.py"
"$python" -m zipapp "$work/app" -o "$work/app.pyz"

cd "$work"
invoke=core.engine:World.invoke
made "a script elsewhere" "intent.artifact_id" --python $invoke -- "$python" app/run.py
made "a script in PATH, by a link" "intent.artifact_id" --python $invoke -- env "PATH=$work/bin:$PATH" \
	"$python" bin/tool
PATH=$work/bin:$PATH made "a script with #!" "intent.artifact_id" --python $invoke -- tool
made "a folder" "^invoker_id *= caller" --python __main__:main -- "$python" -I app
made "a zip file" "^invoker_id *= caller" --python __main__:main -- "$python" app.pyz
made "a module of a zip file" "intent.artifact_id" --python $invoke -- "$python" app.pyz
if "$python" -m venv --without-pip venv >/dev/null 2>&1; then
	site=$(echo venv/lib/python*/site-packages)
	mkdir "$site/installed"
	echo 'from .inner import work' >"$site/installed/__init__.py"
	echo 'def work(agent_id): pass' >"$site/installed/inner.py"
	made "a venv, a name that a package imports" "^invoker_id *= agent_id" \
		--python installed:work -- venv/bin/python app/run.py
fi
cd "$work/app"
made "-m" "^invoker_id *= agent_id" --python __main__:main -- "$python" -m run
made "-m of a folder above" "World.invoke" --python $invoke -- env A=1 timeout 20 "$python" -um run -v
made "-c" "^tick *= tick" --python __main__:f -- "$python" -c 'def f(tick): pass' 1
made "the current folder, for the standard input" "World.invoke" --python $invoke -- "$python"
mkdir -p "$work/noise" "$work/old" "$work/other"
echo 'print("[probe noise]")' >"$work/noise/sitecustomize.py"
PYTHONPATH=$work/noise PYTHONINSPECT=1 made "a site that prints" "World.invoke" --python $invoke -- "$python" run.py
if grep -q noise "$work/out"; then
	fail "what the site prints is in the section"
fi

# ---- what it cannot do ----------------------------------------------------------------------

refused() { # STATUS PATTERN OPTIONS... -- CMD...: one line, and nothing else
	local want=$1 pattern=$2
	shift 2
	status_of invreg probe "$@" >"$work/out" 2>"$work/err"
	assert_eq "exit status of probe $*: $(cat "$work/err")" "$want" "$status"
	assert_eq "output of probe $*" "" "$(cat "$work/out")"
	assert_eq "lines of error of probe $*: $(cat "$work/err")" 1 "$(wc -l <"$work/err")"
	grep -q -- "^invreg probe: .*$pattern" "$work/err" ||
		fail "probe $*: no '$pattern' in: $(cat "$work/err")"
}

main=("$python" run.py)
refused 4 "no module named cora: did you mean core" --python cora:f -- "${main[@]}"
refused 4 "core has no module engin: did you mean engine?" --python core.engin:f -- "${main[@]}"
refused 4 "core.engine has no World2: did you mean World?" --python core.engine:World2.f -- "${main[@]}"
refused 4 "core.engine:World has no invoek: did you mean invoke?" --python core.engine:World.invoek -- "${main[@]}"
refused 4 "core.engine:World is a class, not a function; it has .*invoke" --python core.engine:World -- "${main[@]}"
refused 4 "deep.er.functions:not_a_function is not a function (line 9)" \
	--python deep.er.functions:not_a_function -- "${main[@]}"
refused 4 "sys has no Python source" --python sys:exit -- "${main[@]}"
refused 4 "__main__ comes from the standard input" --python __main__:f -- "$python" -
refused 4 "none.py: there is no such script" --python core:f -- "$python" none.py
refused 4 "no module named core.*PYTHONPATH" --python core:f -- "$python" -I run.py
echo 'def f(:' >"$work/app/broken.py"
refused 4 "broken.py:1: " --python broken:f -- "${main[@]}"
refused 4 "bash is not Python" --python core:f -- bash -c true
refused 4 "Python runs no program" --python core:f -- "$python" --version
refused 1 "no-such-command: command not found" --python core:f -- no-such-command
refused 1 "/no/python3: No such file" --python core:f -- /no/python3 run.py
refused 2 "no function" -- "${main[@]}"
refused 2 "no command" --python core:f
refused 2 "--python: expected ':'" --python core -- "${main[@]}"
refused 2 "--python: unexpected '/'" --python core/engine.py:f -- "${main[@]}"
refused 2 "--name" --name 'two words' --python core:f -- "${main[@]}"
refused 2 "bad option" --pyton core:f -- "${main[@]}"

printf '#!/bin/sh\nexit 7\n' >"$work/bin/python3.9"
chmod +x "$work/bin/python3.9"
refused 1 "python3.9 gave no answer: it ended with status 7" --python core:f -- "$work/bin/python3.9" run.py

# Not to be had here, so a site says that it is one.
echo 'import sys; sys.version_info = (3, 7, 9, "final", 0)' >"$work/old/sitecustomize.py"
echo 'import sys; sys.implementation.name = "pypy"' >"$work/other/sitecustomize.py"
PYTHONPATH=$work/old refused 4 "is Python 3.7.9, which is too old" --python $invoke -- "${main[@]}"
PYTHONPATH=$work/other refused 4 "is pypy .*: Python probes are for CPython" --python $invoke -- "${main[@]}"
cat "$root"/reader/probe_python/*.py >"$work/text.py"
"$python" - "$work/text.py" <<'PY' || fail "an old interpreter could not say that it is too old"
import ast, sys
text = open(sys.argv[1], encoding="ascii").read()
for node in ast.walk(ast.parse(text)):
    name = type(node).__name__
    assert name not in ("JoinedStr", "NamedExpr", "YieldFrom", "AnnAssign", "Nonlocal", "Await", "Match"), name
    assert not getattr(node, "kwonlyargs", None), node.lineno
    assert not getattr(node, "returns", None), node.lineno
PY

# ---- -o --------------------------------------------------------------------------------------

refused 4 "has no invoek" -o "$work/new.ini" --python core.engine:World.invoek -- "${main[@]}"
[[ ! -e $work/new.ini ]] || fail "a file was made for an error"
invreg probe --python $invoke -o "$work/new.ini" -- "${main[@]}"
invreg check "$work/new.ini" >"$work/said" || fail "the file is refused"
cp "$work/new.ini" "$work/kept.ini"
refused 1 "new.ini is not empty" -o "$work/new.ini" --python $invoke -- "${main[@]}"
cmp "$work/new.ini" "$work/kept.ini" || fail "a file was overwritten"
[[ ! -e was_imported ]] || rm was_imported
