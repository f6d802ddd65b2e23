#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Three processes, each started by the one before in every way there is, each with ten calls of
# its own: exact counts over the tree, in one session; INVREG_CHILDREN=ignore sees the first
# alone; a child whose environment was cleaned is not seen, and nothing claims that it was.
# shellcheck disable=SC2317 # functions that expect_green calls
. "$(dirname "$0")/bind.sh"
need gcc python3

processes_are() { # COUNT
	assert_eq "processes that bound a probe" "$1" "$(number_of processes_ended <"$work/s.json")"
}

ignored_are() { # COUNT
	assert_eq "processes that say why they are not observed" "$1" "$(json "$work/s.json" \
		'sum(n["count"] for n in d["notes"] if n["reason"].startswith("children are ignored"))')"
}

rows_of_trees() { # LABEL SEEN PROCESSES LOST
	local how tree=("$dir/children")
	for how in fork fork-exec vfork spawn; do
		row "$1,$how" "$2" 30 "${tree[@]}" $how 2 "$work/counts"
		expect_green "$1,$how,processes" processes_are "$3"
	done
	# A shell between them, in which nothing binds.
	for how in system popen; do
		lost=$4 row "$1,$how" "$2" 30 "${tree[@]}" $how 2 "$work/counts"
		expect_green "$1,$how,processes" processes_are "$3"
	done
	row "$1,exec" 10 10 "${tree[@]}" exec 2 "$work/counts"
}

bind_begin gcc
bind_targets
bind_host children host_children.c "${target[@]}"
rows_of_trees default 30 3 '{"reason":"unbound_proc","count":2}'
export INVREG_CHILDREN=follow
rows_of_trees follow 30 3 '{"reason":"unbound_proc","count":2}'
export INVREG_CHILDREN=ignore
row ignore,says-why 10 30 "$dir/children" spawn 2 "$work/counts"
expect_green ignore,says-why,notes ignored_are 2
rows_of_trees ignore 10 1 ''
by=by_run rows_of_trees ignore,run 10 1 ''
unset INVREG_CHILDREN

for how in clean unset; do
	row "$how" 10 30 "$dir/children" $how 2 "$work/counts"
	expect_green "$how,processes" processes_are 1
done
bind_end
