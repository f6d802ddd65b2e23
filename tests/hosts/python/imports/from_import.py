# SPDX-License-Identifier: MIT
from counted import counted


def wanted():
    counted("from_import")
