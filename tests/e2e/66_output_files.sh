#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `-o FILE` names stays what it is: a device, a FIFO and a link are written through, a
# file keeps its mode and its other names. What a live session has is not written to.
. "$(dirname "$0")/lib.sh"
need python3 mkfifo stat

run --session s -- "$hosts/threads" --threads 1 --calls 10 >/dev/null
cd "$work"
umask 027
mode_of() {
	stat -c %a "$1"
}
is_whole() { # WHAT FILE
	assert_eq "$1" 10 "$(json "$2" 'total()')"
}

# a new file, and one that is there
invreg snapshot s -o new.json
assert_eq "mode of a new file" 640 "$(mode_of new.json)"
echo old >old.json
chmod 666 old.json
invreg snapshot s -o old.json
assert_eq "mode of a file that was there" 666 "$(mode_of old.json)"
is_whole "a file that was there" old.json
echo old >two.json
ln two.json names.json
invreg snapshot s -o two.json
is_whole "the other name of a file" names.json

# links
mkdir target
echo old >target/file.json
ln -s target/file.json link.json
invreg snapshot s -o link.json
[[ -L link.json ]] || fail "a link was replaced"
is_whole "what a link leads to" target/file.json
ln -s target/later.json dangling.json
invreg snapshot s -o dangling.json
is_whole "what a dangling link leads to" target/later.json
assert_eq "what is left in the folder of a link's target" "file.json later.json" \
	"$(cd target && echo *)"

# a FIFO gets the snapshot, and is one still
mkfifo -m 600 pipe.json
cat pipe.json >from_pipe.json &
invreg snapshot s -o pipe.json
wait $!
[[ -p pipe.json ]] || fail "a FIFO was replaced"
is_whole "what came out of a FIFO" from_pipe.json
cat pipe.json >/dev/null &
status_of invreg snapshot s --format seg -o pipe.json 2>err
wait $!
assert_eq "a raw snapshot into a FIFO" 1 "$status"
assert_contains "a raw snapshot into a FIFO" "only be written to a file" "$(cat err)"

# the standard streams by name: what was written before stays
{
	echo first
	invreg snapshot s --format json -o /dev/stdout
	echo last
} >streams
assert_eq "first line of a stream" first "$(head -n 1 streams)"
assert_eq "last line of a stream" last "$(tail -n 1 streams)"
sed '1d;$d' streams >between.json
is_whole "a snapshot to /dev/stdout" between.json
exec 3>by_number.json
invreg snapshot s --format json -o /dev/fd/3
exec 3>&-
is_whole "a snapshot to /dev/fd/3" by_number.json

# who may not write to a file does not replace it either
if [[ $(id -u) != 0 ]]; then
	echo old >locked.json
	chmod 400 locked.json
	status_of invreg snapshot s -o locked.json 2>err
	assert_eq "a file that may not be written" 1 "$status"
	assert_eq "a file that may not be written" old "$(cat locked.json)"
fi

# not over a session that is live, nor over what is read: by any verb, by any name of it
mkfifo gate
"$build/invreg" run -q -p target.ini --session live -- sh -c 'read x <gate' &
for _ in $(seq 200); do
	[[ ! -e $INVREG_DIR/live.ctl ]] || break
	sleep 0.05
done
invreg snapshot s --format jsonl -o events.jsonl
ln -s "$INVREG_DIR/live.seg" link.seg
for file in "$INVREG_DIR"/live.{seg,ctl} link.seg; do
	inode=$(stat -L -c %i "$file")
	for source in live s; do
		status_of invreg snapshot $source --format seg -o "$file" 2>err
		assert_eq "exit status of a snapshot of $source to $file" 2 "$status"
		assert_contains "a snapshot of $source to $file" "name another" "$(cat err)"
	done
	status_of run -o "$file" -- true
	assert_eq "exit status of run -o $file" 125 "$status"
	assert_eq "$file" "$inode" "$(stat -L -c %i "$file")"
done
for file in "$INVREG_DIR/s.seg" events.jsonl; do
	status_of invreg snapshot "$file" -o "$file" 2>err
	assert_eq "exit status of a snapshot of $file to itself" 2 "$status"
done
invreg snapshot live -o "$INVREG_DIR/copy.seg" || fail "a copy beside a live session"
invreg snapshot live -o "$INVREG_DIR/copy.seg" || fail "a copy over a copy"
echo >gate
wait
invreg snapshot s -o "$INVREG_DIR/live.seg" || fail "a copy over a session that has ended"

# an output that cannot be written is named as such, whoever has it
for words in "snapshot s" "snapshot s --format json" "snapshot s --format jsonl" "events s" "stats s" \
	"stats s --json" "history invoker_0 s" "diff s s" "top -1 s" ls prune "filter s" --version \
	--help "help probes" "help invreg"; do
	# shellcheck disable=SC2086 # a verb and its words
	status_of invreg $words >/dev/full 2>err
	assert_eq "exit status of $words to a full device" 1 "$status"
	assert_eq "$words to a full device" "invreg: writing the output: No space left on device" \
		"$(grep -v '^invreg: lost' err)"
	# shellcheck disable=SC2086
	status_of invreg $words >&- 2>err
	assert_eq "exit status of $words, stdout closed" 1 "$status"
	assert_eq "$words, stdout closed" "invreg: writing the output: Bad file descriptor" \
		"$(grep -v '^invreg: lost' err)"
done
status_of timeout 20 "$build/invreg" events -f s >&- 2>err
assert_eq "exit status of events -f, stdout closed" 1 "$status"
assert_contains "events -f, stdout closed" "standard output is closed" "$(cat err)"

for left in *.tmp-*; do
	[[ ! -e $left ]] || fail "$left was left behind"
done

# a device of our own
if ! mknod null c 1 3 2>/dev/null || ! (: >null) 2>/dev/null; then
	skip "all but devices: none can be made here"
fi
for format in table json jsonl; do
	invreg snapshot s --format $format -o null
	[[ -c null ]] || fail "a device was replaced by a snapshot as $format"
done
status_of invreg snapshot s --format seg -o null 2>err
assert_eq "a raw snapshot to a device" 1 "$status"
[[ -c null ]] || fail "a device was replaced by a raw snapshot"
