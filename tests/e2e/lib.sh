# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# lib.sh - what every e2e test begins with: `. "$(dirname "$0")/lib.sh"`.
#
# Paths from BUILD; a private INVREG_DIR in tmpfs, gone at exit; small assertions. A test
# ends by falling off its end (pass), by `fail`, or by `skip`.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Set by scripts/arm64.sh: what was built, and some programs, run under qemu-user.
# shellcheck disable=SC2034 # for who sources this
emulated=${INVREG_EMULATED:-}
build=$(cd "$root" && realpath "${BUILD:-build}")
hosts=$build/hosts
shim=$build/libinvreg_preload.so
for file in "$build/invreg" "$shim" "$hosts/threads"; do
	[[ -e $file ]] || { echo "$file is not built: make" >&2 && exit 1; }
done
base=/dev/shm
[[ -w $base ]] || base=${TMPDIR:-/tmp}
work=$(mktemp -d "$base/invreg-e2e.XXXXXX")
export INVREG_DIR=$work/sessions
mkdir -m 700 "$INVREG_DIR"
unset INVREG_SESSION INVREG_PROBES INVREG_DEBUG INVREG_CHILDREN NO_COLOR

cleanup() {
	local status=$? job
	for job in $(jobs -p); do
		kill -9 "$job" 2>/dev/null || true
	done
	rm -rf "$work"
	exit "$status"
}
trap cleanup EXIT

# A sanitizer's runtime has to come before all else in a program that was built without it: in
# front of the shim, and of what `invreg run` ("${sanitized[@]}") adds to.
preload=$shim
runtime=
sanitized=()
case ${SAN:-} in
address) runtime=$(${CC:-gcc} -print-file-name=libasan.so) ;;
thread) runtime=$(${CC:-gcc} -print-file-name=libtsan.so) ;;
esac
if [[ -n $runtime ]]; then
	preload=$runtime:$shim
	sanitized=(env "LD_PRELOAD=$runtime")
fi
export ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0:use_sigaltstack=0:${ASAN_OPTIONS:-}
export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}
# daemon threads of an interpreter are its own
export TSAN_OPTIONS=halt_on_error=0:exitcode=66:report_thread_leaks=0:suppressions=$root/tests/tsan/suppressions.txt:${TSAN_OPTIONS:-}

# There is one for this processor: what `auto` chooses, and `entry` demands.
has_entry_tier() {
	[[ $(uname -m) == x86_64 ]]
}

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

need() { # TOOL...
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
}

assert_eq() { # WHAT EXPECTED ACTUAL
	[[ $2 == "$3" ]] || fail "$1: expected '$2', got '$3'"
}

assert_contains() { # WHAT NEEDLE HAYSTACK
	[[ $3 == *"$2"* ]] || fail "$1: expected '$2' in: $3"
}

# Runs and keeps the exit status: `status_of CMD...; assert_eq "..." 4 "$status"`.
status_of() {
	status=0
	"$@" || status=$?
}

invreg() {
	local before=()
	[[ ${1:-} != run ]] || before=("${sanitized[@]}")
	"${before[@]}" "$build/invreg" "$@"
}

# `observed CMD...`: by hand, as the README says, with nothing but the environment.
observed() {
	env "LD_PRELOAD=$preload" "INVREG_PROBES=${probes:-$work/target.ini}" "$@"
}

# `run [OPTIONS] -- CMD...`: by `invreg run`, quiet.
run() {
	invreg run -p "${probes:-$work/target.ini}" "$@" 2>>"$work/run.err"
}

# Same stdout and exit status, bare and observed; leaves both in $work/{bare,observed}.out.
same_output() { # CMD...
	local bare=0 seen=0
	"$@" >"$work/bare.out" 2>"$work/bare.err" || bare=$?
	observed "$@" >"$work/observed.out" 2>"$work/observed.err" || seen=$?
	# the shell's own words about a command that was killed
	sed -i '/lib\.sh: line [0-9]*: /d' "$work/bare.err" "$work/observed.err"
	assert_eq "exit status of $*" "$bare" "$seen"
	diff "$work/bare.out" "$work/observed.out" || fail "stdout of '$*' differs when observed"
}

# The one session in INVREG_DIR.
session() {
	local files=("$INVREG_DIR"/*.seg)
	[[ -e ${files[0]} ]] || fail "no session was made in $INVREG_DIR"
	((${#files[@]} == 1)) || fail "several sessions: ${files[*]}"
	basename "${files[0]}" .seg
}

# Waits for a host that is nobody's child any more: the last that it says is its digest.
host_ends() { # OUTPUT SECONDS
	for _ in $(seq $(($2 * 100))); do
		grep -q digest "$1" && return
		sleep 0.01
	done
	return 1
}

forget_sessions() {
	rm -rf "$INVREG_DIR"
	mkdir -m 700 "$INVREG_DIR"
}

snapshot_json() { # SESSION > FILE
	invreg snapshot "$1" --format json
}

# `json FILE EXPRESSION`: prints a Python expression over d, the parsed file.
json() {
	python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
def lost(reason):
    return sum(row["count"] for row in d["lost"] if row["reason"] == reason)
def total(key="total_invocations"):
    return sum(row[key] for row in d["artifacts"])
print(eval(sys.argv[2]))' "$1" "$2"
}

# Totals of a snapshot against the host's own truth; --killed allows what kill -9 may hide.
compare_truth() { # SNAPSHOT.json TRUTH-FILE [--killed]
	"$hosts/threads" --print-truth "$2" >"$work/truth.tsv"
	python3 "$root/tests/e2e/compare_truth.py" "$1" "$work/truth.tsv" "${@:3}" ||
		fail "the snapshot differs from the host's own truth"
}

# One exact run: bare and observed print the same, and all totals equal the truth.
exact() { # HOST [OPTIONS...]
	local host=$1 name
	shift
	forget_sessions
	rm -f "$work/truth"
	"$hosts/$host" "$@" --truth "$work/truth" >"$work/bare.out" 2>/dev/null ||
		fail "$host $* failed by itself"
	rm -f "$work/truth"
	observed "$hosts/$host" "$@" --truth "$work/truth" >"$work/observed.out" ||
		fail "$host $* failed when observed"
	diff "$work/bare.out" "$work/observed.out" || fail "output of $host $* differs when observed"
	name=$(session)
	snapshot_json "$name" >"$work/snapshot.json"
	compare_truth "$work/snapshot.json" "$work/truth"
	echo "exact: $host $*: $(json "$work/snapshot.json" 'total()') calls"
}

cat >"$work/target.ini" <<'INI'
[probe target]
target        = target_invoke
signature     = int (ptr ctx, str invoker_id, str artifact_id, str method, int args_count, ptr args)
success       = return == 0
tick          = ctx->16:i64
error_message = ctx->32:str
error_type    = return: -13=permission, -22=validation, -110=timeout
error.default = execution
INI
