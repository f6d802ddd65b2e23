#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes docs/dashboard.png, the picture of the page that the README shows, from the demo:
#   scripts/screenshot.sh [FILE]
# Needs chromium and chromedriver (Debian: chromium-driver). About half a minute.
set -euo pipefail

cd "$(dirname "$0")/.."
build=${BUILD:-build}
out=${1:-docs/dashboard.png}
for tool in chromium chromedriver python3; do
	command -v "$tool" >/dev/null || {
		echo "screenshot: $tool is not installed (apt-get install chromium chromium-driver)" >&2
		exit 1
	}
done
mkdir -p "$(dirname "$out")"
work=$(mktemp -d)
export INVREG_DIR=$work/sessions
mkdir -m 700 "$INVREG_DIR"
cleanup() {
	local job
	for job in $(jobs -p); do
		kill "$job" 2>/dev/null || true
	done
	wait
	rm -rf "$work"
}
trap cleanup EXIT

"$build/invreg" serve --listen 127.0.0.1:0 2>"$work/serve.err" &
"$build/invreg" run --session demo -p preload/probes/executor.ini -- \
	"$build/hosts/ecology" --ticks 100000 --agents 24 --threads 2 >/dev/null 2>&1 &
url=
for _ in $(seq 100); do
	url=$(sed -n 's|^invreg: \(http://.*\)/$|\1|p' "$work/serve.err")
	[[ -n $url ]] && break
	sleep 0.1
done
[[ -n $url ]] || {
	cat "$work/serve.err" >&2
	exit 1
}
python3 tests/e2e/screenshot.py "$work" "$url/" "$out"
echo "$out"
