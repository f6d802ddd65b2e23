# SPDX-License-Identifier: MIT
from counted import counted


def again():
    counted("reloaded")


class Again:
    def method(self):
        counted("reloaded_class")
