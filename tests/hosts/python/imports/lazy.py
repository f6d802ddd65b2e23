# SPDX-License-Identifier: MIT
from counted import counted


def late():
    counted("lazy")
