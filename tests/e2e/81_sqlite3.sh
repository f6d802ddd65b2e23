#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# probes/sqlite3.ini on Debian's sqlite3 and on Python's _sqlite3. What was prepared is known
# from SQLite's own trace of the statements (none of which fails), from the list of those that
# fail, and, in total, from a breakpoint of gdb in a run without the shim. No literal is in
# the segment, in no form.
. "$(dirname "$0")/lib.sh"
need sqlite3 gdb python3

probes=$root/preload/probes/sqlite3.ini

calls_by_gdb() { # COMMAND...
	cat >"$work/break.gdb" <<'GDB'
set debuginfod enabled off
set confirm off
set breakpoint pending on
break sqlite3_prepare_v2
ignore 1 100000000
run
info breakpoints
GDB
	SHELL=/bin/sh gdb -nx -batch -x "$work/break.gdb" --args "$@" 2>&1 |
		sed -n 's/.*breakpoint already hit \([0-9]*\) times.*/\1/p'
}

# The statements of the trace, folded by rules of sed that fit these statements only,
# and the counts of what was observed: both as `COUNT TEXT`.
folded() {
	sed -E "s/'([^']|'')*'/?/g; s/ [0-9]+/ ?/g; s/\(([0-9]+, ?)+/(?, /; s/IN \([^)]*\)/IN (?)/; s/\([0-9]+/(?/" |
		sort | uniq -c | sed -E 's/^ +//; s/;$//'
}

observed_names() { # SNAPSHOT: without what the library prepares for itself
	json "$1" '"\n".join("%d %s" % (a["successful"], a["artifact_id"].rstrip(";"))
		for a in d["artifacts"] if a["successful"] and not a["artifact_id"].startswith("SELECT*FROM"))'
}

# A segment is sparse, and its holes are long: only what was written is looked at.
no_secrets() { # WHAT
	python3 -c '
import os, sys
def written(path):
    with open(path, "rb") as f:
        end, at = os.fstat(f.fileno()).st_size, 0
        while at < end:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA)
            except OSError:  # nothing but a hole follows
                return
            hole = os.lseek(f.fileno(), at, os.SEEK_HOLE)
            yield os.pread(f.fileno(), hole - at, at)
            at = hole
for path in sys.argv[1:]:
    data = b"".join(written(path))
    assert b"SELECT" in data, path
    assert b"hunter" not in data, path' "$INVREG_DIR"/*.seg || fail "$1: a literal is in the segment"
}

check() { # WHAT FAILURES COMMAND...
	local what=$1 failures=$2 by_gdb
	shift 2
	snapshot_json "$(session)" >"$work/$what.json"
	no_secrets "$what"
	assert_eq "failures of $what" "$failures" \
		"$(json "$work/$what.json" 'sorted((a["artifact_id"].rstrip(";"), sorted(a["failure_types"].items())) for a in d["artifacts"] if a["failed"])')"
	diff <(folded <"$work/trace") <(observed_names "$work/$what.json" | sort -k2) ||
		fail "the statements of $what differ from SQLite's own trace"
	by_gdb=$(calls_by_gdb "$@")
	[[ -n $by_gdb ]] || skip "gdb cannot trace a program here"
	assert_eq "calls of $what against gdb" "$by_gdb" "$(json "$work/$what.json" 'total()')"
	echo "$what: $by_gdb statements prepared"
}

# ---- the sqlite3 program ------------------------------------------------------------------
statements() {
	echo "CREATE TABLE t(a, b);"
	for i in $(seq 200); do
		echo "INSERT INTO t VALUES ($i, 'hunter$i');"
	done
	echo "SELECT b FROM t WHERE a IN (1, 2, $1) AND b <> 'hunter';"
	echo "SELECT b FROM t WHERE a IN (4) AND b <> 'hunter''s';"
	echo "SELECT 1 FROM nowhere WHERE a = 'hunter';"
	echo "SELEC 'hunter';"
}
statements 3 >"$work/statements.sql"
{ echo ".trace $work/trace --plain --stmt" && cat "$work/statements.sql"; } >"$work/traced.sql"
sqlite3 :memory: ".read $work/traced.sql" >/dev/null 2>&1 || true
[[ -s $work/trace ]] || fail "sqlite3 wrote no trace"
same_output sqlite3 :memory: ".read $work/statements.sql"
check program "[('SELEC ?', [('SQLITE_ERROR', 1)]), ('SELECT ? FROM nowhere WHERE a = ?', [('SQLITE_ERROR', 1)])]" \
	sqlite3 :memory: ".read $work/statements.sql"

# ---- Python -------------------------------------------------------------------------------
cat >"$work/program.py" <<'PY'
import sqlite3, sys
c = sqlite3.connect(":memory:", isolation_level=None, cached_statements=0)
if len(sys.argv) > 1:
    c.set_trace_callback(open(sys.argv[1], "w", buffering=1).write)
def run(sql):
    try:
        c.execute(sql + "\n").fetchall()
    except sqlite3.Error as error:
        print(error)
run("CREATE TABLE t(a, b)")
for i in range(200):
    run(f"INSERT INTO t VALUES ({i}, 'hunter{i}')")
for i in range(7):
    run(f"SELECT b FROM t WHERE a IN (1, 2, {i}) AND b <> 'hunter{i}'")
run("SELECT 1 FROM nowhere WHERE a = 'hunter'")
PY
/usr/bin/python3 -c 'import sqlite3' 2>/dev/null || skip "/usr/bin/python3 has no sqlite3"
forget_sessions
/usr/bin/python3 "$work/program.py" "$work/trace" >/dev/null
same_output /usr/bin/python3 "$work/program.py"
check python "[('SELECT ? FROM nowhere WHERE a = ?', [('SQLITE_ERROR', 1)])]" \
	/usr/bin/python3 "$work/program.py"
