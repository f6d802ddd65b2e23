# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2034,SC2317
# lib.sh - what every row of the matrix begins with: `. "$(dirname "$0")/../lib.sh"`.
#
# A row is a program that nobody here wrote, or a habit that programs have. It is run bare, and
# then observed by each tier that can have it:
#
#   probe NAME TARGET SIGNATURE [LINE...]   what to observe; `bind` is the tier's
#   program WHAT CMD...                     the bare run, in a folder with what lies in $given
#   observe TIER CALLS [WHY]                the same observed, and what was recorded
#
# Compared are the exit status, standard output and error, and every file that the run leaves in
# its folder. CALLS is what has to be recorded, or `N+`, the least of it; where it is 0, WHY
# tells the reader of the table what is in the way. A row may define `tidy`, which
# takes out of the output and the folder what differs between any two runs (times, process
# ids); when a run differs, the program is run bare once more, and what differs then as well is
# said to be the program's own.
#
# `entry` and `got` are run by the environment, as README says, with a session for all the
# processes that a shell starts; `auto` by `invreg run`. A program that is not installed is a
# row that says so. Lines go to $TABLE, tab-separated.
#
# Holding the system calls of the two runs against each other was rejected: the shim's own start
# makes some, and a program that waits makes as many as it likes.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

unset ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS # they are for tests that know a sanitizer

TABLE=${TABLE:-/dev/stdout}
given=$work/given
limit=60 # seconds that one run may take
input=/dev/null
others= # what is preloaded besides the shim
differs=0
mkdir "$given"

leave_row() {
	local code=$?
	set +e
	((code)) && say "$(basename "$0" .sh)" - - "FAIL: the row ended by itself: status $code"
	((differs)) && code=1
	(exit "$code")
	cleanup
}
trap leave_row EXIT

say() { # WHAT TIER CALLS RESULT
	printf '%s\t%s\t%s\t%s\n' "$@" >>"$TABLE"
}

failed() { # WHAT TIER CALLS RESULT
	differs=1
	say "$1" "$2" "$3" "FAIL: $4"
}

# `installed PROGRAM... || exit 0`; a path is a file that has to be there.
installed() {
	local program
	for program in "$@"; do
		if [[ $program == /* && ! -e $program ]] || ! command -v "$program" >/dev/null && [[ $program != /* ]]; then
			say "$program" - - "skipped: not installed"
			return 1
		fi
	done
}

probe() { # NAME TARGET SIGNATURE [LINE...]
	printf '[probe %s]\ntarget = %s\n@bind\nsignature = %s\n' "$1" "$2" "$3"
	shift 3
	(($# == 0)) || printf '%s\n' "$@"
} >>"$work/probes"

forget_probes() {
	rm -f "$work/probes"
}

probe_target() { # of the hosts in tests/hosts, which count for themselves
	sed '/^target /a @bind' "$work/target.ini" >>"$work/probes"
}

# OUT and ERR of a run, in its folder; what may differ is taken out in place.
tidy() { # OUT ERR
	:
}

# What the row was started with, a lock of make's for one, is not the program's to find.
only_standard_streams() {
	local fd
	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		((fd < 3 || fd == 255)) || eval "exec $fd>&-"
	done
}

# One run, in a folder of the same name each time; leaves NAME.out, .err, .status, .files.
one_run() { # NAME CMD...
	local name=$1 status=0
	shift
	rm -rf "$work/at" "$work/$name.files"
	cp -r "$given" "$work/at"
	(cd "$work/at" && only_standard_streams && exec timeout -k 5 "$limit" "$@") \
		>"$work/$name.out" 2>"$work/$name.err" <"$input" || status=$?
	# the shell's own words about a command that was killed
	sed -i '/lib\.sh: line [0-9]*: /d' "$work/$name.err"
	(cd "$work/at" && tidy "$work/$name.out" "$work/$name.err")
	# `timeout` and `env` are of another machine than the program and the shim
	[[ -z $emulated ]] || without_the_loaders_words "$work/$name.err"
	mv "$work/at" "$work/$name.files"
	echo "$status" >"$work/$name.status"
}

# What differs between two runs, in one line; nothing if they are the same.
difference() { # NAME NAME
	local part
	for part in status out err; do
		cmp -s "$work/$1.$part" "$work/$2.$part" && continue
		echo "$part: $(diff -a "$work/$1.$part" "$work/$2.$part" | sed 1d | tr '\n\t' '| ' | cut -c 1-300)"
		return
	done
	diff -rq "$work/$1.files" "$work/$2.files" 2>&1 | tr '\n' '|' | sed "s|$work/||g" | cut -c 1-300
}

program() { # WHAT CMD...
	what=$1
	shift
	command=("$@")
	one_run bare env ${others:+"LD_PRELOAD=$others"} "${command[@]}"
	[[ $(cat "$work/bare.status") != 124 ]] || failed "$what" - - "bare, it takes over $limit s"
}

# calls, tiers and losses of all sessions of the last run
read_sessions() {
	local file
	for file in "$INVREG_DIR"/*.seg; do
		[[ ! -e $file ]] || snapshot_json "$(basename "$file" .seg)"
	done | python3 -c '
import json, sys
decoder, text, at = json.JSONDecoder(), sys.stdin.read().strip(), 0
calls, tiers, lost = 0, set(), {}
while at < len(text):
    d, at = decoder.raw_decode(text, at)
    while at < len(text) and text[at].isspace():
        at += 1
    calls += sum(row["total_invocations"] for row in d["artifacts"])
    tiers |= {probe["tier"] for probe in d["probes"]} - {"none"}
    for row in d["lost"]:
        lost[row["reason"]] = lost.get(row["reason"], 0) + row["count"]
for usual in ("unbound_proc", "lapped"):
    lost.pop(usual, None)
print(calls, ",".join(sorted(tiers)) or "none", " ".join(f"{k} {v}" for k, v in lost.items()))'
}

run_observed() { # TIER
	local tier=$1
	forget_sessions
	sed "s/^@bind$/bind = $tier/" "$work/probes" >"$work/$tier.ini"
	if [[ $tier == auto ]]; then
		one_run seen env ${others:+"LD_PRELOAD=$others"} "$build/invreg" run -q --session one -p "$work/$tier.ini" -- "${command[@]}"
	else
		one_run seen env "LD_PRELOAD=$preload${others:+:$others}" "INVREG_PROBES=$work/$tier.ini" \
			INVREG_SESSION=one "${command[@]}"
	fi
}

enough() { # CALLS WANTED
	if [[ $2 == *+ ]]; then
		(($1 >= ${2%+}))
	else
		(($1 == $2))
	fi
}

observe() { # TIER CALLS [WHY]
	local tier=$1 wanted=$2 why=${3:-} calls tiers lost found
	if [[ $tier == entry && $(uname -m) != x86_64 ]]; then
		say "$what" "$tier" - "skipped: functions themselves are patched on x86-64 only"
		return
	fi
	run_observed "$tier"
	read -r calls tiers lost < <(read_sessions) || true
	found=$(difference bare seen)
	if [[ -n $found ]]; then
		mv "$work/bare.out" "$work/first.out"
		one_run bare "${command[@]}"
		[[ -z $(difference bare seen) ]] || cmp -s "$work/bare.out" "$work/first.out" ||
			found="two bare runs differ, too: $found"
		failed "$what" "$tier" "$calls" "differs: $found"
	elif [[ $calls == 0 && $tier == auto && $(uname -m) != x86_64 ]]; then
		say "$what" "$tier" 0 "same; unseen: no call of it crosses objects"
	elif ! enough "$calls" "$wanted"; then
		failed "$what" "$tier" "$calls" "$wanted calls were to be seen; $tiers"
	elif [[ $tier != auto && $wanted != 0 && ,$tiers, != *,$tier,* ]]; then
		failed "$what" "$tier" "$calls" "bound by $tiers"
	else
		[[ $tier != auto || $tiers == none ]] || tier="auto: $tiers"
		say "$what" "$tier" "$calls" "same${why:+; unseen: $why}${lost:+; lost: $lost}"
	fi
}

# The loader says on standard error that it cannot preload a file, and goes on. That is its own.
without_the_loaders_words() { # ERR
	sed -i "/^ERROR: ld.so: object '.*libinvreg_preload.so' from LD_PRELOAD cannot be preloaded/d" "$1"
}

# What `doctor` says of the last program, whose probes cannot bind there.
doctor_says() { # WORDS
	local said
	said=$(cd "$given" && invreg doctor -p "$work/auto.ini" -- "${command[@]}" 2>&1) || true
	if [[ $said == *"$1"* ]]; then
		say "$what" doctor - "says: $1"
	else
		failed "$what" doctor - "does not say '$1': $(tr '\n' ' ' <<<"$said")"
	fi
}
