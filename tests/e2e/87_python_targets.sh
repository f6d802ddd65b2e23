#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# However a module is imported and whatever kind of function a target is, every call of it is
# counted, as the program counted itself: modules and packages, names taken by others before,
# circles, reloads, threads, __main__, paths and archives; bases, decorators and descriptors;
# and each kind of function called often enough for the interpreter to specialise the call.
# A target that is not found is told with the names that are nearest.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/python_lib.sh"

cases=$work/python/imports
for kind in imports hot; do
	python3 "$cases/make_probes.py" $kind >"$work/$kind.ini"
	invreg check "$work/$kind.ini" >/dev/null || fail "the probes of '$kind' are refused"
done

each() { # FUNCTION: with version, python and kind set
	local line
	for line in "${pythons[@]}"; do
		version=${line%% *} python=${line#* }
		for kind in imports hot; do
			"$1"
		done
	done
}

bare_case() {
	bare "$version $kind" "$python" "$cases/run.py" "$kind"
	(($(wc -l <"$kept.truth") == 1)) || fail "$version $kind: the program counted nothing"
}

seen_case() {
	# What is no function keeps its type, and is left alone: that is said.
	local options=(--open cached --open partial)
	probes=$work/$kind.ini
	bare_case
	seen "$version $kind" "$python" "$cases/run.py" "$kind"
	counts "$version $kind" "${options[@]}"
	[[ $kind == hot ]] || every_case_was_there
}

# A case whose probe found nothing and whose program called nothing would compare equal.
every_case_was_there() {
	assert_eq "$version: probes without a call" "[]" \
		"$(json "$work/snapshot.json" '[p["name"] for p in d["probes"] if not p["calls"] and not p["why"]]')"
}

each bare_case
echo "bare: ${#pythons[@]} interpreters"
python_targets
each seen_case

# ---- not found --------------------------------------------------------------------------------

probe() { # NAME TARGET NEAREST
	printf '[probe %s]\ntarget = python:%s\nartifact_id = "%s"\n' "$1" "$2" "$1" >>"$work/typos.ini"
	nearest[$1]=$3
}

declare -A nearest=()
probe function_typo plain:trasnfer transfer
probe method_typo plain:Klass.methd method
probe class_typo bases:Bsae.run Base
probe module_typo palin:transfer plain
probe package_typo pack.iner:inner_function pack.inner
# of modules that come without a file, or before all others
probe built_in time:sleep "sleep is a builtin_function_or_method"
probe frozen os:getpid "getpid is a builtin_function_or_method"
probe frozen_typo os:getnev "did you mean getenv?"
probe first sys:exit "exit is a builtin_function_or_method"
probe package_of_it _json:scanstring "scanstring is a builtin_function_or_method"
for line in "${pythons[@]}"; do
	version=${line%% *} python=${line#* } probes=$work/typos.ini
	bare "$version typos" "$python" "$cases/run.py" imports
	forget_sessions
	status_of invreg run --session typos -p "$probes" -- "$python" "$cases/run.py" imports \
		>"$work/out" 2>"$work/run.err"
	assert_eq "$version: exit status with targets that are not there" 0 "$status"
	diff "$kept.out" "$work/out" || fail "$version: another output with targets not found"
	snapshot_json typos >"$work/snapshot.json"
	assert_eq "$version: calls of targets not found" 0 "$(json "$work/snapshot.json" 'total()')"
	for name in "${!nearest[@]}"; do
		assert_contains "$version, $name: what run says" "${nearest[$name]}" \
			"$(grep -A 3 -w "$name" "$work/run.err" || cat "$work/run.err")"
		assert_contains "$version, $name: what snapshot says" "${nearest[$name]}" \
			"$(json "$work/snapshot.json" "[p for p in d['probes'] if p['name'] == '$name']")"
	done
done
