#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# 1, 2, 8 and 300 threads at once: totals by artifact, method and outcome equal the truth.
# With 300 threads there are more than lanes: the rest is tallied in the overflow region.
# Some 25 keys in 256 lanes at once fit into the default size; 160 in each do not (118 MB):
# then the grand totals are exact, and the calls in _other cells are counted; so are those
# whose three names found no free cache, of more than 64 threads without a lane at once.
. "$(dirname "$0")/lib.sh"
need python3

exact threads --threads 1 --calls 200000
exact threads --threads 2 --calls 200000
exact threads --threads 8 --calls 50000
# some 4,000 keys, which the default size has room for in each of two lanes; 15,600 in a larger one,
# whose 29 GB of addresses qemu-user cannot map
exact threads --threads 2 --calls 300000 --artifacts 330 --codes 3
[[ -n ${INVREG_EMULATED:-} ]] ||
	INVREG_SIZE=512M exact threads --threads 1 --calls 300000 --artifacts 1300 --codes 3
exact threads --threads 300 --calls 1000 --artifacts 2 --codes 3 --work-us 20

forget_sessions
rm -f "$work/truth"
observed "$hosts/threads" --threads 300 --calls 1000 --work-us 20 --truth "$work/truth" >/dev/null
snapshot_json "$(session)" >"$work/snapshot.json"
compare_truth "$work/snapshot.json" "$work/truth" --totals
other=$(json "$work/snapshot.json" 'sum(a["total_invocations"] for a in d["artifacts"] if a["artifact_id"] == "_other")')
assert_eq "calls in _other cells" "$other" \
	"$(json "$work/snapshot.json" 'lost("tally_overflow") + lost("name_overflow") // 3')"
echo "exact in total: 300 threads with 160 keys each, $other calls in _other cells"
