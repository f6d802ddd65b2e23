# SPDX-License-Identifier: MIT
from counted import counted


def transfer(n):
    counted("plain")
    return n + 1


def original(n):
    counted("alias")
    return n


exported = original


class Klass:
    def method(self):
        counted("klass")
