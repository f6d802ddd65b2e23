#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `doctor` says, and by which exit code, when each reason is provoked; that it starts
# nothing; that what it says is what then happens; and that `run` gives the same reason after
# a run without a call.
. "$(dirname "$0")/lib.sh"
need python3 gcc readelf
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

# ... and so it goes: the tier, the sites and whether there are calls, in a run.
comes_true() { # PROBES CMD...
	local file=$1
	shift
	forget_sessions
	run --session truth -p "$file" -- "$@" >/dev/null || true
	if [[ ! -e $INVREG_DIR/truth.seg ]]; then
		assert_eq "tier of doctor -- $*, where no session was made" none \
			"$(json "$work/out.json" 'd["probes"][0]["tier"]')"
		return
	fi
	snapshot_json truth >"$work/truth.json"
	local row='d["probes"][0]["tier"], d["probes"][0]["sites"]'
	assert_eq "tier and sites of $*" "$(json "$work/out.json" "$row")" \
		"$(json "$work/truth.json" "$row")"
	assert_eq "whether calls of $* were seen" \
		"$(json "$work/out.json" 'd["probes"][0]["verdict"] == "bound"')" \
		"$(json "$work/truth.json" 'd["probes"][0]["calls"] > 0')"
	forget_sessions
}

says_truly() { # as `says`
	says "$@"
	comes_true "${@:4}"
}

row() { # FIELD: of the first probe that doctor spoke of last
	json "$work/out.json" "d[\"probes\"][0][\"$1\"]"
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

# ---- by slots: work_on has no room for a jump -----------------------------------------------
c libwork.so -shared -fPIC -Wl,-soname,libwork.so <<<"$library"
c good "$bin/libwork.so" "-Wl,-rpath,$bin" <<<"$caller"
says_truly 0 bound "good 1, libwork.so 1" "$work/work.ini" "$bin/good"
assert_eq tier got "$(row tier)"
assert_eq sites 2 "$(row sites)"
assert_contains "why not at its entry" "calls within its object are not seen" "$(cat "$work/out")"
assert_contains "remedy" "-fpatchable-function-entry=5" "$(cat "$work/out")"
c libtable.so -shared -fPIC -Wl,-soname,libtable.so <<<"$library
int (*const table[])(int) = {work_on, entry, work_on};"
c copies "$bin/libtable.so" "-Wl,-rpath,$bin" \
	<<<'extern int (*const table[3])(int); int main(int argc, char **v) { return table[argc + 1](7) == 9; }'
if readelf -rW "$bin/copies" | grep -q _COPY; then
	says_truly 0 bound "copies 2, libtable.so 3" "$work/work.ini" "$bin/copies"
else
	echo "this gcc's programs copy no table"
fi
probe work libwork.so:work_on >"$work/object.ini"
says_truly 0 bound "would bind" "$work/object.ini" "$bin/good"

# ---- at the entry ---------------------------------------------------------------------------
probe work libwork.so:work_on >"$work/in_library.ini"
probe work program:work_on >"$work/in_program.ini"
sed 's/^signature/bind = entry\n&/' "$work/work.ini" >"$work/by_entry.ini"
sed 's/^signature/bind = got\n&/' "$work/work.ini" >"$work/by_got.ini"
sed 's/(int n)/({i32,f64} pair)/' "$work/work.ini" >"$work/pair.ini"

# The remedy that was given, taken.
mkdir "$bin/padded"
c padded/libwork.so -shared -fPIC -Wl,-soname,libwork.so -fpatchable-function-entry=5 <<<"$library"
c roomy "$bin/padded/libwork.so" "-Wl,-rpath,$bin/padded" <<<"$caller"
says_truly 0 bound "libwork.so 1" "$work/work.ini" "$bin/roomy"
assert_eq tier entry "$(row tier)"
assert_eq "what was refused" "" "$(row entry_refused)"
says_truly 0 bound "libwork.so 1" "$work/by_entry.ini" "$bin/roomy"
assert_eq tier entry "$(row tier)"
says_truly 0 bound "roomy 1, libwork.so 1" "$work/by_got.ini" "$bin/roomy"
assert_eq tier got "$(row tier)"
says 0 bound "a struct by value" "$work/pair.ini" "$bin/roomy"
assert_contains "its remedy" "write the registers that hold it, as \`invreg probe\` does" "$(cat "$work/out")"
assert_eq tier got "$(row tier)"
sed 's/^signature/bind = entry\n&/' "$work/pair.ini" >"$work/pair_entry.ini"
says_truly 1 tier "a struct by value" "$work/pair_entry.ini" "$bin/roomy"
says_truly 1 refused "too short" "$work/by_entry.ini" "$bin/good"

# Two probes on one function: the second gets none of it.
{ cat "$work/work.ini"; probe again libwork.so:work_on; } >"$work/twice.ini"
says 1 bound "another probe has this function" "$work/twice.ini" "$bin/roomy"
assert_eq "second verdict" taken "$(json "$work/out.json" 'd["probes"][1]["verdict"]')"
comes_true "$work/twice.ini" "$bin/roomy"

# What slots alone would not see: -Bsymbolic, hidden, static.
c libsym.so -shared -fPIC -Wl,-Bsymbolic -Wl,-soname,libsym.so -fpatchable-function-entry=5 <<<"$library"
inside='int entry(int n); int main(int argc, char **v) { return entry(argc) == 9; }'
c symbolic "$bin/libsym.so" "-Wl,-rpath,$bin" <<<"$inside"
says_truly 0 bound "libsym.so 1" "$work/work.ini" "$bin/symbolic"
says_truly 1 inside "no object imports it" "$work/by_got.ini" "$bin/symbolic"

hidden='#include <stdio.h>
static __attribute__((noipa)) int work_on(int n) { printf("%d\n", n); return n + 1; }
int main(int argc, char **v) { return work_on(argc) == 9; }'
c hidden <<<"$hidden"
says_truly 0 bound "hidden 1" "$work/work.ini" "$bin/hidden"
says_truly 0 bound "hidden 1" "$work/in_program.ini" "$bin/hidden"
probe work program:work_om >"$work/local_typo.ini"
says_truly 1 "no symbol" "did you mean work_on? correct the name" "$work/local_typo.ini" "$bin/hidden"
says_truly 1 hidden "local or hidden" "$work/by_got.ini" "$bin/hidden"
c local.so -shared -fPIC -Wl,-soname,libwork.so "-Wl,-rpath,$bin" <<<"${hidden/main/entry}"
mkdir "$bin/local" && mv "$bin/local.so" "$bin/local/libwork.so"
c around "$bin/local/libwork.so" "-Wl,-rpath,$bin/local" \
	<<<'int entry(int n, char **v); int main(int argc, char **v) { return entry(argc, v); }'
says_truly 1 unnamed "libwork.so:work_on" "$work/work.ini" "$bin/around"
says_truly 0 bound "libwork.so 1" "$work/in_library.ini" "$bin/around"

# Stripped: its debug file by build-id, or an offset.
c stripped -s <<<"$hidden"
says_truly 1 stripped "program+0xOFFSET" "$work/work.ini" "$bin/stripped"
assert_contains "which program is meant" "local names are gone (stripped)" "$(cat "$work/out")"
offset=0x$(nm "$bin/hidden" | awk '$3 == "work_on" { print $1 }')
probe work "program+$offset" >"$work/offset.ini"
says_truly 0 bound "stripped 1" "$work/offset.ini" "$bin/stripped"
sed 's/^signature/bind = got\n&/' "$work/offset.ini" >"$work/offset_got.ini"
says_truly 1 unsupported "slots have no offset" "$work/offset_got.ini" "$bin/stripped"
probe work program+0x7fffffff >"$work/far.ini"
says_truly 1 refused "not in the object's text" "$work/far.ini" "$bin/stripped"
probe work stripped+0x10 >"$work/by_file_name.ini"
says 1 "not loaded" "the program's own is" "$work/by_file_name.ini" "$bin/stripped"
id=$(readelf -n "$bin/hidden" | awk '/Build ID/ { print $3 }')
folder=/usr/lib/debug/.build-id/${id:0:2}
if [[ -n $id && $(id -u) == 0 ]] && mkdir -p "$folder"; then
	debug=$folder/${id:2}.debug
	objcopy --only-keep-debug "$bin/hidden" "$debug"
	strip "$bin/hidden"
	says_truly 0 bound "hidden 1" "$work/work.ini" "$bin/hidden"
	rm -f "$debug"
	rmdir -p --ignore-fail-on-non-empty "$folder" 2>/dev/null || true
else
	echo "not root, or no build-id: a debug file is not provoked"
fi

# Reasons that a compiler seldom gives: loops to the start are told from calls, a jump into
# the first bytes from elsewhere is refused.
assembly() { # NAME FIRST-LINES: work_on of program NAME
	c "$1" <<C
int work_on(int n);
__asm__(".text\n.globl work_on\n.type work_on, @function\nwork_on: $2\nret\n.size work_on, .-work_on\n$3");
int main(int argc, char **v) { return work_on(argc) == 9; }
C
}
move='mov %edi, %eax\n'
assembly loops "$move$move${move}dec %edi\njns work_on" ""
says_truly 0 bound "loops 1" "$work/work.ini" "$bin/loops"
assembly entered "$move inside: $move$move$move" 'elsewhere: jmp.d32 inside\n'
says_truly 1 refused "branches into its first bytes" "$work/work.ini" "$bin/entered"
c two "-Wl,-rpath,$bin" -r -nostdlib <<<"${hidden/main/other}"
c several "$bin/two" <<<"${hidden/<stdio.h>/<stdio.h>
int other(int, char **);}"
says_truly 1 several "object+0xOFFSET" "$work/work.ini" "$bin/several"
c chosen -rdynamic "$bin/libwork.so" "-Wl,-rpath,$bin" <<'C'
#include <stdio.h>
static __attribute__((noipa)) int real(int n) { printf("%d\n", n); return n; }
static void *choose(void) { return (void *)real; }
int work_on(int n) __attribute__((ifunc("choose")));
int main(int argc, char **v) { return work_on(argc) == 9; }
C
says_truly 1 refused "an ifunc" "$work/work.ini" "$bin/chosen"
c clone <<'C'
static __attribute__((noinline)) int work_on(int n, int k) { __asm__ volatile(""); return n * k + k; }
int main(int argc, char **v) { return work_on(argc, 7) + work_on(argc + 1, 7) == 9; }
C
nm "$bin/clone" | grep -q 'work_on\.' || fail "this gcc made no clone: the case provokes nothing"
says_truly 1 clone "work_on." "$work/work.ini" "$bin/clone"

# Nothing is free for gigabytes below the library, as under a segment of a big --size.
c libwalled.so -shared -fPIC -Wl,-soname,libwork.so -fpatchable-function-entry=5 <<<"$library
$(cat <<'C'
#include <stdint.h>
#include <sys/mman.h>
extern char __ehdr_start[];
__attribute__((constructor)) static void build_wall(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	uintptr_t at = (uintptr_t)__ehdr_start & ~0xfffful;
	mmap(0, 4ul << 30, PROT_NONE, flags, -1, 0);
	for (int i = 1; i <= 1024; i++)
		mmap((void *)(at - i * 0x10000ul), 4096, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0);
}
C
)"
mkdir "$bin/walled" && mv "$bin/libwalled.so" "$bin/walled/libwork.so"
c walled_in "$bin/walled/libwork.so" "-Wl,-rpath,$bin/walled" <<<"$caller"
says_truly 0 bound "libwork.so 1" "$work/work.ini" "$bin/walled_in"

# ---- the symbol -----------------------------------------------------------------------------
probe work work_om >"$work/typo.ini"
says_truly 1 "no symbol" "did you mean work_on" "$work/typo.ini" "$bin/good"
assert_eq nearest "work_on" "$(json "$work/out.json" 'd["probes"][0]["nearest"][0]')"
probe work libother.so:work_on >"$work/other.ini"
says_truly 1 "not loaded" "no object of that name" "$work/other.ini" "$bin/good"

# The program's own definition comes first: that of the library is never called.
first='int work_on(int n) { return n; } int entry(int n);
int main(int argc, char **v) { return entry(argc) == 9; }'
c first -rdynamic "$bin/libwork.so" "-Wl,-rpath,$bin" <<<"$first"
says_truly 1 interposed "(first)" "$work/object.ini" "$bin/first"
c first -rdynamic "$bin/padded/libwork.so" "-Wl,-rpath,$bin/padded" <<<"$first"
says 0 bound "calls by name go to first" "$work/object.ini" "$bin/first"
run --session first -p "$work/object.ini" -- "$bin/first" || true
snapshot_json first >"$work/first.json"
assert_eq "the library's own definition: tier and calls" "('entry', 0)" \
	"$(json "$work/first.json" 'd["probes"][0]["tier"], d["probes"][0]["calls"]')"
forget_sessions

# Both probes in one file: one row each, and one that would not bind decides the code.
{ cat "$work/work.ini"; probe typo work_om; } >"$work/both.ini"
says 1 bound "no object loaded at start defines it" "$work/both.ini" "$bin/good"
assert_eq "second verdict" "no symbol" "$(json "$work/out.json" 'd["probes"][1]["verdict"]')"

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

if [[ ${SAN:-} == thread ]]; then
	echo "two sanitizers do not run in one program: AddressSanitizer is not provoked"
elif [[ $(gcc -print-file-name=libasan.so) == /* ]]; then
	c asan -fsanitize=address "$bin/libwork.so" "-Wl,-rpath,$bin" <<<"$caller"
	says_truly 0 bound "set ASAN_OPTIONS=verify_asan_link_order=0" "$work/work.ini" "$bin/asan"
	ASAN_OPTIONS=verify_asan_link_order=0 says 0 bound asan "$work/work.ini" "$bin/asan"
	[[ $(cat "$work/out") != *verify_asan* ]] || fail "doctor asks for what is set already"
	ASAN_OPTIONS=verify_asan_link_order=1 status_of run -- "$bin/asan"
	assert_eq "status of an ASan program whose user insists on the order" 1 "$status"
	forget_sessions
else
	echo "no libasan: AddressSanitizer is not provoked"
fi

# Its own owner's setuid bit changes nothing; another's puts the loader in secure mode.
cp "$bin/good" "$bin/own" && chmod u+s "$bin/own"
says 0 bound "would bind" "$work/work.ini" "$bin/own"
if [[ $(id -u) == 0 ]] && [[ $(findmnt -no OPTIONS -T "$bin") != *nosuid* ]]; then
	cp "$bin/good" "$bin/setuid"
	chown nobody "$bin/setuid" && chmod u+s "$bin/setuid"
	says 1 setuid "the loader ignores the preload" "$work/work.ini" "$bin/setuid"
	if setpriv --no-new-privs true 2>/dev/null; then # under which the bit means nothing
		setpriv --no-new-privs "$build/invreg" doctor -p "$work/work.ini" -- "$bin/setuid" >"$work/out" ||
			fail "a setuid bit that is not honoured: $(cat "$work/out")"
	fi
else
	echo "not root, or nosuid: another's setuid bit is not provoked"
fi

# ---- the command ----------------------------------------------------------------------------
printf '#!%s\n' "$bin/good" >"$bin/script" && chmod +x "$bin/script"
says 0 bound "is a script" "$work/work.ini" "$bin/script"
assert_eq "its program" "$bin/good" "$(json "$work/out.json" 'd["program"]')"
printf '#!/usr/bin/env -S good\n' >"$bin/by_env" && chmod +x "$bin/by_env"
PATH=$bin:$PATH says 0 bound "is a script" "$work/work.ini" by_env

# Python by its name, and a script that starts it, as pyenv has them: the interpreter is judged.
python=$(python3 -c 'import os; print(os.path.realpath("/proc/self/exe"))')
mkdir "$bin/shims"
printf '#!/usr/bin/env bash\necho started "$@" >>%q\nexec %q "$@"\n' "$work/started" "$python" >"$bin/shims/python3"
printf '#!/usr/bin/env python3\n' >"$bin/by_python.py"
printf '#!/bin/sh\nexit 3\n' >"$bin/shims/python3.99"
chmod +x "$bin"/shims/* "$bin/by_python.py"
printf '[probe work]\ntarget = python:__main__:nothing\n' >"$work/python.ini"
printf '[probe work]\ntarget = PyList_New\nsignature = ptr (i64 n)\n' >"$work/in_python.ini"
for command in "$bin/shims/python3" "env A=1 $bin/shims/python3 -u" "nice $bin/shims/python3"; do
	# shellcheck disable=SC2086
	says 0 bound "$python was judged: the interpreter that the command starts" \
		"$work/python.ini" $command "$work/no_such_program.py" --its own
	assert_eq "program of $command" "$python" "$(json "$work/out.json" 'd["program"]')"
done
[[ $(cat "$work/started") != *no_such_program* ]] || fail "doctor started the program"
rm "$work/started"
PATH=$bin/shims:$PATH says 0 bound "$python was judged" "$work/python.ini" "$bin/by_python.py"
says 0 bound "$python was judged" "$work/in_python.ini" "$bin/shims/python3"
says 1 "not python" "no interpreter that it starts answers" "$work/python.ini" "$bin/shims/python3.99" run.py
says 1 "not python" "no CPython of 3.8 or later ($bin/good)" "$work/python.ini" "$bin/good"
rm -f "$work/started"

printf '#!/bin/sh\n%q\n' "$bin/good" >"$bin/starts_it" && chmod +x "$bin/starts_it"
says 1 "$([[ -n $(nm /bin/sh 2>/dev/null) ]] && echo "no symbol" || echo stripped)" \
	"give the program that the script starts" "$work/work.ini" "$bin/starts_it"

no_program() { # WORDS CMD: one line, and nothing is judged
	status_of invreg doctor -p "$work/work.ini" -- "$2" >"$work/out" 2>"$work/err"
	assert_eq "status, lines of judgement and of error: $2" "1 0 1" \
		"$status $(wc -l <"$work/out") $(wc -l <"$work/err")"
	assert_contains "doctor -- $2" "invreg doctor: $1" "$(cat "$work/err")"
}
no_program "no-such-command: command not found" no-such-command
no_program "$bin/nothing: No such file or directory" "$bin/nothing"
no_program "$bin: a directory" "$bin"
no_program "/dev/null: not a regular file" /dev/null
printf '#!/no/such/interpreter -x\n' >"$bin/orphaned" && chmod +x "$bin/orphaned"
no_program "$bin/orphaned: its interpreter /no/such/interpreter: No such file or directory" "$bin/orphaned"
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
after_run "no object imports it" "$work/by_got.ini" "$bin/symbolic"
[[ ! -e $bin/setuid ]] || after_run "the loader ignores the preload" "$work/work.ini" "$bin/setuid"

printf '[probe far]\ntarget = python:no_such_module:nothing\n' >"$work/far.ini"
for command in "$bin/shims/python3 -c pass" "bash -c $(printf '%q' "$python")\\ -c\\ pass"; do
	eval "after_run 'no module of that name was imported: no_such_module' '$work/far.ini' $command"
	[[ $(cat "$work/err") != *"nothing was seen"* ]] || fail "$command: $(cat "$work/err")"
done
rm -f "$work/started"

after_run "" "$work/work.ini" "$bin/good"
! grep -E 'never called|nothing was seen' "$work/err" || fail "run explains although calls were seen"
c ends_inside -shared -fPIC -Wl,-soname,libends.so <<<'#include <unistd.h>
int work_on(int n) { _exit(n == 9); }'
c ends "$bin/ends_inside" "-Wl,-rpath,$bin" <<<"$caller"
mv "$bin/ends_inside" "$bin/libends.so"
after_run "" "$work/work.ini" "$bin/ends"
! grep -E 'never called|nothing was seen' "$work/err" || fail "a call that never returned is a call"
