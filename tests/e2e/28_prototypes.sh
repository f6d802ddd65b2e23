#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every class of prototype gives the same results bare and observed, is counted exactly, and
# shows its fields, by got and by the entry where there is a way (no struct by value); a
# million calls through a closure leak nothing, and no descriptor is kept.
. "$(dirname "$0")/lib.sh"

cat >"$work/p.ini" <<'INI'
[probe registers]
signature = int (ptr p, str invoker_id, int args_count)
[probe seven]
signature = int (int a, int b, int c, int d, int e, int f, int tick)
success   = return > 0
[probe nine_floats]
signature = f64 (f64 a, f64 b, f64 c, f64 d, f64 e, f64 f, f64 g, f64 h, f64 i)
success   = return < 0
[probe mixed]
signature = i64 (i8 a, f64 b, i16 c, f32 d, i64 e, f64 f, u8 g, f64 h, u16 i, f64 j, u32 args_count, bool l, str invoker_id, int tick)
[probe pair_out]
signature = {i32,f64} (int tick)
[probe pair_in]
signature = int ({i32,f64} p, str invoker_id)
success   = return != 9
[probe floats]
signature = {f32,f32,f32} ({f32,f32,f32} f, f32 k)
[probe big]
signature = {i64,i64,i64,i64,i64} ({i64,i64,i64,i64,i64} b, int tick)
[probe nested]
signature = {i8,{i32,f64},str} ({i8,{i32,f64},str} n)
[probe long_double]
signature = ldouble (ldouble x, int tick)
[probe long_double_in]
signature = int (int tick, ldouble x, int args_count)
[probe variadic]
signature = int (str invoker_id, int args_count, ... int, int, int, int, int, int, int)
[probe variadic_floats]
signature = f64 (int args_count, ... f64, f64, f64)
[probe float_stack]
signature = f32 (f32 a, f32 b, f32 c, f32 d, f32 e, f32 f, f32 g, f32 h, f32 i, f32 j)
success   = return < 300
[probe void_stack]
signature = void (ptr out, int b, int c, int d, int e, int f, int tick)
[probe narrow]
signature = i8 (int a, int b, int c, int d, int e, int f, i8 tick)
success   = return < 0
[probe bool]
signature = bool (int tick, int b, int c, int d, int e, int f, bool g)
success   = return == 1
[probe sixteen]
signature = u64 (int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, int k, int l, int m, int n, int tick, u64 p)
INI
# The symbol and what is seen of it are the probe's name.
sed -i 's/^\[probe \(.*\)\]$/&\ntarget = p_\1\nartifact_id = "\1"\nmethod = "call"/' "$work/p.ini"
sed '/^target/a bind = got' "$work/p.ini" >"$work/got.ini"
sed '/^target/a bind = auto' "$work/p.ini" >"$work/auto.ini"

check() { # HOW TIERS
	forget_sessions
	same_output "$dir/host" 3
	snapshot_json "$(session)" >"$work/s.json"
	# Each is called once a round, but for two that are called twice.
	assert_eq "calls with $1" "[('bool', 6), ('variadic', 6)] 16" "$(json "$work/s.json" \
		'str(sorted((a["artifact_id"], a["total_invocations"]) for a in d["artifacts"]
		 if a["total_invocations"] != 3)) + " " + str(sum(a["total_invocations"] == 3 for a in d["artifacts"]))')"
	# By hand: nine_floats is 70.25 + n, float_stack 289.5 + 10 n, pair_in 5 + 4 n.
	assert_eq "failures with $1" "[('bool', 3), ('float_stack', 2), ('narrow', 0), ('nine_floats', 3), ('pair_in', 1), ('seven', 0)]" \
		"$(json "$work/s.json" 'sorted((a["artifact_id"], a["failed"]) for a in d["artifacts"]
		 if a["failed"] or a["artifact_id"] in ("narrow", "nine_floats", "seven"))')"
	invreg events "$(session)" >"$work/events"
	assert_contains "fields of mixed" \
		'"tick":3,"invoker_id":"bob","artifact_id":"mixed","method":"call","args_count":65535' \
		"$(grep -F '"mixed"' "$work/events" | tail -2)"
	assert_contains "fields of variadic" '"invoker_id":"dave","artifact_id":"variadic","method":"call","args_count":7' \
		"$(cat "$work/events")"
	assert_contains "tick of sixteen" '"tick":2,"invoker_id":"","artifact_id":"sixteen"' "$(cat "$work/events")"
	assert_eq "tiers with $1" "$2" "$(json "$work/s.json" 'sorted({p["tier"] for p in d["probes"]})')"
}

auto="['entry', 'got']"
has_entry_tier || auto="['got']"
for cc in gcc clang; do
	command -v "$cc" >/dev/null || continue
	for level in -O0 -O2; do
		dir=$work/$cc$level
		mkdir "$dir"
		"$cc" $level -fPIC -shared -o "$dir/libp.so" "$root/tests/hosts/prototypes/target.c"
		"$cc" $level -o "$dir/host" "$root/tests/hosts/prototypes/host.c" "-Wl,-rpath,$dir" \
			-L"$dir" -lp
		probes=$work/got.ini check "$cc $level, got" "['got']"
		# TSan's runtime takes vector registers where none is kept (shm/vectors.h)
		[[ ${SAN:-} == thread ]] || probes=$work/auto.ini check "$cc $level, auto" "$auto"
	done
done

probes=$work/got.ini
forget_sessions
same_output "$work/gcc-O2/host" -m 1000000
assert_contains "a million calls" "memory stays" "$(cat "$work/observed.out")"
snapshot_json "$(session)" >"$work/s.json"
assert_eq "calls through one closure" 1000000 "$(json "$work/s.json" 'total()')"
