# SPDX-License-Identifier: MIT
from counted import counted


def early():
    counted("circle_early")


class Early:
    def method(self):
        counted("circle_class")


import circle_b  # noqa: E402  the other half needs the names above


def late():
    counted("circle_late")


def use():
    circle_b.use()
