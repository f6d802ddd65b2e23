#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `invreg probe OBJECT:SYMBOL`: the section that it prints is accepted by `invreg check` as it is,
# binds, and records what the program itself says that it called: of the demo's library, and of
# hosts in C and C++, by gcc and clang, optimised, with the function in a library and in the
# program. Without a symbol it lists candidates. What it cannot do is one line and a status.
. "$(dirname "$0")/lib.sh"
need python3 gcc g++ objcopy

hosts_source=$root/tests/hosts/debug
bin=$work/bin
mkdir "$bin"

section() { # OBJECT:SYMBOL...: to $work/made.ini
	local target
	rm -f "$work/made.ini"
	for target in "$@"; do
		invreg probe "$target" >>"$work/made.ini" 2>"$work/err" ||
			fail "probe $target: $(cat "$work/err")"
		assert_eq "said of $target" "" "$(cat "$work/err")"
	done
	invreg check - <"$work/made.ini" >"$work/checked" || fail "the section of $* is refused"
	assert_eq "probes" $# "$(grep -c '^probe ' "$work/checked")"
}

refused() { # CODE WORDS ARGS...
	local code=$1 words=$2
	shift 2
	status_of invreg probe "$@" >"$work/out" 2>"$work/err"
	assert_eq "exit status of probe $*" "$code" "$status"
	assert_contains "probe $*" "$words" "$(cat "$work/err")"
	assert_eq "lines of probe $*" "0 1" "$(wc -l <"$work/out") $(wc -l <"$work/err")"
}

# Calls as the events have them, in the form in which the hosts print theirs.
as_printed='import json, sys
calls = []
for line in open(sys.argv[1]):
    event = json.loads(line)
    if event["event_type"] not in ("invoke_success", "invoke_failure"):
        continue
    attempt = attempts.pop(event["call"])
    failed = event["event_type"] == "invoke_failure"
    row = [event["invoker_id"], event["artifact_id"], event["method"], event["tick"],
           attempt["args_count"], event["error_type"] if failed else "-",
           event["error_message"] if failed else ""]
    calls.append((event["call"], "\t".join(map(str, row))))
print("\n".join(row for call, row in sorted(calls)))'
as_printed=${as_printed/calls = []/calls = []
attempts = \{e[\"call\"]: e for e in map(json.loads, open(sys.argv[1])) if e[\"event_type\"] == \"invoke_attempt\"\}}

tells_the_truth() { # WHAT PROGRAM: by $work/made.ini
	forget_sessions
	"$2" >"$work/bare.tsv" || fail "$1 fails by itself"
	probes=$work/made.ini run -o "$work/events.jsonl" -- "$2" >"$work/seen.tsv" ||
		fail "$1 fails when observed"
	diff "$work/bare.tsv" "$work/seen.tsv" || fail "$1: its output differs when observed"
	python3 -c "$as_printed" "$work/events.jsonl" >"$work/events.tsv"
	diff "$work/seen.tsv" "$work/events.tsv" >"$work/diff" ||
		fail "$1: what it called (<) is not what was recorded (>): $(head -5 "$work/diff")"
	echo "$1: $(wc -l <"$work/events.tsv") calls as the program has them"
}

# ---- the demo's library -----------------------------------------------------------------------
invreg probe "$hosts/libexecutor.so" >"$work/list"
assert_contains "candidates" $'executor_invoke\texported\texecutor.c:' "$(cat "$work/list")"
! grep -q executor_free "$work/list" || fail "executor_free is no candidate"
section "$hosts/libexecutor.so:executor_invoke"
for line in 'target        = libexecutor.so:executor_invoke' \
	'int (ptr world, str invoker_id, str artifact_id, str method, int args_count, ptr args)' \
	'tick          = world->16:i64 ; world->tick' 'error_message = world->32:str' \
	'-13=permission'; do
	grep -qF -e "$line" "$work/made.ini" || fail "no '$line' in the section: $(cat "$work/made.ini")"
done
probes=$work/made.ini run --session demo -- "$hosts/ecology" --fast --ticks 30 --quiet \
	--truth "$work/truth.tsv"
snapshot_json demo >"$work/demo.json"
python3 - "$work/demo.json" "$work/truth.tsv" <<'PY' || fail "the demo's log says otherwise"
import collections, json, sys
seen, told = collections.Counter(), collections.Counter()
for row in json.load(open(sys.argv[1]))["artifacts"]:
    seen[row["artifact_id"], "-"] += row["successful"]
    for kind, count in row["failure_types"].items():
        seen[row["artifact_id"], kind] += count
names = {0: "-", -5: "execution", -13: "permission", -22: "validation", -110: "timeout"}
for line in open(sys.argv[2]):
    if not line.startswith("#"):
        artifact, method, code, count = line.rstrip("\n").split("\t")
        told[artifact, names[int(code)]] += int(count)
assert +seen == +told, (seen - told, told - seen)
print("demo:", sum(told.values()), "calls as its log has them")
PY
forget_sessions

# ---- hosts in C and C++, split in all ways ------------------------------------------------------
c_host() { # CC NAME FLAGS...
	local cc=$1 out=$bin/$2
	shift 2
	mkdir -p "$out"
	"$cc" "$@" -shared -fPIC -o "$out/libshop.so" -Wl,-soname,libshop.so.3 "$hosts_source/shop.c"
	ln -sf libshop.so "$out/libshop.so.3"
	"$cc" "$@" -o "$out/split" "$hosts_source/shop_main.c" "$out/libshop.so" "-Wl,-rpath,$out"
	"$cc" "$@" -o "$out/one" "$hosts_source"/shop{,_main}.c
}

cxx_host() { # CXX NAME FLAGS...
	local cxx=$1 out=$bin/$2
	shift 2
	mkdir -p "$out"
	"$cxx" -std=c++17 "$@" -shared -fPIC -o "$out/liboffice.so" -Wl,-soname,liboffice.so \
		"$hosts_source/office.cc"
	"$cxx" -std=c++17 "$@" -o "$out/split" "$hosts_source/office_main.cc" "$out/liboffice.so" \
		"-Wl,-rpath,$out"
	"$cxx" -std=c++17 "$@" -o "$out/one" "$hosts_source"/office{,_main}.cc
}

for cc in gcc clang; do
	command -v "$cc" >/dev/null || { echo "no $cc"; continue; }
	for flags in "-O2 -g" "-O0 -g" "-O2 -g -gdwarf-4 -fno-pie -no-pie"; do
		name=$cc${flags// /}
		read -ra words <<<"$flags"
		[[ $flags != *no-pie* ]] || words=(-O2 -g -gdwarf-4)
		c_host "$cc" "c$name" "${words[@]}"
		section "$bin/c$name/libshop.so:shop_handle"
		tells_the_truth "$cc $flags, library" "$bin/c$name/split"
		section "$bin/c$name/one:shop_handle"
		tells_the_truth "$cc $flags, program" "$bin/c$name/one"
	done
done
for cxx in g++ clang++; do
	command -v "$cxx" >/dev/null || { echo "no $cxx"; continue; }
	for flags in "-O2 -g" "-O0 -g"; do
		name=$cxx${flags// /}
		read -ra words <<<"$flags"
		cxx_host "$cxx" "$name" "${words[@]}"
		section "$bin/$name/liboffice.so:office::Desk::"{invoke,execute}
		tells_the_truth "$cxx $flags, library" "$bin/$name/split"
		section "$bin/$name/one:office::Desk::"{invoke,execute}
		tells_the_truth "$cxx $flags, program" "$bin/$name/one"
	done
done

# ---- local functions ----------------------------------------------------------------------------
shop=$bin/cgcc-O2-g/libshop.so
assert_eq "candidates" $'shop_handle exported\nshop_run_till local' \
	"$(invreg probe "$shop" | awk '{ print $1, $2 }')"
section "$shop:shop_run_till"
assert_contains "the soname" "libshop.so.3:shop_run_till" "$(cat "$work/made.ini")"
assert_contains "a value as a method" "method        = command" "$(cat "$work/made.ini")"
invreg probe "$shop:shop_run_till" --name till -o "$work/till.ini"
assert_contains "--name and -o" "[probe till]" "$(cat "$work/till.ini")"

# The debug information may be in a file of its own.
cp "$shop" "$work/libapart.so"
(cd "$work" && objcopy --only-keep-debug libapart.so libapart.debug &&
	strip libapart.so && objcopy --add-gnu-debuglink=libapart.debug libapart.so)
section "$work/libapart.so:shop_handle"

# ---- what is refused ----------------------------------------------------------------------------
strip -o "$work/libnone.so" "$shop"
refused 4 "-dbgsym" "$work/libnone.so"
refused 4 "-dbgsym" "$work/libnone.so:shop_handle"
refused 4 "did you mean shop_handle?" "$shop:shop_hande"
refused 4 "lists candidates" "$shop:nothing_like_it"
refused 1 "No such file" "$work/absent.so"
printf 'text\n' >"$work/text"
refused 4 "no ELF file" "$work/text:main"
refused 2 "no symbol behind the colon" "$shop:"
refused 2 "--name" "$shop" --name x
refused 2 "no function: give OBJECT" "$shop" "$shop"
refused 1 "is not empty" "$shop:shop_handle" -o "$work/till.ini"
cat >"$work/gone.c" <<'C'
static __attribute__((noinline)) int run_clone(int n, int k) { __asm__ volatile(""); return n * k + k; }
static inline __attribute__((always_inline)) int run_inline(int n) { return n * 3; }
__int128 run_wide(__int128 n);
__int128 run_wide(__int128 n) { return n + 1; }
int main(int argc, char **v) { return run_clone(argc, 7) + run_clone(argc + 1, 7) + run_inline(argc); }
C
gcc -O2 -g -o "$work/gone" "$work/gone.c"
refused 4 "a clone of it" "$work/gone:run_clone"
refused 4 "inlined it everywhere" "$work/gone:run_inline"
refused 4 "no signature can say" "$work/gone:run_wide"

# a number with two names is in the table once, by the first
cat >"$work/alias.c" <<'C'
enum result { RESULT_OK, RESULT_AGAIN = 11, RESULT_WOULDBLOCK = 11, RESULT_LATE };
enum result alias_invoke(const char *invoker_id, const char *artifact_id, const char *method)
{
	return invoker_id && artifact_id && method ? RESULT_OK : RESULT_LATE;
}
C
gcc -g -shared -fPIC -o "$work/libalias.so" "$work/alias.c"
section "$work/libalias.so:alias_invoke"
assert_contains "a table of codes with an alias" "return: 11=again, 12=late ;" "$(cat "$work/made.ini")"

# what the source leaves without a name is read all the same, by a name of ours
cat >"$work/nameless.cc" <<'C'
struct World { long tick; };
extern "C" int nameless_invoke(World *, const char *invoker_id, const char *arg1)
{
	return invoker_id && arg1 ? 0 : -1;
}
C
g++ -g -shared -fPIC -o "$work/libnameless.so" "$work/nameless.cc"
section "$work/libnameless.so:nameless_invoke"
assert_contains "a parameter without a name" "(ptr arg1, str invoker_id, str arg1_)" \
	"$(cat "$work/made.ini")"
assert_contains "its member" "tick          = arg1->0:i64 ; arg1->tick" "$(cat "$work/made.ini")"
