#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what `make bench` compares with, and what draws its figures; only what is missing.
# A peer may need the kernel's leave as well (uprobes, perf): the benchmark says what it met.
# `scripts/bench-peers.sh --list` prints the packages.
set -euo pipefail
. "$(dirname "$0")/apt.sh"

packages=(uftrace lttng-tools liblttng-ust-dev ltrace linux-perf bpftrace gnuplot-nox)

if [[ ${1:-} == --list ]]; then
	printf '%s\n' "${packages[@]}"
	exit 0
fi
missing=$(apt_missing "${packages[@]}")
failed=0
for package in $missing; do # one by one: each peer stands for itself
	apt_install "$package" || failed=1
done
exit $failed
