#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# Lua: the interpreter, which has its library inside, and clingo, which loads liblua5.4.so.
. "$(dirname "$0")/../lib.sh"

cat >"$given/script.lua" <<'LUA'
local ok, bad = 0, 0
for i = 1, 3000 do
	if pcall(function() if i % 3 == 0 then error({i}) end return i end) then ok = ok + 1 else bad = bad + 1 end
end
local generator = coroutine.wrap(function() for i = 1, 5 do pcall(coroutine.yield, i) end end)
for i = 1, 5 do io.write(generator(), " ") end
print(ok, bad)
io.open("made.txt", "w"):write(("x"):rep(100))
io.stderr:write("done\n")
os.exit(3)
LUA
probe lua_pcall lua_pcallk 'int (ptr L, int args_count, int nresults, int msgh, i64 ctx, ptr k)' 'success = return == 0'

if installed lua5.4; then
	program lua5.4 lua5.4 script.lua
	observe entry 3000+
	observe got 0 "its library is inside it: no call crosses objects"
	observe auto 3000+
fi
if installed clingo; then
	{
		echo '#script (lua)'
		sed 's/^os.exit.*//; s/^print(ok, bad)/io.stderr:write(ok, bad)/' "$given/script.lua" |
			sed '1i function count()' && echo 'return 1 end'
		echo '#end.'
		echo 'p(@count()).'
	} >"$given/script.lp"
	program "clingo (liblua5.4)" clingo --outf=3 script.lp
	observe entry 3000+
	observe got 3000+
	observe auto 3000+
fi
