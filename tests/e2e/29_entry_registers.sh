#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A call through a patched entry changes no register that the function itself does not change,
# and the function finds all as its caller set them: general and vector registers, masks,
# mxcsr, x87, the direction flag, words on the stack; on the hot path and on each of the slow ones
# (new names, failures with a message, a lapped ring, the first call of a thread and of a
# child, a load, signal handlers that call in, a pause and a filter that come and go), with a
# stack that is aligned to 8 only.
# skip-under: thread: a patched entry keeps no vector registers for its runtime, which takes them
. "$(dirname "$0")/lib.sh"
need gcc python3

cat >"$work/r.ini" <<'INI'
[probe plain]
signature = int (str invoker_id, str artifact_id, str method, int args_count, int tick, str error_message)
success   = return == 0
[probe rewritten]
signature = int (str invoker_id, str artifact_id, str method, int args_count, int tick, str error_message)
success   = return == 0
normalise.error_message = digits
normalise.artifact_id   = digits
[probe garbage]
signature = i64 (str invoker_id, ptr p, str method, str artifact_id, int tick, str error_message)
success   = return == 0
args_count = p->8:i32
error_type = return: 1=one
[probe floats]
signature = int (str invoker_id, str artifact_id, f64 a, f64 b, f64 c, f64 d, f64 e, f64 f, f64 g, f32 h)
success   = return == 0
[probe seven]
signature = int (str invoker_id, str artifact_id, str method, int a, int b, str error_message, int tick)
success   = return == 0
[probe sixteen]
signature = int (str invoker_id, str artifact_id, int a, int b, int c, str error_message, int d, int e, int f, int g, int h, int i, int j, int k, int l, int tick)
success   = return == 0
[probe wide]
signature = int (str invoker_id, str artifact_id, ldouble a, ldouble b, ldouble c, ldouble d, ldouble e, ldouble f, ldouble g, ldouble h, ldouble i, ldouble j)
success   = return == 0
[probe mixed]
signature = int (str invoker_id, f64 a, f64 b, f64 c, f64 d, f64 e, f64 f, f64 g, f64 h, f64 i, i8 j, str method, int k, str error_message, ldouble x)
success   = return == 0
[probe variadic]
signature = int (str invoker_id, str artifact_id, ... f64, int, int, int, int, int, int, int, i64, int)
success   = return == 0
[probe double]
signature = f64 (str invoker_id, str artifact_id, f64 x)
success   = return > 0
[probe long_double]
signature = ldouble (str invoker_id, str artifact_id, ldouble x)
[probe typed]
signature = ptr (str invoker_id, str artifact_id, str method, int args_count, int tick, str error_message)
success     = return is null
error_type  = error_message
error.busy  = no room
result_type = method
[probe filler]
signature = void (int tick)
INI
sed -i 's/^\[probe \(.*\)\]$/&\ntarget = program:r_\1\nbind = entry/' "$work/r.ini"
probes=$work/r.ini
invreg check "$probes" >/dev/null || fail "the probe file is wrong"

paused_and_filtered() { # HOW
	local host running=yes
	forget_sessions
	env "LD_PRELOAD=$preload" "INVREG_PROBES=$probes" "$work/host" 20000 >"$work/paused.out" 2>&1 &
	host=$!
	for _ in $(seq 200); do
		! compgen -G "$INVREG_DIR/*.ctl" >/dev/null || break
		sleep 0.02
	done
	for _ in $(seq 10); do
		invreg pause || break
		sleep 0.02
		invreg resume || break
		invreg filter --artifact "artifact 3" || break
		sleep 0.02
		invreg filter --clear || break
	done >/dev/null 2>&1
	kill -0 $host 2>/dev/null || running=no
	wait $host || fail "$1, paused and filtered: $(cat "$work/paused.out")"
	snapshot_json "$(session)" >"$work/p.json"
	[[ $running == no || $(json "$work/p.json" 'd["status"]["calls_paused"]') -gt 0 ]] ||
		fail "$1: no call was paused"
}

for cc in gcc clang; do
	command -v "$cc" >/dev/null || continue
	for how in "-O2 -pie -fPIE" "-O2 -no-pie -fno-pie"; do
		# shellcheck disable=SC2086 # flags
		"$cc" $how -Wall -Wextra -D_GNU_SOURCE -o "$work/host" "$root/tests/hosts/registers/"{host.c,calls.S} \
			-lpthread -ldl
		forget_sessions
		"$work/host" 20 >"$work/bare.out" || fail "the host finds differences where there are none"
		observed "$work/host" "${ROUNDS:-1000}" count >"$work/observed.out" 2>"$work/counts" ||
			fail "$cc $how: $(cat "$work/observed.out" "$work/counts")"
		snapshot_json "$(session)" >"$work/s.json"
		assert_eq "tiers with $cc $how" "{'entry'}" \
			"$(json "$work/s.json" '{p["tier"] for p in d["probes"]}')"
		assert_eq "calls with $cc $how" "$(awk '{ n += $2 } END { print n }' "$work/counts")" \
			"$(json "$work/s.json" 'total()')"
		paused_and_filtered "$cc $how"
		echo "$cc $how: $(json "$work/s.json" 'total()') calls, $(cat "$work/observed.out")"
	done
done
