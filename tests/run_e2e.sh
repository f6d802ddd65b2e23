#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs tests/e2e/NN_*.sh in order, JOBS (2) at a time, a line each, and a total.
#   tests/run_e2e.sh [PATTERN...]    only those whose name contains one of them
#
# A test passes by exit 0 and is skipped by exit 77 (its last line says why). A line
# `# skip-under: thread address: why` in a test names sanitizers that it is not for; a file that
# LEFT_OUT names has a line `NN_name: why` for each that is not for this run.
set -uo pipefail

cd "$(dirname "$0")/.." || exit
. tests/chosen.sh
jobs=${JOBS:-2}
export BUILD=${BUILD:-build}
logs=$BUILD/tests/e2e
mkdir -p "$logs"
rm -f "$logs"/*

run_one() { # FILE
	local file=$1 name status=0 start=$SECONDS verdict detail='' why=''
	name=$(basename "$file" .sh)
	if [[ -n ${SAN:-} ]] && why=$(sed -n "s/^# skip-under: [a-z ]*\b$SAN\b[a-z ]*: //p" "$file") && [[ -n $why ]]; then
		echo "$why" >"$logs/$name.log"
		status=77
	elif [[ -n ${LEFT_OUT:-} ]] && why=$(sed -n "s/^$name: //p" "$LEFT_OUT") && [[ -n $why ]]; then
		echo "$why" >"$logs/$name.log"
		status=77
	else
		timeout "${E2E_TIMEOUT:-600}" bash "$file" >"$logs/$name.log" 2>&1 || status=$?
	fi
	case $status in
	0) verdict=pass ;;
	77) verdict=skip detail=": $(tail -n 1 "$logs/$name.log")" ;;
	124) verdict=FAIL detail=": timed out" ;;
	*) verdict=FAIL detail=" (exit $status)" ;;
	esac
	echo "$verdict" >"$logs/$name.verdict"
	printf '%-4s %-36s %3d s%s\n' "$verdict" "$name" $((SECONDS - start)) "$detail"
	if [[ $verdict == FAIL ]]; then
		tail -n 25 "$logs/$name.log" | sed 's/^/     | /'
	fi
}

# A line for a test that is gone or has another name now leaves nothing out.
for name in $([[ -z ${LEFT_OUT:-} ]] || sed -n 's/^\([0-9]\w*\): .*/\1/p' "$LEFT_OUT"); do
	[[ -e tests/e2e/$name.sh ]] || { echo "$LEFT_OUT: there is no tests/e2e/$name.sh" >&2 && exit 1; }
done

running=0
for file in tests/e2e/[0-9]*.sh; do
	chosen "$(basename "$file")" "$@" || continue
	if ((running >= jobs)); then
		wait -n
		running=$((running - 1))
	fi
	run_one "$file" &
	running=$((running + 1))
done
wait

count() { grep -lx "$1" "$logs"/*.verdict 2>/dev/null | wc -l; }
passed=$(count pass) failed=$(count FAIL) skipped=$(count skip)
echo "e2e: $passed passed, $failed failed$( ((skipped)) && echo ", $skipped skipped")"
((failed == 0 && passed + skipped > 0))
