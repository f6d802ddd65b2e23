#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every CPython 3.8 to 3.14 of this machine, once each: `VERSION PATH` a line, the PATH's
# python3 first. Looks in PATH, /usr/bin, /usr/local/bin, pyenv and /opt.
#
# A candidate is asked who it is: pyenv's shims are scripts, several names are one program, and
# one of another machine cannot be observed.
set -uo pipefail

shopt -s nullglob
candidates=()
for name in python3 python3.{8..14} python3.{13,14}t; do
	mapfile -t -O "${#candidates[@]}" candidates < <(type -aP "$name")
done
candidates+=(/usr/bin/python3 /usr/bin/python3.{8..14} /usr/local/bin/python3.{8..14}
	"${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3 /opt/python*/bin/python3)

# shellcheck disable=SC2016
who='import os, sys
v = sys.version_info
if sys.implementation.name == "cpython" and os.uname().machine == os.environ["MACHINE"] and (3, 8) <= v[:2] <= (3, 14):
    print("%d.%d.%d" % v[:3], os.path.realpath(sys.executable))'

declare -A seen=()
for candidate in "${candidates[@]}"; do
	[[ -x $candidate ]] || continue
	line=$(MACHINE=$(uname -m) timeout 20 "$candidate" -I -S -c "$who" 2>/dev/null </dev/null) || continue
	[[ -n $line && -z ${seen[${line#* }]:-} ]] || continue
	seen[${line#* }]=1
	echo "$line"
done
exit 0
