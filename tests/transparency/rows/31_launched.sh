#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# A counted host behind what starts programs: timeout, env -i, nice, setsid, stdbuf, other users,
# namespaces, chroot, and small limits. Where it is not observed, the row says why.
. "$(dirname "$0")/../lib.sh"

probe_target
chmod 755 "$work"
export HOST=$hosts/threads
calls="--threads 2 --calls 500"

# The shell line is run as such, in the folder; $HOST is the host that is observed.
launched() { # WHAT LINE CALLS [WHY]
	local tier
	program "$1" sh -c "$2"
	for tier in entry got auto; do
		observe "$tier" "$3" "${4:-}"
	done
}

launched timeout "timeout 20 \$HOST $calls" 1000
launched "timeout, which kills" "timeout -s KILL 1 $hosts/ballast --calls 4000000000 --work-us 50" 1+
launched "env -i" "env -i $HOST $calls" 0 "it clears LD_PRELOAD"
launched "env -i sh (LD_PRELOAD kept)" "env -i LD_PRELOAD=\"\$LD_PRELOAD\" INVREG_PROBES=\"\$INVREG_PROBES\" INVREG_DIR=\"\$INVREG_DIR\" $HOST $calls" 1000
launched nice "nice -n 5 \$HOST $calls" 1000
launched nohup "nohup \$HOST $calls" 1000
launched setsid "setsid -w \$HOST $calls" 1000
installed stdbuf && launched "stdbuf (a preload of its own)" "stdbuf -o0 \$HOST $calls" 1000
launched xargs "seq 8 | xargs -P 3 -n 2 sh -c '\$HOST --calls 100 | wc -l'" 400
installed make && {
	printf 'all: a b c d\na b c d:\n\t@$(HOST) --calls 100 >$@\n' >"$given/Makefile"
	launched "make -j3" "make -s -j3" 400
}

# ---- limits ---------------------------------------------------------------------------------
launched "ulimit -n 4" "ulimit -n 4; exec \$HOST $calls" 1000
tidy() { without_the_loaders_words "$2"; }
launched "ulimit -n 3" "ulimit -n 3; exec \$HOST $calls" 0 "the loader has no descriptor for any library"
tidy() { :; }
launched "ulimit -s 64" "ulimit -s 64; exec \$HOST $calls" 1000
program "ulimit -f 0" sh -c "ulimit -f 0; exec \$HOST $calls >/dev/null"
observe entry 0 "it may make no file, so no session"
observe got 0 "it may make no file, so no session"
observe auto 1000 # run has made the session
launched "ulimit -v 60000" "ulimit -v 60000; exec \$HOST $calls" 0 "the session does not fit"
launched "ulimit -u" "ulimit -u 1; exec \$HOST --threads 1 --calls 1000" 1000
launched "ulimit -l 0" "ulimit -l 0; exec \$HOST $calls" 1000

if [[ $(cat /proc/sys/kernel/core_pattern) == core ]]; then
	tidy() { # that it is there, and none of the session in it
		[[ ! -s core ]] || { echo "core, under 20 MB: $(($(du -k core | cut -f 1) < 20000))" >>"$1" && rm core; }
		sed -i '/^timeout: the monitored command dumped core/d' "$2"
	}
	launched "a core file" "ulimit -c unlimited; exec $hosts/habits --state core --calls 500" 250
	tidy() { :; }
else
	say "a core file" - - "skipped: it would not be left in the folder here"
fi

# ---- other users, other roots ------------------------------------------------------------------
if [[ $(id -u) != 0 ]]; then
	say "setpriv, unshare, chroot" - - "skipped: only root may"
	exit 0
fi
launched "setpriv --reuid (another user)" "setpriv --reuid 65534 --clear-groups $HOST $calls" 0 \
	"root's session is not the other user's to write"
launched "privileges dropped in mid-run" "$hosts/drops --calls 500 --threads 2 --state 65534" 3000
installed runuser && launched runuser "runuser -u nobody -- $HOST $calls" 0 "as above"
if unshare -pf true 2>/dev/null; then
	launched "unshare --pid --mount" "unshare -pmf --mount-proc \$HOST $calls" 1000
	launched "unshare --user" "unshare -U \$HOST $calls" 1000
	launched "unshare --net --ipc --uts" "unshare -niu \$HOST $calls" 1000
else
	say unshare - - "skipped: not permitted here"
fi
mkdir "$work/jail"
for file in "$HOST" "$hosts/libtruth_target.so" $(ldd "$HOST" | grep -o '/[^ ]*' | sort -u); do
	mkdir -p "$work/jail$(dirname "$file")"
	cp "$file" "$work/jail$file"
done
tidy() { without_the_loaders_words "$2"; }
launched "chroot without the shim in it" "chroot $work/jail $HOST $calls" 0 "ld.so says so on stderr"
