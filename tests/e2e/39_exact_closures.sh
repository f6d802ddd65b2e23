#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The hosts of 30 to 35 once more, through closures: nested, left by longjmp, with signals
# that call in, across fork and exec. A word too many behind the dots makes the prototype
# one for a closure, and changes nothing for the function.
. "$(dirname "$0")/lib.sh"

sed -i 's/int args_count, ptr args)/int args_count, ptr args, ... i64)/' "$work/target.ini"
grep -q 'i64)' "$work/target.ini" || fail "the prototype was not changed"
exact threads --threads 4 --calls 20000
exact nest --calls 5000 --depth 12
exact longjmps --calls 5000 --depth 12
if [[ -z ${SAN:-} ]]; then
	exact forks --calls 200
	exact execs --calls 200
	exact signals --calls 300000 --rate-us 50
fi
