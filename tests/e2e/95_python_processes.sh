#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Programs that start others, take turns or are watched: every call of each of their processes,
# threads, tasks and interpreters is recorded, and a tracer, profiler or monitor that is on top
# sees what it sees unobserved.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/python_lib.sh"
need python3

probes=$launch/probes.ini
modes=$launch/modes.py
export PYTHONDONTWRITEBYTECODE=1

mode() { # NAME [OPTIONS of compare_counts.py...]
	local name=$1
	shift
	local options=("$@")
	way "$name" "$python" "$modes" "$name"
}

by_mode() {
	local name
	for name in settrace setprofile cprofile coverage monitoring subprocess exec fork spawn \
		forkserver executor threads fork_inside asyncio contextvars signal; do
		mode $name
	done
	# A function is called while its module is executed anew; the class is found at once.
	mode threads_reload --window function
	mode daemon --without-end
	want_status=7 mode exit_code
	subinterpreters
}

# Served: their calls are counted with the others. Or said: in the session or on stderr.
subinterpreters() {
	local options=()
	bare "$version, subinterpreters" "$python" "$modes" subinterpreters
	rm -f "$TRUTH.sub"
	[[ -n $observing ]] || return 0
	seen "$version, subinterpreters" "$python" "$modes" subinterpreters
	[[ -e $TRUTH.sub ]] || { echo "$version: no sub-interpreters" && return 0; }
	cp "$TRUTH" "$work/main.truth"
	cat "$TRUTH.sub" >>"$TRUTH"
	if (counts "$version, sub-interpreters served") >>"$work/counts" 2>&1; then
		return 0
	fi
	cp "$work/main.truth" "$TRUTH"
	counts "$version, sub-interpreters left alone" >>"$work/counts"
	snapshot_json "$(session)" >"$work/snapshot.json"
	INVREG_DEBUG=1 observed "$python" "$modes" subinterpreters >/dev/null 2>"$work/said"
	grep -qi 'sub-\?interpreter' "$work/snapshot.json" "$work/said" ||
		fail "$version: sub-interpreters are neither served nor said to be left alone"
}

every_python by_mode
echo "bare: ${#pythons[@]} interpreters"
python_targets
observing=yes
every_python by_mode
echo "$(wc -l <"$work/counts") programs of ${#pythons[@]} interpreters are equal"
