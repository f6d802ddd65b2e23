#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Pitfalls of the got tier, each provoked: strings that cannot be read, garbage in argument
# registers, functions that the shim calls itself, programs built with AddressSanitizer, whose
# runtime wants to be first.
# skip-under: address: its runtime looks at what process_vm_readv is asked for, garbage too
# skip-under: thread: two sanitizers do not run in one program
# shellcheck disable=SC2317 # functions that expect_green calls
. "$(dirname "$0")/bind.sh"
need gcc python3
unset ASAN_OPTIONS # of lib.sh: it lets a sanitized program take any preload

# Eleven bad pointers, as text and as context: each call is recorded, what cannot be read is
# `_other` and counted, and neither value nor errno nor the program's life depends on it.
rows_of_garbage() {
	bind_lib libstrings.so host_strings.c -DLIBRARY
	bind_host strings host_strings.c -O0 "-L$dir" -l:libstrings.so
	cat >"$work/strings.ini" <<'INI'
[probe strings]
target        = probed
bind          = got
signature     = int (int x, str artifact_id, ptr context)
tick          = context->0:i64
success       = return == 0
error_message = context->8:str
INI
	probes=$work/strings.ini
	# qemu-user itself dies of a page behind the end of a file, which the kernel refuses to read.
	[[ -n $emulated ]] || expect_green strings garbage_is_survived
	# Parameters that the caller does not pass are garbage in a register.
	printf '%s\n' '[probe more]' 'target = probed' 'bind = got' \
		'signature = int (int tick, str invoker_id, str artifact_id, str method, ptr p, ptr q)' \
		'error_message = p->32:str' 'success = return < 0' >"$work/more.ini"
	bind_host calls host_calls.c "${target[@]}"
	probes=$work/more.ini
	expect_green unpassed,entry calls_are_counted "$dir/calls"
	expect_green unpassed,internal calls_are_counted "$dir/calls" internal
	probes=$work/row.ini
}

garbage_is_survived() {
	bare_and_observed "$dir/strings"
	snapshot_json "$(session)" >"$work/s.json"
	assert_eq calls 130 "$(number_of calls <"$work/s.json")"
	assert_eq "the objects' own count" 130 "$(counted)"
	# Two of the eleven can be read up to the end of their page: they are cut there.
	assert_eq "names, and what failed of each" \
		"[('_other', 90, 45), ('abc', 10, 5), ('edge', 10, 5), ('eeee', 10, 5), ('good', 10, 5)]" \
		"$(json "$work/s.json" 'sorted((a["artifact_id"][:6].replace("eeeeee", "eeee"),
			a["total_invocations"], a["failed"]) for a in d["artifacts"])')"
	assert_eq "cut names are counted" 20 "$(json "$work/s.json" 'lost("name_truncated")')"
	assert_eq "unreadable fields are counted" True "$(json "$work/s.json" 'lost("unreadable") > 200')"
	assert_eq "the tick of those that can be read" 7 "$(json "$work/s.json" \
		'[a["last_tick"] for a in d["artifacts"] if a["artifact_id"] == "good"][0]')"
}

calls_are_counted() { # COMMAND...
	bare_and_observed "$@"
	snapshot_json "$(session)" >"$work/s.json"
	assert_eq "calls, failed" "10 10" "$(json "$work/s.json" '"%d %d" % (total(), total("failed"))')"
}

# Our own calls are not the program's: libc counts nothing, the host makes ten of each.
rows_of_libc() {
	bind_host libc host_libc.c -fno-builtin
	printf '%s\n' '[probe getenv]' 'signature = str (str artifact_id)' \
		'[probe syscall]' 'signature = i64 (i64 tick)' \
		'[probe strnlen]' 'signature = u64 (str artifact_id, u64 args_count)' |
		sed 's/^\[probe \(.*\)\]/&\ntarget = \1\nbind = got/' >"$work/libc.ini"
	probes=$work/libc.ini row libc 30 0 "$dir/libc"
}

# Its runtime wants to be first of all. gcc's is a library, clang's is in the program.
rows_of_asan() {
	local first
	if ! bind_host asan host_calls.c -fsanitize=address "${target[@]}" 2>>"$work/build.err"; then
		echo "skip $label/asan: $cc has no AddressSanitizer here"
		return
	fi
	bind_host asan-opens host_plugin.c -fsanitize=address
	bind_lib lazy.so plugin.c -Wl,-z,lazy "${target[@]}"
	export ASAN_OPTIONS=detect_leaks=0
	if readelf -d "$dir/asan" | grep -q libasan; then
		first=$("$cc" -print-file-name=libasan.so)
		expect_green asan,first order_is_seen_to
		ahead=$first row asan,runtime-before-us 10 10 "$dir/asan"
		ahead=$first row asan,opens 10 10 "$dir/asan-opens" plugin_run lazy "$dir/lazy.so"
		ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 row asan,order-unchecked 10 10 "$dir/asan"
	else
		row asan,inside 10 10 "$dir/asan"
		row asan,internal 10 10 "$dir/asan" internal
		row asan,opens 10 10 "$dir/asan-opens" plugin_run lazy "$dir/lazy.so"
	fi
	unset ASAN_OPTIONS
}

# By hand the program ends before main, by its own runtime, as doctor says; run allows the order.
order_is_seen_to() {
	assert_contains doctor "set ASAN_OPTIONS=verify_asan_link_order=0" \
		"$(invreg doctor -p "$probes" -- "$dir/asan" || true)"
	forget_sessions
	status_of observed "$dir/asan" >"$work/observed.out" 2>"$work/observed.err"
	assert_eq "exit status by hand" 1 "$status"
	assert_contains "the runtime's words" "ASan runtime does not come first" "$(cat "$work/observed.err")"
	forget_sessions
	"$dir/asan" >"$work/bare.out"
	status_of run -- "$dir/asan" >"$work/observed.out"
	assert_eq "exit status by run" 0 "$status"
	diff "$work/bare.out" "$work/observed.out" || fail "output differs by run"
	snapshot_json "$(session)" >"$work/snapshot.json"
	assert_eq "calls by run" 10 "$(json "$work/snapshot.json" 'total()')"
}

for compiler in $(compilers); do
	bind_begin "$compiler"
	bind_targets
	rows_of_garbage
	rows_of_libc
	[[ -n $emulated ]] || rows_of_asan # it does not start under qemu-user
done
bind_end
