# SPDX-License-Identifier: MIT
import circle_a
from circle_a import Early, early


def use():
    early()
    Early().method()
    circle_a.late()
    circle_a.early()
