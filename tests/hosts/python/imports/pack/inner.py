# SPDX-License-Identifier: MIT
from counted import counted


def inner_function():
    counted("pack_inner")
