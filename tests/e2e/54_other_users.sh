#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Several users: each has sessions of its own, root reads all, a third is told that it is a
# matter of rights; what is not one's own alone is refused, and the program runs on.
# skip-under: thread: other users start run without its runtime in front
. "$(dirname "$0")/lib.sh"
need python3 setpriv
[[ $(id -u) == 0 ]] || skip "only root can be other users"

# Nobody has these numbers; they differ from run to run. What they run must be theirs to read.
owner=$((1000000 + $$ * 2))
other=$((owner + 1))
home=/dev/shm/invreg-$owner
trap 'code=$?; set +e; rm -rf "/dev/shm/invreg-$owner" "/dev/shm/invreg-$other"; (exit "$code"); cleanup' EXIT
unset INVREG_DIR
chmod 755 "$work"
mkdir -m 755 "$work/bin"
cp "$build/invreg" "$shim" "$work/bin/"
cp -r "$hosts" "$work/bin/hosts"
chmod -R a+rX "$work/bin"
chmod 644 "$work/target.ini"
host=$work/bin/hosts
mkdir -m 700 "$work/owner" "$work/other"
chown "$owner:$owner" "$work/owner"
chown "$other:$other" "$work/other"

as() { # UID CMD...
	setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}
observed_as() { # UID CMD...
	as "$1" env "LD_PRELOAD=$work/bin/libinvreg_preload.so" "INVREG_PROBES=$work/target.ini" "${@:2}"
}
invreg_as() { # UID ARGUMENTS...
	as "$1" "$work/bin/invreg" "${@:2}"
}

same_as_truth() { # WHAT TRUTH-FILE
	compare_truth "$work/snapshot.json" "$2"
	echo "exact: $1: $(json "$work/snapshot.json" 'total()') calls"
}

# ---- one's own ------------------------------------------------------------------------------

truth=$work/owner/truth
(umask 0 && observed_as "$owner" "$host/threads" --threads 2 --calls 5000 --truth "$truth" >/dev/null)
assert_eq "mode and owner of the directory" "700 $owner" "$(stat -c '%a %u' "$home")"
name=$(basename "$home"/*.seg .seg)
assert_eq "mode and owner of the session" "600 $owner" "$(stat -c '%a %u' "$home/$name.seg")"
invreg_as "$owner" snapshot --format json >"$work/snapshot.json"
same_as_truth "a user reads" "$truth"

# ---- root reads -----------------------------------------------------------------------------

invreg snapshot --dir "$home" --format json >"$work/snapshot.json"
same_as_truth "root reads" "$truth"
invreg snapshot "$home/$name.seg" --format json >"$work/snapshot.json"
same_as_truth "root reads the file" "$truth"
invreg ls --dir "$home" | grep -q "^$name *ended *10000 " || fail "root's ls of another's sessions"
[[ -n $(invreg events --dir "$home" -n 3) ]] || fail "root reads no events of another"
setpriv --reuid "$owner" --regid "$owner" --clear-groups \
	env "LD_PRELOAD=$work/bin/libinvreg_preload.so" "INVREG_PROBES=$work/target.ini" \
	"$host/ballast" --calls 4000000000 --work-us 100 --truth "$work/owner/live" >/dev/null &
running=$!
for _ in $(seq 200); do
	invreg snapshot --dir "$home" --format json >"$work/live.json"
	[[ $(json "$work/live.json" 'd["status"]["state"], total() > 10') != "('live', True)" ]] || break
	sleep 0.05
done
assert_eq "state of a live one that root reads" live "$(json "$work/live.json" 'd["status"]["state"]')"
kill -9 "$running"
wait "$running" 2>/dev/null || true
invreg snapshot --dir "$home" --format json >"$work/snapshot.json"
assert_eq "state of it killed" ended "$(json "$work/snapshot.json" 'd["status"]["state"]')"
compare_truth "$work/snapshot.json" "$work/owner/live" --killed

# ---- a third does not, and is told why ------------------------------------------------------

denied() { # CODE WORDS VERB ARGUMENTS...
	local code=$1 words=$2
	shift 2
	status_of as "$other" timeout 20 "$work/bin/invreg" "$@" >"$work/out" 2>"$work/err" </dev/null
	sed -i '/^invreg: http:/d' "$work/err" # the server says where it is, before
	assert_eq "exit status of a third's $*" "$code" "$status"
	assert_eq "lines said to a third's $*" 1 "$(wc -l <"$work/err")"
	assert_contains "a third's $*" "$words" "$(cat "$work/err")"
	assert_contains "the remedy for a third's $*" "as its owner or as root" "$(cat "$work/err")"
	[[ ! -s $work/out ]] || fail "a third's $* printed something"
}
for verb in snapshot stats "events -n 1" "events -f" "history invoker_0" "top -1" \
	"serve --listen 127.0.0.1:0" pause; do
	# shellcheck disable=SC2086 # a verb and its options
	denied 4 "Permission denied" $verb --dir "$home"
done
denied 4 "Permission denied" snapshot "$name" --dir "$home"
denied 4 "Permission denied" events -f "$name" --dir "$home"
for verb in snapshot stats events "history invoker_0" "top -1" "serve --listen 127.0.0.1:0"; do
	# shellcheck disable=SC2086 # a verb and its options
	denied 4 "Permission denied" $verb "$home/$name.seg"
done
denied 1 "Permission denied" ls --dir "$home"
denied 1 "Permission denied" prune --keep 0 --dir "$home"

# a directory that may be listed, with files that may not be read, or may
chmod 755 "$home"
denied 4 "Permission denied" snapshot --dir "$home"
denied 4 "Permission denied" snapshot "$name" --dir "$home"
invreg_as "$other" ls --dir "$home" | grep -q "^$name *refused *it belongs to another user" ||
	fail "ls of another's files"
chmod 644 "$home"/*.seg
denied 4 "belongs to another user" snapshot --dir "$home"
denied 4 "belongs to another user" events "$name" --dir "$home"
invreg_as "$other" prune --keep 0 --dir "$home" >/dev/null
invreg prune --keep 0 --dir "$home" >/dev/null # root reads, but removes its own only
assert_eq "sessions that others pruned" 2 "$(find "$home" -name '*.seg' | wc -l)"
status_of invreg_as "$other" snapshot >/dev/null 2>"$work/err"
assert_eq "exit status without a session of one's own" 3 "$status"
rm -rf "$home"
echo "denied, with the reason"

# ---- a directory that is not one's own alone ------------------------------------------------

# The program runs the same; silent by hand, the reason by INVREG_DEBUG and by run.
refused() { # WHAT REASON REMEDY; INVREG_DIR or the default
	"$host/threads" --threads 2 --calls 2000 >"$work/bare.out"
	observed_as "$owner" "$host/threads" --threads 2 --calls 2000 >"$work/seen.out" 2>"$work/err" ||
		fail "the program failed where the directory is $1"
	diff "$work/bare.out" "$work/seen.out" || fail "stdout differs where the directory is $1"
	assert_eq "what the shim says by itself" "" "$(cat "$work/err")"
	INVREG_DEBUG=1 observed_as "$owner" "$host/threads" --calls 10 2>"$work/err" >/dev/null
	assert_contains "INVREG_DEBUG, $1" "$2" "$(cat "$work/err")"
	invreg_as "$owner" run -p "$work/target.ini" -- "$host/threads" --threads 2 --calls 2000 \
		>"$work/seen.out" 2>"$work/err" || fail "run failed where the directory is $1"
	diff "$work/bare.out" "$work/seen.out" || fail "stdout differs under run where the directory is $1"
	assert_eq "lines that run says, $1" 1 "$(wc -l <"$work/err")"
	assert_contains "run, $1" "$2: the program runs unobserved" "$(cat "$work/err")"
	assert_contains "the remedy by run, $1" "$3" "$(cat "$work/err")"
	assert_eq "files in a directory that is $1" "" "$(find -H "$home" -type f -name '*.seg*' 2>/dev/null)"
	rm -rf "$home"
	echo "refused, unharmed: $1"
}
mkdir -m 777 "$home" && chown "$other" "$home"
refused "another's" "it belongs to another user" "--dir"
mkdir -m 755 "$home"
refused "root's" "it belongs to another user" "--dir"
mkdir "$home" && chown "$owner" "$home" && chmod 770 "$home"
refused "open to a group" "other users may write to it" "chmod go-w"
mkdir "$home" && chown "$owner" "$home" && chmod 703 "$home"
refused "open to all" "other users may write to it" "chmod go-w"
ln -s "$work/owner" "$home" && chown -h "$owner" "$home"
refused "a symlink to one's own" "not a regular file or directory of its own" "--dir"
touch "$home" && chown "$owner" "$home"
refused "a file" "not a regular file or directory of its own" "--dir"
mkdir -m 500 "$home" && chown "$owner" "$home"
refused "without the right to write" "Permission denied" "--dir"

# ---- sessions of others, to join ------------------------------------------------------------

# Sums are of the first 4 MB: all but the lanes, which are mostly holes.
left_alone() { # WHAT UID REASON: a joiner of `theirs` in $work/shared
	local sum
	sum=$(head -c 4000000 "$work/shared/theirs.seg" | md5sum)
	"$host/threads" --calls 500 >"$work/bare.out"
	INVREG_DEBUG=1 INVREG_DIR=$work/shared INVREG_SESSION=theirs \
		observed_as "$2" "$host/threads" --calls 500 >"$work/seen.out" 2>"$work/err" ||
		fail "the program failed: $1"
	diff "$work/bare.out" "$work/seen.out" || fail "stdout differs: $1"
	assert_contains "$1" "$3" "$(cat "$work/err")"
	assert_eq "bytes of another's session, $1" "$sum" "$(head -c 4000000 "$work/shared/theirs.seg" | md5sum)"
	echo "left alone: $1"
}
mkdir "$work/shared" && chown "$owner" "$work/shared"
as "$owner" "$work/bin/invreg" run -q -p "$work/target.ini" --dir "$work/shared" --session theirs -- true
chmod 777 "$work/shared"
left_alone "a session of mode 600 of another" "$other" "Permission denied"
left_alone "root told to join a user's" 0 "it belongs to another user"
chmod 666 "$work/shared/theirs.seg"
left_alone "a session of another that all may write" "$other" "it belongs to another user"
left_alone "a session of one's own that all may write" "$owner" "other users may write to it"
chmod 600 "$work/shared/theirs.seg"

# root's run of a program that another user runs: not observed, unharmed, and said
mkdir -m 700 "$work/root"
"$host/threads" --threads 2 --calls 2000 >"$work/bare.out"
"$work/bin/invreg" run -p "$work/target.ini" --dir "$work/root" --session root -- \
	setpriv --reuid "$other" --regid "$other" --clear-groups \
	env INVREG_DEBUG=1 "$host/threads" --threads 2 --calls 2000 >"$work/seen.out" 2>"$work/err"
diff "$work/bare.out" "$work/seen.out" || fail "stdout differs where run is root's, the program another's"
assert_contains "the shim in another's process" "Permission denied" "$(cat "$work/err")"
assert_contains "run about another's process" "became user $other, who may not write to a session of user 0" \
	"$(cat "$work/err")"

assert_contains "the shim of its probes" "is not bound: this process has no session" "$(cat "$work/err")"
[[ $(cat "$work/err") != *"made writable"* ]] || fail "the shim in another's process: $(cat "$work/err")"

# ... but in the default directory it has a session of its own, which run names
for before in "" "$host/threads --calls 10;"; do
	rm -f "$truth"
	"$work/bin/invreg" run -p "$work/target.ini" --session "root-$$" -- bash -c "$before
		setpriv --reuid $owner --regid $owner --clear-groups $host/threads --threads 2 --calls 200 --truth $truth; true" \
		>/dev/null 2>"$work/err"
	rm -f "/dev/shm/invreg-0/root-$$".* && rmdir --ignore-fail-on-non-empty /dev/shm/invreg-0
	assert_contains "run about another's session" \
		"what became user $owner has a session of its own: \`invreg snapshot $home/root-$$.seg\`" "$(cat "$work/err")"
	[[ $(cat "$work/err") != *"nothing was seen"* ]] || fail "run says that nothing was seen"
	invreg snapshot "$home/root-$$.seg" --format json >"$work/snapshot.json"
	same_as_truth "what another's process wrote" "$truth"
	rm -rf "$home"
done

# one that begins as root, binds, and then is another user: lanes and a child come later
rm -f "$work/root"/*
INVREG_DIR=$work/root observed_as 0 "$host/drops" --threads 4 --calls 5000 --state "$other" \
	--truth "$work/truth" >/dev/null
invreg snapshot --dir "$work/root" --format json >"$work/snapshot.json"
same_as_truth "a program that gives root up" "$work/truth"

# ---- user namespaces ------------------------------------------------------------------------

if ! as "$owner" unshare -U true 2>/dev/null; then
	echo "no user namespaces for users here"
	exit 0
fi
for map in "" -r; do
	rm -f "$truth"
	# shellcheck disable=SC2086 # none or one word
	INVREG_DIR=$work/owner/in observed_as "$owner" unshare -U $map \
		"$host/threads" --threads 2 --calls 5000 --truth "$truth" >/dev/null
	as "$owner" "$work/bin/invreg" snapshot --dir "$work/owner/in" --format json >"$work/snapshot.json"
	same_as_truth "in a user namespace (unshare -U $map)" "$truth"
	assert_eq "owner of its directory" "$owner" "$(stat -c %u "$work/owner/in")"
	rm -rf "$work/owner/in"
done

# where all foreign owners look like oneself, what they let one write to is not one's own
mkdir -m 755 "$work/trap"
cp "$work/shared/theirs.seg" "$work/trap/theirs.seg"
chown -R "$other" "$work/trap" && chmod 666 "$work/trap/theirs.seg"
sum=$(head -c 4000000 "$work/trap/theirs.seg" | md5sum)
INVREG_DEBUG=1 INVREG_DIR=$work/trap INVREG_SESSION=theirs observed_as "$owner" unshare -U \
	"$host/threads" --calls 500 >/dev/null 2>"$work/err"
assert_contains "a trap in a user namespace" "other users may write to it" "$(cat "$work/err")"
assert_eq "bytes of the trap" "$sum" "$(head -c 4000000 "$work/trap/theirs.seg" | md5sum)"
