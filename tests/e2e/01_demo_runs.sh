#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The demo ends well and shows what the README promises.
# skip-under: address thread: its runtime catches the crash that the demo shows
. "$(dirname "$0")/lib.sh"
need python3

cd "$root"
out=$(BUILD=$build scripts/demo.sh 2>&1) || fail "scripts/demo.sh: $out"
for word in genesis_ledger market_escrow permission timeout invoke_success 'exit status 139' \
	'never returned' 'ns a call'; do
	assert_contains "the demo's output" "$word" "$out"
done

# and it counts as the simulation itself does
probes=$root/preload/probes/executor.ini
run --session exact -- "$hosts/ecology" --fast --ticks 200 --threads 4 --artifacts 30 --quiet \
	--truth "$work/ecology.tsv"
snapshot_json exact >"$work/snapshot.json"
# its own log has no `begun`: the same number twice
awk -F'\t' -v OFS='\t' '!/^#/ { print $1, $2, $3, $4, $4 }' "$work/ecology.tsv" >"$work/truth.tsv"
python3 "$root/tests/e2e/compare_truth.py" "$work/snapshot.json" "$work/truth.tsv" ||
	fail "the snapshot differs from the simulation's own log"
