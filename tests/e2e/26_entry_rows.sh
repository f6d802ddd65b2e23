#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The truth table of the entry tier with the real shim and the real reader: of ten calls all
# are seen, once, however program and library were built, whoever calls and by whatever
# pointer. What cannot be patched falls back to got, or says why.
# skip-under: thread: a patched entry keeps no vector registers for its runtime, which takes them
# shellcheck disable=SC2317,SC2034 # functions that expect_green calls; variables of bind.sh
. "$(dirname "$0")/bind.sh"
need gcc
cd "$work" # -pg leaves a file
tier=entry

# ---- ways to build ----------------------------------------------------------------------------

build() { # HOW FLAGS...: a program and a library of its own, by the same flags
	local how=$1 flag flags=()
	shift
	for flag in "$@"; do
		[[ $flag == *-pie || $flag == -fPIE ]] || flags+=("$flag")
	done
	bind_lib "lib$how.so" target.c "${flags[@]}"
	bind_host "$how" host_calls.c "$@" "-L$dir" "-l:lib$how.so"
	ways+=("$how")
}

build_all() {
	local level pie=(-pie -fPIE) no=(-no-pie -fno-pie)
	ways=()
	for level in 0 1 2 3 s; do
		build "O$level-lazy" "-O$level" "${pie[@]}" -Wl,-z,lazy
		build "O$level-no-pie-now" "-O$level" "${no[@]}" -Wl,-z,relro,-z,now
		build "O$level-cet" "-O$level" "${pie[@]}" -fcf-protection=full
	done
	build no-pie-lazy "${no[@]}" -Wl,-z,lazy
	build now "${pie[@]}" -Wl,-z,relro,-z,now
	build no-plt "${pie[@]}" -fno-plt
	build pg "${pie[@]}" -pg
	build pg-cet "${pie[@]}" -pg -fcf-protection=full
	if [[ $label == gcc ]]; then
		build fentry "${pie[@]}" -pg -mfentry
		build patchable "${pie[@]}" -fpatchable-function-entry=8
	fi
	build frame "${pie[@]}" -fno-omit-frame-pointer
	build protector "${pie[@]}" -fstack-protector-all
}

rows_of_builds() {
	local how
	for how in "${ways[@]}"; do
		row "$how" 10 10 "$dir/$how"
		row "$how,library-internal" 10 10 "$dir/$how" internal
		row "$how,identity" 10 10 "$dir/$how" identity
		[[ $how == O[02]-* ]] || continue
		row "$how,table-in-program" 10 10 "$dir/$how" table
		row "$how,table-in-library" 10 10 "$dir/$how" library-table
		row "$how,table-copied" 10 10 "$dir/$how" copied-table
		row "$how,address" 10 10 "$dir/$how" address
	done
	row LD_BIND_NOW 10 10 env LD_BIND_NOW=1 "$dir/now"
}

only_entry() {
	assert_eq "sites: no slot besides" 1 "$(number_of sites <"$work/s.json")"
}

# Left to itself, a probe takes this tier: calls that both could see are seen once.
rows_by_default() {
	tier=auto bind_probe row probed >"$work/auto.ini"
	probes=$work/auto.ini
	row auto 10 10 "$dir/O2-lazy"
	row auto,internal 10 10 "$dir/O2-lazy" internal
	row auto,identity 10 10 "$dir/O2-lazy" identity
	expect_green auto,sites only_entry
	probes=$work/row.ini
}

rows_bound_inside() {
	local how
	bind_lib libfinal.so target.c -fno-semantic-interposition -fno-inline
	bind_lib libprotected.so target.c -fno-semantic-interposition -fvisibility=protected -fno-inline
	for how in symbolic final protected; do
		bind_host "$how" host_calls.c -pie -fPIE "-L$dir" "-l:lib$how.so"
		row "$how,from-outside" 10 10 "$dir/$how"
		row "$how,library-internal" 10 10 "$dir/$how" internal
		row "$how,table-in-library" 10 10 "$dir/$how" library-table
	done
}

# ---- the program's own functions ----------------------------------------------------------------

offset_of() { # PROGRAM: where its function is in the file's addresses
	nm "$1" | awk '$3 == "probed" { print $1 }'
}

rows_of_the_program_itself() {
	local level how name
	bind_lib plugin.so plugin.c -Wl,-z,lazy
	bind_host exported host_own.c -rdynamic
	row exported,from-outside 10 10 "$dir/exported" "$dir/plugin.so"
	row exported,self 10 10 "$dir/exported"
	bind_host hidden host_own.c '-DLINKAGE=__attribute__((visibility("hidden")))'
	row hidden 10 10 "$dir/hidden"
	for level in 0 1 2 3 s; do
		for how in -pie,-fPIE -no-pie,-fno-pie; do
			name="local-O$level$how"
			bind_host "$name" host_own.c -DLINKAGE=static "-O$level" ${how//,/ }
			row "$name" 10 10 "$dir/$name"
			cp "$dir/$name" "$dir/$name,stripped"
			strip "$dir/$name,stripped"
			bind_probe row "program+0x$(offset_of "$dir/$name")" >"$work/offset.ini"
			probes=$work/offset.ini row "$name,stripped,by-offset" 10 10 "$dir/$name,stripped"
		done
	done
	bind_probe row program:probed >"$work/program.ini"
	probes=$work/program.ini row local,named 10 10 "$dir/local-O2-pie,-fPIE"
	refused stripped 10 "no loaded object defines the symbol" "$dir/local-O2-pie,-fPIE,stripped"
	[[ $label == gcc ]] || return 0
	bind_host clone host_own.c -DLINKAGE=static -DCLONE
	nm "$dir/clone" | grep -q 'probed\.' || fail "this gcc made no clone: the row tests nothing"
	refused clone 10 "the compiler left only a clone of it" "$dir/clone"
}

# What was stripped off is where Debian's debug packages put it.
debugged() { # COMMAND...
	# shellcheck disable=SC2016 # the inner shell's
	unshare -m --propagation private sh -c \
		'mount --bind "$0" /usr/lib/debug && exec env "LD_PRELOAD=$1" "INVREG_PROBES=$2" "$3"' \
		"$dir/debug" "$preload" "$probes" "$@"
}

rows_of_debug_files() {
	local id
	if [[ $(id -u) != 0 || ! -d /usr/lib/debug ]] ||
		! unshare -m --propagation private mount --bind "$dir" /usr/lib/debug 2>/dev/null; then
		echo "skip $label/debug-file: no right to mount over /usr/lib/debug"
		return
	fi
	bind_host with-id host_own.c -DLINKAGE=static -g -Wl,--build-id
	id=$(readelf -n "$dir/with-id" | sed -n 's/.*Build ID: //p')
	mkdir -p "$dir/debug/.build-id/${id:0:2}"
	objcopy --only-keep-debug "$dir/with-id" "$dir/debug/.build-id/${id:0:2}/${id:2}.debug"
	strip "$dir/with-id"
	refused debug-file,absent 10 "no loaded object defines the symbol" "$dir/with-id"
	by=debugged row debug-file 10 10 "$dir/with-id"
}

# ---- what cannot be patched -----------------------------------------------------------------------

rows_of_refusals() {
	bind_lib libshort.so target.c -DSHORT
	bind_host short host_calls.c "-L$dir" -l:libshort.so
	falls_back short "too short for a jump" "$dir/short"
	if bind_lib libifunc.so target.c -DIFUNC; then
		bind_host ifunc host_calls.c "-L$dir" -l:libifunc.so
		falls_back ifunc "an ifunc" "$dir/ifunc"
	fi
}

for compiler in $(compilers); do
	bind_begin "$compiler"
	bind_targets
	build_all
	rows_of_builds
	rows_bound_inside
	rows_of_the_program_itself
	rows_of_debug_files
	rows_by_default
	rows_of_refusals
done
bind_end
