#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# probes/lua.ini on a program that nobody here wrote: clingo, which loads liblua5.4.so
# (Debian's lua5.4 has it inside). The script counts its own pcalls and errors; a breakpoint
# of gdb counts every call of lua_pcallk, clingo's own included, in a run without the shim.
. "$(dirname "$0")/lib.sh"
need clingo gdb python3

probes=$root/preload/probes/lua.ini

program() { # N: a script of N pcalls; every third fails, each tenth xpcall's handler too
	cat <<LUA
#script (lua)
function handler() error("again") end
function count()
  local ok, runtime, bad = 0, 0, 0
  for i = 1, $1 do
    local good
    if i % 10 == 0 then
      good = xpcall(error, handler, "secret")
      bad = bad + 1
    elseif i % 3 == 0 then
      good = pcall(error, "secret" .. i)
      runtime = runtime + 1
    else
      good = pcall(function() return i end)
      ok = ok + 1
    end
  end
  io.stderr:write(string.format("%d %d %d\n", ok, runtime, bad))
  return 1
end
#end.
p(@count()).
LUA
}

calls_by_gdb() { # FILE
	cat >"$work/break.gdb" <<'GDB'
set debuginfod enabled off
set confirm off
set breakpoint pending on
break lua_pcallk
ignore 1 100000000
run
info breakpoints
GDB
	SHELL=/bin/sh gdb -nx -batch -x "$work/break.gdb" --args clingo --outf=3 "$1" 2>&1 |
		sed -n 's/.*breakpoint already hit \([0-9]*\) times.*/\1/p'
}

observe() { # N: sets calls, own (the script's own count), failed
	program "$1" >"$work/$1.lp"
	forget_sessions
	# 30 and 10 are clingo's words for "satisfiable" and "exhausted"
	status_of observed clingo --outf=3 "$work/$1.lp" 2>"$work/own"
	read -r own_ok own_runtime own_bad <"$work/own"
	assert_eq "clingo's exit status" 30 "$status"
	snapshot_json "$(session)" >"$work/$1.json"
	calls=$(json "$work/$1.json" 'total()')
	failed=$(json "$work/$1.json" 'sorted(d["artifacts"][0]["failure_types"].items())')
	assert_eq "failures of $1" \
		"[('error_in_handler', $own_bad), ('runtime', $own_runtime)]" "$failed"
	assert_eq "lost of $1" "[]" "$(json "$work/$1.json" 'd["lost"]')"
	by_gdb=$(calls_by_gdb "$work/$1.lp")
	[[ -n $by_gdb ]] || skip "gdb cannot trace a program here"
	assert_eq "calls of $1 against gdb" "$by_gdb" "$calls"
	extra=$((calls - own_ok - own_runtime - own_bad))
}

observe 30
first=$extra
observe 1030
assert_eq "calls that are not the script's" "$first" "$extra"
echo "lua: $calls calls, $extra of them clingo's own"
