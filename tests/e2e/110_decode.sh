#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The decoder of the entry tier against Zydis: random bytes, and a sample of the functions
# of this machine (all of them: make decode).
. "$(dirname "$0")/lib.sh"

[[ $(uname -m) == x86_64 ]] || skip "there is no entry tier on this processor"
functions=$build/tests/decode_functions
[[ -x $functions ]] || skip "Zydis is not installed"

"$build/tests/decode_random" 300000 >"$work/random.txt" ||
	fail "disagrees with Zydis on random bytes: $(head -n 5 "$work/random.txt")"

status_of "$functions" 5 < <(realpath -q "$shim" "$build/invreg" "$(command -v bash)" \
	"$(command -v python3)" "$(command -v perl || true)" "$(command -v git || true)" \
	/lib/x86_64-linux-gnu/lib{c,m,stdc++,crypto,gcc_s,pthread,z,elf}.so.* | sort -u) \
	>"$work/functions.txt"
assert_eq "exit status ($(grep -E '^[A-Z]' "$work/functions.txt" | head -n 5))" 0 "$status"
count=$(sed -n 's/.* objects, \([0-9]*\) functions.*/\1/p' "$work/functions.txt")
((count > 1000)) || fail "only $count functions were looked at"
