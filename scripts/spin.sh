#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Exhausts a Promela model: scripts/spin.sh tests/model/NAME.pml. A first line
# `// pan: FLAGS` in the model is given to the verifier's compiler.
set -euo pipefail

model=$(realpath "$1")
name=$(basename "$model" .pml)
out=${BUILD:-build}/model/$name
if ! command -v spin >/dev/null; then
	echo "model: spin is not installed; run scripts/setup.sh" >&2
	exit 1
fi
rm -rf "$out"
mkdir -p "$out"
cd "$out"
read -ra flags < <(sed -n '1s|^// pan: ||p' "$model"; echo)
spin -a "$model" >spin.log || { cat spin.log >&2 && exit 1; }
"${CC:-gcc}" -O2 -DSAFETY "${flags[@]}" -o pan pan.c
# a depth that is too small would cut the search and still say "errors: 0"
./pan -m1000000 >pan.log 2>&1 || true
if ! grep -q 'errors: 0' pan.log || grep -qiE 'max search depth too small|out of memory|not completed' pan.log; then
	cat pan.log >&2
	echo "model $name: FAILED" >&2
	exit 1
fi
echo "model $name: $(grep -oE '[0-9.e+]+ states, stored' pan.log | head -n 1), no error"
