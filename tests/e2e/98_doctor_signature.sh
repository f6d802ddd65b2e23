#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `doctor` compares a signature with the debug information: what would break the call, or read
# fields from elsewhere, is a warning with both prototypes; what `probe` prints, and what means
# the same registers, is none. Strings of other libraries are told by `probe` and by `doctor`,
# and a signature that takes them for libstdc++'s records nothing wrong and harms nobody.
. "$(dirname "$0")/lib.sh"
need python3 gcc g++

bin=$work/bin
mkdir "$bin"
cat >"$work/many.c" <<'C'
#include <stdio.h>
#define KEPT __attribute__((noipa))
struct pair { long a, b; };
KEPT long run_nine(long a, long b, long c, long d, long e, long f, long g, long h, const char *i)
{ printf("%ld %s\n", a + b + c + d + e + f + g + h, i); return g; }
KEPT double run_real(double a, const char *name) { printf("%s\n", name); return a * 2; }
KEPT struct pair run_pair(int n) { printf("%d\n", n); return (struct pair){n, n + 1}; }
KEPT int run_plain(void *p, const char *name, int n) { printf("%s\n", name); return n; }
KEPT int run_dots(const char *format, ...) { puts(format); return 0; }
C
cat >"$work/main.c" <<'C'
struct pair { long a, b; };
long run_nine(long, long, long, long, long, long, long, long, const char *);
double run_real(double, const char *);
struct pair run_pair(int);
int run_plain(void *, const char *, int);
int run_dots(const char *, ...);
int main(void)
{
	struct pair pair = run_pair(3);
	return run_nine(1, 2, 3, 4, 5, 6, 7, 8, "nine") + (long)run_real(1.5, "real") + pair.b +
	       run_plain(0, "plain", 0) + run_dots("dots", 1, 2.0) == 77;
}
C
library=$bin/libmany.so
build() { # PROGRAM FOLDER FLAGS...
	mkdir -p "$2"
	gcc -O2 "${@:3}" -shared -fPIC -Wl,-soname,libmany.so -o "$2/libmany.so" "$work/many.c"
	gcc -O2 -o "$1" "$work/main.c" "$2/libmany.so" "-Wl,-rpath,$2"
}
build "$bin/many" "$bin" -g
build "$bin/plain" "$bin/without"

probe() { # NAME SIGNATURE [LINE]
	printf '[probe %s]\ntarget = %s\nsignature = %s\n%s\n' "$1" "$1" "$2" "${3:-}"
}

# ---- what is warned of -------------------------------------------------------------------------
warns() { # WORDS NAME SIGNATURE [LINE]: in one line, with both prototypes; the verdict stays
	local breaks=False
	[[ $1 != *"THE CALL BREAKS"* ]] || breaks=True
	probe "${@:2}" >"$work/one.ini"
	status_of invreg doctor -p "$work/one.ini" -- "$bin/many" >"$work/out"
	assert_eq "exit status of doctor for $3" "$([[ $breaks == False ]] && echo 0 || echo 1)" "$status"
	assert_eq "warnings about $3" 1 "$(grep -c warning "$work/out")"
	assert_contains "$3" "$1" "$(grep warning "$work/out")"
	assert_contains "$3" "the signature is $3, and by debug information" "$(cat "$work/out")"
	assert_contains "$3" "invreg probe $library:$2" "$(cat "$work/out")"
	status_of invreg doctor --json -p "$work/one.ini" -- "$bin/many" >"$work/out.json"
	assert_eq "whether $3 breaks the call" "('bound', $breaks)" \
		"$(json "$work/out.json" 'd["probes"][0]["verdict"], d["probes"][0]["call_breaks"]')"
	assert_contains "$3" "$1" "$(json "$work/out.json" 'd["probes"][0]["signature_differs"]')"
}

# run warns of what breaks the call in any case, before the program, and starts it
run_warns() { # COUNT NAME SIGNATURE [LINE] [PROGRAM]
	probe "$2" "$3" "${4:-}" >"$work/one.ini"
	invreg run -q -p "$work/one.ini" -- "${5:-$bin/many}" >/dev/null 2>"$work/err" || true
	assert_eq "warnings by run of $3: $(cat "$work/err")" "$1" "$(grep -c "THE CALL BREAKS" "$work/err")"
	(($1 == 0)) || assert_contains "run of $3" "invreg: warning: probe $2: the signature is $3, and" "$(cat "$work/err")"
}

is_quiet() { # NAME SIGNATURE [LINE]
	probe "$@" >"$work/one.ini"
	invreg doctor -p "$work/one.ini" -- "$bin/many" >"$work/out"
	assert_eq "warnings about $2" 0 "$(grep -c warning "$work/out")"
	invreg doctor --json -p "$work/one.ini" -- "$bin/many" >"$work/out.json"
	assert_eq "$2" "" "$(json "$work/out.json" 'd["probes"][0]["signature_differs"]')"
}

six='i64 a, i64 b, i64 c, i64 d, i64 e, i64 f'
warns "0 words on the stack are passed on, and its arguments there take 3: THE CALL BREAKS" \
	run_nine "i64 ($six)"
warns "2 words on the stack are passed on, and its arguments there take 3: THE CALL BREAKS" \
	run_nine "i64 ($six, i64 g, i64 h)"
assert_contains "the other prototype" "the function is i64 ($six, i64 g, i64 h, str i)" "$(cat "$work/out")"
warns "wrong places" run_nine "i64 ($six, i64 g, i64 h, str i, int j)"
is_quiet run_nine "i64 ($six, i64 g, i64 h, str i)"
is_quiet run_nine "ptr (ptr a, int b, str c, i8 d, u64 e, i64 f, i64 g, i64 h, ptr i)"
warns "floating arguments are not passed on: THE CALL BREAKS" run_real "f64 (str name)" "bind = got"
warns "wrong places" run_real "f64 (str name)" "bind = entry"
warns "its result is not passed on: THE CALL BREAKS" run_real "int (f64 a, str name)" "bind = got"
is_quiet run_real "f64 (f64 a, str name)"
is_quiet run_real "f64 (str name, f64 a)" # the same registers
warns "its result is not passed on: THE CALL BREAKS" run_pair "int (int n)" "bind = got"
is_quiet run_pair "int (int n)" "bind = entry"
is_quiet run_pair "{i64,i64} (int n)"
warns "wrong places" run_plain "int (ptr p, str name)"
warns "n is int" run_plain "int (ptr p, ptr name, str n)"
warns "name is str" run_plain "int (ptr p, stdstr name, int n)"
is_quiet run_plain "int (ptr p, str name, int n)"
warns "the function is variadic: THE CALL BREAKS" run_dots "int (str format)"
is_quiet run_dots "int (str format, ... i64, f64)"

run_warns 1 run_nine "i64 ($six)"
run_warns 1 run_real "int (str name)" "bind = got"
run_warns 0 run_real "f64 (f64 a, str name)" "bind = got"
run_warns 0 run_nine "i64 ($six, i64 g, i64 h, str i)"
run_warns 0 run_plain "int (ptr p, str name)"
run_warns 0 run_nine "i64 ($six)" "" "$bin/plain"
run_warns 0 no_such_function "i64 ($six)"

# Without debug information nobody knows; what `probe` prints is never warned of.
probe run_nine "i64 ($six)" >"$work/one.ini"
invreg doctor -p "$work/one.ini" -- "$bin/plain" >"$work/out"
assert_eq "warnings without debug information" 0 "$(grep -c warning "$work/out")"
for function in run_nine run_real run_plain run_pair; do
	invreg probe "$library:$function"
done >"$work/made.ini"
invreg doctor -p "$work/made.ini" -- "$bin/many" >"$work/out"
assert_eq "warnings about what probe prints" 0 "$(grep -c warning "$work/out")"

# ---- C++: what probe prints for each function of a plug-in -------------------------------------
for cxx in g++ clang++; do
	command -v "$cxx" >/dev/null || { echo "no $cxx"; continue; }
	"$cxx" -std=c++17 -O2 -g -shared -fPIC -Wl,-soname,libexec.so -o "$bin/libexec.so" \
		"$root/tests/hosts/cxx_text/executor.cc"
	"$cxx" -std=c++17 -O2 -o "$bin/text" "$root/tests/hosts/cxx_text/main.cc" \
		"$bin/libexec.so" "-Wl,-rpath,$bin"
	for function in Executor::invoke Strict::invoke Executor::describe banner by_value by_move \
		between on_stack with_floats with_struct members throws; do
		invreg probe "$bin/libexec.so:text::$function" --name "${function//:/_}"
	done >"$work/made.ini"
	for signature in 'int (ptr this, stdstr invoker_id, stdview artifact_id, int args_count)' \
		'stdstr (ptr this, stdstr artifact_id, int args_count)' \
		'int (stdstr invoker_id, stdstr artifact_id, stdview method)' \
		'int (int a, int b, int c, int d, int e, int args_count, stdview artifact_id, stdstr invoker_id)'; do
		grep -qF "= $signature" "$work/made.ini" || fail "$cxx: no $signature: $(cat "$work/made.ini")"
	done
	invreg doctor -p "$work/made.ini" -- "$bin/text" >"$work/out" || fail "not all would bind"
	assert_eq "warnings about what probe prints" 0 "$(grep -c warning "$work/out")"
	sed -i 's/stdstr artifact_id, stdview method/str artifact_id, str method/' "$work/made.ini"
	invreg doctor -p "$work/made.ini" -- "$bin/text" >"$work/out"
	assert_eq "warnings" 1 "$(grep -c 'by_value: warning: .* wrong places' "$work/out")"
done

# ---- strings of another layout -------------------------------------------------------------------
cat >"$work/other.cc" <<'C'
#include <cstdio>
#if OLD
#include <string>
#define TEXT(text) std::string(text)
#else
namespace std { inline namespace __1 { // as libc++ has it
template <class C> struct char_traits {};
template <class C> struct allocator {};
template <class C, class T = char_traits<C>, class A = allocator<C>> class basic_string
{
	unsigned long room_, length_;
	const C *text_;
public:
	basic_string(const C *text) : room_(65), length_(0), text_(text)
	{ while (text[length_]) length_++; }
	basic_string(const basic_string &other) : basic_string(other.text_) {}
	~basic_string() {}
	const C *c_str() const { return text_; }
	unsigned long size() const { return length_; }
};
typedef basic_string<char> string;
} }
#endif
__attribute__((noipa)) int run(const std::string &invoker_id, std::string artifact_id)
{ return std::printf("%s %s\n", invoker_id.c_str(), artifact_id.c_str()) > 99; }
int main()
{
	std::string who = "someone with a longer name", what = "what";
	return run(who, what) + run(what, who);
}
C
g++ -O2 -g -o "$bin/libcxx" "$work/other.cc" && g++ -O2 -g -DOLD -D_GLIBCXX_USE_CXX11_ABI=0 -o "$bin/old" "$work/other.cc"

run_of() { nm "$bin/$1" | awk '/ T _Z3run/ { print $3 }'; }

unread() { # PROGRAM: with stdstr; the output is as bare, and no text is a wrong one
	printf '[probe run]\ntarget = program:%s\nsignature = int (stdstr invoker_id, stdstr artifact_id)\n' \
		"$(run_of "$1")" >"$work/wrong.ini"
	forget_sessions
	probes=$work/wrong.ini same_output "$bin/$1"
	snapshot_json "$(session)" >"$work/s.json"
	assert_eq "names of $1" "['_other']" "$(json "$work/s.json" '[a["artifact_id"] for a in d["artifacts"]]')"
	assert_eq "calls and losses of $1" "2 4" "$(json "$work/s.json" 'str(total()) + " " + str(lost("unreadable"))')"
}

unread libcxx
assert_contains "probe of libc++" "invoker_id: a text of libc++, which no expression reads" \
	"$(invreg probe "$bin/libcxx:run")"
assert_contains "signature of libc++" "int (ptr invoker_id_, ptr artifact_id_)" "$(invreg probe "$bin/libcxx:run")"
invreg doctor -p "$work/wrong.ini" -- "$bin/libcxx" >"$work/out"
assert_contains "doctor of libc++" "invoker_id is a text of libc++, which cannot be read" "$(cat "$work/out")"
unread old
invreg doctor -p "$work/wrong.ini" -- "$bin/old" >"$work/out"
assert_contains "doctor of the old ABI" "invoker_id is a std::string as before GCC 5" "$(cat "$work/out")"
invreg probe "$bin/old:run" >"$work/made.ini"
probes=$work/made.ini run --session old -- "$bin/old" >/dev/null
snapshot_json old >"$work/s.json"
assert_eq "names of the old ABI" "['someone with a longer name', 'what']" \
	"$(json "$work/s.json" 'sorted(a["artifact_id"] for a in d["artifacts"])')"
