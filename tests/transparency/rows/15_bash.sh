#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# bash: its own functions, and the fork() that it calls, which returns twice.
. "$(dirname "$0")/../lib.sh"

cat >"$given/script.sh" <<'SH'
set -u
trap 'echo exit trap $?' EXIT
trap 'echo got USR1' USR1
f() { local n=$1; ((n < 2)) && { echo 1; return; }; echo $(($(f $((n - 1))) + $(f $((n - 2))))); }
f 7
kill -USR1 $$
printf '%s\n' {a..e} | sort -r | while read -r x; do echo "<$x>"; done
(exit 5); echo $?
sleep 0.1 & wait; echo "waited $?"
exec 5>made; echo text >&5; exec 5>&-
cat <(echo process) <(echo substitution) - <<<here
coproc cat; echo to coproc >&"${COPROC[1]}"; read -r line <&"${COPROC[0]}"; echo "$line"
sh -c 'kill -TERM $$'; echo $?
echo $BASH_SUBSHELL; ls /nonexistent; declare -A m=([k]=v); echo "${m[k]}"
exit 7
SH
program bash bash script.sh
probe execute program:execute_command_internal 'int (ptr command, int asynchronous, int in, int out, ptr fds)' \
	'artifact_id = "command"'
observe entry 100+
observe auto 100+
forget_probes
probe fork fork 'int ()' 'success = return >= 0' 'artifact_id = "fork"'
observe got 25+
