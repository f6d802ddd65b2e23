#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Truncated, of another version, random, a symlink, a FIFO, another's: by every verb one line,
# exit 4, no harm; and a shim told to join such a thing leaves it and the program alone.
. "$(dirname "$0")/lib.sh"
need python3 timeout

observed "$hosts/nest" --calls 200 --depth 4 >/dev/null
name=$(session)
cp "$INVREG_DIR/$name.seg" "$work/real.seg"
rm "$INVREG_DIR/$name.seg"

# Every verb that reads, and check, which is given a probe file: one line, exit 4, no output.
refused_by() { # COMMAND WHAT ARGUMENT
	local words=() why
	read -ra words <<<"$1"
	status_of timeout 20 "$build/invreg" "${words[0]}" "${words[@]:1}" "$3" \
		>"$work/out" 2>"$work/err" </dev/null
	assert_eq "$1 of a segment that is $2: $(cat "$work/err")" 4 "$status"
	why=$(grep -v '^invreg: http://' "$work/err") # the server says where it is, before
	assert_eq "lines said by $1 about $2" 1 "$(wc -l <<<"$why")"
	[[ ! -s $work/out ]] || fail "$1 of a segment that is $2 printed something"
	[[ ! -e $work/copy.seg ]] || fail "$1 of a segment that is $2 left a copy"
}

commands=("snapshot --format json" "snapshot -o $work/copy.seg" events stats "history alice"
	"top -1" "serve --listen 127.0.0.1:0")

refused() { # WHAT FILE
	local command
	for command in "${commands[@]}" check; do
		refused_by "$command" "$1" "$2"
	done
	# the same as a session, by its name
	mv "$2" "$INVREG_DIR/bad.seg"
	for command in "${commands[@]}" "events -f" pause "filter --clear"; do
		refused_by "$command" "$1" bad
	done
	mv "$INVREG_DIR/bad.seg" "$2"
	echo "refused: $1: $(cat "$work/err")"
}

patch_bytes() { # FILE OFFSET HEX
	python3 -c '
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    f.write(bytes.fromhex(sys.argv[3]))' "$@"
}

bad=$work/bad.seg
for bytes in 0 1 100 4095 4096 8192 100000; do
	head -c $bytes "$work/real.seg" >"$bad"
	refused "cut to $bytes bytes" "$bad"
done
cp "$work/real.seg" "$bad" && patch_bytes "$bad" 8 63000000
refused "of version 99" "$bad"
assert_contains "the message names both versions" 99 "$(cat "$work/err")"
cp "$work/real.seg" "$bad" && patch_bytes "$bad" 0 00
refused "of other magic" "$bad"
cp "$work/real.seg" "$bad" && patch_bytes "$bad" 16 01020304
refused "of other byte order" "$bad"
cp "$work/real.seg" "$bad" && patch_bytes "$bad" 56 0000000000000000
refused "not ready" "$bad"
head -c 200000 /dev/urandom >"$bad"
refused "random" "$bad"
rm "$bad" && mkdir "$bad"
refused "a directory" "$bad"
rmdir "$bad" && mkfifo "$bad"
refused "a FIFO" "$bad"
rm "$bad" && ln -s "$work/real.seg" "$bad"
refused "a symlink" "$bad"
rm "$bad" && ln -s "$work/nowhere.seg" "$bad"
refused "a symlink to nothing" "$bad"
rm "$bad"

# noise behind a good header: any answer but a crash or a hang
for seed in $(seq 1 40); do
	cp "$work/real.seg" "$bad"
	python3 -c '
import random, sys
rng = random.Random(int(sys.argv[2]))
with open(sys.argv[1], "r+b") as f:
    size = f.seek(0, 2)
    for _ in range(rng.choice((3, 50, 2000))):
        # half of it where the structures are dense
        f.seek(rng.randrange(64, 4096 * 40 if rng.random() < 0.5 else size - 8))
        f.write(rng.choice((b"\xff" * 8, bytes(8), rng.randbytes(8), b"\x01")))' "$bad" "$seed"
	for command in "snapshot --format json" events stats; do
		# shellcheck disable=SC2086
		status_of timeout 30 "$build/invreg" ${command%% *} "$bad" ${command#"${command%% *}"} \
			>/dev/null 2>"$work/err"
		((status < 100)) || fail "$command crashed or hung ($status) on seed $seed: $(cat "$work/err")"
	done
done

# the shim, told to join: the program is not disturbed, the file not touched
joins() { # WHAT
	local sum
	sum=$(stat -Lc '%s %Y' "$INVREG_DIR/joined.seg")
	INVREG_SESSION=joined same_output timeout 20 "$hosts/ballast" --calls 1000
	diff "$work/bare.err" "$work/observed.err" || fail "the shim talked about a session that is $1"
	assert_eq "$1 is left alone" "$sum" "$(stat -Lc '%s %Y' "$INVREG_DIR/joined.seg")"
	rm -rf "$INVREG_DIR/joined.seg"
}
head -c 5000 "$work/real.seg" >"$INVREG_DIR/joined.seg"
joins "truncated"
cp "$work/real.seg" "$INVREG_DIR/joined.seg" && patch_bytes "$INVREG_DIR/joined.seg" 8 63000000
joins "of another version"
ln -s "$work/real.seg" "$INVREG_DIR/joined.seg"
joins "a symlink"
mkfifo "$INVREG_DIR/joined.seg"
joins "a FIFO"
if [[ $(id -u) == 0 ]]; then
	cp "$work/real.seg" "$INVREG_DIR/joined.seg"
	chown 65534 "$INVREG_DIR/joined.seg"
	joins "another's"
	# and a reader that is not root is refused what is not its own
	if command -v setpriv >/dev/null; then
		mkdir -m 755 "$work/public"
		cp "$work/real.seg" "$work/public/x.seg"
		chmod 755 "$work" && chmod 644 "$work/public/x.seg"
		cp "$build/invreg" "$work/public/invreg"
		for command in "${commands[@]//$work\/copy.seg//dev/null.seg}" "events -f" pause; do
			read -ra words <<<"$command"
			status_of timeout 20 setpriv --reuid 65534 --clear-groups "$work/public/invreg" \
				"${words[@]}" x --dir "$work/public" >"$work/out" 2>"$work/err"
			assert_eq "$command of another's session: $(cat "$work/err")" 4 "$status"
			assert_contains "$command of another's session" "belongs to another user" \
				"$(cat "$work/err")"
			[[ ! -s $work/out ]] || fail "$command of another's session printed something"
		done
	fi
fi
