#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A Python simulation under probes/agent-ecology.ini: every event equals what the simulation
# logged itself, joined by order, on every CPython 3.8 to 3.14 found here; in one process and
# in three, by `invreg run` and by bare LD_PRELOAD. It prints and logs what it does unobserved.
# skip-under: thread: its runtime hands a signal on at the next call of libc: the limit of a loop is none
. "$(dirname "$0")/lib.sh"
need python3

probes=$root/preload/probes/agent-ecology.ini
program=$root/tests/hosts/py_ecology/run.py
compare=$root/tests/e2e/compare_calls.py
mapfile -t pythons < <("$root/tests/e2e/pythons.sh")
((${#pythons[@]})) || skip "no CPython 3.8 to 3.14 here"

# What the shim itself says of these probes decides, not what this test knows of the build.
said=$(INVREG_DEBUG=1 observed "${pythons[0]#* }" -c pass 2>&1)
if [[ $said == *"kind of target is not supported by this build"* ]]; then
	skip "the shim says that this build does not support Python targets"
fi

calls_of() { # LOG: its calls, in an order that does not depend on how processes took turns
	grep -v '"event": "process"' "$1" | sort
}

same_calls() { # WHAT LOG: the simulation did what it does unobserved
	diff <(calls_of "$work/bare.jsonl") <(calls_of "$2") >"$work/diff" ||
		fail "$1: not what it does unobserved: $(head -n 3 "$work/diff")"
	diff "$work/bare.out" "$work/out" || fail "$1: another summary than unobserved"
}

judge() { # WHAT EVENTS LOG SESSION
	snapshot_json "$4" >"$work/snapshot.json"
	python3 "$compare" "$2" "$3" "$work/snapshot.json" >"$work/verdict" ||
		fail "$1: $(cat "$work/verdict")"
	echo "$1: $(cat "$work/verdict")"
}

by_run() { # WHAT PYTHON [OPTIONS...]
	local what=$1 python=$2
	shift 2
	forget_sessions
	rm -f "$work"/{log,events}.jsonl
	run --session seen -o "$work/events.jsonl" -- "$python" -B "$program" --log "$work/log.jsonl" \
		"$@" >"$work/out" || fail "$what: the simulation failed: $(tail -n 3 "$work/run.err")"
	same_calls "$what" "$work/log.jsonl"
	judge "$what" "$work/events.jsonl" "$work/log.jsonl" seen
}

by_hand() { # WHAT PYTHON [OPTIONS...]
	local what=$1 python=$2
	shift 2
	forget_sessions
	rm -f "$work"/{log,events}.jsonl
	observed "$python" -B "$program" --log "$work/log.jsonl" "$@" >"$work/out" ||
		fail "$what: the simulation failed"
	same_calls "$what" "$work/log.jsonl"
	invreg events "$(session)" >"$work/events.jsonl"
	judge "$what" "$work/events.jsonl" "$work/log.jsonl" "$(session)"
}

bare() { # [OPTIONS...]
	rm -f "$work/bare.jsonl"
	"${pythons[0]#* }" -B "$program" --log "$work/bare.jsonl" "$@" >"$work/bare.out"
}

bare --ticks 30 --seed 7
for line in "${pythons[@]}"; do
	by_run "${line%% *}, run" "${line#* }" --ticks 30 --seed 7
done
bare --ticks 15 --seed 8 --processes 3
for line in "${pythons[@]}"; do
	by_hand "${line%% *}, LD_PRELOAD, 3 processes" "${line#* }" --ticks 15 --seed 8 --processes 3
done

# As a user says it: pyenv's python3 is a script that becomes the interpreter.
[[ -n $emulated ]] || by_run "python3 of the PATH" python3 --ticks 15 --seed 8 --processes 3
