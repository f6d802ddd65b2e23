#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what `make bench` compares with, and what draws its figures; only what is missing.
# A peer may need the kernel's leave as well (uprobes, perf): the benchmark says what it met.
# `scripts/bench-peers.sh --list` prints the packages.
set -euo pipefail

packages=(uftrace lttng-tools liblttng-ust-dev ltrace linux-perf bpftrace gnuplot-nox)

if [[ ${1:-} == --list ]]; then
	printf '%s\n' "${packages[@]}"
	exit 0
fi
command -v apt-get >/dev/null || {
	echo "bench-peers: no apt here; install these by your package manager: ${packages[*]}" >&2
	exit 1
}
missing=()
for package in "${packages[@]}"; do
	[[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

sudo=()
if [[ $(id -u) != 0 ]]; then
	command -v sudo >/dev/null || {
		echo "bench-peers: neither root nor sudo; as root: apt-get install ${missing[*]}" >&2
		exit 1
	}
	sudo=(sudo)
fi
apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
echo "bench-peers: installing ${missing[*]}"
failed=()
"${apt[@]}" update || echo "bench-peers: the index is as old as it was" >&2
for package in "${missing[@]}"; do # one by one: each peer stands for itself
	"${apt[@]}" install -y --no-install-recommends "$package" >/dev/null || failed+=("$package")
done
((${#failed[@]} == 0)) || {
	echo "bench-peers: could not install: ${failed[*]}" >&2
	exit 1
}
