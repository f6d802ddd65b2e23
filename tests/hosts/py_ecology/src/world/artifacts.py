# SPDX-License-Identifier: MIT
"""What agents can invoke: artifacts with code of their own, and genesis artifacts with methods."""


class CodeArtifact:
    def __init__(self, code, executable=True, owner="genesis", policy="open", price=0, needs=None, time_limit=60):
        self.code = code
        self.executable = executable
        self.owner = owner
        self.policy = policy  # open, owner, closed
        self.price = price  # scrip
        self.needs = needs or {}  # resource -> amount
        self.time_limit = time_limit  # seconds


class GenesisArtifact:
    """method name -> (cost in compute, function of principal and arguments)"""

    def __init__(self, methods):
        self.methods = methods


CODE = {
    "calculator": CodeArtifact("def run(*args):\n    return sum(args)"),
    "greeter": CodeArtifact("def run(*args):\n    return 'hello ' + ', '.join(map(str, args))"),
    "nothing": CodeArtifact("def run():\n    pass"),
    "march\u00e9": CodeArtifact("def run(*args):\n    return {'offers': list(args), 'open': True}", price=1),
    # nested, and what a nested failure is answered with
    "pipeline": CodeArtifact(
        "def run(*args):\n"
        "    total = invoke('calculator', *args)['result']\n"
        "    return [total, invoke('greeter', total)['result']]"
    ),
    "tower": CodeArtifact(
        "def run(*args):\n"
        "    n = args[0] if args else 2\n"
        "    return 0 if n < 1 else 1 + invoke('tower', n - 1)['result']"
    ),
    "patient": CodeArtifact(
        "def run(*args):\n    return float(sum(not invoke(i)['success'] for i in ('crasher', 'unfinished', 'nowhere')))"
    ),
    "forwarder": CodeArtifact("def run(*args):\n    invoke('nothing')\n    return invoke('spinner')", time_limit=0.02),
    "stubborn": CodeArtifact(
        "def run(*args):\n"
        "    try:\n"
        "        return invoke('spinner')\n"
        "    except Exception:\n"
        "        return invoke('calculator', 1, *args)['success']",
        time_limit=0.02,
    ),
    # what fails
    "spinner": CodeArtifact("def run(*args):\n    while True:\n        pass", time_limit=0.02),
    "crasher": CodeArtifact("def run(*args):\n    raise ValueError('no such key: cl\u00e9 %d' % len(args))"),
    "unfinished": CodeArtifact("def run(:\n    pass"),
    "quitter": CodeArtifact("def run(*args):\n    invoke('nothing')\n    raise SystemExit(3)"),
    "notes": CodeArtifact("remember the milk", executable=False),
    "diary": CodeArtifact("def run(*args):\n    return len(args)", owner="alice", policy="owner"),
    "retired": CodeArtifact("def run(*args):\n    return 1", policy="closed"),
    "luxury": CodeArtifact("def run(*args):\n    return 'gold'", price=1000000),
    "warehouse": CodeArtifact("def run(*args):\n    return args[0]", needs={"disk": 100000}),
}


class GenesisLedgerMethods:
    def __init__(self, ledger):
        self._ledger = ledger

    def balance(self, principal, args):
        return {"success": True, "data": self._ledger.scrip(principal)}

    def audit(self, principal, args):
        return {"success": True, "data": self._ledger.by_number(args[0] if args else -1)}

    def corrupt(self, principal, args):
        self._ledger.damage()
        return {"success": True, "data": None}


def list_artifacts(principal, args):
    return {"success": True, "data": sorted(CODE)}


def ask_oracle(principal, args):
    return {"success": True, "data": "42"}


def purchase(principal, args):
    if args and args[0] > 3:
        return {"success": True, "data": (principal, args[0])}
    return {"success": False, "error": "No listing %d" % (args[0] if args else -1)}


def cancel(principal, args):
    return {"success": False, "error": ""}


class ArtifactStore:
    def __init__(self, ledger):
        own = GenesisLedgerMethods(ledger)
        self._artifacts = dict(CODE)
        self._artifacts["genesis_ledger"] = GenesisArtifact(
            {"balance": (1, own.balance), "audit": (1, own.audit), "corrupt": (1, own.corrupt)}
        )
        self._artifacts["genesis_store"] = GenesisArtifact({"list": (1, list_artifacts)})
        self._artifacts["genesis_oracle"] = GenesisArtifact({"ask": (100000, ask_oracle)})
        self._artifacts["genesis_escrow"] = GenesisArtifact({"purchase": (2, purchase), "cancel": (1, cancel)})

    def get(self, artifact_id):
        return self._artifacts.get(artifact_id)
