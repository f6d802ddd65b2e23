# SPDX-License-Identifier: MIT
from counted import counted

from .inner import inner_function


def top():
    counted("pack_top")
    return inner_function()
