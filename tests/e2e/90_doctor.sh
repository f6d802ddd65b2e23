#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `doctor` says, and by which exit code, when each reason is provoked; that it starts
# nothing; and that `run` gives the same reason after a run without a call.
. "$(dirname "$0")/lib.sh"
need python3 gcc
unset ASAN_OPTIONS

# Setuid means nothing on a nosuid mount, as /dev/shm is: programs are built elsewhere.
bin=$(mktemp -d "${TMPDIR:-/tmp}/invreg-doctor.XXXXXX")
# cleanup leaves by the status that it finds.
trap 'code=$?; set +e; rm -rf "$bin"; (exit "$code"); cleanup' EXIT
chmod 755 "$bin"

probe() { # NAME TARGET > appended to $work/NAME.ini
	printf '[probe %s]\ntarget = %s\nsignature = int (int n)\n' "$1" "$2"
}

# doctor must say the verdict, the words, and leave by the code.
says() { # CODE VERDICT WORDS PROBES CMD...
	local code=$1 verdict=$2 words=$3 file=$4
	shift 4
	status_of invreg doctor -p "$file" -- "$@" >"$work/out" 2>"$work/err"
	assert_eq "exit status of doctor -- $*" "$code" "$status"
	assert_contains "doctor -- $*" "$words" "$(cat "$work/out")"
	status_of invreg doctor --json -p "$file" -- "$@" >"$work/out.json"
	assert_eq "exit status of doctor --json -- $*" "$code" "$status"
	assert_eq "verdict for $*" "$verdict" "$(json "$work/out.json" 'd["probes"][0]["verdict"]')"
}

c() { # OUTPUT FLAGS... < SOURCE
	local output=$1
	shift
	gcc -O2 -x c -o "$bin/$output" - -x none "$@" || fail "gcc could not build $output"
}

library='int work_on(int n) { __asm__(""); return n + 1; }
int entry(int n); int entry(int n) { return work_on(n) + work_on(n + 1); }'
caller='int work_on(int n); int main(int argc, char **v) { return work_on(argc) == 9; }'
probe work work_on >"$work/work.ini"

# ---- would bind -----------------------------------------------------------------------------
c libwork.so -shared -fPIC -Wl,-soname,libwork.so <<<"$library"
c good "$bin/libwork.so" "-Wl,-rpath,$bin" <<<"$caller"
says 0 bound "good 1, libwork.so 1" "$work/work.ini" "$bin/good"
assert_eq sites 2 "$(json "$work/out.json" 'd["probes"][0]["sites"]')"
probe work libwork.so:work_on >"$work/object.ini"
says 0 bound "would bind" "$work/object.ini" "$bin/good"

# ---- the symbol -----------------------------------------------------------------------------
probe work work_om >"$work/typo.ini"
says 1 "no symbol" "did you mean work_on" "$work/typo.ini" "$bin/good"
assert_eq nearest "work_on" "$(json "$work/out.json" 'd["probes"][0]["nearest"][0]')"
probe work libother.so:work_on >"$work/other.ini"
says 1 "not loaded" "no object of that name" "$work/other.ini" "$bin/good"

# The program's own definition comes first: that of the library is never called.
c first -rdynamic "$bin/libwork.so" "-Wl,-rpath,$bin" <<<"int work_on(int n) { return n; } int entry(int n);
int main(int argc, char **v) { return entry(argc) == 9; }"
says 1 interposed "(first)" "$work/object.ini" "$bin/first"
forget_sessions
run --session first -p "$work/object.ini" -- "$bin/first" || true
snapshot_json first >"$work/first.json"
assert_eq "calls that the library's own definition got" 0 "$(json "$work/first.json" 'total()')"
forget_sessions

# Both probes in one file: one row each, and one that would not bind decides the code.
{ cat "$work/work.ini"; probe typo work_om; } >"$work/both.ini"
says 1 bound "no object loaded at start defines it" "$work/both.ini" "$bin/good"
assert_eq "second verdict" "no symbol" "$(json "$work/out.json" 'd["probes"][1]["verdict"]')"

c libsym.so -shared -fPIC -Wl,-Bsymbolic -Wl,-soname,libsym.so <<<"$library"
inside='int entry(int n); int main(int argc, char **v) { return entry(argc) == 9; }'
c symbolic "$bin/libsym.so" "-Wl,-rpath,$bin" <<<"$inside"
says 1 inside "no object imports it" "$work/work.ini" "$bin/symbolic"

hidden='__attribute__((visibility("hidden"), noinline)) int work_on(int n) { __asm__(""); return n; }
int main(int argc, char **v) { return work_on(argc) == 9; }'
c hidden <<<"$hidden"
says 1 hidden "local or hidden" "$work/work.ini" "$bin/hidden"
c stripped -s <<<"$hidden"
says 1 stripped "the program is stripped" "$work/work.ini" "$bin/stripped"

c clone <<'C'
static __attribute__((noinline)) int work_on(int n, int k) { __asm__ volatile(""); return n * k + k; }
int main(int argc, char **v) { return work_on(argc, 7) + work_on(argc + 1, 7) == 9; }
C
nm "$bin/clone" | grep -q 'work_on\.' || fail "this gcc made no clone: the case provokes nothing"
says 1 clone "work_on." "$work/work.ini" "$bin/clone"

# ---- the program ----------------------------------------------------------------------------
c static -static <<<'int work_on(int n) { return n; } int main(void) { return 0; }'
says 1 static "a static program" "$work/work.ini" "$bin/static"

c musl "$bin/libwork.so" -Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1 <<<"$caller"
says 1 musl "ld-musl" "$work/work.ini" "$bin/musl"

cp "$bin/good" "$bin/elf32" # EI_CLASS = ELFCLASS32
printf '\1' | dd of="$bin/elf32" bs=1 seek=4 conv=notrunc status=none
says 1 32-bit "a 32-bit program" "$work/work.ini" "$bin/elf32"
cp "$bin/good" "$bin/foreign" # e_machine = EM_S390
printf '\26\0' | dd of="$bin/foreign" bs=1 seek=18 conv=notrunc status=none
says 1 machine "another machine" "$work/work.ini" "$bin/foreign"

printf 'no program\n' >"$bin/text" && chmod +x "$bin/text"
says 1 format "neither an ELF program" "$work/work.ini" "$bin/text"
cp "$bin/good" "$bin/plain" && chmod -x "$bin/plain"
says 1 "not executable" "cannot be executed" "$work/work.ini" "$bin/plain"

mkdir "$bin/gone"
c gone/libgone.so -shared -fPIC -Wl,-soname,libgone.so <<<"$library"
c orphan "$bin/gone/libgone.so" <<<"$caller"
says 1 loader "libgone.so" "$work/work.ini" "$bin/orphan"

if [[ $(gcc -print-file-name=libasan.so) == /* ]]; then
	c asan -fsanitize=address "$bin/libwork.so" "-Wl,-rpath,$bin" <<<"$caller"
	says 1 sanitizer libasan "$work/work.ini" "$bin/asan"
	ASAN_OPTIONS=verify_asan_link_order=0 says 0 bound asan "$work/work.ini" "$bin/asan"
else
	echo "no libasan: the sanitizer is not provoked"
fi

# Its own owner's setuid bit changes nothing; another's puts the loader in secure mode.
cp "$bin/good" "$bin/own" && chmod u+s "$bin/own"
says 0 bound "would bind" "$work/work.ini" "$bin/own"
if [[ $(id -u) == 0 ]] && [[ $(findmnt -no OPTIONS -T "$bin") != *nosuid* ]]; then
	cp "$bin/good" "$bin/setuid"
	chown nobody "$bin/setuid" && chmod u+s "$bin/setuid"
	says 1 setuid "the loader ignores the preload" "$work/work.ini" "$bin/setuid"
else
	echo "not root, or nosuid: another's setuid bit is not provoked"
fi

# ---- the command ----------------------------------------------------------------------------
printf '#!%s\n' "$bin/good" >"$bin/script" && chmod +x "$bin/script"
says 0 bound "is a script" "$work/work.ini" "$bin/script"
assert_eq "its program" "$bin/good" "$(json "$work/out.json" 'd["program"]')"
printf '#!/usr/bin/env -S good\n' >"$bin/by_env" && chmod +x "$bin/by_env"
PATH=$bin:$PATH says 0 bound "is a script" "$work/work.ini" by_env

status_of invreg doctor -p "$work/work.ini" -- no-such-command >"$work/out" 2>"$work/err"
assert_eq "command not found" "1 1" "$status $(wc -l <"$work/err")"
assert_contains "command not found" "command not found" "$(cat "$work/err")"
status_of invreg doctor -p "$work/work.ini" 2>/dev/null
assert_eq "no command" 2 "$status"
status_of invreg doctor --no-such-option -- "$bin/good" 2>/dev/null
assert_eq "bad option" 2 "$status"
echo nonsense >"$work/bad.ini"
status_of invreg doctor -p "$work/bad.ini" -- "$bin/good" 2>/dev/null
assert_eq "bad probe file" 4 "$status"

# ---- nothing is started: not by its file, not by its constructors ----------------------------
c starts "$bin/libwork.so" "-Wl,-rpath,$bin" <<C
#include <fcntl.h>
int work_on(int n);
__attribute__((constructor)) static void born(void) { creat("$work/started", 0600); }
int main(int argc, char **v) { return work_on(argc) == 9; }
C
says 0 bound "would bind" "$work/work.ini" "$bin/starts"
[[ ! -e $work/started ]] || fail "doctor started the program"
[[ -z $(ls "$INVREG_DIR") ]] || fail "doctor made a session"

# ---- after a run without a call --------------------------------------------------------------
after_run() { # WORDS PROBES CMD...
	local words=$1 file=$2
	shift 2
	forget_sessions
	status_of invreg run -p "$file" -- "$@" >/dev/null 2>"$work/err"
	assert_contains "after run -- $*" "$words" "$(cat "$work/err")"
}

c quiet "$bin/libwork.so" "-Wl,-rpath,$bin" <<'C'
int work_on(int n);
int main(int argc, char **v) { return argc > 5 ? work_on(argc) : 0; }
C
after_run "bound, but never called" "$work/work.ini" "$bin/quiet"
printf '#!/usr/bin/env -S -u LD_PRELOAD %s\n' "$bin/good" >"$bin/clears" && chmod +x "$bin/clears"
after_run "should bind by its files, but did not" "$work/work.ini" "$bin/clears"
after_run "a static program" "$work/work.ini" "$bin/static"
after_run "did you mean work_on" "$work/typo.ini" "$bin/quiet"
after_run "no object imports it" "$work/work.ini" "$bin/symbolic"
[[ ! -e $bin/setuid ]] || after_run "the loader ignores the preload" "$work/work.ini" "$bin/setuid"

after_run "" "$work/work.ini" "$bin/good"
! grep -E 'never called|nothing was seen' "$work/err" || fail "run explains although calls were seen"
c ends_inside -shared -fPIC -Wl,-soname,libends.so <<<'#include <unistd.h>
int work_on(int n) { _exit(n == 9); }'
c ends "$bin/ends_inside" "-Wl,-rpath,$bin" <<<"$caller"
mv "$bin/ends_inside" "$bin/libends.so"
after_run "" "$work/work.ini" "$bin/ends"
! grep -E 'never called|nothing was seen' "$work/err" || fail "a call that never returned is a call"
