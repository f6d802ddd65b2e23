#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs a command on this machine as if it were an aarch64 Debian as well:
#   scripts/arm64.sh SYSROOT COMMAND...      (the sysroot is of `scripts/setup.sh --arm64`)
#
# In namespaces of its own, so that nothing of the machine changes and all is gone with the
# command: the sysroot's /usr lies over the machine's, whose libraries keep their places (that
# is what Debian's multiarch folders are for), and aarch64 programs are run by qemu-user, those
# too that a program or a script starts by itself. Rejected: `dpkg --add-architecture`, which
# changes what the machine's own packages may depend on; a chroot, in which the shell and python3
# of the tests would be emulated too; `qemu-aarch64 -L` before each command, which exec does
# not know.
#
# SYSROOT/tools come first in PATH: the compilers of the tests under the names that they use.
set -euo pipefail

sysroot=$1
shift

die() {
	echo "arm64: $*" >&2
	exit 1
}

# Stage 2: root of the new user namespace.
if [[ ${INVREG_ARM64_STAGE:-} == mounts ]]; then
	unset INVREG_ARM64_STAGE
	user=$1 group=$2
	shift 2
	mount -t binfmt_misc none /proc/sys/fs/binfmt_misc 2>/dev/null ||
		die "binfmt_misc cannot be mounted in a user namespace (Linux 6.7 or newer can)"
	# 64-bit little-endian executables and libraries of machine 183; F: qemu is opened now and
	# not looked for later, P: argv[0] stays.
	magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
	mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
	printf '%s' ":qemu-aarch64:M::$magic:$mask:$(command -v qemu-aarch64-static):FP" \
		>/proc/sys/fs/binfmt_misc/register || die "qemu-aarch64-static cannot be registered"
	mount -t overlay -o "ro,lowerdir=$sysroot/usr:/usr" overlay /usr ||
		die "nothing can be laid over /usr"
	export PATH=$sysroot/tools:$PATH INVREG_EMULATED=1 HOST_PLAIN_FORKS=1
	# Two locks of qemu's that a fork in another thread leaves locked in the child for ever: one is
	# taken at each open where there is a prefix to look in, the other is GLib's, of its slices.
	export QEMU_LD_PREFIX=/ G_SLICE=always-malloc
	if ((user != 0)); then
		exec unshare --user --map-user="$user" --map-group="$group" "$@"
	fi
	exec "$@"
fi

sysroot=$(realpath "$sysroot")
[[ -e $sysroot/usr/lib/ld-linux-aarch64.so.1 ]] || die "$sysroot is no sysroot: scripts/setup.sh --arm64"
[[ -L /lib && -L /bin ]] || die "/lib and /bin are not in /usr here"
user=$(id -u) group=$(id -g)
self=$(realpath "$0")
export INVREG_ARM64_STAGE=mounts
unshare --user true 2>/dev/null || die "user namespaces are not allowed here"
if ((user != 0)); then
	exec unshare --user --map-root-user --mount "$self" "$sysroot" "$user" "$group" "$@"
fi

# Root keeps all users, since some tests are about several. Only from outside can they be
# mapped: by a process that waits for the namespace and is waited for.
pipes=$(mktemp -d)
mkfifo "$pipes/there" "$pipes/mapped"
(
	read -r <"$pipes/there"
	echo 0 0 4294967295 >/proc/$$/uid_map
	echo 0 0 4294967295 >/proc/$$/gid_map
	echo >"$pipes/mapped"
	rm -r "$pipes"
) &
# The second exec is the one that makes root of user 0.
# shellcheck disable=SC2016 # that shell's own
exec unshare --user --mount bash -c 'echo >"$0/there"; read -r <"$0/mapped"; exec "$@"' \
	"$pipes" "$self" "$sysroot" "$user" "$group" "$@"
