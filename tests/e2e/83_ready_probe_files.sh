#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each ready-made probe file, and the example of the manual, is accepted by `invreg check`.
. "$(dirname "$0")/lib.sh"

accepted() { # FILE PROBES
	invreg check "$1" >"$work/said" || fail "$1 is refused"
	assert_eq "probes of $1" "$2" "$(grep -c '^probe ' "$work/said")"
}

for file in "$root"/preload/probes/*.ini; do
	accepted "$file" "$(grep -c '^\[probe ' "$file")"
done

# The manual shows its examples indented; they are the last of its sections.
invreg help probes | sed -n '/^examples:$/,$p' | sed -n 's/^  //p' >"$work/manual.ini"
# One names members and a C++ function, which only a program with debug information can explain.
status_of invreg check "$work/manual.ini" >/dev/null 2>"$work/err"
assert_eq "the example in C++, without its program" 4 "$status"
assert_contains "the example in C++" "a C++ name takes the program" "$(cat "$work/err")"
awk '/^\[/ { cxx = /plugin/ } !cxx' "$work/manual.ini" >"$work/others.ini"
accepted "$work/others.ini" 2

sed 's/return\.success/return.suc cess/' "$root/preload/probes/agent-ecology.ini" >"$work/bad.ini"
status_of invreg check "$work/bad.ini" 2>"$work/err" >/dev/null
assert_eq "a broken copy is refused" 4 "$status"
