#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The truth table of the got tier with the real shim and the real reader: of ten calls of a
# program that was started as usual, all or none are seen, whatever way it was built and
# whatever way it calls; where none is, `run` and `doctor` say why.
# shellcheck disable=SC2317 # functions that expect_green calls
. "$(dirname "$0")/bind.sh"
need gcc

# doctor starts nothing, and says the same beforehand.
foreseen() { # COMMAND...
	invreg doctor -p "$probes" -- "$@"
}

build() {
	local pie=(-pie -fPIE) no=(-no-pie -fno-pie)
	bind_targets
	bind_host pie,lazy host_calls.c "${pie[@]}" -Wl,-z,lazy "${target[@]}"
	bind_host pie,now host_calls.c "${pie[@]}" -Wl,-z,relro,-z,now "${target[@]}"
	bind_host pie,no-plt host_calls.c "${pie[@]}" -fno-plt "${target[@]}"
	bind_host no-pie,lazy host_calls.c "${no[@]}" -Wl,-z,lazy "${target[@]}"
	bind_host no-pie,now host_calls.c "${no[@]}" -Wl,-z,relro,-z,now "${target[@]}"
	bind_host no-pie,no-plt host_calls.c "${no[@]}" -fno-plt "${target[@]}"
	bind_host O0 host_calls.c -O0 "${target[@]}"
	bind_host sysv host_calls.c -Wl,--hash-style=sysv "${target[@]}"
	bind_host symbolic host_calls.c "-L$dir" -l:libsymbolic.so
	bind_lib libfinal.so target.c -fno-semantic-interposition
	bind_host final host_calls.c "${pie[@]}" "-L$dir" -l:libfinal.so
	bind_host direct host_calls.c "${pie[@]}" "-L$dir" -l:libdirect.so
}

# The program's and the library's data relocations are in RELRO or not; so are its slots.
rows_between_objects() {
	local how
	for how in pie,lazy pie,now pie,no-plt no-pie,lazy no-pie,now no-pie,no-plt O0 sysv; do
		row "$how" 10 10 "$dir/$how"
		row "$how,table-in-program" 10 10 "$dir/$how" table
		row "$how,table-in-library" 10 10 "$dir/$how" library-table
		row "$how,table-copied" 10 10 "$dir/$how" copied-table
		row "$how,library-internal" 10 10 "$dir/$how" internal
		row "$how,address" 10 10 "$dir/$how" address
		row "$how,identity" 10 10 "$dir/$how" identity
		expect_green "$how foreseen" foreseen "$dir/$how"
	done
	for how in pie,lazy no-pie,lazy; do
		row "$how,LD_BIND_NOW" 10 10 env LD_BIND_NOW=1 "$dir/$how"
		row "$how,LD_BIND_NOW,internal" 10 10 env LD_BIND_NOW=1 "$dir/$how" internal
	done
}

# Calls from outside are seen, so the probe is bound; what it can say of the others is that.
rows_bound_inside() {
	local how
	for how in symbolic direct final; do
		row "$how,from-outside" 10 10 "$dir/$how"
		unseen "$how,library-internal" 10 "1 of 1 probes bound, but never called" "" \
			"$dir/$how" internal
	done
}

rows_of_the_program_itself() {
	local how
	bind_host exported host_own.c -rdynamic
	bind_host hidden host_own.c '-DLINKAGE=__attribute__((visibility("hidden")))'
	bind_host local host_own.c -DLINKAGE=static
	bind_host stripped host_own.c -DLINKAGE=static -s
	bind_host static host_own.c -static 2>>"$work/build.err" # ld warns of dlopen
	bind_lib plugin.so plugin.c -Wl,-z,lazy
	row exported,from-outside 10 10 "$dir/exported" "$dir/plugin.so"
	unseen exported 10 "no call to it crosses objects" "no object imports it" "$dir/exported"
	for how in hidden local; do
		unseen "$how" 10 "it is not exported" "local or hidden" "$dir/$how"
	done
	unseen stripped 10 "no object loaded at start defines it" \
		"no object loaded at start defines it" "$dir/stripped"
	unseen static 10 "a static program" "has no loader that could preload" "$dir/static"
	[[ $label == gcc ]] || return 0
	bind_host clone host_own.c -DLINKAGE=static -DCLONE
	nm "$dir/clone" | grep -q 'probed\.' || fail "this gcc made no clone: the row tests nothing"
	unseen clone 10 "probed." "probed." "$dir/clone"
}

for compiler in $(compilers); do
	bind_begin "$compiler"
	build
	rows_between_objects
	rows_bound_inside
	rows_of_the_program_itself
done
bind_end
