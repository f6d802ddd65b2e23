#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Others in the same process keep what is theirs: a program or a plug-in that has functions by
# the names of libraries that are linked into the shim, and preloads of the program's own, by
# `run` and by hand, before ours and behind it: ones that look symbols up before we are there,
# wrap the probed function, or wrap dlsym and dlopen.
# skip-under: address thread: its runtime is to be in front of all, and so are preloads of the test
. "$(dirname "$0")/bind.sh"
need gcc

rows_of_names() {
	local flags
	bind_lib libseven.so host_names.c -DLIBRARY
	local seven=("-L$dir" -l:libseven.so)
	bind_host names host_names.c -rdynamic "${seven[@]}"
	bind_host "names,no-pie" host_names.c -rdynamic -no-pie -fno-pie "${seven[@]}"
	bind_host opens host_names.c -DIMPORTED
	bind_host opens,linked host_names.c -DIMPORTED "${seven[@]}"
	printf '%s\n' '[probe seven]' 'target = probed' 'bind = got' \
		'signature = int (int a, int b, int c, int d, int e, int f, int tick)' >"$work/seven.ini"
	probes=$work/seven.ini
	row names,program 10 10 "$dir/names"
	row names,program,no-pie 10 10 "$dir/names,no-pie"
	for flags in -zlazy -znow -Bsymbolic; do
		bind_lib "names$flags.so" host_names.c -DPLUGIN "-Wl,$flags" "${seven[@]}"
		row "names,plugin$flags" 10 10 "$dir/opens" "$dir/names$flags.so"
		row "names,plugin$flags,linked" 10 10 "$dir/opens,linked" "$dir/names$flags.so"
	done
	expect_green names,what-the-program-printed grep -qx "names and calls 267" "$work/observed.out"
	probes=$work/row.ini
}

# Whether it calls libc's or jumps there decides whose scope is searched: where that makes a
# difference, its answer is left as it is.
rows_of_doubtful_callers() {
	local how
	bind_lib itself.so plugin.c -DOWN=5 -Wl,-Bsymbolic
	bind_host next host_next.c -rdynamic "${target[@]}"
	bind_lib jumps.so preload_wraps.c -DDLSYM -foptimize-sibling-calls
	bind_lib calls.so preload_wraps.c -DDLSYM -fno-optimize-sibling-calls
	for how in jumps calls; do
		behind=$dir/$how.so row "dlsym,$how,itself" 0 10 "$dir/opens-linked" plugin_lookup lazy \
			"$dir/itself.so"
		behind=$dir/$how.so row "dlsym,$how,plugin" 10 10 "$dir/opens-linked" plugin_lookup lazy \
			"$dir/lazy.so"
		behind=$dir/$how.so row "dlsym,$how,next" 20 20 "$dir/next"
	done
}

rows_of_preloads() {
	bind_lib early.so early_dlsym.c
	bind_lib wraps.so preload_wraps.c
	bind_lib dlsyms.so preload_wraps.c -DDLSYM
	bind_lib lazy.so plugin.c -Wl,-z,lazy "${target[@]}"
	bind_host calls host_calls.c "${target[@]}"
	bind_host opens-lazy host_plugin.c
	bind_host opens-linked host_plugin.c "${target[@]}"
	bind_host looks host_dlsym.c "${target[@]}"
	ahead=$dir/early.so row early,before 10 10 "$dir/calls"
	behind=$dir/early.so row early,behind 10 10 "$dir/calls"
	# Ten calls of the wrapper are ten of the library's function.
	ahead=$dir/wraps.so row wraps,before 20 10 "$dir/calls"
	behind=$dir/wraps.so row wraps,behind 20 10 "$dir/calls"
	by=by_run behind=$dir/wraps.so row wraps,by-run 20 10 "$dir/calls"
	ahead=$dir/wraps.so row wraps,before,opens 20 10 "$dir/opens-linked" plugin_run lazy "$dir/lazy.so"
	behind=$dir/wraps.so row wraps,behind,opens 20 10 "$dir/opens-linked" plugin_run lazy "$dir/lazy.so"
	behind=$dir/dlsyms.so row dlsym,behind 10 10 "$dir/calls"
	behind=$dir/dlsyms.so row dlsym,behind,opens 10 10 "$dir/opens-lazy" plugin_run lazy "$dir/lazy.so"
	by=by_run behind=$dir/dlsyms.so row dlsym,by-run 10 10 "$dir/opens-lazy" plugin_run lazy "$dir/lazy.so"
	behind=$dir/dlsyms.so row dlsym,behind,looks 10 10 "$dir/looks" "$dir/libtarget.so.1" handle
	behind=$dir/dlsyms.so row dlsym,behind,default 10 10 "$dir/looks" "$dir/libtarget.so.1" default
	rows_of_doubtful_callers
	# Before ours, it asks libc's by version and passes us by: what is called by name is seen,
	# but no load is noticed. `run` puts ours first.
	ahead=$dir/dlsyms.so row dlsym,before 10 10 "$dir/calls"
	ahead=$dir/dlsyms.so row dlsym,before,opens 0 10 "$dir/opens-linked" plugin_run lazy "$dir/lazy.so"
}

# ... and the loader, which holds the guard of the stack on aarch64; and a sanitizer's own.
besides=${SAN:+|lib[a-z]*san}
expect_green libc-is-all-that-the-shim-needs test \
	"$(readelf -dW "$shim" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -Ev "^(ld-linux$besides)")" = libc.so.6
for compiler in $(compilers); do
	bind_begin "$compiler"
	bind_targets
	rows_of_names
	rows_of_preloads
done
bind_end
