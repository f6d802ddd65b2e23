#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Thousands of short-lived threads: lanes are freed and claimed again, nothing is lost.
. "$(dirname "$0")/lib.sh"
need python3

exact churn --depth 40 --threads 60 --calls 5
exact churn --depth 100 --threads 100 --calls 2
assert_eq "threads of one lane each" 0 "$(json "$work/snapshot.json" 'lost("no_lane")')"
exact churn --depth 4 --threads 500 --calls 2
assert_eq "in flight" 0 "$(json "$work/snapshot.json" 'len(d["in_flight"])')"
