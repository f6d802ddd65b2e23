#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# CPython's own tests, bare and with probes on what they call often: the same tests run, and
# each ends as it does bare. Needs interpreters that came with their `test` package, as pyenv
# builds them; two to three minutes for each of them, a few seconds with --quick.
#   scripts/python-selftests.sh [--quick] [VERSION...]      such as 3.8 3.12
# A file whose results differ is run twice more, bare and observed. Leaves by 77 where the
# build at hand refuses Python targets.
here=$(cd "$(dirname "$0")/.." && pwd)
tests=(test_functools test_descr test_class test_inspect test_unittest test_signal test_threading
	test_subprocess test_asyncio)
if [[ ${1:-} == --quick ]]; then
	tests=(test_functools test_descr test_class)
	shift
fi
PYTHONS=$*
. "$here/tests/e2e/lib.sh"
. "$here/tests/e2e/python_lib.sh"

python_targets
own=$work/python/selftests.py
probes=$work/selftests.ini
python3 "$own" probes >"$probes"
invreg check "$probes" >/dev/null || fail "the probes are refused"
# Tests make programs in their temporary directory: not on a file system without execution.
folder=$(mktemp -d "${TMPDIR:-/tmp}/invreg-selftests.XXXXXX")
# shellcheck disable=SC2317
leave() { # cleanup leaves by the status that it finds
	local code=$?
	set +e
	rm -rf "$folder"
	(exit "$code")
	cleanup
}
trap leave EXIT
cd "$folder" || exit 1

one_run() { # TEST OUTPUT.xml [observed]
	local test=$1 output=$2
	shift 2
	mkdir -p "$folder/tmp"
	TMPDIR=$folder/tmp timeout 900 "$@" "$python" -m test --timeout 300 --junit-xml "$output" "$test" \
		>"$output.log" 2>&1 </dev/null || true
	rm -rf "$folder/tmp"
	[[ -s $output ]] || { tail -n 20 "$output.log"; fail "$version $test: no results"; }
}

compare_results() { # TEST
	python3 "$own" compare "$work/$1.bare".*.xml -- "$work/$1.seen".*.xml >"$work/verdict"
}

same_results() { # TEST
	local test=$1 turn
	rm -f "$work/$test".*.xml*
	for turn in 1 2 3; do
		forget_sessions
		one_run "$test" "$work/$test.bare.$turn.xml" env
		one_run "$test" "$work/$test.seen.$turn.xml" env "LD_PRELOAD=$preload" "INVREG_PROBES=$probes"
		if compare_results "$test"; then
			echo "$version $test: $(cat "$work/verdict"), $(recorded) calls recorded"
			return 0
		fi
	done
	echo "$version $test: $(cat "$work/verdict")"
	return 1
}

recorded() {
	local total=0 file
	for file in "$INVREG_DIR"/*.seg; do
		snapshot_json "$(basename "$file" .seg)" >"$work/snapshot.json"
		total=$((total + $(json "$work/snapshot.json" 'total()')))
	done
	echo "$total"
}

failed=0
for line in "${pythons[@]}"; do
	version=${line%% *} python=${line#* }
	if ! "$python" -c 'import test.test_functools' 2>/dev/null; then
		echo "$version ($python): has no tests of its own"
		continue
	fi
	for test in "${tests[@]}"; do
		same_results "$test" || failed=1
	done
done
exit $failed
