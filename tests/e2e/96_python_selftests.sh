#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The quickest of CPython's own tests end as they do bare, with probes on the standard library
# functions that they call; `make python-selftests` runs those that take minutes.
exec "$(dirname "$0")/../../scripts/python-selftests.sh" --quick
