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

for files in 4 5 8; do
	at_start "-n $files" threads --threads 4 --calls 5000
done
for blocks in 0 8 2000 1000000; do
	at_start "-f $blocks" ballast --calls 20000
done
for kilobytes in 20000 60000 100000 400000 2000000; do
	at_start "-v $kilobytes" ballast --calls 20000
done
for kilobytes in 96 160 256 1024; do
	at_start "-s $kilobytes" threads --threads 4 --calls 5000
	at_start "-s $kilobytes" nest --threads 2 --calls 500 --depth 6
done
at_start "-n 5 -f 2000 -s 256" threads --threads 2 --calls 5000
at_start "-l 0 -i 0 -q 0" threads --threads 2 --calls 5000

# root is above -u
if [[ $(id -u) == 0 ]]; then
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
