#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A probed function that recurses through most of its stack ends as it does bare, where a frame
# of ours for each call would not fit. What was passed by is counted, to the call, and what is
# not deep is recorded again after every descent, one left by longjmp too.
# skip-under: thread: its runtime ends a recursion that deep
. "$(dirname "$0")/bind.sh"
need python3 gcc

deep=$root/tests/hosts/deep
ulimit -s 8192
tiers=(got)
! has_entry_tier || tiers+=(entry)

counted() { # EXPRESSION
	json "$work/snapshot.json" "$1"
}

descents() { # CC FLAGS LEVELS
	local cc=$1 flags=$2 levels=$3
	dir=$work/built
	rm -rf "$dir" && mkdir "$dir"
	# shellcheck disable=SC2086 # words
	"$cc" -std=gnu11 $flags -fPIC -fsemantic-interposition -shared -o "$dir/libdeep.so" \
		"$deep/deep_target.c" || fail "$cc could not build the library"
	# shellcheck disable=SC2086
	"$cc" -std=gnu11 $flags -o "$dir/deep" "$deep/deep.c" -L"$dir" -ldeep -lpthread \
		"-Wl,-rpath,$dir" || fail "$cc could not build the program"
	for tier in "${tiers[@]}"; do
		printf '[probe deep]\ntarget = descend\nbind = %s\nsignature = int (ptr descent, int phase, int depth)\nartifact_id = phase\nsuccess = return >= 1\n' \
			"$tier" >"$work/deep.ini"
		forget_sessions
		probes=$work/deep.ini
		same_output "$dir/deep" "$levels" 3000 1048576
		snapshot_json "$(session)" >"$work/snapshot.json"
		for phase in 1 3 5 7; do
			assert_eq "$cc $flags $tier: calls of phase $phase, which is not deep" 150 \
				"$(counted "sum(r['total_invocations'] for r in d['artifacts'] if r['artifact_id'] == '$phase')")"
		done
		made=$(awk '{ sum += $2 } END { print sum }' "$work/observed.out")
		assert_eq "$cc $flags $tier: calls recorded and passed by" "$made" \
			"$(counted 'sum(r["total_invocations"] for r in d["artifacts"]) + lost("no_stack") + d["status"]["abandoned"]')"
		[[ $(counted 'lost("no_stack")') -gt 0 ]] || fail "$cc $flags $tier: nothing was passed by"
	done
}

descents gcc -O2 40000
descents gcc -O0 40000
if command -v clang >/dev/null; then
	descents clang -O2 40000
fi
