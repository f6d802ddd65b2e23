# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# apt.sh - for scripts that install Debian packages; sourced, by a script under `set -e`.
#
#   apt_missing PACKAGE...    prints those that are not installed, or says how to get them where
#                             there is no apt, and exits 1
#   apt_install PACKAGE...    installs them; returns 1 and says why where it cannot

apt_me=$(basename "$0" .sh)

apt_here() {
	command -v dpkg-query >/dev/null && command -v apt-get >/dev/null
}

apt_missing() {
	local installed package
	if ! apt_here; then
		echo "$apt_me: no apt here; install these by your package manager: $*" >&2
		exit 1
	fi
	installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
	for package; do
		grep -qx "$package installed" <<<"$installed" || echo "$package"
	done
}

# RUNLEVEL: a package must not start a server of its own where policy-rc.d allows it.
apt_get() {
	local sudo=()
	[[ $(id -u) == 0 ]] || sudo=(sudo)
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o Dpkg::Use-Pty=0 "$@"
}

apt_install() {
	local log status=0
	if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; then
		echo "$apt_me: neither root nor sudo; as root: apt-get install $*" >&2
		return 1
	fi
	echo "$apt_me: installing $*"
	log=$(mktemp)
	# An index that is old or absent fails the install: only then is it fetched.
	if ! apt_get install -y --no-install-recommends "$@" >"$log" 2>&1 &&
		! { apt_get update && apt_get install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
		cat "$log" >&2
		echo "$apt_me: apt-get could not install: $*" >&2
		status=1
	fi
	rm -f "$log"
	return $status
}
