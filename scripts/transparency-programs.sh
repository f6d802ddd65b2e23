#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages of the programs that tests/transparency/ observes; only what is
# missing, and only when asked: `make transparency` installs nothing. --list prints them.
set -euo pipefail

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
command -v apt-get >/dev/null || {
	echo "transparency-programs: no apt here; install by your package manager: ${packages[*]}" >&2
	exit 1
}

installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null || true)
missing=()
for package in "${packages[@]}"; do
	grep -qx "$package installed" <<<"$installed" || missing+=("$package")
done
((${#missing[@]})) || exit 0
echo "transparency-programs: installing ${missing[*]}"
sudo=()
[[ $(id -u) == 0 ]] || sudo=(sudo)
# A server would be started by its package where systemd or policy-rc.d allow it: ours are our own.
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
	apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends "${missing[@]}" >/dev/null
