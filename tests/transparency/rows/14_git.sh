#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# git, whose processes fork and execute each other: a small repository made by a script, with
# its objects, references and working tree compared.
. "$(dirname "$0")/../lib.sh"
installed git || exit 0

cat >"$given/make.sh" <<'SH'
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
export GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z'
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
git init -q -b main one
cd one
printf '#!/bin/sh\ngrep -q . "$1"\necho hook ran\n' >.git/hooks/commit-msg
chmod +x .git/hooks/commit-msg
for i in 1 2 3 4 5; do
	seq $((i * 400)) >numbers; echo "$i" >"file $i"
	git add . && git commit -qm "commit $i"
done
git checkout -qb side HEAD~2
seq 900 -1 1 >other; git add other; git commit -qm side
git merge -q -m merge main
git rebase -q --force-rebase HEAD~1 && git log --stat --format='%H %s' | cat
git diff HEAD~1 | tail -n 20
git grep -nE '^1?99$' | head
echo a change >>numbers; git stash -q; git stash pop 2>&1 | tail -n 3
git clone -q . ../two && git -C ../two fsck && git gc -q && git fsck --full
git ls-files -s
git commit -qm "" ; echo "status $?"
git nonsense; echo "status $?"
SH
tidy() { # the index keeps times and inodes of files
	find . -name index -delete
	find . -path '*logs*' -delete
	find . -name 'FETCH_HEAD' -delete
	rm -f one/.git/gc.pid
}

probe deflate deflate 'int (ptr stream, int flush)' 'success = return >= 0' 'artifact_id = "deflate"'
probe inflate inflate 'int (ptr stream, int flush)' 'success = return >= 0' 'artifact_id = "inflate"'
program git sh make.sh
observe entry 50+
observe got 50+
observe auto 50+
