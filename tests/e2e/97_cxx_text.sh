#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# std::string and std::string_view as arguments, members and results: what a C++ plug-in is called
# with, by gcc and clang, optimised or not, through the entry, slots and closures, is what its own
# log has, and its output is the same bare. Texts are short, long, empty, cut at a page, moved
# from, with zero bytes, of 1 MB; what is no string is counted and harms nobody. The layout is
# compared with each compiler's. Strings of another layout are told by `probe`, and never read.
# skip-under: thread: a patched entry keeps no vector registers for its runtime, which takes them
. "$(dirname "$0")/lib.sh"
need python3 gcc g++

source_folder=$root/tests/hosts/cxx_text

cat >"$work/text.ini" <<'INI'
[probe invoke]
target        = libexec.so:text::Executor::invoke(std::string const&, std::string_view, int)
signature     = int (ptr this, stdstr invoker_id, stdview artifact_id, int args_count)
method        = "invoke"
success       = return == 0
error_message = this->8:stdstr
error.denied  = not allowed

[probe strict]
target        = libexec.so:text::Strict::invoke
signature     = int (ptr this, stdstr invoker_id, stdview artifact_id, int args_count)
method        = "invoke"
success       = return == 0
error_message = this->8:stdstr
error.timeout = timed out

[probe describe]
target        = libexec.so:text::Executor::describe
signature     = stdstr (ptr this, stdstr artifact_id, int args_count)
method        = "describe"
success       = return->8:u64 == 0
error_message = return

[probe by_value]
target        = libexec.so:text::by_value
signature     = int (stdstr invoker_id, stdstr artifact_id, stdview method)

[probe by_move]
target        = libexec.so:text::by_move(std::string&&, const std::string_view&)
signature     = int (stdstr invoker_id, ptr artifact)
artifact_id   = artifact->0:stdview

[probe between]
target        = libexec.so:text::between
signature     = int (int a, int b, int c, int d, int e, stdview artifact_id, int args_count, stdstr invoker_id)

[probe on_stack]
target        = libexec.so:text::on_stack
signature     = int (i64 a, i64 b, i64 c, i64 d, i64 e, i64 f, stdstr invoker_id, stdview artifact_id, int args_count)

[probe with_floats]
target        = libexec.so:text::with_floats
signature     = f64 (f64 a, stdview artifact_id, f32 b, stdstr invoker_id)

[probe with_struct]
target        = libexec.so:text::with_struct
signature     = int ({i32,f64} pair, stdview artifact_id, stdstr invoker_id)

[probe members]
target        = libexec.so:text::members
signature     = int (ptr context)
invoker_id    = context->40:stdview
artifact_id   = context->8:stdstr
method        = context->56:ptr->0:stdstr

[probe banner]
target        = libexec.so:text::banner
signature     = stdstr (int args_count)
success       = return->8:u64 == 0
error_message = return

[probe throws]
target        = libexec.so:text::throws(std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > const&)
signature     = void (stdstr artifact_id)
INI
sed '/^target/a bind = got' "$work/text.ini" >"$work/got.ini"

# What was recorded, in the form of the log: the cut of a name is 1,023 bytes, of a message 480.
cat >"$work/compare.py" <<'PY'
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
attempts = {e["call"]: e for e in events if e["event_type"] == "invoke_attempt"}
ends = sorted((e for e in events if e["event_type"] in ("invoke_success", "invoke_failure")),
              key=lambda e: e["call"])
def text(field, limit):
    if field == "x3f": # what could not be read
        return "_other"
    return bytes.fromhex(field[1:])[:limit].decode()
types = {"invoke": "denied", "strict": "timeout", "describe": "execution", "banner": "execution",
         "throws": "exception:std::string"}
told = []
for line in open(sys.argv[2], encoding="latin-1"):
    probe, invoker, artifact, method, count, failed, message, _ = line.rstrip("\n").split("\t")
    told.append((probe, text(invoker, 1023), text(artifact, 1023), text(method, 1023), int(count),
                 types[probe] if failed == "1" else "", text(message, 480)))
seen = [(e["probe"], e["invoker_id"], e["artifact_id"], e["method"],
         attempts[e["call"]]["args_count"], e.get("error_type", ""), e.get("error_message", ""))
        for e in ends]
for t, s in zip(told, seen):
    assert t == s, (t, s)
assert len(told) == len(seen), (len(told), len(seen))
print(len(seen), "calls as the program has them")
PY

check() { # WHAT PROBES PROGRAM TIERS
	forget_sessions
	"$3" >"$work/bare.out" || fail "$1 fails by itself"
	probes=$2 run --session text -o "$work/text.jsonl" -- "$3" >"$work/seen.out" ||
		fail "$1 fails when observed: $(tail -3 "$work/run.err")"
	cmp "$work/bare.out" "$work/seen.out" || fail "$1: its output differs when observed"
	echo "$1:"
	python3 "$work/compare.py" "$work/text.jsonl" "$work/seen.out" ||
		fail "$1: what was called is not what was recorded"
	snapshot_json text >"$work/text.json"
	assert_eq "tiers of $1" "$4" \
		"$(json "$work/text.json" 'sorted({p["tier"] for p in d["probes"]})')"
	# three wild strings, one nowhere, a wild view
	assert_eq "unreadable of $1" 5 "$(json "$work/text.json" 'lost("unreadable")')"
	# of 1 MB: by reference, whole and all but its first byte; half of it is as much too long
	(($(json "$work/text.json" 'lost("name_truncated")') > 0)) || fail "$1: no name was cut"
}

for cxx in g++ clang++; do
	command -v "$cxx" >/dev/null || { echo "no $cxx"; continue; }
	"$cxx" -std=c++17 -I"$root" -o "$work/layout" "$source_folder/layout.cc"
	assert_eq "layout by $cxx" "the layout is as stated" "$("$work/layout")"
	for level in -O0 -O2; do
		bin=$work/$cxx$level
		mkdir "$bin"
		"$cxx" -std=c++17 $level -g -shared -fPIC -Wl,-soname,libexec.so \
			-o "$bin/libexec.so" "$source_folder/executor.cc"
		# -fPIC: else the loader copies a library's vtable into the program, and slots in
		# a copy are none that `got` knows
		"$cxx" -std=c++17 $level -fPIC -o "$bin/main" "$source_folder/main.cc" "$bin/libexec.so" \
			"-Wl,-rpath,$bin"
		check "$cxx $level, entry" "$work/text.ini" "$bin/main" "['entry', 'got']"
		check "$cxx $level, got" "$work/got.ini" "$bin/main" "['got']"
	done
done
