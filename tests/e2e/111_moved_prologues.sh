#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Functions of many shapes compute the same after their first bytes were moved, built by gcc
# and clang, with and without optimisation, CET, profiling, room for patches, and PIE.
. "$(dirname "$0")/lib.sh"

[[ $(uname -m) == x86_64 ]] || skip "there is no entry tier on this processor"
need gcc

modules=()
for module in prologue x86_decode x86_opcodes; do
	gcc -std=gnu11 -O2 -fPIC -D_GNU_SOURCE "-I$root" -c "$root/preload/$module.c" -o "$work/$module.o"
	modules+=("$work/$module.o")
done
own=(-std=gnu11 -w -D_GNU_SOURCE "-I$root" "$root/tests/decode/patched.c" "${modules[@]}")
builds=0
moved_total=0
refused_total=0

check() { # COMPILER FLAGS...
	local program=$work/patched how
	"$@" "${own[@]}" -o "$program" -lelf 2>"$work/cc.err" || fail "$*: $(head -n 3 "$work/cc.err")"
	(cd "$work" && "$program") >"$work/bare.out"
	for how in move guess; do
		status_of "$program" $how >"$work/moved.out" 2>"$work/moved.err" </dev/null
		((status != 77)) || skip "text cannot be made writable here"
		assert_eq "exit status of '$how', built by $*" 0 "$status"
		diff "$work/bare.out" "$work/moved.out" || fail "'$how' changes results, built by $*"
		read -r moved refused < <(sed -n 's/^moved \([0-9]*\), refused \([0-9]*\)$/\1 \2/p' "$work/moved.err")
		moved_total=$((moved_total + moved))
		refused_total=$((refused_total + refused))
		# without sizes the last call of a function, which never returns, hides its end
		((moved >= 14)) || [[ $how == guess ]] || fail "only $moved moved, built by $*: $(cat "$work/moved.err")"
	done
	builds=$((builds + 1))
}

cd "$work"
compilers=(gcc)
command -v clang >/dev/null && compilers+=(clang)
for compiler in "${compilers[@]}"; do
	for level in -O0 -O1 -O2 -O3 -Os; do
		check "$compiler" $level -fPIE -pie
		check "$compiler" $level -fno-pie -no-pie -fcf-protection=none
		check "$compiler" $level -fcf-protection=full -fPIE -pie
		check "$compiler" $level -pg
		check "$compiler" $level -fomit-frame-pointer -fpatchable-function-entry=5
	done
	check "$compiler" -O2 -pg -mfentry -fcf-protection=full
	check "$compiler" -O2 -march=x86-64-v3
done
check gcc -O2 -flto
check gcc -O2 -mharden-sls=all
check gcc -O2 -fno-plt -fstack-protector-all
echo "$builds builds, $moved_total functions moved, $refused_total refused"
