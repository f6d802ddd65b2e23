#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A bad probe file: file, line, column and what was expected; the program is not started by
# `run`, and is not disturbed under a bare LD_PRELOAD.
. "$(dirname "$0")/lib.sh"

good='[probe target]
target = target_invoke
signature = int (ptr ctx, str invoker_id, str artifact_id, str method, int args_count, ptr args)
success = return == 0'

bad() { # NAME LINE TEXT
	local file=$work/$1.ini message
	printf '%s\n' "$3" >"$file"
	status_of invreg check "$file" >"$work/check.out" 2>"$work/check.err"
	assert_eq "check of $1" 4 "$status"
	message=$(cat "$work/check.out" "$work/check.err")
	assert_contains "check of $1" "$1.ini:$2:" "$message"
	status_of invreg run -p "$file" -- touch "$work/started" 2>"$work/run.err"
	assert_eq "run with $1" 125 "$status"
	[[ ! -e $work/started ]] || fail "run with $1 started the program"
	probes=$file same_output "$hosts/ballast" --calls 10
	diff "$work/bare.err" "$work/observed.err" || fail "the shim talked about $1"
}

printf '%s\n' "$good" >"$work/good.ini"
invreg check "$work/good.ini" >/dev/null || fail "the good file is refused"

bad unknown_key 5 "$good
sucess = return == 0"
bad bad_type 3 "${good/str method/string method}"
bad cxx_spelling 3 "${good/str method/std::string method}"
bad view_result 3 "${good/signature = int/signature = stdview}"
bad string_in_struct 3 "${good/ptr args/{int,stdstr\} args}"
bad too_many_words 3 "${good/ptr args/stdview a, stdview b, stdview c, stdview d, stdview e, stdview f}"
bad view_as_number 5 "${good/str method/stdview method}
tick = method"
bad view_followed 5 "${good/str method/stdview method}
tick = method->8:i64"
bad bad_signature 3 "${good/args)/args}"
bad no_arrow 5 "$good
tick = ctx-16:i64"
bad unknown_parameter 5 "$good
tick = world->16:i64"
bad bad_success 4 "${good/return == 0/return equals 0}"
bad bad_code 5 "$good
error_type = return: thirteen=permission"
bad no_target 1 "[probe target]
signature = int (ptr ctx)"
bad no_section 1 "target = target_invoke"
bad two_alike 5 "$good
[probe target]
target = target_invoke"
: >"$work/empty.ini"
status_of invreg check "$work/empty.ini" 2>/dev/null
assert_eq "check of an empty file" 4 "$status"
status_of invreg check "$work/absent.ini" 2>/dev/null
((status != 0)) || fail "an absent file passes the check"
head -c 100000 /dev/urandom >"$work/noise.ini"
status_of timeout 10 "$build/invreg" check "$work/noise.ini" >/dev/null 2>&1
assert_eq "check of noise" 4 "$status"

# a FIFO that nobody writes to is waited for by none, a pipe is read to its end
mkfifo "$work/fifo.ini"
status_of timeout 10 "$build/invreg" check "$work/fifo.ini" 2>"$work/check.err"
assert_eq "check of a FIFO" 4 "$status"
status_of timeout 10 env "LD_PRELOAD=$preload" "INVREG_PROBES=$work/fifo.ini" \
	"$hosts/ballast" --calls 10 >"$work/seen.out" 2>"$work/seen.err"
assert_eq "a program whose probe file is a FIFO" 0 "$status"
assert_eq "what the shim says of it" "" "$(cat "$work/seen.err")"
(sleep 0.2 && cat "$work/good.ini") | invreg check - >"$work/check.out" || fail "a pipe is not read to its end"
assert_contains "what a pipe has" "probe target" "$(cat "$work/check.out")"
status_of invreg check - 2>"$work/check.err" < <(printf '[probe x]\0')
assert_eq "check of a NUL from a pipe" 4 "$status"
assert_contains "the place of a NUL from a pipe" ":1:10: a byte of value 0" "$(cat "$work/check.err")"
