# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2034
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

# One run without the shim: its output, status and truth are kept under WHAT, so that it is
# run once however often it is compared with.
bare() { # WHAT CMD...
	kept=$work/bare/${1//[^[:alnum:].]/_}
	local what=$1
	shift
	[[ -e $kept.status ]] && return 0
	mkdir -p "$work/bare"
	rm -f "$TRUTH"
	status_of "$@" >"$kept.out" 2>"$kept.err" </dev/null
	touch "$TRUTH"
	mv "$TRUTH" "$kept.truth"
	((status == ${want_status:-0})) ||
		fail "$what, bare: exit status $status: $(tail -n 5 "$kept.err")"
	echo "$status" >"$kept.status"
}

# The same run observed, in a session of its own: output and status are those of the last `bare`.
seen() { # WHAT CMD...
	local what=$1
	shift
	forget_sessions
	rm -f "$TRUTH"
	status_of observed "$@" >"$work/seen.out" 2>"$work/seen.err" </dev/null
	touch "$TRUTH"
	assert_eq "$what: exit status (stderr: $(tail -n 5 "$work/seen.err"))" \
		"$(cat "$kept.status")" "$status"
	diff "$kept.out" "$work/seen.out" >"$work/diff" ||
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

# ---- tests/hosts/python/launch: what 88 and 95 start in different ways -------------------------

launch=$work/python/launch
observing=

# One way to launch, bare; and when observing, the same again and the counts.
way() { # WHAT CMD...
	local what="$version, $1"
	shift
	bare "$what" "$@"
	[[ -n $observing ]] || return 0
	seen "$what" "$@"
	counts "$what" "${options[@]}" >>"$work/counts"
}

every_python() { # FUNCTION...: with version and python set
	local line function
	for line in "${pythons[@]}"; do
		version=${line%% *} python=${line#* }
		for function in "$@"; do
			"$function"
		done
	done
}
