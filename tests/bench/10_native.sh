#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What observing a native call costs: the shim, its parts, and its peers, as ns added to a bare
# call, as multiples of the floor and of the shim (native.py).
#   10_native.sh [empty-1|empty-2|work-1|work-2 [ROUNDS]]
part=native-${1:-empty-1}
. "$(dirname "$0")/lib.sh"

python3 -B "$root/tests/bench/native.py" "$build" "$work" "$rows" "${1:-empty-1}" ${2:+"$2"}
judged
