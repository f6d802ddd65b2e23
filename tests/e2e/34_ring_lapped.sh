#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A ring lapped a hundred times with no reader: totals exact, and of the events every single
# one is either kept or counted as lost.
. "$(dirname "$0")/lib.sh"
need python3

calls=1700000 # 16,384 slots, a hundred times and more
exact ballast --calls $calls
name=$(session)
kept=$(invreg events "$name" | grep -c '"event_type": \?"invoke_attempt"')
lapped=$(json "$work/snapshot.json" 'lost("lapped")')
echo "kept $kept, lapped $lapped"
assert_eq "kept + lapped" $calls $((kept + lapped))
((kept > 4000)) || fail "only $kept events kept of a ring of 16,384 slots"
