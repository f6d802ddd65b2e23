#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What holds for every route, by what /openapi.json says there is: HEAD is GET without a body,
# other methods are refused, each parameter that is wrong is said, each list is paged by its
# headers alone; with a session in which nothing has happened, and with one in which much has.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/serve_lib.sh"
need python3 curl

cat >"$work/routes.py" <<'PYTHON'
import http.client, json, sys, urllib.parse

host = sys.argv[1].removeprefix("http://")
LISTS = {"/api/artifacts", "/api/methods", "/api/invokers", "/api/errors", "/api/invocations", "/api/inflight",
         "/api/graph", "/api/invokers/{invoker_id}/invocations"}

def ask(method, target, body=None):
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request(method, target, body)
    answer = connection.getresponse()
    endless = answer.headers["Content-Type"] == "text/event-stream" and method == "GET"
    body = b"" if endless else answer.read()
    connection.close()
    return answer.status, answer.headers, body

def get(target):
    status, headers, body = ask("GET", target)
    assert status == 200, (target, status, body)
    return json.loads(body), headers

API = get("/openapi.json")[0]
PATHS = {p.format(artifact_id="artifact_3", invoker_id="invoker_1"): (p, item["get"]) for p, item in API["paths"].items()}
FIXED = ["/", "/openapi.json", "/app.js", "/style.css"]

def methods():
    for path in [*PATHS, *FIXED, "/nope"]:
        status, headers, body = ask("HEAD", path)
        assert body == b"", path
        full, same, text = ask("GET", path)
        assert status == full == (404 if path == "/nope" else 200), (path, status, full)
        assert headers["Content-Type"] == same["Content-Type"], path
        for name in "Content-Security-Policy", "X-Content-Type-Options", "Cache-Control":
            assert headers[name] and headers[name] == same[name], (path, name)
        for method in "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", "TRACE":
            status, headers, body = ask(method, path, b"x=y")
            assert status == 405 and json.loads(body) == {"detail": "Method Not Allowed"}, (method, path, status, body)
            assert headers["Allow"] == "GET, HEAD", (method, path)
        if path != "/":
            status, _, body = ask("GET", path + "/")
            assert status == 404 and json.loads(body) == {"detail": "Not Found"}, (path, status, body)

def wrong_values(schema):
    """(text, what pydantic calls it)"""
    if schema["type"] == "integer":
        yield from ((t, "int_parsing") for t in ("x", "", "1.5", "0x1", " "))
        yield str(schema["minimum"] - 1), "greater_than_equal"
        yield "-99999999999999999999999", "greater_than_equal"
        if "maximum" in schema:
            yield str(schema["maximum"] + 1), "less_than_equal"
    elif schema["type"] == "boolean":
        yield from ((t, "bool_parsing") for t in ("maybe", "", "2", "truee"))
    elif "enum" in schema:
        yield from ((t, "literal_error") for t in ("nonsense", "", schema["enum"][0].upper()))

def parameters():
    seen = set()
    for path, (template, operation) in PATHS.items():
        for p in operation.get("parameters", []):
            if p["in"] != "query":
                continue
            for text, kind in wrong_values(p["schema"]):
                status, headers, body = ask("GET", f"{path}?{p['name']}={urllib.parse.quote(text)}")
                assert status == 422 and headers["Content-Type"] == "application/json", (path, p["name"], text, status)
                [detail] = json.loads(body)["detail"]
                assert list(detail)[:4] == ["type", "loc", "msg", "input"], detail
                assert (detail["type"], detail["loc"], detail["input"]) == (kind, ["query", p["name"]], text), detail
                assert ask("HEAD", f"{path}?{p['name']}={urllib.parse.quote(text)}")[0] == 422
                seen.add((p["name"], kind))
            for text in p["schema"].get("enum", []):
                assert ask("GET", f"{path}?{p['name']}={text}")[0] == 200, (path, p["name"], text)
    print(f"{len(seen)} kinds of mistakes")
    assert {n for n, _ in seen} >= {"limit", "offset", "success", "seconds", "sort", "order", "only"}, seen

def links(headers):
    found = {}
    for part in headers["Link"].split(", "):
        target, rel = part.split("; ")
        found[rel.removeprefix('rel="').removesuffix('"')] = target.strip("<>")
    return found

def rows_of(answer):
    return answer["edges"] if isinstance(answer, dict) else answer

def pages():
    most = {}
    for path, (template, operation) in PATHS.items():
        listed = "limit" in [p["name"] for p in operation.get("parameters", [])]
        assert listed == (template in LISTS), template
        if not listed:
            continue
        everything, headers = get(path + "?limit=1000")
        rows, total = rows_of(everything), int(headers["X-Total-Count"])
        assert len(rows) == min(total, 1000), (path, len(rows), total)
        assert set(links(headers)) == {"first", "last"} | ({"next"} if total > 1000 else set()), (path, headers["Link"])
        most[template] = total
        size = max(1, (len(rows) + 2) // 3)
        target, walked = f"{path}?limit={size}", []
        while target and len(walked) < len(rows):
            page, headers = get(target)
            assert int(headers["X-Total-Count"]) == total, path
            walked += rows_of(page)
            back, target = links(headers).get("prev"), links(headers).get("next")
            assert (back is None) == (len(walked) <= size), (path, headers["Link"])
            if back:
                assert rows_of(get(back)[0]) == walked[-len(rows_of(page)) - size:-len(rows_of(page))], (path, back)
            assert rows_of(get(links(headers)["first"])[0]) == walked[:size], path
            if total <= 1000:
                assert rows_of(get(links(headers)["last"])[0]) == rows[(total - 1) // size * size:], path
        assert walked[:len(rows)] == rows, (path, "the pages are not the whole")
        far, headers = get(path + f"?offset={total + 5}")
        assert rows_of(far) == [] and "next" not in links(headers) and int(headers["X-Total-Count"]) == total, path
        assert rows_of(get(links(headers)["prev"])[0]) == rows_of(get(links(headers)["last"])[0]), path
    print("rows:", most)
    return most

def described(schema, value, where):
    """Each member of an answer has a place in the schema of its route."""
    if "$ref" in schema:
        schema = API["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    for one in schema.get("anyOf", []):
        described(one, value, where)
    if isinstance(value, list):
        for item in value[:100]:
            described(schema.get("items", {}), item, where + "[]")
    elif isinstance(value, dict) and schema.get("type") == "object":
        members, other = schema.get("properties", {}), schema.get("additionalProperties")
        for name, member in value.items():
            assert name in members or other, f"{where}.{name} is not in /openapi.json"
            described(members.get(name, other), member, f"{where}.{name}")

def answers():
    for path, (template, operation) in PATHS.items():
        for kind, content in operation["responses"]["200"]["content"].items():
            if kind == "application/json" and "schema" in content:
                described(content["schema"], get(path)[0], path)

methods()
parameters()
answers()
most = pages()
wanted = sys.argv[2]
if wanted == "empty":
    assert not any(most.values()), most
else:
    assert all(n > 1 for path, n in most.items() if path != "/api/inflight"), most
# the links of an id that has to be coded
hard = urllib.parse.quote("a b/%&?#\"<>", safe="")
for path in f"/api/invokers/{hard}/invocations", "/api/invocations":
    _, headers = get(f"{path}?artifact_id={hard}&limit=2&offset=2")
    for target in links(headers).values():
        _, again = get(target)
        assert again["X-Total-Count"] == headers["X-Total-Count"] and hard in target, target
PYTHON

echo "-- a session in which nothing has happened"
serve empty
observed env INVREG_SESSION=empty "$hosts/threads" --threads 1 --calls 0 >/dev/null
becomes /api/status 'd["session"], d["state"]' "('empty', 'ended')"
assert_eq "totals" "(0, 0, 0, 0.0)" "$(ask /api/status 'd["total_invocations"], d["failed"], d["in_flight"], d["success_rate"]')"
python3 "$work/routes.py" "$url" empty || fail "an empty session"
get /metrics | grep -q '^invocation_calls_total' && fail "series of nothing"
stop_server

echo "-- and one in which much has"
serve full
observed env INVREG_SESSION=full "$hosts/threads" --threads 3 --calls 1500 >/dev/null
becomes /api/status 'd["state"], d["total_invocations"]' "('ended', 4500)"
python3 "$work/routes.py" "$url" full || fail "a session with calls"
stop_server
