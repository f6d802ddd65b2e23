# SPDX-License-Identifier: MIT
"""A headless Chromium, driven by chromedriver's W3C HTTP protocol with the standard library.

with Browser(directory) as page:
    page.open("http://127.0.0.1:8080/")
    page.wait("return document.title", "a title")

The browser has a fresh profile in `directory` and is told to ask nobody for anything.
"""
import base64
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run
--disable-background-networking --disable-component-update --disable-sync
--disable-default-apps --disable-extensions --disable-dev-shm-usage --no-default-browser-check
--disable-domain-reliability --no-pings --disable-features=OptimizationHints,Translate,MediaRouter
--hide-scrollbars --force-color-profile=srgb --no-proxy-server""".split()

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Failure(Exception):
    pass


class Browser:
    def __init__(self, directory, width=1440, height=1000, dark=False):
        self.session = None
        self.asked = set()  # all addresses that requests() has ever told
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        os.makedirs(directory, exist_ok=True)
        environment = dict(os.environ, HOME=directory, XDG_CONFIG_HOME=directory, XDG_CACHE_HOME=directory)
        for name in ("LD_PRELOAD", "INVREG_PROBES"):
            environment.pop(name, None)
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env=environment)
        self.port = None
        for line in self.driver.stdout:
            found = re.search(r"successfully on port (\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        if not self.port:
            raise Failure("chromedriver did not start")
        arguments = FLAGS + [f"--user-data-dir={directory}/profile", f"--window-size={width},{height}", "about:blank"]
        if dark:
            arguments.append("--force-dark-mode")
        options = {"args": arguments, "binary": os.environ.get("CHROMIUM", "/usr/bin/chromium")}
        made = self.call("POST", "", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}})
        self.session = made["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            if self.session:
                self.call("DELETE", "")
        except (Failure, OSError):
            pass
        self.driver.terminate()
        try:
            self.driver.wait(10)
        except subprocess.TimeoutExpired:
            self.driver.kill()
            self.driver.wait()
        self.driver.stdout.close()

    def call(self, method, path, body=None):
        base = f"http://127.0.0.1:{self.port}/session"
        if self.session:
            base += f"/{self.session}"
        request = urllib.request.Request(
            base + path, method=method, headers={"Content-Type": "application/json"},
            data=None if body is None else json.dumps(body).encode())
        try:
            with self.opener.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            said = json.load(error)["value"]
            raise Failure(f"{method} {path}: {said.get('error')}: {said.get('message', '')[:500]}") from None

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def js(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script, what, seconds=20, *arguments):
        """Until the script's result is true. Returns it."""
        end = time.monotonic() + seconds
        while True:
            result = self.js(script, *arguments)
            if result:
                return result
            if time.monotonic() > end:
                raise Failure(f"waited {seconds} s in vain for: {what}")
            time.sleep(0.1)

    def find(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector, text):
        self.call("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def clear(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/clear", {})

    def keys(self, *keys):
        """Keys to what has the focus."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def size(self, width, height):
        """Of the view, as a phone has it, without the least width of a window."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=1, mobile=False)

    def devtools(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def screenshot(self, file, whole=False):
        if whole:
            shot = self.devtools("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        else:
            shot = self.call("GET", "/screenshot")
        with open(file, "wb") as out:
            out.write(base64.b64decode(shot))

    def console(self):
        """What the page and the browser have said since the last call: [(level, text)]."""
        return [(row["level"], row["message"]) for row in self.call("POST", "/se/log", {"type": "browser"})]

    def requests(self):
        """Addresses asked for since the last call; pages that the browser has inside are left out."""
        rows = [json.loads(row["message"])["message"]
                for row in self.call("POST", "/se/log", {"type": "performance"})]
        asked = [row["params"]["request"]["url"] for row in rows
                if row["method"] == "Network.requestWillBeSent"
                and not row["params"]["request"]["url"].startswith(("chrome:", "chrome-", "data:", "about:"))]
        self.asked.update(asked)
        return asked
