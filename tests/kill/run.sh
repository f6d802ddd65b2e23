#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Kills a writer of shm/ at every test point, then COUNT times at random.
#   tests/kill/run.sh BUILD_DIR [COUNT]     COUNT is 100 by default; 1000 is the full run
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:?BUILD_DIR}
mkdir -p "$build"
"${CC:-gcc}" -std=gnu11 -O2 -g -D_GNU_SOURCE "-I$root" -fPIC -ftls-model=initial-exec \
	-fno-strict-aliasing -DINV_TEST_POINTS "$root/tests/kill/kill_points.c" "$root"/shm/*.c \
	-lpthread -o "$build/kill_points"
status=0
"$build/kill_points" points || status=1
"$build/kill_points" random "${2:-100}" || status=1
exit $status
