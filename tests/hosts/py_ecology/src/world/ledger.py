# SPDX-License-Identifier: MIT
"""Who has how much of what."""


class LedgerError(Exception):
    pass


class Ledger:
    def __init__(self):
        self._scrip = {}
        self._damaged = False
        self.resources = {"compute": 1000, "disk": 500}

    def scrip(self, principal):
        return self._scrip.setdefault(principal, 100)

    def pay(self, principal, price):
        self._scrip[principal] = self.scrip(principal) - price

    def by_number(self, number):
        return sorted(self._scrip.items())[number + 10000]

    def damage(self):
        self._damaged = True

    def repair(self):
        self._damaged = False

    def check(self):
        if self._damaged:
            raise LedgerError("the books do not balance")
