# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# chosen.sh - which tests a runner was asked for; sourced.

# Whether the name contains one of the patterns, or there are none.
chosen() { # NAME PATTERN...
	local name=$1 pattern
	shift
	(($# == 0)) && return 0
	for pattern in "$@"; do
		[[ $name == *"$pattern"* ]] && return 0
	done
	return 1
}
