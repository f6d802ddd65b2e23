#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages of the programs that tests/transparency/ observes; only what is
# missing, and only when asked: `make transparency` installs nothing. --list prints them.
set -euo pipefail
. "$(dirname "$0")/apt.sh"

packages=(
	lua5.4 gringo sqlite3 python3 redis-server redis-tools git perl openssl gcc clang      # rows 10 to 18
	nodejs tcl jq default-jdk-headless luajit php-cli ruby golang-go                        # 19
	less tmux curl man-db groff-base file fakeroot                                          # 20 to 23
	make util-linux strace gdb valgrind ltrace libjemalloc2                                 # 31 to 33
)
# A 32-bit libc; gcc-multilib, which brings both, may not lie beside Debian's cross-compilers.
[[ $(uname -m) != x86_64 ]] || packages+=(libc6-dev-i386 "lib32gcc-$(gcc -dumpversion 2>/dev/null || echo 12)-dev")
if [[ ${1:-} == --list ]]; then
	printf '%s\n' "${packages[@]}"
	exit 0
fi
missing=$(apt_missing "${packages[@]}")
# shellcheck disable=SC2086 # names without spaces
[[ -z $missing ]] || apt_install $missing
