# SPDX-License-Identifier: MIT
from counted import counted


def make():
    class Local:
        def method(self):
            counted("in_function")

    return Local
