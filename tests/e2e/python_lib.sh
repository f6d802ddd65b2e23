# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# python_lib.sh - what every test of Python probes takes after lib.sh.
#
# `pythons` is the CPythons found here, `VERSION PATH` each. A test runs its programs bare on
# all of them first: a program that fails by itself says nothing about observing it. Then
# `python_targets` skips where the build at hand refuses Python targets, as it says itself.
# Programs are copied to $work, which is where a __pycache__ may appear.

mapfile -t pythons < <("$root/tests/e2e/pythons.sh")
((${#pythons[@]})) || skip "no CPython 3.8 to 3.14 here"
if [[ -n ${PYTHONS:-} ]]; then # only these versions: PYTHONS='3.8 3.13'
	mapfile -t pythons < <(printf '%s\n' "${pythons[@]}" | grep -E "^(${PYTHONS// /|})\b")
fi
cp -r "$root/tests/hosts/python" "$work/python"
export TRUTH=$work/truth.jsonl PROGRAMS=$work/python
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONWARNINGS PYTHONHASHSEED PYTHONDEVMODE

python_targets() {
	local said probes=$work/any.ini
	printf '[probe any]\ntarget = python:any:function\n' >"$probes"
	said=$(INVREG_DEBUG=1 observed "${pythons[0]#* }" -c pass 2>&1)
	if [[ $said == *"kind of target is not supported by this build"* ]]; then
		skip "the shim says that this build does not support Python targets"
	fi
}

at_least() { # VERSION WANTED: whether 3.11.2 is at least 3.11
	[[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]
}

# One run without the shim; leaves $work/bare.{out,truth,status}.
bare() { # WHAT CMD...
	local what=$1
	shift
	rm -f "$TRUTH"
	status_of "$@" >"$work/bare.out" 2>"$work/bare.err" </dev/null
	echo "$status" >"$work/bare.status"
	touch "$TRUTH"
	mv "$TRUTH" "$work/bare.truth"
	((status == ${want_status:-0})) ||
		fail "$what, bare: exit status $status: $(tail -n 5 "$work/bare.err")"
}

# The same run observed, in a session of its own: output and status are those of `bare`.
seen() { # WHAT CMD...
	local what=$1
	shift
	forget_sessions
	rm -f "$TRUTH"
	status_of observed "$@" >"$work/seen.out" 2>"$work/seen.err" </dev/null
	touch "$TRUTH"
	assert_eq "$what: exit status (stderr: $(tail -n 5 "$work/seen.err"))" \
		"$(cat "$work/bare.status")" "$status"
	diff "$work/bare.out" "$work/seen.out" >"$work/diff" ||
		fail "$what: another output than bare: $(head -n 10 "$work/diff")"
}

# Totals of the session against what the program counted.
counts() { # WHAT [OPTIONS of compare_counts.py...]
	local what=$1
	shift
	snapshot_json "$(session)" >"$work/snapshot.json"
	python3 "$root/tests/e2e/compare_counts.py" "$work/snapshot.json" "$TRUTH" "$@" \
		>"$work/verdict" || fail "$what: $(cat "$work/verdict")"
	echo "$what: $(cat "$work/verdict")"
}
