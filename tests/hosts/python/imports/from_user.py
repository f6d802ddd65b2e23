# SPDX-License-Identifier: MIT
"""Holds the function from before the probe can have been resolved by anybody's look-up."""
from from_import import wanted
from from_import import wanted as renamed

table = {"wanted": wanted}


def use():
    wanted()
    renamed()
    table["wanted"]()
