#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every exported function of an interpreter under a probe of the entry tier, as many as a file
# holds at a time, while part of its own test package runs: the same output and status as bare.
# A run takes SAMPLES (2) random files' worth, from SEED; SAMPLES=all takes every function once.
# skip-under: thread: its runtime makes it take minutes
. "$(dirname "$0")/lib.sh"
need python3 nm

python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')
"$python" -c 'import test.test_dict, test.test_json, test.test_builtin' 2>/dev/null ||
	skip "$python has no test package"
library=$(ldd "$python" | awk '$1 ~ /^libpython/ { print $3 }')
object=program
[[ -z $library ]] || object=$(basename "$library")
nm -D --defined-only "${library:-$python}" >"$work/symbols"

SEED=${SEED:-$RANDOM} SAMPLES=${SAMPLES:-2}
echo "SEED=$SEED SAMPLES=$SAMPLES $object of $python"
# Ten long doubles are twenty words: what functions may find on the stack is passed on, whatever
# they take. More than that a call with `...` may have, and those are left out.
python3 - "$object" "$SEED" "$SAMPLES" "$work" <<'PY'
import random, re, sys
target, seed, samples, work = sys.argv[1:]
names = [line.split()[2].split("@")[0] for line in open(work + "/symbols") if line.split()[1] in "TW"]
many = re.compile("Arg_|Parse|BuildValue|Format|CallFunction|CallMethod|_Pack|printf|WriteStd|_init$|_fini$|^_start$")
names = sorted({n for n in names if not many.search(n)})
random.Random(int(seed)).shuffle(names)
chunks = [names[i:i + 64] for i in range(0, len(names), 64)]
for i, chunk in enumerate(chunks if samples == "all" else chunks[:int(samples)]):
    with open(f"{work}/python-{i:03}.ini", "w") as f:
        for n in chunk:
            f.write(f"[probe {n[:60]}]\ntarget = {target}:{n}\nbind = entry\nsignature = ptr ("
                    + ", ".join(["ptr"] * 6 + ["ldouble"] * 10) + f")\nartifact_id = \"{n}\"\n")
PY

run_tests() { # OUT COMMAND...
	local out=$1 status=0
	shift
	(cd "$work" && PYTHONHASHSEED=0 "$@" "$python" -m unittest -v test.test_dict test.test_builtin \
		test.test_json test.test_generators) >"$out" 2>&1 || status=$?
	echo "status $status" >>"$out"
	sed -i 's/ in [0-9.]*s$//; s/0x[0-9a-f]\{6,\}/ADDRESS/g' "$out"
}

run_tests "$work/bare.out" env
grep -q '^OK' "$work/bare.out" || skip "its tests fail here without us: $(tail -n 3 "$work/bare.out")"
all=0
for file in "$work"/python-*.ini; do
	forget_sessions
	probes=$file run_tests "$work/observed.out" observed
	diff "$work/bare.out" "$work/observed.out" >"$work/diff" ||
		fail "output differs (SEED=$SEED, $(basename "$file")): $(head -n 20 "$work/diff")"
	snapshot_json "$(session)" >"$work/s.json"
	bound=$(json "$work/s.json" 'sum(p["tier"] == "entry" for p in d["probes"])')
	all=$((all + bound))
	echo "$(basename "$file"): $bound of $(grep -c '^\[' "$file") functions, $(json "$work/s.json" 'total()') calls"
	json "$work/s.json" '"\n".join(sorted({n["detail"] for n in d["notes"]}))' | sed 's/^/  refused: /'
done
((all > 0)) || fail "no function was patched"
