#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A handler that calls too, in the middle of our own records: nothing is lost or doubled.
# skip-under: thread: its runtime hands a signal on at the next call of libc, not at once
. "$(dirname "$0")/lib.sh"
need python3

exact signals --threads 1 --calls 1000000 --rate-us 50
exact signals --threads 4 --calls 500000 --rate-us 100
