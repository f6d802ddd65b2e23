#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Calls left by C++ exceptions, pthread_exit, cancellation and longjmp: the program's output is
# the same, who called whom too, and each is counted as a failure under its type, through a
# stub and a closure, and through entries that were patched.
# skip-under: address: it keeps the poison of frames that a forced unwind has passed
. "$(dirname "$0")/lib.sh"
need g++

probes_by() { # TIER SIGNATURE-OF-CLOSURE
	cat >"$work/s.ini" <<INI
[probe stub]
target      = s_stub
bind        = $1
signature   = int (str invoker_id, str artifact_id, ptr inside, ptr data)
method      = "stub"
[probe closure]
target      = s_closure
bind        = $1
signature   = int ($2, str invoker_id, str artifact_id, ptr inside, ptr data)
method      = "closure"
INI
}
probes=$work/s.ini
rounds=200

check() { # NAME COMPILER...
	local dir=$work/$1 two=$((2 * rounds))
	mkdir "$dir"
	shift
	"$@" -g -fPIC -shared -o "$dir/libs.so" "$root/tests/hosts/sideways/target.cc"
	"$@" -g -rdynamic -o "$dir/host" "$root/tests/hosts/sideways/host.cc" "-Wl,-rpath,$dir" -L"$dir" -ls \
		-pthread -ldl
	forget_sessions
	same_output "$dir/host" $rounds
	assert_eq "the callers that it saw ($*)" 2 "$(grep -c '^main$' "$work/observed.out")"
	snapshot_json "$(session)" >"$work/s.json"
	assert_eq "failures by artifact and type ($*)" "$(cat <<END
bad_alloc $two exception:std::bad_alloc=$two
cancel 6 forced_unwind=6
exit 6 forced_unwind=6
int $two exception:int=$two
nested $((5 * rounds)) exception:sim::timeout=$((5 * rounds))
rethrown $two exception:std::out_of_range=$two
returns $((two + 3))
runtime_error $two exception:std::runtime_error=$two
timeout $two exception:sim::timeout=$two
END
)" "$(json "$work/s.json" '"\n".join(sorted(" ".join([a["artifact_id"], str(a["total_invocations"])]
	+ [f"{k}={v}" for k, v in a["failure_types"].items()]) for a in d["artifacts"]))')"
	assert_eq "methods ($*)" "[('closure', $((9 * rounds + 7))), ('stub', $((8 * rounds + 8)))]" "$(json "$work/s.json" \
		'sorted((m, sum(x["total_invocations"] for a in d["artifacts"] for x in a["methods"]
		 if x["method"] == m)) for m in ("closure", "stub"))')"
	assert_eq "left by longjmp ($*)" 6 "$(json "$work/s.json" 'd["status"]["abandoned"]')"
	assert_eq "in flight ($*)" "0 0" "$(json "$work/s.json" \
		'str(len(d["in_flight"])) + " " + str(len(d["never_returned"]))')"
	invreg events "$(session)" >"$work/events"
	assert_contains "an outcome line" '"error_type":"exception:int","error_message":""' "$(cat "$work/events")"
}

by_gdb() { # NAME: a debugger finds main behind the thunk
	local trace
	trace=$(SHELL=/bin/sh gdb -nx -batch -ex 'set debuginfod enabled off' -ex 'set breakpoint pending on' \
		-ex "set exec-wrapper env LD_PRELOAD=$preload INVREG_PROBES=$probes" \
		-ex 'break s_closure' -ex run -ex bt --args "$work/$1/host" 1 2>&1) || true
	[[ $trace == *'Breakpoint 1, '* ]] || { echo "skip gdb: it cannot trace a program here" && return; }
	assert_contains "gdb's backtrace" inv_entry_thunk "$trace"
	assert_contains "gdb's backtrace" " in main " "$trace"
}

probes_by got "{i64,i64,i64,i64} w"
check g++ g++ -O2
check g++-O0 g++ -O0
if command -v clang++ >/dev/null; then
	check clang++ clang++ -O2
fi

has_entry_tier || exit 0

# Over ten thousand exceptions each.
probes_by entry "i64 a, i64 b, i64 c, i64 d"
rounds=700
check entry-g++ g++ -O2 -DWORDS
assert_eq tiers "{'entry'}" "$(json "$work/s.json" '{p["tier"] for p in d["probes"]}')"
check entry-g++-O0 g++ -O0 -DWORDS
! command -v gdb >/dev/null || by_gdb entry-g++-O0
if command -v clang++ >/dev/null; then
	check entry-clang++ clang++ -O2 -DWORDS
fi
