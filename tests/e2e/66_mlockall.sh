#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program that locks its memory (mlockall) before or after its session is made: each of its own
# mappings has its pages and is locked as in the bare run, and the session takes what it ever
# takes, though its holes are gigabytes of addresses.
# skip-under: address thread: its runtime makes nothing of mlockall
. "$(dirname "$0")/lib.sh"
need gcc python3

cat >"$work/locks.c" <<'EOF'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *map(void)
{
	return mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int resident(unsigned char *at)
{
	unsigned char page[256];
	int count = 0;
	mincore(at, 1 << 20, page);
	for (int i = 0; i < 256; i++)
		count += page[i] & 1;
	return count;
}

static void load(const char *path)
{
	int (*invoke)(void *, const char *, const char *, const char *);
	char world[64] = {0};
	void *library = dlopen(path, RTLD_NOW);
	*(void **)&invoke = library ? dlsym(library, "invoke_here") : NULL;
	for (int i = 0; invoke && i < 100; i++)
		invoke(world, "a", "b", "c");
}

int main(int argc, char **argv)
{
	int flags = atoi(argv[2]), late = argc > 3;
	unsigned char *before = map(), *after;
	if (!late)
		load(argv[1]);
	int r = mlockall(flags);
	after = map();
	if (late)
		load(argv[1]);
	printf("mlockall %d, pages before %d, after %d\n", r, resident(before), resident(after));
	return r != 0;
}
EOF
cat >"$work/invoke.c" <<'EOF'
int invoke_here(void *world, const char *invoker, const char *artifact, const char *method)
{
	return !world || !*invoker || !*artifact || !*method;
}
EOF
gcc -O2 -shared -fPIC -o "$work/libinvoke.so" "$work/invoke.c"
gcc -O2 -o "$work/locks" "$work/locks.c" -ldl
cat >"$work/invoke.ini" <<'EOF'
[probe invoke]
target    = libinvoke.so:invoke_here
signature = int (ptr world, str invoker_id, str artifact_id, str method)
EOF
probes=$work/invoke.ini
"$work/locks" "$work/libinvoke.so" 3 >"$work/bare" || skip "this user may not lock memory: $(cat "$work/bare")"

# a limit that the program keeps, and would not with the session's addresses: without CAP_IPC_LOCK
limited() { # CMD...
	(ulimit -l 8192 && exec setpriv --bounding-set -ipc_lock --inh-caps -ipc_lock "$@")
}
for how in 1 3 "3 late"; do
	[[ -z ${SAN:-} ]] || break # the sanitizer's library alone is beyond it
	forget_sessions
	# shellcheck disable=SC2086 # one word or two
	limited "$work/locks" "$work/libinvoke.so" $how >"$work/bare" || fail "$how at a limit, bare: $(cat "$work/bare")"
	# shellcheck disable=SC2086
	limited env "LD_PRELOAD=$preload" "INVREG_PROBES=$probes" "$work/locks" "$work/libinvoke.so" $how >"$work/seen" ||
		fail "$how at a limit: $(cat "$work/seen")"
	assert_eq "$how at a limit: what is locked" "$(cat "$work/bare")" "$(cat "$work/seen")"
	# with MCL_FUTURE and no session yet, the kernel refuses us the addresses of one
	if [[ $how != *late ]]; then
		snapshot_json "$(session)" >"$work/snapshot.json"
		assert_eq "$how at a limit: calls" 100 "$(json "$work/snapshot.json" 'total()')"
	fi
	echo "mlockall($how) at a limit: $(cat "$work/seen")"
done

# current, future, both, on fault; a session made before it, and after
for how in 1 2 3 "1 late" "2 late" "3 late" 5 7; do
	forget_sessions
	# shellcheck disable=SC2086 # one word or two
	"$work/locks" "$work/libinvoke.so" $how >"$work/bare" || fail "$how, bare: $(cat "$work/bare")"
	# shellcheck disable=SC2086
	observed "$work/locks" "$work/libinvoke.so" $how >"$work/seen" || fail "$how: $(cat "$work/seen")"
	assert_eq "$how: what is locked" "$(cat "$work/bare")" "$(cat "$work/seen")"
	snapshot_json "$(session)" >"$work/snapshot.json"
	assert_eq "$how: calls" 100 "$(json "$work/snapshot.json" 'total()')"
	kb=$(du -sk "$INVREG_DIR" | cut -f 1)
	((kb < 16384)) || fail "$how: the session takes $kb KB"
	echo "mlockall($how): $(cat "$work/seen"); $kb KB"
done
