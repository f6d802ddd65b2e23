#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A session is read on another machine as on its own: what was saved gives the same snapshot,
# to the last digit, and the same events there; of a file that was only copied, and whose clock
# is out of reach, all counts are the same. Both ways; the other machine's build is OTHER_BUILD.
. "$(dirname "$0")/lib.sh"
need python3
[[ -n ${OTHER_BUILD:-} ]] || skip "no build of another machine (make test-arm64 has one)"

there=$(realpath "$OTHER_BUILD")
[[ $(od -An -tx2 -j18 -N2 "$there/invreg") != $(od -An -tx2 -j18 -N2 "$build/invreg") ]] ||
	fail "$there is of this machine"

counts='sorted((a["artifact_id"], m["method"], m["total_invocations"], m["failed"], sorted(m["failure_types"].items()))
	for a in d["artifacts"] for m in a["methods"]), d["lost"], d["status"]["events_kept"]'

read_there() { # WHAT MAKER READER
	local of=$1 maker=$2 reader=$3
	forget_sessions
	rm -f "$work/truth" "$work/saved.seg"
	env "LD_PRELOAD=$maker/libinvreg_preload.so" "INVREG_PROBES=$work/target.ini" \
		"$maker/hosts/threads" --threads 3 --calls 20000 --truth "$work/truth" >/dev/null
	"$maker/invreg" snapshot "$(session)" -o "$work/saved.seg"
	cp "$INVREG_DIR/$(session).seg" "$work/copied.seg"
	"$maker/invreg" snapshot "$work/saved.seg" --format json >"$work/here.json"
	"$reader/invreg" snapshot "$work/saved.seg" --format json >"$work/there.json"
	compare_truth "$work/there.json" "$work/truth"
	diff "$work/here.json" "$work/there.json" || fail "$of: the snapshot is another one there"
	"$maker/invreg" events "$work/saved.seg" >"$work/here.jsonl"
	"$reader/invreg" events "$work/saved.seg" >"$work/there.jsonl"
	[[ -s $work/there.jsonl ]] || fail "$of: no events"
	cmp "$work/here.jsonl" "$work/there.jsonl" || fail "$of: the events are others there"
	"$reader/invreg" snapshot "$work/copied.seg" --format json >"$work/copied.json"
	assert_eq "$of: counts of the copied file" "$(json "$work/here.json" "$counts")" \
		"$(json "$work/copied.json" "$counts")"
	echo "the same: $of: $(wc -l <"$work/there.jsonl") events, $(json "$work/there.json" 'total()') calls"
}

read_there "ours, read there" "$build" "$there"
read_there "theirs, read here" "$there" "$build"
