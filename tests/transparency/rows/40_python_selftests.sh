#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# CPython's own tests, which have a comparison of their own (each test ends as it does bare), for
# every interpreter that came with its `test` package: minutes, so only with LONG=1.
. "$(dirname "$0")/../lib.sh"

what="CPython's own tests"
if [[ -z ${LONG:-} ]]; then
	say "$what" python - "skipped: minutes; LONG=1, or make python-selftests"
	exit 0
fi
status=0
"$root/scripts/python-selftests.sh" >"$work/selftests" 2>&1 || status=$?
cat "$work/selftests"
calls=$(grep -o '[0-9]* calls recorded' "$work/selftests" | awk '{ n += $1 } END { print n + 0 }')
if ((status == 77)); then
	say "$what" python - "skipped: $(tail -n 1 "$work/selftests")"
elif ((status || calls == 0)); then
	failed "$what" python "$calls" "$(tail -n 1 "$work/selftests")"
else
	say "$what" python "$calls" same
fi
