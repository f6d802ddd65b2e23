#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Everything that can be checked about this tree without running it. A line for each check;
# the first words of a complaint are file:line. Exit 1 when any complained.
#   scripts/lint.sh [CHECK...]      some of: format source exports needed cppcheck shellcheck
# The checks are called by name: shellcheck cannot see it.
# shellcheck disable=SC2317
set -uo pipefail

cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
shim=$build/libinvreg_preload.so
failed=0

mapfile -t c_files < <(git ls-files --cached --others --exclude-standard '*.c' '*.h')
mapfile -t sh_files < <(git ls-files --cached --others --exclude-standard '*.sh' .ci/run)

need() { # TOOL
	command -v "$1" >/dev/null && return 0
	echo "lint: $1 is missing; run scripts/setup.sh"
	return 1
}

check_format() {
	need clang-format || return 1
	clang-format --dry-run -Werror "${c_files[@]}" 2>&1 | grep -E 'error:' | sort -u
	return "${PIPESTATUS[0]}"
}

# SPDX, folders and includes, barrier tags, cross references, TODOs, sizes.
check_source() {
	need python3 || return 1
	python3 scripts/lint_source.py "${c_files[@]}" -- "${sh_files[@]}" Makefile scripts/lint_source.py
}

check_exports() {
	local want have
	want=$(awk '/global:/ { on = 1; next } /local:/ { on = 0 } on { gsub(/[ \t;]/, ""); if ($0) print }' \
		preload/exports.map | sort)
	have=$(nm -D --defined-only --format=posix "$shim" | awk '{ sub(/@.*/, "", $1); print $1 }' |
		sort -u) || return 1
	[[ $want == "$have" ]] && return 0
	diff <(echo "$want") <(echo "$have") | sed -n "s|^<|$shim: not exported:|p; s|^>|$shim: not in exports.map:|p"
	return 1
}

# A preload's dependencies enter the program's global scope, and a container may lack them.
check_needed() {
	local needed
	needed=$(readelf -dW "$shim" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p') || return 1
	needed=$(grep -vxE 'libc\.so\.6|ld-linux[-a-z0-9_]*\.so\.[0-9]+' <<<"$needed")
	[[ -z $needed ]] && return 0
	echo "$shim: needs more than libc: $needed"
	return 1
}

# Suppressed:
#   missingIncludeSystem    system headers are not parsed, only ours
#   unusedFunction is off   (one file at a time cannot know)
#   unmatchedSuppression    a suppression may outlive its cause in some configuration
#   normalCheckLevelMaxBranches  talk about its own depth
check_cppcheck() {
	local folders=()
	need cppcheck || return 1
	for folder in shm preload reader tests/hosts; do
		[[ -d $folder ]] && folders+=("$folder")
	done
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability,performance \
		--inline-suppr -I. -D_GNU_SOURCE '-DElfW(type)=Elf64_##type' -D__x86_64__=1 -U__SANITIZE_THREAD__ --suppress=missingIncludeSystem \
		--suppress=unmatchedSuppression -j 2 --template='{file}:{line}: {id}: {message}' \
		"${folders[@]}" 2>&1
}

check_shellcheck() {
	need shellcheck || return 1
	shellcheck -x -P SCRIPTDIR "${sh_files[@]}"
}

run() { # NAME
	local out
	if out=$("check_$1"); then
		printf '  ok    %s\n' "$1"
	else
		printf '  FAIL  %s\n' "$1"
		failed=1
	fi
	[[ -z $out ]] || printf '        %s\n' "${out//$'\n'/$'\n'        }"
}

checks=("$@")
((${#checks[@]})) || checks=(format source exports needed cppcheck shellcheck)
for check in "${checks[@]}"; do
	run "$check"
done
((failed == 0)) && echo "lint: clean"
exit "$failed"
