# SPDX-License-Identifier: MIT
"""Drives the page: dashboard.py DIRECTORY PART URL ARGS... (see 107_dashboard.sh)."""
import json
import subprocess
import sys
import tempfile
import time
import urllib.parse

from browser import Browser, Failure

ENTER, DOWN, ESCAPE, TAB = "\ue007", "\ue015", "\ue00c", "\ue004"

ROWS = """return [...document.querySelectorAll('#artifact-table .vbody .vrow:not([hidden])')].map(r => ({
    name: r.querySelector('.c-name').textContent, calls: Number(r.querySelector('.c-calls').textContent.replaceAll(',', '')),
    share: r.querySelector('.share').textContent, failures: r.querySelector('.c-failures').textContent,
    avg: r.querySelector('.c-avg').textContent, p99: r.querySelector('.c-p99').textContent,
    sparkline: !!r.querySelector('.c-spark canvas') }))"""
CALLS = """return [...document.querySelectorAll('#call-table .vbody .vrow:not([hidden])')].map(r => ({
    invoker: r.querySelector('.c-invoker').textContent, artifact: r.querySelector('.c-what').textContent,
    outcome: r.querySelector('.c-outcome').textContent, message: r.querySelector('.c-message').textContent }))"""
NOTE = "return document.getElementById('calls-note').textContent"


def check(condition, what):
    if not condition:
        raise Failure(what)


def total(rows):
    return sum(row["calls"] for row in rows)


def table(page, least=1):
    """Rows of the table of artifacts, once there are some."""
    page.wait(f"return document.querySelectorAll('#artifact-table .vbody .vrow:not([hidden])').length >= {least}", "rows of artifacts")
    return page.js(ROWS)


def quiet(page, allowed=()):
    """Nothing went wrong, and nobody else was asked."""
    bad = [text for level, text in page.console()
           if level in ("SEVERE", "WARNING") and not any(word in text for word in allowed)]
    check(not bad, f"the console: {bad}")
    page.requests()
    hosts = {urllib.parse.urlsplit(u).netloc for u in page.asked}
    check(hosts == {urllib.parse.urlsplit(page.url).netloc}, f"hosts that were asked: {hosts}")


def set_filter(page, field, text):
    page.js("""const f = document.getElementById(arguments[0]); f.value = arguments[1];
               f.dispatchEvent(new Event('input', {bubbles: true}))""", field, text)


def only(page, test, what):
    """All calls in sight pass, and there are some."""
    page.wait(f"const rows = (() => {{ {CALLS} }})(); return rows.length > 0 && rows.every(r => {test})", what)


def live(page, _):
    first = table(page, 10)
    check(len(first) == 10, f"{len(first)} artifacts")
    before = total(first)
    page.wait(f"const rows = (() => {{ {ROWS} }})(); return rows.reduce((n, r) => n + r.calls, 0) > {before}", "rows that move")
    page.wait("return document.querySelectorAll('#artifact-table .c-spark canvas').length >= 10", "sparklines")
    check(page.js("return document.getElementById('state').textContent") == "live", "the state")
    check(page.js("return document.getElementById('losses').hidden"), "no losses, yet the banner shows")
    for chart in ("rate", "latency"):
        page.wait(f"return !!document.querySelector('#chart-{chart} canvas')", f"the chart of {chart}")
    # what was before the page was opened is exact, where the server watched: it did from the beginning
    page.wait("return document.getElementById('rate-note').textContent === 'exact'", "the chart of calls is exact")
    page.wait("return !!document.querySelector('#artifact-table .c-spark canvas')", "a sparkline")
    page.requests()
    series = [u for u in page.asked if "/api/series" in u]
    check(sum("artifact_id=" in u for u in series) == 10, f"one series of each artifact in sight: {series}")
    check(any("artifact_id=" not in u for u in series), f"a series of all: {series}")
    page.wait("return document.querySelectorAll('#errors li').length >= 3", "failures by type")
    page.wait("return [...document.querySelectorAll('#heat tbody td')].filter(c => c.textContent).length > 20", "the heat map")
    page.wait("return [...document.querySelectorAll('#open-list .vbody .vrow:not([hidden]) .c-age')].some(a => /^[\\d.]+ (ns|µs|ms|s)$/.test(a.textContent))",
              "calls in flight with their ages")
    row = next(r for r in page.js(ROWS) if r["name"] == "oracle")
    check("timeout" in row["failures"] and "%" in row["share"] and "s" in row["p99"], f"a row: {row}")

    # filters of the list
    everything = page.wait(f"const t = (() => {{ {NOTE} }})(); return /kept/.test(t) && t", "a count of calls")
    set_filter(page, "by-artifact", "oracle")
    only(page, "r.artifact === 'oracle'", "calls of oracle alone")
    narrowed = page.wait(f"const t = (() => {{ {NOTE} }})(); return /match/.test(t) && t", "a count of matches")
    number = lambda t: int(t.split()[0].replace(",", ""))
    check(number(narrowed) < number(everything), f"{narrowed}; {everything}")
    page.js("const s = document.getElementById('by-success'); s.value = 'false'; s.dispatchEvent(new Event('input', {bubbles: true}))")
    only(page, "r.artifact === 'oracle' && r.outcome !== 'ok'", "failures of oracle alone")
    page.wait(f"const rows = (() => {{ {CALLS} }})(); return rows.some(r => r.outcome === 'timeout' && /no answer/.test(r.message))",
              "a timeout with its message")

    # the detail of a call
    page.js("document.querySelector('#call-table .vbody .vrow:not([hidden])').click()")
    page.wait("return document.getElementById('detail').open", "the dialog")
    keys = page.js("return [...document.querySelectorAll('#detail dt')].map(t => t.textContent)")
    check(keys == ["tick", "timestamp", "invoker_id", "artifact_id", "method", "success", "duration_ms",
                   "error_type", "error_message", "result_type"], f"keys of a call: {keys}")
    page.keys(ESCAPE)
    page.wait("return !document.getElementById('detail').open", "Esc to close the dialog")
    page.js("document.getElementById('filters').reset()")

    # search and sort, by keyboard
    page.js("document.activeElement.blur()")
    page.keys("/")
    page.keys(*"forge")
    page.wait(f"const rows = (() => {{ {ROWS} }})(); return rows.length === 1 && rows[0].name === 'code_forge'", "the search")
    page.clear("#search")
    page.js("document.getElementById('search').dispatchEvent(new Event('input', {bubbles: true}))")
    page.wait("return document.querySelectorAll('#artifact-table .vbody .vrow:not([hidden])').length === 10", "all of them again")
    page.js("[...document.querySelectorAll('#artifact-table .vhead button')].find(b => b.textContent === 'Artifact').click()")
    page.wait(f"const n = (() => {{ {ROWS} }})().map(r => r.name); return n[0] === 'code_forge' && n[9] === 'weather_service'", "sorted by name")
    page.js("document.querySelector('#artifact-table .vbody').focus()")
    page.keys(DOWN, DOWN, ENTER)
    page.wait("return document.getElementById('detail-title').textContent === 'courier'", "Enter to open the second row")
    page.wait("return document.querySelectorAll('#detail tbody tr').length > 0", "its methods")
    page.keys(ESCAPE)
    page.js("document.getElementById('heat').focus()")
    page.keys(DOWN, "\ue014", ENTER)
    page.wait("return document.querySelector('#heat td.current')", "a cell of the heat map that is current")

    # pause
    page.js("document.activeElement.blur()")
    page.keys("p")
    page.wait("return document.getElementById('pause').getAttribute('aria-pressed') === 'true'", "a pause")
    time.sleep(1.5)
    still = total(page.js(ROWS))
    time.sleep(2)
    check(total(page.js(ROWS)) == still, "it moves though it is paused")
    page.keys("p")
    page.wait(f"const rows = (() => {{ {ROWS} }})(); return rows.reduce((n, r) => n + r.calls, 0) > {still}", "it goes on")

    # out of sight it asks for nothing, and holds no connection
    def sight(hidden):
        page.js("""Object.defineProperty(document, 'hidden', {configurable: true, value: arguments[0]});
                   document.dispatchEvent(new Event('visibilitychange'))""", hidden)

    sight(True)
    page.wait("return document.getElementById('link').textContent === 'asleep'", "it sleeps out of sight")
    time.sleep(0.5)
    page.requests()
    time.sleep(2)
    check(page.requests() == [], "it asks though it is out of sight")
    sight(False)
    before = total(page.js(ROWS))
    page.wait(f"const rows = (() => {{ {ROWS} }})(); return rows.reduce((n, r) => n + r.calls, 0) > {before}", "it wakes")

    # dark and light are different; a phone has no scrollbar across
    light = page.js("return getComputedStyle(document.body).backgroundColor")
    page.keys("t")
    check(page.js("return getComputedStyle(document.body).backgroundColor") != light, "dark and light are the same")
    # without a choice of one's own it is as the system is
    page.js("localStorage.removeItem('theme'); delete document.documentElement.dataset.theme")
    seen = []
    for scheme in ("light", "dark"):
        page.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        seen.append(page.js("return getComputedStyle(document.body).backgroundColor"))
    check(len(set(seen)) == 2, f"a system in dark looks as one in light: {seen}")
    page.size(390, 800)
    page.wait("return document.documentElement.clientWidth === 390", "a phone")
    wide = page.js("return document.documentElement.scrollWidth")
    check(wide <= 390, f"the page is {wide} wide on a phone of 390")
    check(table(page)[0]["calls"] > 0, "no rows on a phone")


def away(page, _, script):
    table(page)
    again = subprocess.Popen(["sh", script], start_new_session=True, stdout=subprocess.DEVNULL)
    with open(f"{page.directory}/again.pid", "w", encoding="utf-8") as out:
        out.write(str(again.pid))
    page.wait("return document.getElementById('link').textContent === 'connecting'", "it says that it is not connected")
    page.wait("return document.getElementById('link').textContent === 'connected'", "it connects again", 30)
    before = total(page.js(ROWS))
    page.wait(f"const rows = (() => {{ {ROWS} }})(); return rows.reduce((n, r) => n + r.calls, 0) > {before}", "rows that move again")


def hostile(page, _, file):
    name = "<img src=x onerror=alert(1)>"
    rows = table(page, 3)
    check(name in [r["name"] for r in rows], f"names: {[r['name'] for r in rows]}")
    check(any("<script>alert(2)</script>" in r["failures"] for r in rows), "a failure's type is text")
    # nothing moves: both charts and the sparklines are of what was before
    page.wait("return document.querySelectorAll('#artifact-table .c-spark canvas').length >= 1", "a sparkline of a file")
    page.wait("return !!document.querySelector('#chart-rate canvas')", "the chart of a file")
    page.wait("return document.getElementById('rate-note').textContent === 'of kept events'", "it says so")
    # it comes while the page is open, too
    with open(file, encoding="utf-8") as lines:
        line = json.loads(lines.readline())
    with open(file, "a", encoding="utf-8") as out:
        for i in range(3):
            at = dict(line, call=100 + i, sequence=100 + i, artifact_id=name + "2", method="<b>bold</b>")
            out.write(json.dumps(at) + "\n")
            out.write(json.dumps(dict(at, event_type="invoke_failure", error_type="<i>", duration_ms=1.0,
                                      error_message="</div><svg onload=alert(4)>")) + "\n")
    page.wait(f"const rows = (() => {{ {ROWS} }})(); return rows.some(r => r.name === {json.dumps(name + '2')})", "one that came later")
    page.wait(f"const rows = (() => {{ {CALLS} }})(); return rows.some(r => r.message === '</div><svg onload=alert(4)>')", "its message")
    page.js("document.querySelector('#call-table .vbody .vrow:not([hidden])').click()")
    page.wait("return document.getElementById('detail').open", "the dialog")
    page.keys(ESCAPE)
    page.wait("return document.querySelectorAll('#heat tbody td').length >= 4", "the heat map")
    index = page.js(f"const rows = (() => {{ {ROWS} }})(); return rows.findIndex(r => r.name === {json.dumps(name)})")
    page.js("document.querySelectorAll('#artifact-table .vbody .vrow:not([hidden])')[arguments[0]].click()", index)
    page.wait("return document.getElementById('detail-title').textContent.startsWith('<img src=x')", "the dialog of it")
    page.wait("return document.querySelectorAll('#detail tbody tr').length > 0", "its methods, by an id that is code")
    made = page.js("return document.querySelectorAll('main img, main script, main svg, main b b, dialog img, dialog script, dialog svg, [onerror], [onload]').length")
    check(made == 0, f"{made} elements were made of text")


def lost(page, _, count):
    shown = f"{int(count):,} events were lost"
    page.wait("return !document.getElementById('losses').hidden", "the banner")
    text = page.js("return document.getElementById('losses').textContent")
    check(shown in text and "lapped" in text and "exact" in text, f"the banner: {text}; not: {shown}")
    page.wait("return document.getElementById('losses').getBoundingClientRect().height > 20", "the banner in sight")


def many(page, _):
    table(page, 10)
    page.wait("return /^1,000/.test(document.getElementById('artifacts-note').textContent)", "1,000 artifacts")
    made = page.js("return document.querySelectorAll('#artifact-table .vrow').length")
    check(made < 80, f"{made} rows exist")
    # The longest time between two frames of five seconds, while everything comes in.
    page.js("""window.longest = 0; let last = performance.now();
        (function frame(now) { window.longest = Math.max(window.longest, now - last); last = now; requestAnimationFrame(frame) })(last)""")
    page.requests()
    time.sleep(5)
    longest, asked = page.js("return window.longest"), len(page.requests())
    print(f"the longest pause between two frames: {longest:.0f} ms; {asked} requests in five seconds")
    check(longest < 1000, f"it freezes for {longest:.0f} ms")
    check(asked < 100, f"{asked} requests in five seconds")
    # The end of both lists is reached.
    page.js("const b = document.querySelector('#artifact-table .vbody'); b.scrollTop = b.scrollHeight")
    page.wait("return [...document.querySelectorAll('#artifact-table .vbody .vrow')].some(r => Number(r.getAttribute('aria-rowindex')) > 990)", "the last artifacts")
    page.js("const b = document.querySelector('#call-table .vbody'); b.scrollTop = b.scrollHeight / 2")
    page.wait(f"const rows = (() => {{ {CALLS} }})(); return rows.length > 5 && rows.every(r => r.artifact)", "calls of the middle of the list")
    page.wait(f"return /stands still/.test((() => {{ {NOTE} }})())", "it stands still while it is scrolled")
    page.js("document.querySelector('#call-table .vbody').scrollTop = 0")
    page.wait(f"return !/stands still/.test((() => {{ {NOTE} }})())", "it follows again")


def main():
    directory, part, url, *arguments = sys.argv[1:]
    parts = {f.__name__: f for f in (live, away, hostile, lost, many)}
    with tempfile.TemporaryDirectory(prefix="browser-", dir=directory) as own, Browser(own) as page:
        page.url, page.directory = url, directory
        page.open(url + "/")
        try:
            parts[part](page, url, *arguments)
            quiet(page, ("net::ERR_", "Failed to fetch") if part == "away" else ())
        except Failure as failure:
            page.screenshot(f"{directory}/failed.png")
            print(f"{part}: {failure}; console: {page.console()}", file=sys.stderr)
            sys.exit(1)


main()
