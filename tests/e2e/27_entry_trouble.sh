#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The entry tier where something is in its way: threads that run while a library comes late, a
# process that may make no code, no /proc, little memory, few descriptors, text that is to
# stay writable; and in children started in every way.
# skip-under: address: its runtime wants a /proc
# skip-under: thread: its runtime does not live within the limits of the test
# shellcheck disable=SC2317,SC2034 # functions that expect_green calls; variables of bind.sh
. "$(dirname "$0")/bind.sh"
need gcc python3
tier=entry

# ---- threads --------------------------------------------------------------------------------------

copies() { # NAME: plug-ins of one kind, each a file of its own
	local i
	for i in $(seq 20); do
		cp "$dir/$1.so" "$dir/$1-$i.so"
		echo "$dir/$1-$i.so"
	done
}

# Each of the twenty is looked up once and called ten times.
seen_while_called() { # TIER PLUGINS...
	local seen
	bare_and_observed_late "$dir/late" calls "${@:2}"
	snapshot_json "$(session)" >"$work/s.json"
	seen=$(number_of calls <"$work/s.json")
	((seen >= 200 && seen <= $(counted))) || fail "seen: $seen, called: $(counted)"
	assert_contains "the tier" "\"tier\":\"$1\"" "$(cat "$work/s.json")"
}

bare_and_observed_late() { # as threads call as often as they like, no counts are compared
	forget_sessions
	rm -f "$work/counts"
	export BIND_TRUTH=$work/counts
	same_output "$@"
}

rows_of_threads() {
	local -a one_word split
	bind_host late host_late.c -rdynamic
	bind_lib word.so plugin.c -DOWN=5 -DREGISTERS
	bind_lib split.so plugin.c -DOWN=5 -DREGISTERS -fcf-protection=full -O0
	mapfile -t one_word < <(copies word)
	mapfile -t split < <(copies split)
	# One instruction in one word is changed at once: no thread can be within it.
	row late,spins 200 200 "$dir/late" spins "${one_word[@]}"
	expect_green late,calls seen_while_called entry "${one_word[@]}"
	falls_back_of late,split "another thread may be in its first bytes" spins "${split[@]}"
	tier=auto bind_probe row probed >"$work/auto.ini"
	probes=$work/auto.ini expect_green late,split,calls seen_while_called got "${split[@]}"
	# Patched, closed, and at the same address again, where it can be patched no more.
	probes=$work/auto.ini row late,split,again 20 20 "$dir/late" again "${split[0]}"
}

falls_back_of() { # NAME WHY spins PLUGINS...
	refused "$1" 200 "$2" "$dir/late" "${@:3}"
	tier=auto bind_probe row probed >"$work/auto.ini"
	probes=$work/auto.ini tier=got row "$1,got" 200 200 "$dir/late" "${@:3}"
}

# ---- rights -----------------------------------------------------------------------------------------

locked() { # COMMAND...: may make no code
	"$dir/locked" env "LD_PRELOAD=$preload" "INVREG_PROBES=$probes" "$@"
}

without_proc() { # COMMAND...
	unshare -m --propagation private sh -c \
		'mount -t tmpfs none /proc && exec "$@"' sh ${lock:+"$lock"} \
		env "LD_PRELOAD=$preload" "INVREG_PROBES=$probes" "$@"
}

why_is() { # WHY
	assert_contains "why" "$1" "$(cat "$work/s.json")"
}

rows_of_rights() {
	bind_host calls host_calls.c "${target[@]}"
	bind_host local host_own.c -DLINKAGE=static
	bind_host without host_plugin.c
	bind_lib own.so plugin.c -DOWN=5
	bind_lib own-split.so plugin.c -DOWN=5 -fcf-protection=full -O0
	bind_host locked host_locked.c
	tier=auto bind_probe row probed >"$work/auto.ini"
	if "$dir/locked" true; then
		by=locked row no-code 10 10 "$dir/calls"
		by=locked row no-code,internal 10 10 "$dir/calls" internal
		by=locked row no-code,local 10 10 "$dir/local"
		by=locked row no-code,late 10 10 "$dir/without" plugin_run lazy "$dir/own.so"
	else
		echo "skip $label/no-code: no PR_SET_MDWE here"
	fi
	if [[ $(id -u) != 0 ]] || ! unshare -m --propagation private mount -t tmpfs none /proc 2>/dev/null; then
		echo "skip $label/no-proc: no right to mount over /proc"
		return
	fi
	by=without_proc row no-proc 10 10 "$dir/calls"
	by=without_proc row no-proc,internal 10 10 "$dir/calls" internal
	# How many threads there are is not known then.
	probes=$work/auto.ini tier=got by=without_proc row no-proc,late 10 10 "$dir/without" \
		plugin_run lazy "$dir/own-split.so"
	"$dir/locked" true || return 0
	lock=$dir/locked
	probes=$work/auto.ini tier=got by=without_proc row no-code,no-proc,got 10 10 "$dir/calls"
	by=without_proc expect_green no-code,no-proc 0_of "$dir/calls"
	expect_green no-code,no-proc,why why_is "its text cannot be written"
	lock=
}

0_of() { # COMMAND...: nothing is seen, and the session says why
	bare_and_observed "$@"
	snapshot_json "$(session)" >"$work/s.json"
	assert_eq "calls seen" 0 "$(number_of calls <"$work/s.json")"
}

# ---- limits -------------------------------------------------------------------------------------------

same_within() { # OPTION...: of prlimit; output and status are the same
	local bare=0 seen=0
	forget_sessions
	prlimit "$@" "$dir/calls" >"$work/bare.out" 2>/dev/null || bare=$?
	prlimit "$@" env "LD_PRELOAD=$preload" "INVREG_PROBES=$probes" "$dir/calls" \
		>"$work/observed.out" 2>/dev/null || seen=$?
	assert_eq "exit status" "$bare" "$seen"
	diff "$work/bare.out" "$work/observed.out" || fail "output differs when observed"
}

rows_of_limits() {
	local n
	for n in 4 5 6 7 8 16; do
		expect_green "descriptors,$n" same_within "--nofile=$n"
	done
	# in ten, there is no room for a sanitizer's own library
	for n in $([[ -n ${SAN:-} ]] || echo 10) 20 40 60 80 100 200 500 900 1000 1100 2000; do
		expect_green "memory,$n" same_within "--as=$((n << 20))"
	done
	expect_green files same_within --fsize=0
	expect_green locked-memory same_within --memlock=0
	expect_green small-stack same_within "--stack=$((256 << 10))"
}

# ---- text that is written -------------------------------------------------------------------------------

# A program whose text is writable by its file writes to it: it has to stay so.
rows_of_writable_text() {
	bind_host writes host_own.c -DLINKAGE=static -DWRITES
	python3 - "$dir/writes" <<'PY' || fail "no text segment: the row tests nothing"
import struct, sys
with open(sys.argv[1], "r+b") as f:
    header = f.read(64)
    at, size, count = struct.unpack_from("<Q", header, 32)[0], *struct.unpack_from("<HH", header, 54)
    changed = 0
    for i in range(count):
        f.seek(at + i * size)
        kind, flags = struct.unpack("<II", f.read(8))
        if kind == 1 and flags & 1:
            f.seek(at + i * size + 4)
            f.write(struct.pack("<I", flags | 2))
            changed += 1
sys.exit(changed != 1)
PY
	row writable-text 10 10 "$dir/writes"
}

# ---- children ---------------------------------------------------------------------------------------------

processes_are() { # COUNT
	assert_eq "processes that bound a probe" "$1" "$(number_of processes_ended <"$work/s.json")"
}

rows_of_trees() { # LABEL SEEN PROCESSES LOST
	local how tree=("$dir/children")
	for how in fork fork-exec vfork spawn; do
		row "$1,$how" "$2" 30 "${tree[@]}" $how 2 "$work/counts"
		expect_green "$1,$how,processes" processes_are "$3"
	done
	for how in system popen; do # a shell between them, in which nothing binds
		lost=$4 row "$1,$how" "$2" 30 "${tree[@]}" $how 2 "$work/counts"
		expect_green "$1,$how,processes" processes_are "$3"
	done
	row "$1,exec" 10 10 "${tree[@]}" exec 2 "$work/counts"
}

rows_of_children() {
	bind_host children host_children.c "${target[@]}"
	rows_of_trees follow 30 3 '{"reason":"unbound_proc","count":2}'
	INVREG_CHILDREN=ignore rows_of_trees ignore 10 1 ''
	for how in clean unset; do
		row "$how" 10 30 "$dir/children" $how 2 "$work/counts"
	done
}

for compiler in $(compilers); do
	bind_begin "$compiler"
	bind_targets
	rows_of_threads
	rows_of_rights
	rows_of_limits
	rows_of_writable_text
	rows_of_children
done
bind_end
