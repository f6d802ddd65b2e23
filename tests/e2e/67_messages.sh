#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A message repeats arguments, paths and names; none of them acts upon the terminal.
. "$(dirname "$0")/lib.sh"

bad=$'\x1b[31mX\r\x9b'
is_harmless() { # WORD...: whatever its status, it says something, in printable characters
	# bytes as they are: a locale decides what grep takes for printable
	timeout 20 "$build/invreg" "$@" >"$work/out" 2>&1 </dev/null || true
	[[ -s $work/out ]] || fail "$* says nothing"
	! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f\x9b]' "$work/out" ||
		fail "$*: $(cat -v "$work/out")"
}

for verb in snapshot stats "history x" events "events -f" "events -f ./" top pause resume filter; do
	# shellcheck disable=SC2086 # a verb and its words
	is_harmless $verb "$bad"
	# shellcheck disable=SC2086
	is_harmless $verb "./$bad.seg"
done
is_harmless diff "$bad" "$bad"
is_harmless "$bad"
is_harmless help "$bad"
for verb in snapshot stats history events top pause filter ls prune serve diff bench probe; do
	is_harmless "$verb" "--$bad"
	is_harmless "$verb" "-$bad"
done
for verb in ls prune snapshot stats events; do
	is_harmless "$verb" --dir "$work/$bad"
done
is_harmless ls "$bad"
is_harmless prune --keep "$bad"
is_harmless snapshot --format "$bad"
is_harmless stats --by "$bad"
is_harmless top --by "$bad"
is_harmless events --since "$bad"
is_harmless history x -n "$bad"
is_harmless serve --listen "$bad"
is_harmless serve --keep "$bad"
is_harmless serve --token-file "$bad"
is_harmless serve --allow-host "$bad" --listen 1.2.3.4.5:x
is_harmless probe "$bad"
is_harmless probe "$hosts/libtruth_target.so:$bad"
is_harmless probe --python "$bad" python3
is_harmless probe --python a:b "$bad"
is_harmless run --session "$bad" -p "$work/target.ini" -- true
is_harmless run "--$bad"
is_harmless run --size "$bad" -p "$work/target.ini" -- true
is_harmless run -p "$work/target.ini" -- "$bad"
is_harmless run -p "$work/target.ini" -o "/nowhere/$bad" -- true
is_harmless bench -p "$work/target.ini" -- "$bad"

# a file with such a name is listed, and prune tells its folder
mkdir -m 700 "$work/$bad"
: >"$work/$bad/$bad.seg"
for verb in ls prune snapshot stats; do
	is_harmless "$verb" --dir "$work/$bad"
done
assert_contains "what ls lists" "?[31mX" "$(invreg ls --dir "$work/$bad")"

# ---- words that are none --------------------------------------------------------------------

# what is said names what was given, and what could be given
run --session s -- "$hosts/threads" --threads 1 --calls 10 >/dev/null
cd "$work"
ln -s target.ini link.seg
says() { # STATUS WORDS COMMAND...
	local want=$1 words=$2
	shift 2
	status_of invreg "$@" >out 2>err
	assert_eq "exit status of $*" "$want" "$status"
	assert_contains "$*" "$words" "$(cat err)"
	assert_eq "output of $*" "" "$(cat out)"
}
says 3 "invreg: nosuch.seg: no such file, and no such session in $INVREG_DIR" stats nosuch.seg
says 3 "invreg: nosuch: no such session in $INVREG_DIR" stats nosuch
says 3 "invreg: target.ini: no such session in $INVREG_DIR; the file would be ./target.ini" stats target.ini
says 3 "invreg: ./nosuch.seg: no such file" stats ./nosuch.seg
says 4 "link.seg: it is a link" stats link.seg
says 4 "not a regular file" stats /dev/null
status_of grep -q link err
assert_eq "a device is called a link" 1 "$status"
says 2 "--by is artifact, invoker, method or error" stats --by foo
says 2 "--sort is total, failed" stats --sort foo
says 2 "--format is table, json, jsonl or seg" snapshot --format xml

# a name that no call has: nothing on stdout, and a word on stderr
says 0 "no call that is kept is by 'nosuch'" history nosuch s
says 0 "no call that is kept matches" events --artifact nosuch s
says 0 "no call that is kept matches" events --invoker invoker_0 --method nosuch s
invreg events --invoker invoker_0 s >out 2>err
assert_eq "said of events that match" "" "$(cat err)"
[[ -s out ]] || fail "no event of invoker_0"
# one that has ended is asked for its filter, but not changed
assert_contains "filter of one that has ended" "no filter" "$(invreg filter s)"
says 3 "has ended" filter s --artifact x

# run knows the words of INVREG_CHILDREN; the shim, which never prints, takes others for follow
export INVREG_CHILDREN=bogus
status_of run --session bogus -- true
assert_eq "exit status of run under INVREG_CHILDREN=bogus" 125 "$status"
assert_contains "run under INVREG_CHILDREN=bogus" "follow or ignore, not 'bogus'" "$(tail -n 1 run.err)"
INVREG_SESSION=bogus same_output "$hosts/ballast" --calls 100
diff bare.err observed.err || fail "the shim talked"
assert_contains "the session of INVREG_CHILDREN=bogus" bogus "$(invreg ls)"
for word in follow ignore ignore:1:2 ''; do
	export INVREG_CHILDREN=$word
	status_of run -- true
	assert_eq "exit status of run under INVREG_CHILDREN='$word'" 0 "$status"
done
