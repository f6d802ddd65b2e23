#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016,SC2028 # tidy is called by name; scripts of other languages
# openssl: digests and ciphers, a second of `speed` (its output's shape: the figures differ in
# any two runs), and a server and a client that talk over loopback.
. "$(dirname "$0")/../lib.sh"
installed openssl || exit 0

cat >"$given/digests.sh" <<'SH'
seq 100000 >plain
openssl dgst -sha256 plain; openssl dgst -sha3-512 plain; openssl md5 <plain
openssl enc -aes-256-cbc -K 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff -iv 0102030405060708090a0b0c0d0e0f10 -in plain -out cipher
openssl enc -d -aes-256-cbc -K 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff -iv 0102030405060708090a0b0c0d0e0f10 -in cipher | cmp - plain && echo equal
openssl dgst -nonsense plain; echo "status $?"
SH
probe update EVP_DigestUpdate 'int (ptr ctx, ptr data, u64 bytes)' 'artifact_id = "digest"' 'success = return == 1'
probe encrypt EVP_CipherUpdate 'int (ptr ctx, ptr out, ptr length, ptr in, int bytes)' 'artifact_id = "cipher"' 'success = return == 1'
probe write SSL_write 'int (ptr ssl, ptr data, int bytes)' 'artifact_id = "write"' 'success = return > 0'
probe read SSL_read 'int (ptr ssl, ptr data, int bytes)' 'artifact_id = "read"' 'success = return > 0'

tidy() { # a line of OpenSSL's errors begins with its thread
	sed -E -i 's/^[0-9A-F]{16}:error/THREAD:error/' "$2"
}
program "openssl dgst, enc" sh digests.sh
observe entry 100+
observe got 100+
observe auto 100+

figures() {
	sed -E -i 's/[0-9]+(\.[0-9]+)?(k|s)?/N/g; s/ +/ /g' "$@"
}
tidy() { figures "$1" "$2"; }
program "openssl speed" openssl speed -seconds 1 -bytes 16384 -evp sha256
observe entry 1000+
observe got 1000+
observe auto 1000+

cat >"$given/talk.sh" <<'SH'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -out cert -days 2 -subj /CN=localhost 2>/dev/null
mkfifo hold
openssl s_server -accept 127.0.0.1:0 -cert cert -key key -naccept 1 -rev <hold >server 2>&1 &
server=$!
exec 9>hold
for _ in $(seq 100); do grep -q '^ACCEPT 127' server && break; sleep 0.05; done
port=$(sed -n 's/^ACCEPT 127.0.0.1:\([0-9]*\).*/\1/p' server)
for word in hello again CLOSE; do echo $word; sleep 0.1; done |
	openssl s_client -connect "127.0.0.1:$port" -CAfile cert -quiet -no_ign_eof 2>talk
exec 9>&-
wait $server; echo "server's status $?"
grep -c 'verify return:1' talk
SH
tidy() { rm -f key cert server talk hold; }
program "openssl s_server, s_client" sh talk.sh
observe entry 6+
observe got 6+
observe auto 6+
