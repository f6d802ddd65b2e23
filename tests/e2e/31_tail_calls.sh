#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A function that ends in a call of another one (a dispatcher, a method that hands over to its
# object) is compiled to a jump: the second returns to our wrapper of the first. It is the
# program's call all the same, and both are seen, whatever tier each is bound by.
. "$(dirname "$0")/lib.sh"
need gcc python3 objdump

cat >"$work/inner.c" <<'C'
struct pair { double a; int b; };
int inner(const char *method, int n);
int inner(const char *method, int n)
{
	volatile int sum = n;
	sum += method[0] == 'o';
	return sum;
}
C
cat >"$work/outer.c" <<'C'
struct table { int (*call)(const char *, int); };
struct pair { double a; int b; };
int outer(const struct table *to, const char *method, int n);

int outer_pair(struct pair pair, const struct table *to, const char *method, int n);
int outer(const struct table *to, const char *method, int n) { return to->call(method, n); }
int outer_pair(struct pair pair, const struct table *to, const char *method, int n)
{
	return to->call(method, n + pair.b);
}
C
cat >"$work/main.c" <<'C'
#include <stdio.h>
struct table { int (*call)(const char *, int); };
struct pair { double a; int b; };
int inner(const char *method, int n);
int outer(const struct table *to, const char *method, int n);
int outer_pair(struct pair pair, const struct table *to, const char *method, int n);
int main(void)
{
	struct table table = {inner};
	int sum = 0;
	for (int i = 0; i < 10; i++)
		sum += outer(&table, "one", i) + outer_pair((struct pair){1.5, 2}, &table, "other", i);
	printf("sum %d\n", sum);
	return 0;
}
C
for part in inner outer; do
	gcc -O2 -shared -fPIC -o "$work/lib$part.so" "$work/$part.c"
done
gcc -O2 -o "$work/host" "$work/main.c" -L"$work" -linner -louter "-Wl,-rpath,$work"
objdump -d "$work/libouter.so" | grep -A9 '<outer>:' | grep -q 'jmp .*\*\|br	x' ||
	skip "this gcc makes no jump of it"
"$work/host" >"$work/bare"

for outer in auto got; do
	for inner in auto got; do
		cat >"$work/tail.ini" <<INI
[probe outer]
target      = outer
bind        = $outer
signature   = int (ptr to, str method, int n)
artifact_id = "outer"

[probe pair]
target      = outer_pair
signature   = int ({f64,i32} pair, ptr to, str method, int n)
artifact_id = "pair"

[probe inner]
target      = inner
bind        = $inner
signature   = int (str method, int n)
artifact_id = "inner"
INI
		probes=$work/tail.ini run --session tail -- "$work/host" >"$work/out"
		diff "$work/bare" "$work/out" || fail "the program prints something else"
		snapshot_json tail >"$work/tail.json"
		assert_eq "calls seen, outer by $outer, inner by $inner" \
			"[('inner', 'one', 10), ('inner', 'other', 10), ('outer', 'one', 10), ('pair', 'other', 10)]" \
			"$(json "$work/tail.json" 'sorted((a["artifact_id"], m["method"], m["total_invocations"])
	for a in d["artifacts"] for m in a["methods"])')"
		forget_sessions
	done
done

# Where our stubs call on is told by their section: a call of libc's from there, of a function
# that is probed itself, would be taken for the program's.
objdump -d -j inv_forwards "$shim" >"$work/forwards" || fail "the shim's stubs have no section"
if [[ -z ${SAN:-} ]] && grep -q 'call.*@plt\|bl.*@plt' "$work/forwards"; then
	fail "the stubs call libc: $(grep -m1 '@plt' "$work/forwards")"
fi
