#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages that building, testing and linting need; only what is
# missing. `scripts/setup.sh --list` prints them.
#   scripts/setup.sh --arm64    those of `make test-arm64` instead
set -euo pipefail

build=(gcc make libc6-dev pkg-config libffi-dev liburcu-dev libinih-dev libjson-c-dev libelf-dev libdw-dev libmicrohttpd-dev mawk scdoc libncurses-dev)
tests=(g++ libcriterion-dev python3 util-linux spin gdb gringo sqlite3 python3-simpy3 libzydis-dev curl wrk tmux)
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

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	# Not Debian: believe what is there, by what the build looks for.
	missing=()
	for tool in gcc make python3; do
		command -v "$tool" >/dev/null || missing+=("$tool")
	done
	for header in ini.h json-c/json.h gelf.h elfutils/libdw.h urcu/rculfhash.h microhttpd.h ncurses.h criterion/criterion.h; do
		echo "#include <$header>" | ${CC:-cc} -E - >/dev/null 2>&1 || missing+=("<$header>")
	done
	if ((${#missing[@]} == 0)); then
		exit 0
	fi
	echo "setup: no apt here; install these by your package manager: ${packages[*]}" >&2
	echo "setup: (not found: ${missing[*]})" >&2
	exit 1
fi

installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null || true)
missing=()
for package in "${packages[@]}"; do
	grep -qx "$package installed" <<<"$installed" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
	exit 0
fi

sudo=()
if [[ $(id -u) != 0 ]]; then
	if ! command -v sudo >/dev/null; then
		echo "setup: neither root nor sudo; as root: apt-get install ${missing[*]}" >&2
		exit 1
	fi
	sudo=(sudo)
fi
echo "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
# An index that is old or absent fails the install: only then is it fetched.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
	if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } \
		>"$log" 2>&1; then
		cat "$log" >&2
		echo "setup: apt-get could not install: ${missing[*]}" >&2
		exit 1
	fi
fi
