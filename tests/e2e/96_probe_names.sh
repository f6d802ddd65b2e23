#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Names of members in a probe file, `tick = world->tick`: they become offsets before the run, by
# the debug information of what the command starts; the program gets the offsets, in a copy that
# goes with its session. What cannot be found is an error at its line and column.
. "$(dirname "$0")/lib.sh"
need python3 gcc g++

source_folder=$root/tests/hosts/debug
bin=$work/bin
mkdir "$bin"
gcc -O2 -g -o "$bin/shop" "$source_folder"/shop{,_main}.c
g++ -std=c++17 -O2 -g -shared -fPIC -Wl,-soname,liboffice.so -o "$bin/liboffice.so" "$source_folder/office.cc"
g++ -std=c++17 -O2 -g -o "$bin/office" "$source_folder/office_main.cc" "$bin/liboffice.so" "-Wl,-rpath,$bin"

cat >"$work/shop.ini" <<'INI'
[probe till]
target        = program:shop_run_till
; shop->nothing is a comment
tick          = shop->world.clock->current_tick ; not shop->nothing
signature     = int (ptr shop, str subject,
	i16 command)
invoker_id    = subject
artifact_id   = "shop->till"
method        = command
error_message = shop->last_error
success       = return == 0
error.stuck   = shop->stuck, stuck

[probe far]
target        = python:shop:handle
tick          = self.tick
INI

# ---- check and run ----------------------------------------------------------------------------
invreg check "$work/shop.ini" -- "$bin/shop" >"$work/checked" || fail "the file is refused"
assert_contains "tick" "(shop)->16->8 : i64" "$(cat "$work/checked")"
invreg doctor -p "$work/shop.ini" -- "$bin/shop" >"$work/doctor" || true
assert_contains "doctor" "would bind: shop 1" "$(cat "$work/doctor")"
probes=$work/shop.ini run --session shop -o "$work/shop.jsonl" -- "$bin/shop" >"$work/shop.tsv"
python3 - "$work/shop.jsonl" "$work/shop.tsv" <<'PY' || fail "the shop says otherwise"
import json, sys
seen = [e for e in map(json.loads, open(sys.argv[1]))
        if e["event_type"] in ("invoke_success", "invoke_failure") and e["method"] != "1"]
told = [line.rstrip("\n").split("\t") for line in open(sys.argv[2])]
# what shop_handle itself refuses, and the till's first command, are not among them
told = [row for row in told if row[6] != "the shop says no"]
seen_rows = [(e["invoker_id"], e["tick"], e.get("error_type"), e.get("error_message")) for e in seen]
told_rows = [(r[0], int(r[3]), *(("stuck", r[6]) if r[5] != "-" else (None, None)))
             for r in told if r[4] != "1"]
assert told_rows == seen_rows and len(seen_rows) > 5, (told_rows, seen_rows)
print("shop:", len(seen_rows), "calls by names")
PY

# The copy: offsets in the place of names, all else as it was; it goes with its session.
copy=$INVREG_DIR/shop.ini
assert_eq "lines that differ" $'tick\nerror_message' \
	"$(diff "$work/shop.ini" "$copy" | sed -n 's/^> \([a-z_]*\) .*/\1/p')"
assert_eq "mode of the copy" 600 "$(stat -c %a "$copy")"
invreg prune --keep 0 >/dev/null
[[ ! -e $copy ]] || fail "the copy outlives its session"

# Without names there is no copy.
sed 's/= shop->world.*/= 1/; s/= shop->last.*/= subject/' "$work/shop.ini" >"$work/plain.ini"
probes=$work/plain.ini run --session plain -- "$bin/shop" >/dev/null
[[ ! -e $INVREG_DIR/plain.ini ]] || fail "a copy was made although there are no names"
forget_sessions

# The colon of a table of codes is no type's.
for codes in "1=one" " 0=zero, 2=two" "u32: 1=one" "u32 : 1=one"; do
	echo "error_type    = shop->world.clock->spare:$codes" | cat "$work/shop.ini" - |
		sed '/^\[probe far/,/^tick/d' >"$work/codes.ini"
	invreg check "$work/codes.ini" -- "$bin/shop" >"$work/checked" || fail "':$codes' is refused"
	assert_contains "':$codes'" "(shop)->16->0 : u32: " "$(cat "$work/checked")"
done

# ---- C++: through this, into a base's member, strings -----------------------------------------
symbol=$(nm -D "$bin/liboffice.so" | awk '/Desk6invoke/ { print $3 }')
cat >"$work/office.ini" <<INI
[probe desk]
target        = liboffice.so:$symbol
signature     = i16 (ptr this, ptr invoker, ptr artifact, str method, u64 length, ptr text, int argc)
invoker_id    = invoker->0:str
tick          = this->world_->tick
artifact_id   = this->world_->name
error_message = this->world_->last_error
success       = return == 0
INI
probes=$work/office.ini run --session office -o "$work/office.jsonl" -- "$bin/office" >"$work/office.tsv"
seen=$(python3 -c '
import json, sys
for e in map(json.loads, open(sys.argv[1])):
    if e["event_type"] in ("invoke_success", "invoke_failure"):
        print(e["invoker_id"], e["artifact_id"], e["tick"], e.get("error_message", ""), sep="\t")' \
	"$work/office.jsonl")
told=$(awk -F'\t' -v OFS='\t' '$1 != "" { print $1, "w", $4, $7 }' "$work/office.tsv")
assert_eq "the office's calls" "$told" "$seen"
forget_sessions

# ---- C++ names as targets: the program gets the symbol ------------------------------------------
cat >"$work/cxx.ini" <<'INI'
[probe desk]
target        = liboffice.so:office::Desk::invoke ; a method
signature     = i16 (ptr this, ptr invoker, ptr artifact, str method, u64 length, ptr text, int argc)
tick          = this->world_->tick
artifact_id   = artifact->0:str

[probe stamp]
tick          = this->world_->tick
target        = office::Desk::execute(const std::string &,
	std::string_view, int)
signature     = ptr (ptr place, ptr this, ptr artifact)
artifact_id   = artifact->0:str
INI
probes=$work/cxx.ini run --session cxx -o "$work/cxx.jsonl" -- "$bin/office" >"$work/office.tsv"
seen=$(python3 -c '
import json, sys
for e in map(json.loads, open(sys.argv[1])):
    if e["event_type"] in ("invoke_success", "invoke_failure"):
        print(e["probe"], e["artifact_id"], e["tick"], sep="\t")' "$work/cxx.jsonl")
told=$(awk -F'\t' -v OFS='\t' '{ print ($1 != "" ? "desk" : "stamp"), $2, $4 }' "$work/office.tsv")
assert_eq "the office's calls by C++ names" "$told" "$seen"
grep -qE '^target +=  ?liboffice.so:_ZN6office4Desk6invoke.* ; a method$' "$INVREG_DIR/cxx.ini" ||
	fail "the copy has not the symbol: $(grep target "$INVREG_DIR/cxx.ini")"
assert_eq "lines of the copy" "$(wc -l <"$work/cxx.ini")" "$(wc -l <"$INVREG_DIR/cxx.ini")"
forget_sessions

# ---- errors -------------------------------------------------------------------------------------
refused() { # WHERE WORDS SED-SCRIPT [CMD]
	sed "$3" "$work/shop.ini" >"$work/bad.ini"
	status_of invreg check "$work/bad.ini" -- "${4:-$bin/shop}" >/dev/null 2>"$work/err"
	assert_eq "exit status of check ($3)" 4 "$status"
	assert_contains "$3" "bad.ini:$1: " "$(cat "$work/err")"
	assert_contains "$3" "$2" "$(cat "$work/err")"
	status_of run --session bad -p "$work/bad.ini" -- "${4:-$bin/shop}" >/dev/null
	assert_eq "exit status of run ($3)" 125 "$status"
	[[ ! -e $INVREG_DIR/bad.seg ]] || fail "run went on with a bad file"
}

refused 4:36 "no member 'tock'" 's/current_tick/tock/'
refused 4:17 "no parameter 'stop' in its source, but shop" 's/= shop->world/= stop->world/'
refused 4:23 "an expression can read" 's/world.clock->current_tick/world/'
refused 10:33 "no pointer to a struct" 's/last_error/last_error->text/'
refused 4:26 "behind an offset" 's/shop->world.clock/shop->16:ptr/'
# a function that is not there is told before what is not known of it
refused 2:17 "did you mean shop_run_till?" 's/program:shop_run_till/program:shop_run_tilt/'
refused 2:17 "did you mean shop_run_till?" 's/program:shop_run_till/shop_run_tilt/'
refused 2:17 "program:shop_run_till: not exported, and the program is stripped" '' /bin/true
refused 2:17 "where /bin/true only starts it, write the offsets that \`invreg check" '' /bin/true
refused 2:17 "program:none_such: no object loaded at start defines it: correct the name" \
	's/program:shop_run_till/program:none_such/'
refused 2:17 "(libplug.so): correct the name, or, where it is loaded later (dlopen)" 's/program:shop/libplug.so:shop/'
refused 2:17 "\`invreg probe ./libplug.so:shop_run_till\` prints it" 's/program:shop/libplug.so:shop/'
status_of invreg doctor -p "$work/bad.ini" -- "$bin/shop" 2>"$work/err"
assert_eq "exit status of doctor" 4 "$status"
assert_contains "doctor" "prints it" "$(cat "$work/err")"
gcc -O2 -o "$bin/bare" "$source_folder"/shop{,_main}.c
refused 4:17 "no debug information of program:shop_run_till" '' "$bin/bare"
status_of invreg check "$work/shop.ini" >/dev/null 2>"$work/err"
assert_eq "exit status without a command" 4 "$status"
assert_contains "without a command" "check FILE -- CMD" "$(cat "$work/err")"

cxx_refused() { # WHERE WORDS SED-SCRIPT
	sed "$3" "$work/cxx.ini" >"$work/bad.ini"
	status_of invreg check "$work/bad.ini" -- "$bin/office" >/dev/null 2>"$work/err"
	assert_eq "exit status of check ($3)" 4 "$status"
	assert_contains "$3" "bad.ini:$1: invreg" "$(sed 's/\(:[0-9]*:[0-9]*: \)/\1invreg/' "$work/err")"
	assert_contains "$3" "$2" "$(cat "$work/err")"
}
cxx_refused 2:17 "has a function office::Desk::burn" 's/Desk::invoke/Desk::burn/'
cxx_refused 9:17 "has a function" 's/std::string_view, int/std::string_view, long/'
cxx_refused 9:17 "did you mean office::Desk::execute(std::string const&,std::string_view,int)?" \
	's/std::string_view, int/std::string_view, long/'
cxx_refused 2:17 "did you mean office::Desk::invoke?" 's/Desk::invoke/Desk::invok/'
