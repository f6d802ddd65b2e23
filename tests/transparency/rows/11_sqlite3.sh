#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# SQLite: Debian's program, and Python's own _sqlite3; the SQL text is the artifact.
. "$(dirname "$0")/../lib.sh"

probe prepare sqlite3_prepare_v2 'int (ptr db, str artifact_id, int bytes, ptr statement, ptr tail)' \
	'normalise.artifact_id = sql' 'success = return == 0' 'error.default = refused'
{
	echo 'CREATE TABLE t(a, b);'
	printf "INSERT INTO t VALUES (%d, 'secret');\n" $(seq 300)
	echo 'SELECT count(*), sum(a) FROM t; SELEC; SELECT * FROM nowhere;'
	echo '.schema'
	echo '.dump t'
} >"$given/statements.sql"
cat >"$given/program.py" <<'PY'
import sqlite3
c = sqlite3.connect("kept.db")
c.execute("CREATE TABLE t(a, b)")
for i in range(300):
    c.execute(f"INSERT INTO t VALUES ({i}, ?)", ("secret",))
c.commit()
try:
    c.execute("SELECT * FROM nowhere")
except sqlite3.Error as error:
    print(error)
print(c.execute("SELECT count(*), sum(a) FROM t").fetchall(), c.total_changes)
PY

if installed sqlite3; then
	program sqlite3 sqlite3 kept.db '.read statements.sql'
	observe entry 300+
	observe got 300+
	observe auto 300+
fi
if installed /usr/bin/python3; then
	program "python3 _sqlite3" /usr/bin/python3 program.py
	observe entry 300+
	observe got 300+
	observe auto 300+
fi
