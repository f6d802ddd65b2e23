#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The quick rows of tests/transparency/ (`make transparency` has them all): programs that nobody
# here wrote, and habits of programs, are the same observed as bare.
# skip-under: address thread: programs that nobody here wrote are started without its runtime
JOBS=1 exec "$(dirname "$0")/../transparency/run.sh" \
	lua sqlite3 git bash perl gcc curl proc sandboxes habits not_observed
