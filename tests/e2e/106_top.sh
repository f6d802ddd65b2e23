#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# top: printed once it has the exact totals; on a terminal (tmux) it moves while the program
# runs, takes its keys, fits any size, and leaves the terminal as it found it. What programs
# name their artifacts can not break the screen.
. "$(dirname "$0")/lib.sh"
need python3

probes=$root/preload/probes/executor.ini

echo "-- once: the totals of stats, of a session, a snapshot and a file of events"
run --session once -o "$work/run.jsonl" -- "$hosts/ecology" --ticks 30 --fast --quiet >/dev/null
invreg snapshot once -o "$work/copy.seg"
invreg stats once --csv >"$work/stats.csv"
for source in once "$work/copy.seg" "$work/run.jsonl"; do
	invreg top -1 "$source" >"$work/top.out"
	python3 - "$work/stats.csv" "$work/top.out" <<'PYTHON' || fail "top -1 $source"
import csv, sys
want = {r["artifact_id"]: r for r in csv.DictReader(open(sys.argv[1]))}
head, titles, *rows = open(sys.argv[2]).read().splitlines()
assert titles.split()[:4] == ["ARTIFACT", "CALLS", "CALLS/S", "FAILED"], titles
assert len(rows) == len(want) > 5, (len(rows), len(want))
calls = []
for row in rows:
    name, n, rate, failed = row.split()[:4]
    assert int(n) == int(want[name]["total_invocations"]), row
    assert int(failed) == int(want[name]["failed"]), row
    assert float(rate) > 0, row
    calls.append(int(n))
assert calls == sorted(calls, reverse=True), calls
assert f" {sum(calls)} calls (" in head, head
PYTHON
done

echo "-- not a terminal: once, by itself; views, orders, filters"
# Durations may differ in their last digit: each look compares the clocks anew.
counts() { awk 'NR > 1 { print $1, $2, $4 }'; }
assert_eq "as -1" "$(invreg top -1 once | counts)" "$(invreg top once </dev/null | counts)"
assert_eq "by name" "ARTIFACT code_forge courier" "$(invreg top --sort name once | sed 1d | awk '{print $1}' | head -n 3 | xargs)"
assert_eq "a filter" "oracle" "$(invreg top --filter ORACLE once | sed 1,2d | awk '{print $1}')"
assert_contains "methods" "METHOD" "$(invreg top --by method once)"
assert_contains "invokers" "alice_1" "$(invreg top --by invoker once)"
assert_contains "errors" "timeout" "$(invreg top --by error once)"
assert_contains "in flight" "AGE" "$(invreg top --by inflight once)"
for wrong in "--by nothing" "--sort age" "--delay 0" "--delay x"; do
	# shellcheck disable=SC2086
	status_of invreg top $wrong once 2>"$work/err" >/dev/null
	assert_eq "top $wrong" 2 "$status"
	assert_eq "one line" 1 "$(wc -l <"$work/err")"
done
status_of invreg top -1 none-such 2>/dev/null
assert_eq "no session" 3 "$status"

echo "-- losses and what never returned"
forget_sessions
run --session crash -- "$hosts/ecology" --ticks 10 --fast --quiet --crash-at-tick 5 >/dev/null || true
assert_contains "what it was in" "never returned" "$(invreg top -1 --by inflight crash | grep code_forge)"
run --session lost -- "$hosts/ecology" --ticks 3000 --fast --quiet >/dev/null
assert_contains "losses" "lapped" "$(invreg top -1 lost | sed -n 2p)"

need tmux
socket=top-$$
tm() { TMUX_TMPDIR=$work tmux -L "$socket" -f /dev/null "$@"; }
# shellcheck disable=SC2317 # by the trap
on_exit() {
	local status=$?
	set +e # an exit status below is no end
	tm kill-server 2>/dev/null || true
	(exit "$status")
	cleanup
}
trap on_exit EXIT

screen() { tm capture-pane -p -t 0; }

until_screen() { # WHAT REGEX
	for _ in $(seq 100); do
		screen >"$work/screen"
		grep -qE "$2" "$work/screen" && return
		sleep 0.1
	done
	fail "$1: no '$2' on: $(cat "$work/screen")"
}

never_screen() { # WHAT REGEX: now
	screen | grep -qE "$2" && fail "$1: '$2' on: $(screen)"
	return 0
}

# A shell with something on its screen, in which top is typed.
terminal() { # COLUMNS ROWS
	tm kill-server 2>/dev/null || true
	tm new-session -d -x "$1" -y "$2" "env LC_ALL=C.UTF-8 PS1='ready> ' bash --norc --noprofile -i"
	until_screen "a shell" "ready>"
}

type_line() {
	tm send-keys -t 0 -l "$*"
	tm send-keys -t 0 Enter
}

calls_shown() { screen | sed -n '2s/ calls.*//p'; }

echo "-- a live session: it moves, and its keys work"
forget_sessions
# The program itself is the job, so that it ends with the test.
env "LD_PRELOAD=$preload" "INVREG_PROBES=$probes" INVREG_SESSION=live \
	"$hosts/ecology" --ticks 100000 --threads 2 >/dev/null &
program=$!
until_ready() {
	for _ in $(seq 100); do
		invreg top -1 live 2>/dev/null | grep -q weather_service && return
		sleep 0.1
	done
	fail "the program makes no calls"
}
until_ready
terminal 120 30
type_line "stty -a >'$work/before'; echo before-top"
until_screen "the shell" "^before-top"
type_line "'$build/invreg' top live -d 0.2"
until_screen "the table" "^ARTIFACT .*CALLS.*FAILURES"
until_screen "its state" "live, 1 process"
until_screen "nothing lost" "^lost: nothing"
first=$(calls_shown)
for _ in $(seq 100); do
	second=$(calls_shown)
	[[ -n $second && $second -gt $first ]] && break
	sleep 0.1
done
((second > first)) || fail "it does not move: $first, $second"
assert_eq "the other screen" 1 "$(tm display -p -t 0 '#{alternate_on}')"

tm send-keys -t 0 n
for _ in $(seq 100); do
	first_row=$(screen | sed -n '6s/ .*//p')
	[[ $first_row == code_forge ]] && break
	sleep 0.1
done
assert_eq "the first row, sorted by name" "code_forge" "$first_row"
tm send-keys -t 0 r
for _ in $(seq 50); do
	[[ $(screen | sed -n '6s/ .*//p') == weather_service ]] && break
	sleep 0.1
done
assert_eq "the other way round" "weather_service" "$(screen | sed -n '6s/ .*//p')"
tm send-keys -t 0 /
tm send-keys -t 0 -l 'oracx'
tm send-keys -t 0 BSpace Enter
until_screen "the filter" "filter: orac \(9 hidden\)"
never_screen "filtered" "^courier"
tm send-keys -t 0 / Escape
until_screen "no filter" "^courier"
tm send-keys -t 0 2
until_screen "methods" "^ARTIFACT +METHOD"
tm send-keys -t 0 3
until_screen "invokers" "^INVOKER.*ARTIFACTS"
tm send-keys -t 0 4
until_screen "errors" "^permission"
tm send-keys -t 0 i
until_screen "in flight" "in flight +[0-9]+ +[0-9]+"
tm send-keys -t 0 Tab
until_screen "around" "\[1 artifact\]"
tm send-keys -t 0 '?'
until_screen "help" "worst first"
tm send-keys -t 0 x
until_screen "the table again" "^ARTIFACT"
tm send-keys -t 0 Space
until_screen "paused" "paused"
first=$(calls_shown)
sleep 0.8
assert_eq "it stands still" "$first" "$(calls_shown)"
tm send-keys -t 0 Space
until_screen "it goes on" "every 0.2 s"

echo "-- any size: columns go, the name and the calls stay"
for size in "60 10" "30 8" "12 4" "3 2" "200 50" "120 30"; do
	tm resize-window -t 0 -x "${size% *}" -y "${size#* }"
	sleep 0.4
	[[ $(tm display -p -t 0 '#{alternate_on}') == 1 ]] || fail "it ended at $size"
	if [[ $size == "60 10" ]]; then
		until_screen "narrow" "^ARTIFACT +CALLS"
		never_screen "narrow" "FAILURES"
	fi
done
until_screen "wide again" "FAILURES"

echo "-- the session ends meanwhile: it stays to be read, and q restores the terminal"
kill "$program"
wait "$program" || true
until_screen "it has ended" "live +ended, .*rates: mean of the run"
until_screen "the table" "^ARTIFACT"
tm send-keys -t 0 q
until_screen "the shell's screen" "^before-top"
assert_eq "the screen" 0 "$(tm display -p -t 0 '#{alternate_on}')"
assert_eq "the cursor" 1 "$(tm display -p -t 0 '#{cursor_flag}')"
type_line "echo status \$?; stty -a >'$work/after'; echo after-top"
until_screen "its status" "^status 0"
until_screen "the shell" "^after-top"
diff <(tail -n +2 "$work/before") <(tail -n +2 "$work/after") || fail "modes of the terminal"

echo "-- Ctrl-C and SIGTERM do, too"
for by in C-c TERM; do
	tm clear-history -t 0
	type_line "clear; '$build/invreg' top live; echo status-$by \$?"
	until_screen "the table" "^invreg top"
	if [[ $by == TERM ]]; then
		shell=$(tm display -p -t 0 '#{pane_pid}')
		kill "$(xargs <"/proc/$shell/task/$shell/children")"
	else
		tm send-keys -t 0 C-c
	fi
	until_screen "it ends by $by" "^status-$by 0"
	assert_eq "the screen" 0 "$(tm display -p -t 0 '#{alternate_on}')"
done

echo "-- names that would break a screen"
python3 - "$work/hostile.jsonl" <<'PYTHON'
import json, sys
names = ["clear\x1b[2J\x1b[31mred", "two\nlines", "tab\tand\rback", "漢字" * 40, "e" + "\u0301" * 40,
         "\u202eright to left", "bell\x07\x9b5A", "emoji 👩‍👩‍👧‍👦 done", "long" * 100, "\u200b\u200b"]
with open(sys.argv[1], "wb") as f:
    for i, name in enumerate(names):
        for k in range(100 + i):
            line = {"event_type": "invoke_success", "tick": 1, "invoker_id": name, "artifact_id": name,
                    "method": name, "duration_ms": 1.5, "result_type": "int", "sequence": k + 1,
                    "call": i * 1000 + k + 1, "pid": 1, "tid": 1, "depth": 0, "probe": "p",
                    "timestamp": "2026-11-01T00:00:%02d.000000Z" % (k % 60), "session": "\x1b]0;title\x07"}
            f.write(json.dumps(line).encode() + b"\n")
    f.write(json.dumps(line).replace("\\u200b\\u200b", "BROKEN").encode().replace(b"BROKEN", b"broken\xff\xc3(") + b"\n")
PYTHON
type_line "clear; '$build/invreg' top '$work/hostile.jsonl'"
until_screen "the table" "^invreg top"
for view in 1 2 3; do
	tm send-keys -t 0 "$view"
	until_screen "view $view" "\[$view "
	screen >"$work/screen"
	python3 - "$work/screen" <<'PYTHON' || fail "view $view: $(cat "$work/screen")"
import re, sys
lines = open(sys.argv[1], encoding="utf-8").read().split("\n")
assert lines[0].startswith("invreg top"), lines[0]
assert re.match(r"(ARTIFACT|INVOKER)", lines[4]), lines[4]
shown = []
for line in lines[5:15]:
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", line), ascii(line)
    shown += [int(n) for n in re.findall(r" (1[01][0-9]) ", line)][:1]
assert sorted(shown) == list(range(100, 110)), shown
PYTHON
done
assert_contains "no title was set" "bash" "$(tm display -p -t 0 '#{pane_title} bash')"
[[ $(tm display -p -t 0 '#{pane_title}') != title ]] || fail "a name has set the terminal's title"
tm send-keys -t 0 q
until_screen "the shell" "ready>"

echo "-- a terminal that knows nothing: once; no colour when it is not wanted"
type_line "clear; TERM=dumb '$build/invreg' top live | cat; TERM=dumb '$build/invreg' top live"
until_screen "once" "^live: ended"
coloured() { tm capture-pane -e -p -t 0 | grep -qE $'\e''\[([0-9;]*;)?(3[0-7]|9[0-7])m'; }
type_line "clear; '$build/invreg' top live"
until_screen "the table" "^invreg top"
coloured || fail "no colours"
tm send-keys -t 0 q
until_screen "the shell" "ready>"
type_line "clear; NO_COLOR=1 '$build/invreg' top live"
until_screen "the table" "^invreg top"
if coloured; then
	fail "colours though NO_COLOR is set"
fi
tm send-keys -t 0 q
until_screen "the shell" "ready>"
