#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Calls within calls, deeper than the in-flight stack (32) too, and towers left by longjmp.
. "$(dirname "$0")/lib.sh"
need python3

exact nest --calls 5000 --depth 8
exact nest --calls 500 --depth 100
exact nest --calls 2000 --depth 20 --threads 4
exact longjmps --calls 5000 --depth 12
assert_eq "calls in flight after the end" 0 "$(json "$work/snapshot.json" 'len(d["in_flight"])')"
