#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages that building, testing and linting need; only what is
# missing. `scripts/setup.sh --list` prints them.
#   scripts/setup.sh --arm64    those of `make test-arm64` instead
set -euo pipefail
. "$(dirname "$0")/apt.sh"

build=(gcc make libc6-dev pkg-config libffi-dev liburcu-dev libinih-dev libjson-c-dev libelf-dev libdw-dev libmicrohttpd-dev mawk scdoc libncurses-dev)
tests=(g++ libcriterion-dev python3 util-linux spin gdb gringo sqlite3 python3-simpy3 python3-greenlet libzydis-dev curl wrk tmux)
lint=(clang-format cppcheck shellcheck git)
# A real scraper for a test; where systemd runs, the package would start a server of its own.
[[ -d /run/systemd/system ]] || tests+=(prometheus)
packages=("${build[@]}" "${tests[@]}" "${lint[@]}")

if [[ ${1:-} == --arm64 ]]; then
	packages=(gcc-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user-static)
elif [[ ${1:-} == --list ]]; then
	printf '%s\n' "${packages[@]}"
	exit 0
fi

if ! apt_here; then
	# Not Debian: believe what is there, by what the build looks for.
	absent=()
	for tool in gcc make python3; do
		command -v "$tool" >/dev/null || absent+=("$tool")
	done
	for header in ini.h json-c/json.h gelf.h elfutils/libdw.h urcu/rculfhash.h microhttpd.h ncurses.h criterion/criterion.h; do
		echo "#include <$header>" | ${CC:-cc} -E - >/dev/null 2>&1 || absent+=("<$header>")
	done
	if ((${#absent[@]} == 0)); then
		exit 0
	fi
	echo "setup: no apt here; install these by your package manager: ${packages[*]}" >&2
	echo "setup: (not found: ${absent[*]})" >&2
	exit 1
fi

missing=$(apt_missing "${packages[@]}")
# shellcheck disable=SC2086 # names without spaces
[[ -z $missing ]] || apt_install $missing
