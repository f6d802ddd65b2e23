# SPDX-License-Identifier: MIT
from counted import counted


def function():
    counted("by_path")


class Thing:
    def method(self):
        counted("by_path_class")
