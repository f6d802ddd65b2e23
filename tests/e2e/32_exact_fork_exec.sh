#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Across fork, _Fork, vfork and exec, in the middle of calls too: one session, exact totals.
# skip-under: thread: its runtime makes a fork of a vfork
. "$(dirname "$0")/lib.sh"
need python3

exact forks --depth 3 --calls 500
exact execs --depth 6 --calls 1000
# the call in which the second image was replaced never returned, and is named
assert_eq "never returned" 1 "$(json "$work/snapshot.json" 'sum(a["never_returned"] for a in d["artifacts"])')"
assert_eq "its artifact" artifact_0 "$(json "$work/snapshot.json" 'd["never_returned"][0]["artifact_id"]')"
