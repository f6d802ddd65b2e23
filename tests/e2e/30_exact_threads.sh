#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# 1, 2, 8 and 300 threads at once: totals by artifact, method and outcome equal the truth.
# With 300 threads there are more than lanes: the rest is tallied in the overflow region.
. "$(dirname "$0")/lib.sh"
need python3

exact threads --threads 1 --calls 200000
exact threads --threads 2 --calls 200000
exact threads --threads 8 --calls 50000
exact threads --threads 300 --calls 2000
