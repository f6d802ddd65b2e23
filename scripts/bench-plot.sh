#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Draws docs/bench-native.svg and docs/bench-python.svg from build/bench.json (`make bench`).
#   bench-plot.sh [FOLDER]     elsewhere than in docs
set -euo pipefail

cd "$(dirname "$0")/.."
json=${BUILD:-build}/bench.json
[[ -e $json ]] || { echo "bench-plot: $json is not there: make bench" >&2 && exit 1; }
command -v gnuplot >/dev/null || { echo "bench-plot: gnuplot is not installed: scripts/bench-peers.sh" >&2 && exit 1; }
for figure in native python; do
	out=${1:-docs}/bench-$figure.svg
	script=$(python3 -B tests/bench/plot.py "$json" "$figure" "$out")
	gnuplot <<<"$script"
	echo "  $out"
done
