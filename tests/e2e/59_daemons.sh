#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A session whose only process is a fork child that has not called yet is live: it is not pruned,
# a follower waits for it, pause reaches it, and each call that it makes later is there.
. "$(dirname "$0")/lib.sh"
need python3

export DAEMON_GATE=$work/gate
mkfifo "$DAEMON_GATE"
calls=1000

states() { # SESSION: as ls tells it
	"$build/invreg" ls | awk -v name="$1" '$1 == name { print $2 }'
}

start() { # SESSION: returns when the process that was started has ended
	run --session "$1" -- "$hosts/daemons" --calls $calls --truth "$work/truth" >"$work/out"
	assert_eq "output" "daemon started: 1" "$(grep daemon "$work/out")"
}

start first
assert_eq "state while the daemon has not called" live "$(states first)"
"$build/invreg" prune --keep 0 >"$work/pruned"
[[ -e $INVREG_DIR/first.seg ]] || fail "prune took a session with a living process: $(cat "$work/pruned")"
for other in 1 2 3 4 5 6; do
	run --session "other$other" -- "$hosts/ballast" --calls 10 >/dev/null
done
[[ -e $INVREG_DIR/first.seg ]] || fail "a later run took a session with a living process"

"$build/invreg" events -f first >"$work/followed" &
follower=$!
sleep 0.5
kill -0 $follower || fail "the follower left a session with a living process"
: >"$DAEMON_GATE"
wait $follower || fail "the follower: exit status $?"
assert_eq "calls followed" $((calls + 1)) "$(grep -c -e invoke_success -e invoke_failure "$work/followed")"
snapshot_json first >"$work/snapshot.json"
assert_eq "calls" $((calls + 1)) "$(json "$work/snapshot.json" 'total()')"
assert_eq "state when the daemon has ended" ended "$(states first)"

forget_sessions
"$build/invreg" run -p "$work/target.ini" --session told -- "$hosts/daemons" --calls 1 >/dev/null 2>"$work/err"
grep -q "1 process of the program still runs" "$work/err" || fail "run does not say that a process is left: $(cat "$work/err")"
"$build/invreg" pause told || fail "pause does not reach a daemon that has not called"
: >"$DAEMON_GATE"
echo "exact: a daemon that calls when its starter is gone"
