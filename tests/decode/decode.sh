#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Dry run over this machine: random bytes, then every function of every program and shared
# library, decoded by ours and by Zydis, and planned. What objdump says where the two
# differ comes below. Takes about a minute. DECODE_OUT keeps the findings.
set -euo pipefail

build=${BUILD:-build}
out=${DECODE_OUT:-$build/tests/decode.txt}
status=0

"$build/tests/decode_random" "${DECODE_RANDOM:-1000000}" || status=$?

find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp \) -prune -o \
	-type f \( -name '*.so' -o -name '*.so.*' -o -perm -100 \) -size +1k -print 2>/dev/null |
	sort | "$build/tests/decode_functions" >"$out" || status=$?
sed -n '/objects, .* functions/,$p' "$out"

# A second opinion, where the two do not both know the same: once for each beginning.
echo "objdump on what the two do not agree on:"
sed -nE '/^(DIFFERENT|OURS-ONLY|Zydis-only|WRONG-COPY|Newer|Neither) /p' "$out" |
	awk '!seen[$1, $4, $5, $6, $7]++' | head -n 40 |
	while read -r what path address _; do
		said=$(objdump -d --start-address="$address" --stop-address="$((address + 15))" "$path" |
			sed -n '/^ /{p;q}') || true
		echo "  $what $path: $said"
	done
exit "$status"
