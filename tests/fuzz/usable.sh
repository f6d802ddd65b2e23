#!/bin/sh
# SPDX-License-Identifier: MIT
# Whether CLANG ($1) can build a fuzz target; says why not.
out=$(mktemp) || exit
trap 'rm -f "$out"' EXIT
if ! command -v "$1" >/dev/null; then
	echo "fuzz: skipped: $1 is not installed (Debian: apt-get install clang)"
	exit 1
fi
if ! echo 'int LLVMFuzzerTestOneInput(const char *p, long n) { return p[n - 1] == 1; }' |
	"$1" -x c -fsanitize=fuzzer,address,undefined -o "$out" - 2>/dev/null; then
	echo "fuzz: skipped: $1 links no -fsanitize=fuzzer,address,undefined (Debian: apt-get install" \
		"libclang-rt-NN-dev, or libclang-common-NN-dev before 15, of its version)"
	exit 1
fi
