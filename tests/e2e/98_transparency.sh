#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The quick rows of tests/transparency/ (`make transparency` has them all): programs that nobody
# here wrote, and habits of programs, are the same observed as bare.
# skip-under: address thread: programs that nobody here wrote are started without its runtime
rows=(lua sqlite3 git bash perl gcc curl proc sandboxes habits not_observed)
if [[ -n ${INVREG_EMULATED:-} ]]; then
	rows=(habits) # all others are of programs of this machine, not of the one that is emulated
fi
JOBS=1 exec "$(dirname "$0")/../transparency/run.sh" "${rows[@]}"
