#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Calls left by C++ exceptions, pthread_exit and cancellation: the program's output is the
# same, and each is counted as a failure under its type, through a stub and a closure.
# ASan keeps the poison of frames that a forced unwind has passed, and then finds it.
# skip-under: address
. "$(dirname "$0")/lib.sh"
need g++

cat >"$work/s.ini" <<'INI'
[probe stub]
target      = s_stub
signature   = int (str invoker_id, str artifact_id, ptr inside, ptr data)
method      = "stub"
[probe closure]
target      = s_closure
signature   = int ({i64,i64,i64,i64} w, str invoker_id, str artifact_id, ptr inside, ptr data)
method      = "closure"
INI
probes=$work/s.ini
rounds=200

check() { # NAME COMPILER...
	local dir=$work/$1
	mkdir "$dir"
	shift
	"$@" -fPIC -shared -o "$dir/libs.so" "$root/tests/hosts/sideways/target.cc"
	"$@" -o "$dir/host" "$root/tests/hosts/sideways/host.cc" "-Wl,-rpath,$dir" -L"$dir" -ls -pthread
	forget_sessions
	same_output "$dir/host" $rounds
	snapshot_json "$(session)" >"$work/s.json"
	assert_eq "failures by artifact and type ($*)" "$(cat <<END
bad_alloc 400 exception:std::bad_alloc=400
cancel 6 forced_unwind=6
exit 6 forced_unwind=6
int 400 exception:int=400
nested 1000 exception:sim::timeout=1000
rethrown 400 exception:std::out_of_range=400
returns 400
runtime_error 400 exception:std::runtime_error=400
timeout 400 exception:sim::timeout=400
END
)" "$(json "$work/s.json" '"\n".join(sorted(" ".join([a["artifact_id"], str(a["total_invocations"])]
	+ [f"{k}={v}" for k, v in a["failure_types"].items()]) for a in d["artifacts"]))')"
	assert_eq "methods ($*)" "[('closure', 1806), ('stub', 1606)]" "$(json "$work/s.json" \
		'sorted((m, sum(x["total_invocations"] for a in d["artifacts"] for x in a["methods"]
		 if x["method"] == m)) for m in ("closure", "stub"))')"
	assert_eq "in flight ($*)" "0 0" "$(json "$work/s.json" \
		'str(len(d["in_flight"])) + " " + str(len(d["never_returned"]))')"
	invreg events "$(session)" >"$work/events"
	assert_contains "an outcome line" '"error_type":"exception:int","error_message":""' "$(cat "$work/events")"
}

check g++ g++ -O2
check g++-O0 g++ -O0
if command -v clang++ >/dev/null; then
	check clang++ clang++ -O2
fi
