#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The reader under memcheck: a live, an ended and a saved session, JSONL, refused input.
. "$(dirname "$0")/e2e/lib.sh"
need valgrind

check() { # ARGS...
	local status=0
	valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect \
		--num-callers=20 "$build/invreg" "$@" >"$work/out" 2>"$work/err" || status=$?
	if ((status == 99)) || grep -q '^==[0-9]*==' "$work/err"; then
		cat "$work/err" >&2
		fail "memcheck: invreg $*"
	fi
	echo "clean: invreg $* (exit $status)"
}

"$build/invreg" run --session ended -p "$work/target.ini" -o "$work/run.jsonl" -- \
	"$hosts/threads" --threads 3 --calls 2000 >/dev/null 2>&1
# not by a function: $! would be its subshell, and the host would outlive the test
env "LD_PRELOAD=$preload" "INVREG_PROBES=$work/target.ini" "$hosts/ballast" --calls 4000000000 >/dev/null 2>&1 &
victim=$!
sleep 0.5
for file in "$INVREG_DIR"/*.seg; do
	name=$(basename "$file" .seg)
	check snapshot "$name" --format json
	check snapshot "$name" --format table
	check snapshot "$name" -o "$work/$name.seg"
	check stats "$name" --json
	check top -1 "$name"
	check events "$name" -n 100
done
kill -9 "$victim"
check snapshot "$work/ended.seg" --format json
check events "$work/run.jsonl" --failed -n 10
check stats "$work/run.jsonl" --json
check top -1 --by method "$work/run.jsonl"
check history invoker_0 --dir "$INVREG_DIR" -n 5
check check "$work/target.ini"
check check "$work/run.jsonl"
head -c 5000 "$work/ended.seg" >"$work/cut.seg"
check snapshot "$work/cut.seg"
check ls
