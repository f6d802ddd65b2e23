# SPDX-License-Identifier: MIT
"""A picture of the page after a while: screenshot.py DIRECTORY URL FILE (scripts/screenshot.sh)."""
import sys
import time

from browser import Browser

directory, url, file = sys.argv[1:]
with Browser(directory) as page:
    page.size(1440, 1250)
    page.open(url)
    page.wait("return document.querySelectorAll('#artifact-table .c-spark canvas').length >= 10", "sparklines")
    time.sleep(25)
    page.screenshot(file)
