#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# No room, no right, no directory: the program runs as ever, unobserved or degraded.
# skip-under: address thread: its runtime does not live within the limits of the test
. "$(dirname "$0")/lib.sh"
need python3 unshare

run_quietly() { # WHAT; INVREG_DIR says where
	same_output "$hosts/threads" --threads 4 --calls 5000
	diff "$work/bare.err" "$work/observed.err" || fail "$1: the shim talked"
	echo "harmless: $1"
}

INVREG_DIR=$work/no/such/directory run_quietly "directory absent"
INVREG_DIR=$work/target.ini run_quietly "directory is a file"
ln -s "$INVREG_DIR" "$work/link"
INVREG_DIR=$work/link run_quietly "directory is a symlink"
mkdir -m 777 "$work/open"
INVREG_DIR=$work/open run_quietly "directory open to all"

# limits of the process: no SIGXFSZ, no failed allocation of the program's own
for limit in "-f 8" "-f 2000" "-v 100000" "-n 4"; do
	same_output bash -c "ulimit $limit; exec $hosts/ballast --calls 5000"
	echo "harmless: ulimit $limit"
done

# a file system of its own, tiny or read-only
if [[ $(id -u) != 0 ]] || ! unshare -m true 2>/dev/null; then
	skip "limits pass; no mount namespace for the rest"
fi
mkdir -p "$work/mnt"
# shellcheck disable=SC2016 # expanded in the namespace
in_mount() { # OPTIONS WHAT: runs the host on a tmpfs with these options
	BARE=$work/bare.out PRELOAD=$preload PROBES=$work/target.ini HOST=$hosts/threads \
		INVREG=$build/invreg MNT=$work/mnt OPTIONS=$1 unshare -m --propagation private bash -euc '
		mount -t tmpfs -o "$OPTIONS" none "$MNT"
		mkdir -m 700 "$MNT/s" 2>/dev/null || true
		export INVREG_DIR=$MNT/s
		LD_PRELOAD=$PRELOAD INVREG_PROBES=$PROBES "$HOST" --threads 4 --calls 50000 >"$BARE.seen"
		if ls "$MNT"/s/*.seg >/dev/null 2>&1; then
			"$INVREG" snapshot --format json >"$BARE.json"
		fi' || fail "$2"
	diff "$work/bare.out" "$work/bare.out.seen" || fail "$2: output differs"
	echo "harmless: $2"
}
"$hosts/threads" --threads 4 --calls 50000 >"$work/bare.out"
in_mount size=1m,ro "read-only"
for size in 64k 300k 1m 2m 4m 8m 16m; do
	rm -f "$work/bare.out.json"
	in_mount size=$size,mode=700 "$size of room"
	if [[ -e $work/bare.out.json ]]; then
		total=$(json "$work/bare.out.json" 'total()')
		[[ $total == 200000 ]] || echo "with $size: $total of 200000 calls tallied; $(json "$work/bare.out.json" 'd["lost"]')"
		lost=$(json "$work/bare.out.json" 'sum(row["count"] for row in d["lost"])')
		[[ $total == 200000 ]] || ((lost > 0)) || fail "$size: $total of 200000 calls, and no loss is counted"
	fi
done
