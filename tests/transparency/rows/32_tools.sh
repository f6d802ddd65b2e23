#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# A counted host under the tools that people look into programs with, which the shim meets
# in the same process or across ptrace: strace, gdb, valgrind, perf's uprobes, ltrace.
. "$(dirname "$0")/../lib.sh"

probe_target
host="$hosts/threads --threads 2 --calls 500"

tool() { # WHAT TIERS LINE CALLS
	local tier
	program "$1" sh -c "$3"
	for tier in $2; do
		observe "$tier" "$4"
	done
}

# strace's own lines are about the shim, too: only the program's output is compared
if installed strace; then
	tool strace "entry got auto" "strace -f -o /dev/null $host" 1000
	tool "strace -c" "entry got auto" "strace -f -c -o /dev/null $host" 1000
fi
if installed gdb; then
	cat >"$given/commands" <<'GDB'
set debuginfod enabled off
set confirm off
set disable-randomization off
set breakpoint pending on
break target_invoke
commands
silent
printf "args %d\n", $r8
continue
end
run --threads 1 --calls 20
GDB
	[[ $(uname -m) == x86_64 ]] || sed -i 's/\$r8/$x4/' "$given/commands"
	tidy() { # a breakpoint's place, threads and process ids
		grep -E '^(args|digest|threads|calls)' "$1" | sort >"$1.some"
		mv "$1.some" "$1"
		: >"$2"
	}
	tool "gdb, a breakpoint on the target" "got auto" \
		"SHELL=/bin/sh gdb -nx -batch -x commands --args $hosts/threads" 20
	observe entry 0 "the breakpoint is where the jump would be"
	tidy() { :; }
fi
if installed valgrind; then
	tool "valgrind memcheck" "entry got auto" \
		"valgrind -q --error-exitcode=9 --leak-check=full $hosts/threads --threads 2 --calls 100" 200
	cat >"$work/heap.c" <<'C'
#include <stdlib.h>
#include <string.h>
int target_invoke(void *ctx, const char *invoker, const char *artifact, const char *method, int count, void *args);
int main(void)
{
	for (int length = 0; length < 40; length++) { /* each ends where its block ends */
		char *artifact = malloc((size_t)length + 1), *context = calloc(1, 256);
		memset(artifact, 'x', (size_t)length);
		artifact[length] = 0;
		free(malloc(9000));
		target_invoke(context, "invoker", artifact, "method", 1, NULL);
		free(artifact);
		free(context);
	}
	return 0;
}
C
	if "${CC:-gcc}" -g -o "$work/heap" "$work/heap.c" -L"$hosts" -ltruth_target "-Wl,-rpath,$hosts" 2>"$work/cc.err"; then
		tool "valgrind, texts on the heap" "entry got auto" \
			"valgrind -q --error-exitcode=9 --leak-check=full $work/heap" 40
	fi
fi
if installed ltrace; then
	# one thread: of two, ltrace often loses one, or crashes
	tool ltrace "entry got auto" "ltrace -f -o /dev/null $hosts/threads --threads 1 --calls 500" 1+
fi
