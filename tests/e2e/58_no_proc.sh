#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# In a chroot without /proc: nothing is known of who lives, counts are exact all the same,
# and neither those inside nor those outside take anything from the others.
# skip-under: address thread: its runtime wants a /proc
if [[ -z ${IN_OWN_MOUNTS:-} ]]; then
	if [[ $(id -u) != 0 ]] || ! unshare -m --propagation private mount -t tmpfs none /mnt 2>/dev/null; then
		echo "no right to mount for a chroot"
		exit 77
	fi
	IN_OWN_MOUNTS=1 exec unshare -m --propagation private bash "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
need python3 chroot
# shellcheck disable=SC2154 # code is assigned in the trap
trap 'code=$?; set +e; umount -R "$work/jail"; (exit "$code"); cleanup' EXIT

# System folders and the build where they are outside; /w is our own.
jail=$work/jail
mkdir "$jail" "$work/w"
mount -t tmpfs none "$jail"
for folder in bin lib lib32 lib64 usr; do
	if [[ -L /$folder ]]; then
		cp -a "/$folder" "$jail/"
	elif [[ -d /$folder ]]; then
		mkdir "$jail/$folder"
		mount --rbind "/$folder" "$jail/$folder"
	fi
done
mkdir -p "$jail/w" "$jail/dev" "$jail$build"
mount --bind "$work/w" "$jail/w"
mount --bind "$build" "$jail$build"
touch "$jail/dev/null"
mount --bind /dev/null "$jail/dev/null"
cp "$work/target.ini" "$work/w/"
export LD_LIBRARY_PATH=$hosts # $ORIGIN needs a /proc
export INVREG_DIR=$work/w/sessions # and /w/sessions inside
mkdir -m 700 "$INVREG_DIR"
[[ ! -e $jail/proc ]] || fail "there is a /proc in the jail"

jailed() { # CMD...: by hand, inside
	chroot "$jail" /usr/bin/env "LD_PRELOAD=$preload" INVREG_PROBES=/w/target.ini \
		INVREG_DIR=/w/sessions "$@"
}
start_over() {
	forget_sessions
	rm -f "$work/w/truth"
}
check() { # WHAT
	snapshot_json "$(session)" >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/w/truth"
	assert_eq "never returned, $1" 0 "$(json "$work/snapshot.json" 'len(d["never_returned"])')"
	echo "exact: $1: $(json "$work/snapshot.json" 'total()') calls"
}

# ---- inside, read from both sides -----------------------------------------------------------

for host in "threads --threads 4 --calls 5000" "forks --depth 3 --calls 200" \
	"churn --depth 5 --threads 40 --calls 50"; do
	start_over
	# shellcheck disable=SC2086 # a host and its options
	"$hosts/"$host >"$work/bare.out"
	# shellcheck disable=SC2086
	jailed "$hosts/"$host --truth /w/truth >"$work/seen.out" 2>"$work/seen.err"
	diff "$work/bare.out" "$work/seen.out" || fail "stdout of $host differs inside"
	assert_eq "what the shim says inside" "" "$(cat "$work/seen.err")"
	check "$host, inside"
	assert_eq "state of what ended inside" unknown "$(invreg ls | awk 'NR == 2 { print $2 }')"
	jailed "$build/invreg" snapshot --format json >"$work/inside.json"
	assert_eq "calls that a reader inside sees" "$(json "$work/snapshot.json" 'total()')" \
		"$(json "$work/inside.json" 'total()')"
done
# qemu-user makes up a start time even there.
[[ -n $emulated || $(session) =~ ^_-[0-9]+-0$ ]] || fail "the name inside: $(session)"

start_over
chroot "$jail" "$build/invreg" run -q -p /w/target.ini --dir /w/sessions --session by-run -- \
	"$hosts/threads" --threads 2 --calls 3000 --truth /w/truth >/dev/null
check "by run, inside"

# ---- both sides at once ---------------------------------------------------------------------

# Whoever made it: the one that runs keeps its lane and its row, and the session its name.
both() { # FIRST SECOND
	start_over
	export INVREG_SESSION=shared
	"$1" "$hosts/ballast" --calls 20000 --work-us 50 --truth "${truth[$1]}" >/dev/null &
	for _ in $(seq 200); do
		[[ ! -e $INVREG_DIR/shared.seg ]] || break
		sleep 0.02
	done
	sleep 0.2
	invreg prune --keep 0 >/dev/null
	jailed "$build/invreg" prune --keep 0 >/dev/null
	for _ in 1 2 3; do
		"$2" "$hosts/ballast" --calls 50000 --truth "${truth[$2]}" >/dev/null
	done
	wait
	unset INVREG_SESSION
	check "$1 first, then $2"
}
declare -A truth=([jailed]=/w/truth [observed]=$work/w/truth [in_namespace]=/w/truth
	[second_there]=/w/truth)
both jailed observed
both observed jailed
both jailed jailed

# Without a /proc pid 1 of two containers cannot be told apart, and must not be taken for one.
if unshare -p -f true 2>/dev/null; then
	in_namespace() {
		unshare -p -f chroot "$jail" /usr/bin/env "LD_PRELOAD=$preload" \
			INVREG_PROBES=/w/target.ini INVREG_DIR=/w/sessions "$@"
	}
	second_there() { # with a number that nobody has in the namespace of the other
		unshare -p -f chroot "$jail" /bin/sh -c '"$@" & wait $!' sh /usr/bin/env \
			"LD_PRELOAD=$preload" INVREG_PROBES=/w/target.ini INVREG_DIR=/w/sessions "$@"
	}
	both in_namespace in_namespace
	both second_there in_namespace
else
	echo "no pid namespaces here"
fi
