#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What each kind of expression records of each kind of object, event by event; how a call has
# ended, by expression, message, code and exception; that reading runs no code in Python which
# the program did not run itself, and is counted as unreadable where it would; and that it
# may, where the probe says `properties = yes`.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/python_lib.sh"
need python3

program=$work/python/fields/run.py
export SUBJECTS=$work/subjects PYTHONIOENCODING=utf-8
groups="values arguments outcomes code properties"
mkdir "$SUBJECTS"
for group in $groups; do
	python3 "$program" "$group" "$SUBJECTS"
	python3 "$program" "$group" --expected >"$work/$group.expected"
done

each() { # FUNCTION: with version, python and group set
	local line
	for line in "${pythons[@]}"; do
		version=${line%% *} python=${line#* }
		for group in $groups; do
			"$1"
		done
	done
}

bare_group() {
	bare "$version $group" "$python" "$program" "$group"
	[[ $group == properties ]] || assert_contains "$version $group: code that ran by itself" \
		"runs []" "$(tail -n 1 "$kept.out")"
}

# A probe whose fields take code is named by a note, once, with the first such field.
notes() {
	local said note
	said=$(json "$work/snapshot.json" \
		"[n['probe'] + ': ' + n['detail'] for n in d['notes'] if 'properties = yes' in n['reason']]")
	case $group in
	code)
		for note in 'property: invoker_id = x.principal_id' 'sized: args_count = len(x)' \
			'item: invoker_id = x["a"]' 'truth: success = return' \
			'message_property: error_message = return.principal_id'; do
			assert_contains "$version: notes" "'$note'" "$said"
			assert_eq "$version: notes $note" 1 "$(grep -oF "'${note%%=*}" <<<"$said" | wc -l)"
		done
		;;
	values)
		[[ $said != *"'missing"* ]] || fail "$version: what is not there takes no code: $said"
		assert_eq "$version: notes of what is not there" "[1]" "$(json "$work/snapshot.json" \
			"[n['count'] for n in d['notes'] if 'could not be read' in n['reason']
				and (n['probe'], n['detail']) == ('missing', 'invoker_id = x.nonesuch')]")"
		;;
	*) assert_eq "$version $group: notes of code" "[]" "$said" ;;
	esac
}

seen_group() {
	local probes=$SUBJECTS/$group.ini
	bare_group
	seen "$version $group" "$python" "$program" "$group"
	invreg events "$(session)" >"$work/events.jsonl"
	snapshot_json "$(session)" >"$work/snapshot.json"
	python3 "$root/tests/e2e/compare_fields.py" "$work/events.jsonl" "$work/$group.expected" \
		"$work/snapshot.json" >"$work/verdict" || fail "$version $group: $(cat "$work/verdict")"
	notes
	echo "$version $group: $(cat "$work/verdict")"
}

each bare_group
echo "bare: ${#pythons[@]} interpreters"
python_targets
for group in $groups; do
	invreg check "$SUBJECTS/$group.ini" >/dev/null || fail "the probes of '$group' are refused"
done
each seen_group
