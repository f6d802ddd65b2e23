#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Sessions: how they are named and joined, which one is meant, which ones are kept, and what
# ls, prune and --dir make of them.
. "$(dirname "$0")/lib.sh"
need python3

sessions() { # [DIR]: their names, sorted, on one line
	(cd "${1:-$INVREG_DIR}" && compgen -G '*.seg' | sed 's/\.seg$//' | sort | xargs)
}
start_time() { # PID
	sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20
}
ended() { # SESSION...: each made by a run of its own
	local name
	for name; do
		run --session "$name" -- "$hosts/ballast" --calls 100 >/dev/null
	done
}
live() { # SESSION: runs until it is killed; its pid is in live_pids
	env "LD_PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" "INVREG_SESSION=$1" \
		"$hosts/ballast" --calls 4000000000 --work-us 100 --truth "$work/truth.$1" >/dev/null &
	live_pids+=($!)
	for _ in $(seq 200); do
		[[ ! -e $INVREG_DIR/$1.seg ]] || return 0
		sleep 0.05
	done
	fail "session $1 was not made in 10 s"
}
end_live() {
	kill -9 "${live_pids[@]}"
	wait "${live_pids[@]}" 2>/dev/null || true
	live_pids=()
}
live_pids=()

# ---- names ----------------------------------------------------------------------------------

# by hand: <comm>-<pid>-<start>, which no two processes share; odd characters become _
cp "$hosts/ballast" "$hosts/libtruth_target.so" "$work/"
mv "$work/ballast" "$work/odd (name)"
env "LD_PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" \
	"$work/odd (name)" --calls 4000000000 --work-us 100 >/dev/null &
live_pids=($!)
for _ in $(seq 200); do
	[[ -z $(sessions) ]] || break
	sleep 0.05
done
assert_eq "the name by hand" "odd__name_-${live_pids[0]}-$(start_time "${live_pids[0]}")" "$(sessions)"
end_live

# by run: the program's name, with run's own pid and start
forget_sessions
mkfifo "$work/gate"
"${sanitized[@]}" "$build/invreg" run -q -p "$work/target.ini" -- sh -c "read x <$work/gate" 2>/dev/null &
runner=$!
for _ in $(seq 200); do
	[[ -z $(sessions) ]] || break
	sleep 0.05
done
assert_eq "the name by run" "sh-$runner-$(start_time "$runner")" "$(sessions)"
echo >"$work/gate"
wait "$runner"

# a name that is taken, or that is none
forget_sessions
ended mine
status_of run --session mine -- true
assert_eq "run under a name that is taken" 125 "$status"
assert_contains "run under a name that is taken" "give another name" "$(tail -n 1 "$work/run.err")"
for name in ../mine .hidden 'a b' "$(printf 'x%.0s' {1..101})"; do
	status_of run --session "$name" -- true
	assert_eq "run --session $name" 125 "$status"
	INVREG_SESSION=$name same_output "$hosts/ballast" --calls 1000
	diff "$work/bare.err" "$work/observed.err" || fail "the shim talked about the name $name"
	assert_contains "INVREG_DEBUG of INVREG_SESSION=$name" "not observed" \
		"$(INVREG_SESSION=$name INVREG_DEBUG=1 observed "$hosts/ballast" --calls 1 2>&1 >/dev/null)"
done
assert_eq "sessions after names that are none" mine "$(sessions)"

# ---- joining --------------------------------------------------------------------------------

# children that are forked and executed are in their parent's session
forget_sessions
for host in forks execs; do
	forget_sessions
	rm -f "$work/truth"
	observed "$hosts/$host" --depth 3 --calls 200 --truth "$work/truth" >/dev/null
	snapshot_json "$(session)" >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth"
done
# those of a shell are by `run`; by hand the shell binds nothing, and each makes its own
script="$hosts/ballast --calls 500 --truth $work/truth; $hosts/threads --threads 2 --calls 500 --truth $work/truth; :"
forget_sessions
rm -f "$work/truth"
run --session family -- sh -c "$script" >/dev/null
snapshot_json "$(session)" >"$work/snapshot.json"
compare_truth "$work/snapshot.json" "$work/truth"
assert_eq "processes that bound" 2 "$(invreg ls | awk '$1 == "family" { print $4 }')"
forget_sessions
observed sh -c "$script" >/dev/null
assert_eq "sessions of a shell's children by hand" 2 "$(sessions | wc -w)"

# strangers join by name, all at once, whoever comes first makes it
for round in 1 2 3 4 5; do
	forget_sessions
	rm -f "$work/truth"
	for i in 1 2 3 4; do
		INVREG_SESSION=common observed "$hosts/threads" --threads 2 --calls 2000 \
			--truth "$work/truth" >/dev/null &
	done
	wait
	assert_eq "the session of strangers, round $round" common "$(session)"
	snapshot_json common >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth"
done
# and one that has ended is joined again
INVREG_SESSION=common observed "$hosts/threads" --calls 2000 --truth "$work/truth" >/dev/null
snapshot_json common >"$work/snapshot.json"
compare_truth "$work/snapshot.json" "$work/truth"

# ---- which one is meant ---------------------------------------------------------------------

forget_sessions
status_of invreg snapshot >/dev/null 2>"$work/err"
assert_eq "exit status without a session" 3 "$status"
live first
ended after
meant() {
	invreg snapshot --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)["session"])'
}
assert_eq "the one live, though not the newest" first "$(meant)"
live second
for verb in snapshot events stats "history invoker_0" "events -f"; do
	# shellcheck disable=SC2086 # a verb and its options
	status_of invreg $verb >"$work/out" 2>"$work/err"
	assert_eq "exit status of $verb where two live" 2 "$status"
	assert_eq "output of $verb where two live" "" "$(cat "$work/out")"
	assert_eq "what is listed by $verb" "first second" \
		"$(awk '/^  / { print $1 }' "$work/err" | sort | xargs)"
	assert_contains "the command is listed by $verb" "ballast --calls" "$(cat "$work/err")"
done
status_of invreg snapshot second --format json >"$work/out"
assert_eq "exit status where one is named" 0 "$status"
assert_eq "states told by ls" "after ended first live second live" \
	"$(invreg ls | awk 'NR > 1 { print $1, $2 }' | sort | xargs)"
end_live
snapshot_json first >"$work/snapshot.json"
compare_truth "$work/snapshot.json" "$work/truth.first" --killed
touch -d '1 hour ago' "$INVREG_DIR/second.seg"
touch -d '2 hours ago' "$INVREG_DIR/after.seg" "$INVREG_DIR/first.seg"
assert_eq "the newest where none lives" second "$(meant)"
assert_eq "the first told by ls" second "$(invreg ls | awk 'NR == 2 { print $1 }')"

# ---- which ones are kept --------------------------------------------------------------------

# older live ones, and what is no ended session, stay whatever is made
forget_sessions
live old1
live old2
ended e1
exec 9<"$INVREG_DIR/e1.seg"
size=$(stat -L -c %s /proc/self/fd/9)
touch "$INVREG_DIR/e1.ctl"
invreg snapshot e1 -o "$INVREG_DIR/saved.seg" 2>/dev/null
cp "$INVREG_DIR/e1.seg" "$INVREG_DIR/version.seg"
printf '\x63' | dd of="$INVREG_DIR/version.seg" bs=1 seek=8 conv=notrunc status=none
echo text >"$INVREG_DIR/text.seg"
echo '{}' >"$INVREG_DIR/run.jsonl"
touch -d '1 day ago' "$INVREG_DIR"/{saved,version,text}.seg
stay="old1 old2 saved text version"
ended e2 e3 e4
assert_eq "while there are four" "e1 e2 e3 e4 $stay" "$(sessions)"
ended e5
assert_eq "the fifth" "e1 e2 e3 e4 e5 $stay" "$(sessions)"
ended e6
assert_eq "the four newest, and the one that was made" "e2 e3 e4 e5 e6 $stay" "$(sessions)"
[[ ! -e $INVREG_DIR/e1.ctl ]] || fail "the .ctl file of a session that is gone was left"
assert_eq "size of one that was unlinked while open" "$size" "$(stat -L -c %s /proc/self/fd/9)"
assert_eq "names of it" 0 "$(stat -L -c %h /proc/self/fd/9)"
exec 9<&-
observed "$hosts/ballast" --calls 100 >/dev/null # by hand it is the same
assert_eq "after one by hand" "e3 e4 e5 e6 $stay" "$(sessions | sed 's/ballast-[0-9-]* //')"

assert_contains "prune --keep 2" "3 sessions removed" "$(invreg prune --keep 2)"
assert_eq "after prune --keep 2" "e6 $stay" "$(sessions | sed 's/ballast-[0-9-]* //')"
invreg prune --keep 0 >/dev/null
assert_eq "after prune --keep 0" "$stay" "$(sessions)"
[[ -e $INVREG_DIR/run.jsonl ]] || fail "prune removed what is no session"
for keep in -1 x 1e3 ''; do
	status_of invreg prune --keep "$keep" 2>/dev/null
	assert_eq "exit status of prune --keep '$keep'" 2 "$status"
done
end_live
for name in old1 old2; do
	snapshot_json $name >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth.$name" --killed
done

# many at once: what stays are the newest of all (heads of segments are enough to be ended)
forget_sessions
ended real
for i in $(seq 300); do
	head -c 8192 "$INVREG_DIR/real.seg" >"$INVREG_DIR/n$i.seg"
	touch -d "$((400 - i)) minutes ago" "$INVREG_DIR/n$i.seg"
done
invreg prune --keep 3 >/dev/null
assert_eq "the newest of 301" "n299 n300 real" "$(sessions)"

# ---- --dir ----------------------------------------------------------------------------------

# made where it is not, for the user alone; it goes before INVREG_DIR, and reaches a program
# that changes its directory
forget_sessions
rm -f "$work/truth"
(cd "$work" && umask 0 && invreg run -q -p target.ini --dir relative --session there -- \
	sh -c "cd / && exec $hosts/threads --threads 2 --calls 1000 --truth $work/truth" >/dev/null)
assert_eq "mode of a directory that run makes" 700 "$(stat -c %a "$work/relative")"
assert_eq "sessions there" there "$(sessions "$work/relative")"
assert_eq "sessions in INVREG_DIR" "" "$(sessions)"
invreg snapshot --dir "$work/relative" --format json >"$work/snapshot.json"
compare_truth "$work/snapshot.json" "$work/truth"
(cd "$work" && invreg ls --dir relative) | grep -q '^there *ended *2000 ' || fail "ls --dir"
status_of invreg snapshot there 2>/dev/null
assert_eq "exit status without --dir" 3 "$status"
assert_contains "prune --dir" "1 session removed" "$(invreg prune --keep 0 --dir "$work/relative")"
status_of run --dir "$work/no/such/parent" --session x -- "$hosts/ballast" --calls 10 >/dev/null
assert_eq "exit status of run where --dir cannot be made" 0 "$status"
assert_contains "run where --dir cannot be made" "No such file or directory: the program runs unobserved" \
	"$(tail -n 1 "$work/run.err")"

# an empty one, or an empty name, is an unset variable's: no other is taken in its place
ended present
for verb in ls prune snapshot events "events -f" stats "history invoker_0" top pause resume filter \
	"diff present present" serve "bench -p $work/target.ini" run; do
	# shellcheck disable=SC2086 # a verb and its options
	status_of invreg $verb --dir '' >"$work/out" 2>"$work/err" </dev/null
	want=2
	[[ $verb != run ]] || want=125
	assert_eq "exit status of $verb --dir ''" "$want" "$status"
	assert_eq "output of $verb --dir ''" "" "$(cat "$work/out")"
	assert_contains "$verb --dir ''" "--dir is empty" "$(cat "$work/err")"
done
for verb in snapshot events "events -f" stats "history invoker_0" top pause resume filter serve \
	"diff present"; do
	# shellcheck disable=SC2086 # a verb and its options
	status_of timeout 20 "$build/invreg" $verb '' >"$work/out" 2>"$work/err" </dev/null
	assert_eq "exit status of $verb ''" 2 "$status"
	assert_contains "$verb ''" "the name of the session is empty" "$(cat "$work/err")"
done
