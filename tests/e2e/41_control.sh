#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pause, resume and filter on a program with four threads at full speed, many times: each call
# that the host counted is recorded or paused, each recorded one's event is kept, lapped or
# filtered, and totals are exact under a filter. Calls begun in a pause may be left by longjmp,
# by pthread_exit or by fork.
. "$(dirname "$0")/lib.sh"
need python3

start() { # HOST ARGS...: in the background; its pid in $host, its session in $name
	forget_sessions
	rm -f "$work/truth"
	# not by `observed`: $! must be the host itself
	env "LD_PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" "$hosts/$1" "${@:2}" \
		--truth "$work/truth" >"$work/host.out" &
	host=$!
	for _ in $(seq 200); do
		compgen -G "$INVREG_DIR/*.ctl" >/dev/null && break
		sleep 0.02
	done
	name=$(session)
}

finish() { # the host ends by itself, with all calls returned
	kill -TERM "$host"
	wait "$host" || fail "the host ended with $?"
	snapshot_json "$name" >"$work/s.json"
	"$hosts/threads" --print-truth "$work/truth" >"$work/truth.tsv"
}

status() { # FIELD of the last snapshot's status
	json "$work/s.json" "d['status']['$1']"
}

adds_up() { # WHAT
	local begun recorded
	begun=$(awk '!/^#/ { n += $4 } END { printf "%.0f\n", n }' "$work/truth.tsv")
	recorded=$(json "$work/s.json" 'd["status"]["begun"] + d["status"]["calls_paused"]')
	assert_eq "$1: calls recorded + paused" "$begun" "$recorded"
	assert_eq "$1: calls that have returned" "$(json "$work/s.json" 'total()')" \
		"$(json "$work/s.json" 'd["status"]["begun"] + d["status"]["inherited"] - d["status"]["abandoned"]')"
	assert_eq "$1: open calls" "0 0" "$(status in_flight) $(status never_returned)"
	assert_eq "$1: events kept + lapped + filtered" \
		"$(json "$work/s.json" 'd["status"]["begun"] + d["status"]["inherited"]')" \
		"$(json "$work/s.json" 'd["status"]["events_kept"] + d["status"]["events_lapped"] + d["status"]["events_filtered"]')"
	assert_eq "$1: the losses say the same" "$(status calls_paused) $(status events_filtered)" \
		"$(json "$work/s.json" 'lost("paused")') $(json "$work/s.json" 'lost("filtered")')"
	echo "exact: $1: $begun calls: $(json "$work/s.json" 'total()') recorded, $(status calls_paused) paused," \
		"$(status events_filtered) events filtered"
}

change_many_times() { # TIMES, fewer under a sanitizer
	local i times=$1
	[[ -z ${SAN:-} ]] || times=$((times / 3))
	for ((i = 0; i < times; i++)); do
		case $((i % 5)) in
		0) invreg pause "$name" ;;
		1) invreg filter "$name" --artifact artifact_1 --artifact "artifact_$((i % 8))" ;;
		2) invreg resume "$name" ;;
		3) invreg filter "$name" --invoker invoker_0 --method bid ;;
		4) invreg filter "$name" --clear ;;
		esac >>"$work/said" 2>&1
		sleep 0.0$((i % 4))
	done
}

# ---- plain calls: every total is the truth, but for what was paused -----------------------

start controlled --threads 4 --calls 0
change_many_times 150
invreg resume "$name" >/dev/null
finish
adds_up "plain calls"
(($(status calls_paused) > 0 && $(status events_filtered) > 0)) || fail "nothing was paused or filtered"

# ---- only filtered: all totals by artifact, method and outcome are exact ------------------

start controlled --threads 4 --calls 0
invreg filter --artifact artifact_3 --artifact artifact_5 --invoker invoker_2 >/dev/null
sleep 0.5
invreg events -n 300 2>"$work/err" | python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
names = {(e["artifact_id"], e["invoker_id"]) for e in rows if e["event_type"] != "events_lost"}
assert names == {("artifact_3", "invoker_2"), ("artifact_5", "invoker_2")}, names'
assert_contains "events says what is missing" "events were dropped by a filter" "$(cat "$work/err")"
assert_contains "and why" "a filter is on: artifact artifact_3, artifact_5; invoker invoker_2" "$(cat "$work/err")"
invreg filter --invoker nobody >"$work/said" 2>&1
assert_contains "a name that nobody has" "no call has had invoker 'nobody' so far" "$(cat "$work/said")"
snapshot_json "$name" >"$work/a.json"
sleep 0.2
snapshot_json "$name" >"$work/s.json"
# a thread may have been taken off its processor while it began a call
made=$(($(status events_kept) + $(status events_lapped) - $(json "$work/a.json" 'd["status"]["events_kept"] + d["status"]["events_lapped"]')))
((made <= 4)) || fail "$made events of nobody"
finish
compare_truth "$work/s.json" "$work/truth"
adds_up "under filters"
assert_eq "nothing was paused" 0 "$(status calls_paused)"

# ---- calls left sideways -------------------------------------------------------------------

# ASan keeps the poison of frames that a forced unwind has passed, and then finds it.
depth=3
[[ ${SAN:-} != address ]] || depth=1
start controlled --threads 4 --calls 500 --depth $depth
change_many_times 100
invreg resume "$name" >/dev/null
finish
adds_up "calls left by longjmp, pthread_exit and fork"
(($(status abandoned) > 0 && $(status inherited) > 0)) || fail "no call was left sideways"
((depth == 1)) || assert_contains "exits are failures" "forced_unwind" "$(cat "$work/s.json")"

# ---- a pause from before the first call: nothing is recorded -------------------------------

start controlled --threads 1 --calls 0
invreg pause >"$work/said"
assert_eq "what pause says" "$name: paused; \`invreg resume\` goes on" "$(cat "$work/said")"
env "LD_PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" "INVREG_SESSION=$name" \
	"$hosts/longjmps" --calls 500 --truth "$work/truth2" >"$work/out"
"$hosts/longjmps" --calls 500 >"$work/bare.out"
diff "$work/out" "$work/bare.out" || fail "the output differs in a pause"
invreg snapshot "$name" --format json >"$work/a.json"
sleep 0.2
invreg snapshot "$name" --format json >"$work/s.json"
assert_eq "no call is recorded in a pause" "$(json "$work/a.json" 'total(), d["status"]["events_kept"]')" \
	"$(json "$work/s.json" 'total(), d["status"]["events_kept"]')"
(($(status calls_paused) > $(json "$work/a.json" 'd["status"]["calls_paused"]'))) || fail "paused calls are not counted"
assert_eq "the second process recorded none" 0 \
	"$(json "$work/s.json" 'sum(1 for r in d["in_flight"] + d["never_returned"])')"

# what shows it
assert_eq "snapshot's status" "{'paused': True, 'filter': None}" "$(status control)"
assert_contains "the table" "Paused now: " "$(invreg snapshot "$name")"
assert_contains "ls" "$name  paused " "$(invreg ls)"
assert_contains "stats" "the session is paused" "$(invreg stats "$name" 2>&1 >/dev/null)"
assert_contains "events" "the session is paused" "$(invreg events -n 1 "$name" 2>&1 >/dev/null)"
assert_contains "events -f, before it waits" "the session is paused" \
	"$(timeout 1 "$build/invreg" events -f -n 0 "$name" 2>&1 >/dev/null || true)"
assert_contains "history" "the session is paused" "$(invreg history invoker_0 "$name" 2>&1 >/dev/null)"
invreg snapshot "$name" -o "$work/copy.jsonl"
assert_contains "a saved file's losses" "calls were made while the session was paused" \
	"$(invreg events -n 1 "$work/copy.jsonl" 2>&1 >/dev/null)"
invreg snapshot "$name" -o "$work/copy.seg"
assert_contains "a saved segment's losses" "lost" "$(invreg stats "$work/copy.seg" 2>&1 >/dev/null)"
assert_eq "again" "$name: paused already" "$(invreg pause)"
assert_eq "resumed" "$name: goes on" "$(invreg resume)"
assert_eq "again" "$name: was not paused" "$(invreg resume)"
assert_eq "no filter" "$name: no filter: all events are kept" "$(invreg filter)"
assert_eq "a filter" "$name: only events of artifact o'brien are kept; totals are of all calls" \
	"$(invreg filter --artifact "o'brien" 2>/dev/null)"
assert_contains "ls" "$name  filter " "$(invreg ls)"
assert_contains "the table" "Filtered now: only events of artifact o'brien are kept" "$(invreg snapshot "$name")"
assert_eq "it is shown" "{'artifact': [\"o'brien\"], 'invoker': [], 'method': []}" \
	"$(invreg snapshot --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)["status"]["control"]["filter"])')"

# ---- what is refused, and how ----------------------------------------------------------------

refused() { # STATUS NEEDLE VERB...
	local want=$1 needle=$2
	shift 2
	status_of invreg "$@" >"$work/said" 2>&1
	assert_eq "exit status of $*" "$want" "$status"
	assert_contains "$*" "$needle" "$(cat "$work/said")"
	assert_eq "lines of $*" 1 "$(wc -l <"$work/said")"
}
refused 2 "too many" pause "$name" "$name"
refused 2 "unknown option" resume --artifact x
refused 2 "--clear" filter --clear --method x
refused 2 "value missing" filter --artifact
refused 2 "at most 16 names" filter "$name" $(seq -f '--method m%g' 17)
refused 3 "no such session" pause no-such
refused 4 "saved snapshot" pause "$work/copy.seg"
refused 4 "not an invreg segment" resume "$work/copy.jsonl"
flock "$INVREG_DIR/$name.ctl" sleep 20 &
locker=$!
sleep 0.2
refused 1 "locked" pause "$name"
kill "$locker" 2>/dev/null || true
kill -TERM "$host"
wait "$host" || fail "the host ended with $?"
refused 3 "has ended" pause "$name"
invreg prune --keep 0 >/dev/null
assert_eq "prune leaves nothing" "" "$(ls -A "$INVREG_DIR")"

# ---- a session that others join ---------------------------------------------------------------

hold() { # SESSION PROBES: a live session in which nothing calls; its holder in $holder
	forget_sessions
	"${sanitized[@]}" "$build/invreg" run --session "$1" -p "$2" -- sleep 100 2>/dev/null &
	holder=$!
	for _ in $(seq 200); do
		[[ -e $INVREG_DIR/$1.ctl ]] && break
		sleep 0.02
	done
}

release() {
	kill "$holder"
	wait "$holder" 2>/dev/null || true
}

# Calls of C and C++ that are left by exceptions and cancellation, through stubs and closures.
if command -v g++ >/dev/null && [[ ${SAN:-} != address ]]; then
	cat >"$work/s.ini" <<-'INI'
		[probe stub]
		target      = s_stub
		signature   = int (str invoker_id, str artifact_id, ptr inside, ptr data)
		bind        = got
		[probe closure]
		target      = s_closure
		signature   = int ({i64,i64,i64,i64} w, str invoker_id, str artifact_id, ptr inside, ptr data)
		bind        = got
	INI
	g++ -O2 -fPIC -shared -o "$work/libs.so" "$root/tests/hosts/sideways/target.cc"
	g++ -O2 -o "$work/sideways" "$root/tests/hosts/sideways/host.cc" "-Wl,-rpath,$work" -L"$work" -ls -pthread
	probes=$work/s.ini INVREG_SESSION=counted observed "$work/sideways" 200 >/dev/null
	snapshot_json counted >"$work/s.json"
	calls=$(status begun)
	((calls > 3000)) || fail "the host made only $calls calls"
	hold unwound "$work/s.ini"
	invreg pause unwound >/dev/null
	probes=$work/s.ini INVREG_SESSION=unwound same_output "$work/sideways" 200
	probes=
	snapshot_json unwound >"$work/s.json"
	assert_eq "calls left by exceptions in a pause" "0 $calls 0 0" \
		"$(json "$work/s.json" 'total()') $(status calls_paused) $(status in_flight) $(status never_returned)"
	assert_contains "the summary" "came while the session was paused" "$(invreg snapshot unwound)"
	release
fi

# ---- a control page that is none harms nobody ------------------------------------------------

spoiled() { # WHAT COMMAND: the page of a live session is spoiled by it, then a program joins
	hold spoiled "$work/target.ini"
	ctl=$INVREG_DIR/spoiled.ctl bash -c "$2"
	rm -f "$work/truth"
	INVREG_SESSION=spoiled observed "$hosts/threads" --threads 2 --calls 2000 --truth "$work/truth" >"$work/out"
	snapshot_json spoiled >"$work/s.json"
	compare_truth "$work/s.json" "$work/truth"
	assert_contains "$1: it is said" "it cannot be paused or filtered: no usable control page" "$(cat "$work/s.json")"
	assert_eq "$1: nothing is claimed" "None" "$(status control)"
	refused 4 "no control page that can be used" pause spoiled
	release
	echo "harmless: $1"
}
# shellcheck disable=SC2016 # expanded by the inner shell
{
	spoiled "no page" 'rm "$ctl"'
	spoiled "an empty file" ': >"$ctl"'
	spoiled "a hole" ': >"$ctl"; truncate -s 4096 "$ctl"'
	spoiled "noise" 'head -c 4096 /dev/urandom >"$ctl"'
	spoiled "a symlink" 'mv "$ctl" "$ctl.x"; ln -s "$ctl.x" "$ctl"'
	spoiled "a FIFO" 'rm "$ctl"; mkfifo "$ctl"'
	spoiled "a directory" 'rm "$ctl"; mkdir "$ctl"'
}
