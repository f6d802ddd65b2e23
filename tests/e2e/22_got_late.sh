#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The truth table of the got tier for what a program finds or loads while it runs: dlsym,
# ctypes, wrappers through RTLD_NEXT, plug-ins bound in every way, closed and opened again,
# here and elsewhere. ASan and TSan refuse RTLD_DEEPBIND.
# skip-under: address thread: its runtime takes no RTLD_DEEPBIND
. "$(dirname "$0")/bind.sh"
need gcc

rows_of_dlsym() {
	local lib=$dir/libtarget.so.1 how
	bind_host linked host_dlsym.c -pie -fPIE "${target[@]}"
	bind_host linked,no-pie host_dlsym.c -no-pie -fno-pie "${target[@]}"
	bind_host bare host_dlsym.c
	for how in handle default next; do
		row "dlsym,$how" 10 10 "$dir/linked" "$lib" $how
		row "dlsym,$how,no-pie" 10 10 "$dir/linked,no-pie" "$lib" $how
	done
	row dlsym,not-linked 10 10 "$dir/bare" "$lib" handle
	if [[ -x /usr/bin/python3 ]]; then
		row ctypes 10 10 /usr/bin/python3 -c \
			"import ctypes; l = ctypes.CDLL('$lib'); print(sum(l.probed(i) for i in range(10)))"
	else
		echo "skip $label/ctypes: no /usr/bin/python3"
	fi
}

# Ten calls of the program's wrapper are ten of the library's function.
rows_of_own_wrappers() {
	local how
	bind_host next host_next.c -rdynamic -pie -fPIE "${target[@]}"
	bind_host next,no-pie host_next.c -rdynamic -no-pie -fno-pie "${target[@]}"
	bind_probe outer program:probed >"$work/outer.ini"
	bind_probe inner libtarget.so:probed >"$work/inner.ini"
	for how in next next,no-pie; do
		row "$how,both" 20 20 "$dir/$how"
		probes=$work/outer.ini row "$how,the-program's" 10 20 "$dir/$how"
		probes=$work/inner.ini row "$how,the-library's" 10 20 "$dir/$how"
	done
}

build_plugins() {
	bind_lib lazy.so plugin.c -Wl,-z,lazy "${target[@]}"
	bind_lib now.so plugin.c -Wl,-z,relro,-z,now "${target[@]}"
	bind_lib no-plt.so plugin.c -fno-plt "${target[@]}"
	bind_lib needs-nothing.so plugin.c -Wl,-z,lazy
	bind_lib own.so plugin.c -DOWN=5 -Wl,-z,lazy
	bind_lib own-now.so plugin.c -DOWN=7 -Wl,-z,now
	bind_lib born.so plugin.c -DBORN "${target[@]}"
	bind_lib born-now.so plugin.c -DBORN -Wl,-z,now "${target[@]}"
	bind_lib waits.so plugin_waits.c -Wl,-z,lazy "${target[@]}"
	bind_host with host_plugin.c "${target[@]}"
	bind_host without host_plugin.c
}

rows_of_plugins() {
	local host plugin flags
	for host in with without; do
		for plugin in lazy now no-plt; do
			for flags in lazy now lazy,deep now,deep lazy,global lazy,close; do
				row "plugin,$host,$plugin,$flags" 10 10 "$dir/$host" plugin_run $flags \
					"$dir/$plugin.so"
			done
		done
		row "plugin,$host,looks-up" 10 10 "$dir/$host" plugin_lookup lazy "$dir/lazy.so"
	done
	row plugin,needs-nothing 10 10 "$dir/with" plugin_run lazy "$dir/needs-nothing.so"
	row plugin,own-definition 10 10 "$dir/without" plugin_run lazy "$dir/own.so"
	row plugin,own-definition,deep 10 10 "$dir/with" plugin_run now,deep "$dir/own-now.so"
	row plugin,two-definitions 20 20 "$dir/without" plugin_run lazy "$dir/own.so" "$dir/own-now.so"
	# A library bound to itself finds itself first, by RTLD_DEFAULT too.
	bind_lib itself.so plugin.c -DOWN=5 -Wl,-Bsymbolic
	bind_host itself-at-start host_plugin.c "${target[@]}" "-L$dir" -l:itself.so
	row plugin,symbolic,looks-up 10 10 "$dir/with" plugin_lookup lazy "$dir/itself.so"
	row at-start,symbolic,looks-up 10 10 "$dir/itself-at-start" plugin_lookup lazy "$dir/itself.so"
	bind_host waits host_waits.c -rdynamic "${target[@]}"
	row plugin,waits-for-a-thread 20 20 "$dir/waits" "$dir/waits.so"
}

# Which of two definitions a lazy slot will lead to cannot always be told beforehand: then it
# is left to the loader, and seen after that. A guess would call the wrong one.
rows_of_doubt() {
	bind_lib inner.so plugin.c -Dplugin_run=inner_run -Wl,-z,lazy "-L$dir" -l:own-now.so
	bind_lib outer.so plugin.c -DOWN=5 -Wl,-z,lazy -Wl,--no-as-needed "-L$dir" -l:inner.so
	bind_lib uses-now.so plugin.c -Wl,-z,lazy "-L$dir" -l:own-now.so
	row doubt,needed-by-two 0 10 "$dir/without" inner_run lazy "$dir/outer.so"
	row doubt,needed-by-two,again 10 20 "$dir/without" inner_run lazy "$dir/outer.so" "$dir/outer.so"
	row doubt,global 10 20 "$dir/without" plugin_run lazy,global "$dir/own.so" "$dir/uses-now.so"
	row doubt,deep 0 10 "$dir/with" plugin_run lazy,deep "$dir/own.so"
	row doubt,deep,again 10 20 "$dir/with" plugin_run lazy,deep "$dir/own.so" "$dir/own.so"
}

# What a constructor calls comes before the next safe point; what comes later is seen.
rows_of_constructors() {
	local plugin
	for plugin in born born-now; do
		row "$plugin,with" 10 20 "$dir/with" plugin_run lazy "$dir/$plugin.so"
		row "$plugin,without" 10 20 "$dir/without" plugin_run lazy "$dir/$plugin.so"
		unseen "$plugin,alone,with" 10 "1 of 1 probes bound, but never called" "" \
			"$dir/with" none lazy "$dir/$plugin.so"
		unseen "$plugin,alone,without" 10 "1 of 1 probes bound, but never called" \
			"a library loaded by dlopen is not seen here" "$dir/without" none lazy "$dir/$plugin.so"
	done
}

# A plug-in that is run without a dlsym: a path is opened by a call of the hook, which patches
# what it brought.
rows_of_registration() {
	local how
	bind_host registers host_plugin.c -rdynamic "${target[@]}"
	bind_host registers,calls host_plugin.c -rdynamic -DCALLS "${target[@]}"
	for how in lazy now; do
		bind_lib "registers-$how.so" plugin.c -DREGISTERS "-Wl,-z$how" "${target[@]}"
		row "registers,$how" 10 10 "$dir/registers" registered lazy "$dir/registers-$how.so"
		row "registers,$how,after-a-call" 11 11 "$dir/registers,calls" registered lazy \
			"$dir/registers-$how.so"
	done
}

rows_of_reopening() {
	bind_host reopen host_reopen.c "${target[@]}"
	bind_host reopen,without host_reopen.c
	bind_host move host_reopen.c -DMOVE "${target[@]}"
	bind_host move,without host_reopen.c -DMOVE
	row reopen 1000 1000 "$dir/reopen" 100 "$dir/lazy.so" "$dir/now.so" "$dir/no-plt.so"
	# ... at the same address, where qemu-user does not put it.
	[[ -n $emulated ]] || row reopen,without 1000 1000 "$dir/reopen,without" 100 "$dir/own.so" "$dir/own-now.so" "$dir/lazy.so"
	row reopen,elsewhere 1000 1000 "$dir/move" 100 "$dir/lazy.so" "$dir/now.so" "$dir/no-plt.so"
	row reopen,elsewhere,without 300 300 "$dir/move,without" 30 "$dir/own.so" "$dir/own-now.so"
	# Each place is a definition, and a wrapper is never taken back: there are 64.
	row reopen,elsewhere,many 640 1000 "$dir/move,without" 100 "$dir/own.so" "$dir/own-now.so"
	expect_green reopen,elsewhere,many,why grep -q "more definitions than wrappers" "$work/s.json"
}

# Who was linked with an older version of the function gets that one, and only the default
# version is observed: ten of the new one, none of the old, whoever is bound first.
rows_of_versions() {
	local both=("-L$dir" -l:libversions.so)
	printf 'OLD { global: *; };\n' >"$dir/old.map"
	printf 'OLD { };\nNEW { global: probed; target_*; local: *; } OLD;\n' >"$dir/new.map"
	bind_lib libversions.so target.c -DADDED=500 "-Wl,--version-script=$dir/old.map"
	bind_lib old.so plugin.c -Wl,-z,lazy "${both[@]}"
	bind_lib old-now.so plugin.c -Wl,-z,now "${both[@]}"
	bind_lib libversions.so target.c -DVERSIONED "-Wl,--version-script=$dir/new.map"
	bind_lib new.so plugin.c -Wl,-z,lazy "${both[@]}"
	bind_host old-at-start host_plugin.c "-L$dir" -l:old.so
	row versions,new 10 10 "$dir/without" plugin_run lazy "$dir/new.so"
	unseen versions,old 10 "bound, but never called" "" "$dir/without" plugin_run lazy "$dir/old.so"
	unseen versions,old-now 10 "bound, but never called" "" "$dir/without" plugin_run lazy "$dir/old-now.so"
	row versions,new-old 10 20 "$dir/without" plugin_run lazy "$dir/new.so" "$dir/old.so"
	row versions,old-at-start 10 20 "$dir/old-at-start" plugin_run lazy "$dir/old.so" "$dir/new.so"
}

rows_of_namespaces() {
	bind_host namespace host_dlmopen.c "${target[@]}"
	unseen dlmopen 11 "1 of 1 probes bound, but never called" "" "$dir/namespace" "$dir/lazy.so"
	row dlmopen,and-here 10 21 "$dir/namespace" "$dir/lazy.so" here
}

# A library is looked for in its caller's RUNPATH: not in ours.
rows_of_runpath() {
	local flags=("-Wl,--enable-new-dtags" "-Wl,-z,lazy")
	mkdir "$dir/private"
	cp "$dir/lazy.so" "$dir/private/hidden-away.so"
	bind_lib libopener.so host_plugin.c -Dmain=open_and_run "${flags[@]}" "-Wl,-rpath,$dir/private"
	bind_host opener host_opener.c "${flags[@]}" "-L$dir" -l:libopener.so
	readelf -d "$dir/libopener.so" | grep -q RUNPATH || fail "no RUNPATH: the row tests nothing"
	row runpath,of-the-program 10 10 "$dir/with" plugin_run lazy lazy.so
	row runpath,of-a-library 10 10 "$dir/opener" plugin_run lazy hidden-away.so
}

for compiler in $(compilers); do
	bind_begin "$compiler"
	bind_targets
	rows_of_dlsym
	rows_of_own_wrappers
	build_plugins
	rows_of_plugins
	rows_of_doubt
	rows_of_constructors
	rows_of_registration
	rows_of_reopening
	rows_of_versions
	rows_of_namespaces
	rows_of_runpath
done
bind_end
