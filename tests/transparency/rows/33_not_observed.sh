#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# Programs that a preload cannot enter run as they do bare, and `doctor` says why: static, setuid,
# of another class. And those with a runtime that wants to be first: sanitizers, jemalloc.
. "$(dirname "$0")/../lib.sh"

probe_target
bin=$(mktemp -d "${TMPDIR:-/tmp}/invreg-transparency.XXXXXX") # may be setuid there
trap 'code=$?; rm -rf "$bin"; (exit "$code"); leave_row' EXIT
chmod 755 "$bin" "$work"
cat >"$bin/host.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int target_invoke(void *ctx, const char *invoker, const char *artifact, const char *method, int count, void *args);
int main(void)
{
	char context[256] = {0}, *kept = malloc(100);
	for (int i = 0; i < 100; i++)
		target_invoke(context, "invoker", "artifact", "method", i, NULL);
	printf("user %d %d\n", (int)getuid(), (int)geteuid());
	free(kept);
	return 3;
}
C
build() { # NAME FLAGS...
	local name=$1
	shift
	"${CC:-gcc}" -g -o "$bin/$name" "$bin/host.c" "$@" 2>"$work/cc.err"
}
link=(-L"$hosts" -ltruth_target "-Wl,-rpath,$hosts")
in_all() { # CALLS [WHY]
	local tier
	for tier in entry got auto; do
		observe "$tier" "$@"
	done
}

# ---- no loader, or one that ignores a preload ---------------------------------------------------
if build static -static "$root/tests/hosts/truth_target.c"; then
	program "a static program" "$bin/static"
	in_all 0 "it has no loader"
	doctor_says "static program"
else
	say "a static program" - - "skipped: no static libc here"
fi
if [[ $(id -u) == 0 ]] && build setuid "${link[@]}"; then
	chmod 4755 "$bin/setuid"
	program "a setuid program" setpriv --reuid 65534 --regid 65534 --clear-groups "$bin/setuid"
	in_all 0 "the loader ignores the preload"
	cp "$(command -v id)" "$bin/id"
	chmod 4755 "$bin/id"
	program "id, setuid root" setpriv --reuid 65534 --regid 65534 --clear-groups "$bin/id"
	in_all 0 "as above"
	chown 65534:65534 "$bin/setuid"
	chmod 6755 "$bin/setuid"
	program "a setuid program of another user" "$bin/setuid"
	in_all 0 "as above"
	doctor_says setuid
else
	say "a setuid program" - - "skipped: only root can make one for another user"
fi
if build narrow -m32 "$root/tests/hosts/truth_target.c"; then
	tidy() { without_the_loaders_words "$2"; }
	program "a 32-bit program" "$bin/narrow"
	in_all 0 "ld.so says so on stderr"
	doctor_says 32-bit
	tidy() { :; }
else
	say "a 32-bit program" - - "skipped: no 32-bit libc here"
fi

# ---- runtimes -----------------------------------------------------------------------------------
for compiler in gcc clang; do
	for sanitizer in address undefined thread leak; do
		what="$compiler -fsanitize=$sanitizer"
		if ! CC=$compiler build "$sanitizer" "-fsanitize=$sanitizer" "${link[@]}"; then
			say "$what" - - "skipped: not here"
			continue
		fi
		program "$what" "$bin/$sanitizer"
		observe auto 100
	done
done
jemalloc=$(ldconfig -p | awk '/libjemalloc.so.2 / { print $NF; exit }')
if [[ -n $jemalloc ]]; then
	others=$jemalloc
	program "jemalloc preloaded, after the shim" "$hosts/threads" --threads 2 --calls 500
	in_all 1000
	preload=$jemalloc:$preload others=
	program "jemalloc preloaded, before the shim" "$hosts/threads" --threads 2 --calls 500
	observe entry 1000
	observe got 1000
else
	say "jemalloc" - - "skipped: not installed"
fi
