#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The truth table of the entry tier for what a program finds or loads while it runs: dlsym,
# ctypes, wrappers through RTLD_NEXT, plug-ins bound in every way, closed and opened again,
# here and elsewhere.
# skip-under: address thread: its runtime takes no RTLD_DEEPBIND
# shellcheck disable=SC2034 # variables of bind.sh
. "$(dirname "$0")/bind.sh"
need gcc
tier=entry

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

rows_of_plugins() {
	local host plugin flags
	bind_lib lazy.so plugin.c -Wl,-z,lazy "${target[@]}"
	bind_lib now.so plugin.c -Wl,-z,relro,-z,now "${target[@]}"
	bind_lib no-plt.so plugin.c -fno-plt "${target[@]}"
	bind_lib own.so plugin.c -DOWN=5 -Wl,-z,lazy
	bind_lib own-now.so plugin.c -DOWN=7 -Wl,-z,now
	bind_lib itself.so plugin.c -DOWN=5 -Wl,-Bsymbolic
	bind_lib born.so plugin.c -DBORN "${target[@]}"
	bind_lib own-born.so plugin.c -DOWN=5 -DBORN
	bind_host with host_plugin.c "${target[@]}"
	bind_host without host_plugin.c
	for host in with without; do
		for plugin in lazy now no-plt; do
			for flags in lazy now lazy,deep now,deep lazy,global lazy,close; do
				row "plugin,$host,$plugin,$flags" 10 10 "$dir/$host" plugin_run $flags \
					"$dir/$plugin.so"
			done
		done
		row "plugin,$host,looks-up" 10 10 "$dir/$host" plugin_lookup lazy "$dir/lazy.so"
	done
	for flags in lazy now lazy,deep now,deep; do
		row "plugin,own,$flags" 10 10 "$dir/with" plugin_run $flags "$dir/own.so"
		row "plugin,own,without,$flags" 10 10 "$dir/without" plugin_run $flags "$dir/own.so"
	done
	row plugin,symbolic,looks-up 10 10 "$dir/with" plugin_lookup lazy "$dir/itself.so"
	row plugin,two-definitions 20 20 "$dir/without" plugin_run lazy "$dir/own.so" "$dir/own-now.so"
	row plugin,constructor 20 20 "$dir/with" plugin_run lazy "$dir/born.so"
	# A library's own constructor comes before the first safe point after its load.
	row plugin,own,constructor 10 20 "$dir/without" plugin_run lazy "$dir/own-born.so"
	bind_host registers host_plugin.c -rdynamic "${target[@]}"
	bind_lib registers.so plugin.c -DREGISTERS "${target[@]}"
	row plugin,registers 10 10 "$dir/registers" registered lazy "$dir/registers.so"
}

rows_of_reopening() {
	bind_host reopen host_reopen.c "${target[@]}"
	bind_host reopen,without host_reopen.c
	bind_host move,without host_reopen.c -DMOVE
	row reopen 1000 1000 "$dir/reopen" 100 "$dir/lazy.so" "$dir/now.so" "$dir/no-plt.so"
	row reopen,without 1000 1000 "$dir/reopen,without" 100 "$dir/own.so" "$dir/own-now.so" "$dir/lazy.so"
	row reopen,at-the-same-address 15000 15000 "$dir/reopen,without" 1500 "$dir/own.so"
	row reopen,elsewhere 300 300 "$dir/move,without" 30 "$dir/own.so" "$dir/own-now.so"
}

# Left to itself, a probe takes this tier: calls that both could see are seen once.
rows_by_default() {
	tier=auto bind_probe row probed >"$work/auto.ini"
	probes=$work/auto.ini
	row auto,dlsym 10 10 "$dir/linked" "$dir/libtarget.so.1" handle
	row auto,plugin 10 10 "$dir/with" plugin_run lazy "$dir/lazy.so"
	row auto,plugin,own 10 10 "$dir/without" plugin_run lazy "$dir/own.so"
	probes=$work/row.ini
}

for compiler in $(compilers); do
	bind_begin "$compiler"
	bind_targets
	rows_of_dlsym
	rows_of_own_wrappers
	rows_of_plugins
	rows_of_reopening
	rows_by_default
done
bind_end
