#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Limits of the process that are reached at its start, and in the middle of its run: no signal
# (SIGXFSZ), no failure of the program's own; what is recorded is exact, what is not is said.
# skip-under: address thread: its runtime does not live within the limits of the test
. "$(dirname "$0")/lib.sh"
need python3 prlimit setpriv

lost_or_exact() { # WHAT: the totals are the truth's, or as many calls less as are said to be lost
	snapshot_json "$(session)" >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth" --totals
	echo "exact: $1: $(json "$work/snapshot.json" 'total(), {r["reason"]: r["count"] for r in d["lost"]}')"
}

# ---- at the start -----------------------------------------------------------------------

# `at_start LIMITS HOST...`: the same as bare; exact, or there is a reason why not
at_start() {
	local limits=$1 host=$2
	shift 2
	forget_sessions
	rm -f "$work/truth"
	# through a pipe, since a file of the program's own would be limited too
	bash -c "ulimit $limits; exec '$hosts/$host' $*" 2>"$work/bare.err" | cat >"$work/bare.out" ||
		fail "$host fails by itself under $limits: $(cat "$work/bare.err")"
	"$hosts/$host" --calls 0 --truth "$work/truth" >/dev/null
	env "PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" bash -c \
		"ulimit $limits; LD_PRELOAD=\$PRELOAD exec '$hosts/$host' $* --truth '$work/truth'" \
		2>"$work/observed.err" | cat >"$work/observed.out" ||
		fail "$host under $limits ends with ${PIPESTATUS[0]}: $(cat "$work/observed.err")"
	diff "$work/bare.out" "$work/observed.out" || fail "$host under $limits: its output differs"
	diff "$work/bare.err" "$work/observed.err" || fail "$host under $limits: the shim talked"
	if compgen -G "$INVREG_DIR/*.seg" >/dev/null; then
		lost_or_exact "$host from the start under $limits"
		return
	fi
	env "PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" INVREG_DEBUG=1 bash -c \
		"ulimit $limits; LD_PRELOAD=\$PRELOAD exec '$hosts/$host' --calls 1" 2>&1 >/dev/null | cat >"$work/debug.err"
	[[ -s $work/debug.err ]] || fail "unobserved under $limits, and no reason is told"
	echo "unobserved under $limits: $(head -n 1 "$work/debug.err")"
}

# From the start qemu is under the limits too: it writes what it makes of /proc/self/maps to a
# file, takes 128 MiB for the code that it makes, and starts a thread.
if [[ -n $emulated ]]; then
	blocks_of_a_file=(8 2000 1000000) kilobytes_of_memory=(400000 2000000)
else
	blocks_of_a_file=(0 8 2000 1000000) kilobytes_of_memory=(20000 60000 100000 400000 2000000)
fi

for files in 4 5 8; do
	at_start "-n $files" threads --threads 4 --calls 5000
done
for blocks in "${blocks_of_a_file[@]}"; do
	at_start "-f $blocks" ballast --calls 20000
done
for kilobytes in "${kilobytes_of_memory[@]}"; do
	at_start "-v $kilobytes" ballast --calls 20000
done
for kilobytes in 96 160 256 1024; do
	at_start "-s $kilobytes" threads --threads 4 --calls 5000
	at_start "-s $kilobytes" nest --threads 2 --calls 500 --depth 6
done
at_start "-n 5 -f 2000 -s 256" threads --threads 2 --calls 5000
at_start "-l 0 -i 0 -q 0" threads --threads 2 --calls 5000

# root is above -u
if [[ $(id -u) == 0 && -z $emulated ]]; then
	chmod 711 "$work"
	# The tree may lie in a folder that nobody else may enter.
	mkdir "$work/bin"
	cp "$shim" "$hosts"/ballast "$hosts"/*.so "$work/bin/"
	chmod -R a+rX "$work/bin"
	mkdir -m 700 "$work/nobody"
	chown 65534:65534 "$work/nobody"
	for processes in 0 1; do
		rm -rf "$work/nobody/"* "$work/nobody/truth"
		setpriv --reuid 65534 --regid 65534 --clear-groups env "PRELOAD=${preload/"$shim"/$work/bin/$(basename "$shim")}" "INVREG_DIR=$work/nobody/s" \
			"INVREG_PROBES=$work/target.ini" bash -c "mkdir -m 700 '$work/nobody/s'; ulimit -u $processes
			LD_PRELOAD=\$PRELOAD exec '$work/bin/ballast' --calls 20000 --truth '$work/nobody/truth'" \
			>"$work/observed.out" || fail "ulimit -u $processes: $?"
		INVREG_DIR=$work/nobody/s invreg snapshot --format json >"$work/snapshot.json" || fail "-u $processes"
		compare_truth "$work/snapshot.json" "$work/nobody/truth"
		echo "exact: from the start under -u $processes"
	done
fi

# ---- in the middle of the run --------------------------------------------------------------

in_the_middle() { # PRLIMIT HOST...
	local limit=$1 host=$2 program
	shift 2
	forget_sessions
	rm -f "$work/truth"
	"$hosts/$host" "$@" >"$work/bare.out"
	mkfifo "$work/pipe"
	cat "$work/pipe" >"$work/observed.out" &
	env "LD_PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" "$hosts/$host" "$@" --truth "$work/truth" \
		>"$work/pipe" 2>"$work/observed.err" &
	program=$!
	until compgen -G "$INVREG_DIR/*.seg" >/dev/null; do sleep 0.005; done
	sleep 0.1
	[[ $limit != --as=now ]] || limit=--as=$(($(awk '/VmSize/ { print $2 }' "/proc/$program/status") * 1024))
	prlimit --pid "$program" "$limit" || fail "the program was over before its limit"
	status_of wait "$program"
	wait
	rm "$work/pipe"
	assert_eq "exit status of $host, $limit in its run" 0 "$status"
	diff "$work/bare.out" "$work/observed.out" || fail "$host, $limit in its run: its output differs"
	assert_eq "what $host says" "" "$(cat "$work/observed.err")"
	lost_or_exact "$host, $limit in its run"
}

# threads and children that come after the limit claim lanes and rows under it
for limit in --nofile=0:0 --fsize=0:0 --stack=131072:131072; do
	in_the_middle "$limit" churn --threads 40 --depth 100 --calls 20 --work-us 30
	in_the_middle "$limit" brood --depth 300 --calls 20 --work-us 30
done
in_the_middle --as=now brood --depth 300 --calls 20 --work-us 30
in_the_middle --as=now many_names --methods 1 --codes 2 --depth 3 --artifacts 20000 --work-us 5
in_the_middle --fsize=0:0 many_names --methods 1 --codes 2 --depth 3 --artifacts 20000 --work-us 5

# ---- of the reader ---------------------------------------------------------------------------

# its own files and messages at their limit: a message where there is room, never a signal
forget_sessions
run --session s -- "$hosts/threads" --threads 1 --calls 10 >/dev/null
cd "$work"
limited() { # CMD...: its files at their limit, its standard streams pipes
	{ (ulimit -f 0 && exec "$@") 2>&1 && echo "status 0" || echo "status $?"; } | cat
}
outputs=("snapshot s -o limited.json" "snapshot s -o limited.seg")
# prototypes are read by the calling convention of x86-64
[[ $(uname -m) != x86_64 || -n $emulated ]] || outputs+=("probe -o limited.ini $hosts/libtruth_target.so:target_invoke")
for words in "${outputs[@]}"; do
	# shellcheck disable=SC2086 # a verb and its words
	said=$(limited "$build/invreg" $words)
	assert_contains "$words at the limit of files" "File too large"$'\n'"status 1" "$said"
done
for file in limited.json limited.seg; do
	[[ ! -e $file ]] || fail "half a snapshot was left at the limit of files"
done
for words in "stats s" "help probes" "no_such_verb" "run" "bench"; do
	bare=0
	# shellcheck disable=SC2086
	"$build/invreg" $words >bare.out 2>&1 || bare=$?
	[[ $bare != 0 ]] || bare=1
	: >limited.out
	# shellcheck disable=SC2086 # a verb and its words
	status_of bash -c "ulimit -f 0; exec '$build/invreg' $words >limited.out 2>limited.err"
	assert_eq "exit status of $words to a file at its limit" "$bare" "$status"
done
status_of bash -c "ulimit -f 0; exec '$build/invreg' run -p target.ini -- sh -c 'exit 7' 2>limited.err"
assert_eq "exit status of run, its messages at their limit" 7 "$status"

# events at their limit are told of, and the program goes on
said=$(bash -c "ulimit -S -f 1000000; exec '$build/invreg' run -q --size 8M -p target.ini -o events.jsonl -- \
	sh -c 'prlimit --pid \$PPID --fsize=4096:; $hosts/threads --threads 1 --calls 3000; exit 7'" 2>&1 >/dev/null) ||
	status=$?
assert_eq "exit status of run -o at its limit" 7 "$status"
assert_contains "run -o at its limit" "File too large: " "$said"

# the program has what invreg was given
for before in "" "trap '' PIPE XFSZ;"; do
	want=$(bash -c "$before exec grep SigIgn /proc/self/status")
	for verb in "run -q" "bench -n 1 --show-output"; do
		got=$(bash -c "$before exec '$build/invreg' $verb -p target.ini -- grep SigIgn /proc/self/status" 2>/dev/null |
			grep SigIgn | sort -u)
		assert_eq "signals that are ignored under $verb, after '$before'" "$want" "$got"
	done
done
