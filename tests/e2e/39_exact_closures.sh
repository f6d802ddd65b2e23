#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The hosts of 30 to 35, which are seen by the entry tier there, once more by got: nested, left
# by longjmp, with signals that call in, across fork and exec; through stubs, and through
# closures. A word too many behind the dots makes the prototype one for a closure, and changes
# nothing for the function.
. "$(dirname "$0")/lib.sh"

hosts_again() { # WHAT
	exact threads --threads 4 --calls 20000
	assert_eq "tier, $1" got "$(json "$work/snapshot.json" 'd["probes"][0]["tier"]')"
	exact nest --calls 5000 --depth 12
	exact longjmps --calls 5000 --depth 12
	if [[ -z ${SAN:-} ]]; then
		exact forks --calls 200
		exact execs --calls 200
		exact signals --calls 300000 --rate-us 50
	fi
}

sed -i '/^signature/a bind = got' "$work/target.ini"
hosts_again stubs
sed -i 's/int args_count, ptr args)/int args_count, ptr args, ... i64)/' "$work/target.ini"
grep -q 'i64)' "$work/target.ini" || fail "the prototype was not changed"
hosts_again closures
