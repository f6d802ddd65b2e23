# SPDX-License-Identifier: MIT
"""Agents: each turn one of them invokes something, by chance, often what it may not."""
import random

from src.world.world import Intent, LedgerError

NAMES = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "zo\u00eb"]

# artifact, method, how many arguments at most
ACTIONS = [
    ("genesis_ledger", "balance", 1),
    ("calculator", "run", 4),
    ("greeter", "run", 1),
    ("genesis_store", "list", 0),
    ("pipeline", "run", 3),
    ("tower", "run", 1),
    ("genesis_escrow", "purchase", 1),
    ("spinner", "run", 0),
    ("crasher", "run", 2),
    ("unfinished", "run", 0),
    ("patient", "run", 2),
    ("forwarder", "run", 1),
    ("genesis_store", "burn", 1),
    ("genesis_oracle", "ask", 1),
    ("genesis_ledger", "audit", 1),
    ("notes", "run", 0),
    ("diary", "run", 1),
    ("retired", "run", 0),
    ("luxury", "run", 0),
    ("warehouse", "run", 1),
    ("nowhere", "run", 2),
    ("genesis_escrow", "cancel", 1),
    ("quitter", "run", 0),
    ("genesis_ledger", "corrupt", 0),
    ("march\u00e9", "run", 2),
    ("stubborn", "run", 1),
    ("nothing", "run", 0),
]


class Agent:
    def __init__(self, number, seed, world):
        self.name = NAMES[number] if number < len(NAMES) else "agent_%03d" % number
        self.world = world
        # random() alone is the same sequence in every version of Python.
        self._chance = random.Random(seed * 1000003 + number)
        self._turn = number * 5

    def _below(self, limit):
        return int(self._chance.random() * limit)

    def _choose(self):
        """Every action in turn first, so that a short run has all of them; then by chance."""
        self._turn += 1
        if self._turn <= len(ACTIONS):
            return ACTIONS[self._turn - 1]
        return ACTIONS[self._below(len(ACTIONS))]

    def act(self):
        artifact, method, most = self._choose()
        args = [self._below(9) for _ in range(self._below(most + 1))]
        try:
            return self.world._execute_invoke(Intent(self.name, artifact, method, args))
        except LedgerError:
            self.world.ledger.repair()
        except SystemExit:
            pass  # an artifact may end itself, not the world
        return None
