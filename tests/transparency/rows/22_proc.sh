#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# What an observed process finds out about itself: in /proc, its limits, its descriptors and its
# environment, where the names that start the shim are all that is new.
. "$(dirname "$0")/../lib.sh"

cat >"$given/self.sh" <<'SH'
while read -r line; do
	case $line in
	Umask* | FDSize* | Groups* | Threads* | Sig[PBIC]* | Shd* | Cap* | NoNew* | Seccomp* | Cpus* | Mems* | Uid* | Gid*) echo "$line" ;;
	esac
done </proc/self/status
while read -r line; do echo "$line"; done </proc/self/limits
for fd in /proc/$$/fd/*; do echo "${fd##*/}"; done
for task in /proc/$$/task/*; do echo task; done
read -r line </proc/self/oom_score_adj; echo "$line"
read -r line </proc/self/timerslack_ns; echo "$line"
read -r line </proc/self/coredump_filter; echo "$line"
read -r line </proc/self/personality; echo "$line"
read -r line </proc/self/comm; echo "$line"
ulimit -a; trap; umask; jobs; times >/dev/null
for signal in 13 17 11; do kill -l $signal; done
type -a echo; hash
SH
probe execute program:execute_command_internal 'int (ptr command, int asynchronous, int in, int out, ptr fds)' \
	'artifact_id = "command"'
program "what /proc says" bash self.sh
observe entry 50+
observe auto 50+

# What is there besides: documented in invreg(1), and nothing else.
tidy() {
	sed -i -E '/^(LD_PRELOAD|INVREG_PROBES|INVREG_SESSION|ASAN_OPTIONS)=/d' "$1"
}
program "its environment" bash -c 'export -p >/dev/null; env | sort'
observe entry 1+
observe auto 1+
