#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# normalise and redact on names and messages: the same calls, run plain and rewritten. Each
# plain text has its rewritten one, and none of the plain ones is in the other's segment.
. "$(dirname "$0")/lib.sh"
need python3

{ cat "$work/target.ini" && echo 'redact.error_message = yes
normalise.artifact_id = digits
redact.method = yes'; } >"$work/rewritten.ini"

run --session plain -o "$work/plain.jsonl" -- "$hosts/ballast" --calls 400
probes=$work/rewritten.ini run --session rewritten -o "$work/rewritten.jsonl" -- "$hosts/ballast" --calls 400

python3 - "$work" "$INVREG_DIR/rewritten.seg" <<'PY'
import json, os, re, sys

def ends(name):
    lines = [json.loads(line) for line in open(f"{sys.argv[1]}/{name}.jsonl")]
    return [e for e in lines if e["event_type"] in ("invoke_success", "invoke_failure")]

def length(text):
    return f"<{len(text.encode())} bytes>"

def written(path):
    with open(path, "rb") as f:
        end, at = os.fstat(f.fileno()).st_size, 0
        while at < end:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA)
            except OSError:
                return
            hole = os.lseek(f.fileno(), at, os.SEEK_HOLE)
            yield os.pread(f.fileno(), hole - at, at)
            at = hole

plain, rewritten = ends("plain"), ends("rewritten")
assert len(plain) == len(rewritten) == 400, (len(plain), len(rewritten))
secrets = set()
for p, r in zip(plain, rewritten):
    assert p["event_type"] == r["event_type"], (p, r)
    assert p.get("error_type") == r.get("error_type"), (p, r)
    assert r["artifact_id"] == re.sub("[0-9]+", "?", p["artifact_id"]), (p, r)
    assert r["method"] == length(p["method"]), (p, r)
    if p.get("error_message"):
        assert r["error_message"] == length(p["error_message"]), (p, r)
        secrets.add(p["error_message"])
    secrets.update((p["method"], p["artifact_id"]) if re.search("[0-9]", p["artifact_id"]) else (p["method"],))
assert any(p.get("error_message") for p in plain), "no message to redact"
data = b"".join(written(sys.argv[2]))
assert b"bytes>" in data
for secret in secrets:
    assert secret.encode() not in data, secret
PY
