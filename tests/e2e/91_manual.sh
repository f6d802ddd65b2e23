#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The manual is true: each verb has a topic with examples, each option that a topic names is
# one that the verb takes, and the man pages and the completion say the same.
. "$(dirname "$0")/lib.sh"

verbs=$(invreg --help | sed -n '/^  run  /,/^$/s/^  \([a-z]*\) .*/\1/p')
assert_contains "verbs" "snapshot" "$verbs"
for verb in $verbs; do
	help=$(invreg "$verb" --help)
	assert_eq "help and --help of $verb" "$help" "$(invreg help "$verb")"
	assert_contains "help of $verb" "usage: invreg $verb" "$help"
	assert_contains "help of $verb" "examples:" "$help"
	assert_contains "help of $verb" "exit status:" "$help"
	mapfile -t options < <(grep -oE '^  +(-[a-z], )?--[a-z-]+' <<<"$help" | grep -oE -- '--[a-z-]+')
	for option in "${options[@]}"; do
		# An option that wants a value is told from an unknown one by its words.
		# events --follow waits for a session, until it is told to stop.
		said=$(timeout 5 "$build/invreg" "$verb" "$option" 2>&1 </dev/null || true)
		[[ $said != *"unknown option"* && $said != *"unrecognized option"* ]] ||
			fail "the manual has $verb $option, the program says: $said"
	done
done

# Tried with every verb, so that the loop above can fail.
assert_contains "an unknown option" "option" "$(invreg stats --no-such 2>&1 || true)"
status_of invreg help nonsense 2>"$work/err"
assert_eq "help of a topic that is none" 2 "$status"
assert_contains "it is named" "'nonsense'" "$(cat "$work/err")"
status_of invreg 2>"$work/err"
assert_eq "no verb" 2 "$status"
assert_contains "probe files" "signature = TYPE" "$(invreg help probes)"

for verb in $verbs; do
	grep -q "^\.SS invreg $verb$" "$build/man/invreg.1" || fail "invreg(1) lacks $verb"
done
if command -v man >/dev/null; then
	for page in invreg.1 invreg-probes.5; do
		LC_ALL=C.UTF-8 man --warnings -l "$build/man/$page" >"$work/page" 2>"$work/warnings"
		assert_eq "warnings about $page" "" "$(cat "$work/warnings")"
	done
fi

complete_word() { # WORD...: what bash would offer for the last one
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_invreg
	echo "${COMPREPLY[*]}"
}
# shellcheck source=/dev/null
. "$build/man/completion.bash"
assert_eq "completion of a verb" "stats" "$(complete_word invreg st)"
assert_eq "completion of an option" "--sort" "$(complete_word invreg stats --so)"
