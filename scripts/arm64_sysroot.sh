#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes the folder that scripts/arm64.sh lays over this machine: the libraries that setup.sh
# names, and what the tests run, as Debian has them for arm64.
#   scripts/arm64_sysroot.sh DIR     does nothing where DIR holds them already
#
# apt finds what they depend on and fetches it with a state and a cache of its own in DIR, and
# the packages are unpacked and not installed: the machine's own are not touched, and root is
# not needed.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
mkdir -p "$1"
dir=$(realpath "$1")

# Programs that the tests observe, and the shell of system(3), are of their machine, too.
programs=(dash true false ls sort sleep setpriv timeout python3 'python3.*[0-9]')
mapfile -t packages < <("$here/setup.sh" --list | grep -x 'lib.*-dev')
packages+=(libstdc++6 dash coreutils util-linux python3)
[[ -e $dir/packages && $(cat "$dir/packages") == "${packages[*]}" ]] && exit 0

for tool in apt-get dpkg-deb; do
	command -v $tool >/dev/null || { echo "arm64: no $tool here: the sysroot is made of Debian's packages" >&2 && exit 1; }
done
rm -rf "$dir"
mkdir -p "$dir"/{usr/{bin,lib},tools,apt/{state/lists/partial,cache/archives/partial}}
ln -s usr/bin usr/lib "$dir"
: >"$dir/apt/installed"
log=$dir/apt/log
apt=(apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User="$(id -un)"
	-o Dir::State="$dir/apt/state" -o Dir::State::status="$dir/apt/installed" -o Dir::Cache="$dir/apt/cache")
echo "arm64: fetching ${packages[*]}"
if ! { "${apt[@]}" update && "${apt[@]}" install --download-only -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
	cat "$log" >&2
	echo "arm64: apt-get could not fetch arm64's packages" >&2
	exit 1
fi
for package in "$dir"/apt/cache/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$package" | tar -x -C "$dir" --keep-directory-symlink --no-same-owner
done
# All other tools of this machine stay its own.
find "${dir:?}" -mindepth 1 -maxdepth 1 ! -name usr ! -name tools ! -name lib -exec rm -rf {} +
find "$dir/usr" -mindepth 1 -maxdepth 1 ! -name include ! -name lib ! -name bin -exec rm -rf {} +
mkdir "$dir/keep"
for name in "${programs[@]}"; do
	# shellcheck disable=SC2086 # a pattern
	mv "$dir"/usr/bin/$name "$dir/keep/"
done
rm -r "${dir:?}/usr/bin"
mv "$dir/keep" "$dir/usr/bin"

# python3 that checks what came out, fast; the one that is observed is /usr/bin/python3.
python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')
if [[ $python == /usr/bin/* ]]; then
	cp "$python" "$dir/tools/python3"
else
	ln -s "$python" "$dir/tools/python3"
fi

# The names by which tests call compilers, and ask for the machine.
ln -s /usr/bin/aarch64-linux-gnu-gcc "$dir/tools/gcc"
ln -s /usr/bin/aarch64-linux-gnu-g++ "$dir/tools/g++"
for name in clang clang++; do
	printf '#!/bin/sh\nexec /usr/bin/%s --target=aarch64-linux-gnu "$@"\n' $name >"$dir/tools/$name"
	command -v $name >/dev/null || rm "$dir/tools/$name"
done
# shellcheck disable=SC2016 # the script's own
printf '#!/bin/sh\n[ "$*" = -m ] && echo aarch64 || exec /usr/bin/uname "$@"\n' >"$dir/tools/uname"
chmod +x "$dir"/tools/*
echo "${packages[*]}" >"$dir/packages"
