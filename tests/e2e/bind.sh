# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# bind.sh - for the tests of the truth table: programs of tests/hosts/bind built in every way,
# and a row: a command, how many calls of the probed function the objects that define it
# counted themselves, and how many the shim and the reader say.
#
# Uses $cc, $dir (where to build; made by bind_begin), $label (of the rows). All rows are run;
# the test ends with `bind_end`. $tier: what the probes are bound by.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
bind=$root/tests/hosts/bind
warn=(-Wall -Wextra -Wno-unused-parameter)
red=0 label="" tier=got

bind_probe() { # NAME TARGET [LINE...] > appended to a probe file
	printf '[probe %s]\ntarget = %s\nbind = %s\nsignature = int (int tick)\nartifact_id = "%s"\n' \
		"$1" "$2" "$tier" "$1"
	shift 2
	(($# == 0)) || printf '%s\n' "$@"
}

bind_begin() { # CC
	cc=$1 label=$(basename "$1") dir=$work/$(basename "$1")
	mkdir "$dir"
	bind_probe row probed >"$work/row.ini"
	: >"$work/run.err"
	probes=$work/row.ini
}

bind_end() {
	exit "$red"
}

# gcc, and clang where there is one.
compilers() {
	echo gcc
	command -v clang || echo "skip clang: not installed" >&2
}

bind_lib() { # NAME SOURCE FLAGS...
	local name=$1 source=$2
	shift 2
	"$cc" -std=gnu11 -O2 -fPIC -fsemantic-interposition -D_GNU_SOURCE "${warn[@]}" -shared -o "$dir/$name" \
		"-Wl,-soname,$name" "$bind/$source" "$@" "-Wl,-rpath,$dir" || fail "$cc could not build $name"
}

bind_host() { # NAME SOURCE FLAGS...
	local name=$1 source=$2
	shift 2
	"$cc" -std=gnu11 -O2 -fsemantic-interposition -D_GNU_SOURCE "${warn[@]}" -o "$dir/$name" "$bind/$source" \
		-Wl,--no-as-needed "$@" "-Wl,-rpath,$dir" -lpthread -ldl || fail "$cc could not build $name"
}

# The library; its twin that adds 1000; -Bsymbolic; protected. "${target[@]}" links the first.
bind_targets() {
	bind_lib libtarget.so.1 target.c
	ln -sf libtarget.so.1 "$dir/libtarget.so"
	bind_lib libother.so target.c -DADDED=1000
	bind_lib libsymbolic.so target.c -Wl,-Bsymbolic
	bind_lib libdirect.so target.c -fno-semantic-interposition -fvisibility=protected
	# shellcheck disable=SC2034 # for who sources this
	target=("-L$dir" -l:libtarget.so.1)
}

# What the defining objects counted.
counted() {
	[[ -e $work/counts ]] || { echo 0 && return; }
	awk '{ sum += $2 } END { print sum + 0 }' "$work/counts"
}

# The one number after "NAME": in a snapshot.
number_of() { # NAME < SNAPSHOT
	grep -o "\"$1\":[0-9]*" | head -n 1 | cut -d : -f 2
}

# Output, exit status and the objects' own counts, bare and observed: $ahead and $behind are
# preloads of the program itself, in both.
bare_and_observed() { # COMMAND...
	local bare
	forget_sessions
	rm -f "$work/counts" "$work/s.json"
	export BIND_TRUTH=$work/counts
	env "LD_PRELOAD=${ahead:-}${ahead:+:}${behind:-}" "$@" >"$work/bare.out" 2>"$work/bare.err" ||
		fail "the bare program failed ($?)"
	bare=$(counted)
	rm -f "$work/counts"
	preload="${ahead:+$ahead:}$preload${behind:+:$behind}" "${by:-observed}" "$@" \
		>"$work/observed.out" 2>"$work/observed.err" ||
		fail "the observed program failed ($?): $(cat "$work/observed.err" "$work/run.err")"
	diff "$work/bare.out" "$work/observed.out" || fail "output differs when observed"
	assert_eq "calls counted, bare and observed" "$bare" "$(counted)"
}

by_run() { # COMMAND...
	LD_PRELOAD=${ahead:-}${ahead:+:}${behind:-} run --session row -- "$@"
}

seen_of() { # NAME SEEN CALLED COMMAND...
	local seen=$2 called=$3 snapshot
	shift 3
	bare_and_observed "$@"
	assert_eq "calls that the program counted" "$called" "$(counted)"
	snapshot_json "$(session)" >"$work/s.json"
	snapshot=$(cat "$work/s.json")
	assert_eq "calls seen" "$seen" "$(number_of calls <"$work/s.json")"
	assert_eq "calls begun" "$seen" "$(number_of begun <"$work/s.json")"
	assert_contains "the tier" "\"tier\":\"$tier\"" "$snapshot"
	assert_contains "what was lost" "\"lost\":[${lost:-}]" "$snapshot"
	assert_contains "nothing left open" '"in_flight":[],"never_returned":[]' "$snapshot"
}

# expect_green NAME FUNCTION ARGS...: a line, and a test that is red in the end if it fails.
expect_green() {
	local name=${label:+$label/}$1
	shift
	if ("$@") >"$work/row.out" 2>&1; then
		echo "ok $name"
	else
		echo "RED $name: $(tail -n 12 "$work/row.out")"
		red=1
	fi
}

# row NAME SEEN CALLED COMMAND...: of CALLED calls, as the program itself counts, SEEN are seen,
# and nothing is lost but $lost.
row() {
	expect_green "$1 $2 of $3" seen_of "$@"
}

unseen_of() { # NAME CALLED RUN-SAYS DOCTOR-SAYS COMMAND...
	local called=$2 why=$3 doctor=$4
	shift 4
	: >"$work/run.err"
	by=by_run bare_and_observed "$@"
	assert_eq "calls that the program counted" "$called" "$(counted)"
	snapshot_json row >"$work/s.json"
	assert_eq "calls seen" 0 "$(number_of calls <"$work/s.json")"
	assert_contains "what run says" "$why" "$(cat "$work/run.err")"
	[[ -n $doctor ]] || return 0
	assert_contains "what doctor says" "$doctor" "$(invreg doctor -p "$probes" -- "$@" || true)"
}

# unseen NAME CALLED RUN-SAYS DOCTOR-SAYS COMMAND...: none of CALLED is seen, and it is said why;
# an empty DOCTOR-SAYS where doctor, which does not start the program, cannot know.
unseen() {
	expect_green "$1 0 of $2: $3" unseen_of "$@"
}

refused_of() { # NAME CALLED WHY COMMAND...
	local called=$2 why=$3
	shift 3
	bare_and_observed "$@"
	assert_eq "calls that the program counted" "$called" "$(counted)"
	invreg run -p "$probes" --session refused -- "$@" >/dev/null 2>"$work/run.err" || fail "run: $?"
	snapshot_json refused >"$work/s.json"
	assert_eq "calls seen" 0 "$(number_of calls <"$work/s.json")"
	assert_contains "why" "$why" "$(cat "$work/s.json")"
	if [[ $why != "no loaded object"* ]] && grep "nothing was seen.*loaded at start" "$work/run.err"; then
		fail "run denies what it found"
	fi
}

# refused NAME CALLED WHY COMMAND...: none of CALLED is seen, and it is said why.
refused() {
	expect_green "$1 0 of $2: $3" refused_of "$@"
}

# falls_back NAME WHY COMMAND...: with bind = entry none of ten is seen, and it is said why;
# left to itself the probe is bound by got, and all are.
falls_back() {
	local name=$1 why=$2
	shift 2
	refused "$name" 10 "$why" "$@"
	tier=auto bind_probe row probed >"$work/auto.ini"
	probes=$work/auto.ini tier=got row "$name,got" 10 10 "$@"
}
