#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# curl, with the most libraries of all: a file, a refused connection, a server of Python's.
. "$(dirname "$0")/../lib.sh"
installed curl /usr/bin/python3 || exit 0

seq 20000 >"$given/numbers"
cat >"$given/get.sh" <<'SH'
/usr/bin/python3 -u -c '
import http.server
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
print(s.server_port, flush=True)
s.serve_forever()' >port 2>/dev/null &
server=$!
for _ in $(seq 200); do [ ! -s port ] || break; sleep 0.05; done
curl -s "http://127.0.0.1:$(cat port)/numbers" "http://127.0.0.1:$(cat port)/numbers" -o one -o two; echo $?
curl -s "http://127.0.0.1:$(cat port)/none" -w '%{http_code}\n' -o three; echo $?
curl -sS file://$PWD/numbers | md5sum
curl -sS http://127.0.0.1:1/; echo $?
kill $server
rm port
SH
tidy() { sed -i 's/after [0-9]* ms/after N ms/' "$2"; }
probe perform curl_easy_perform 'int (ptr handle)' 'artifact_id = "perform"' 'success = return == 0'
probe free curl_free 'void (ptr memory)' 'artifact_id = "free"'
program curl sh get.sh
observe entry 5+
observe got 5+
observe auto 5+
