# SPDX-License-Identifier: MIT
"""The world: the tick, the artifacts, and the one entry through which all of them are invoked."""
from src.world.artifacts import ArtifactStore, GenesisArtifact
from src.world.executor import SafeExecutor
from src.world.ledger import Ledger, LedgerError

__all__ = ["Intent", "LedgerError", "Result", "World"]


class Intent:
    def __init__(self, principal_id, artifact_id, method, args):
        self.principal_id = principal_id
        self.artifact_id = artifact_id
        self.method = method
        self.args = args


class Result:
    def __init__(self, success, message="", data=None):
        self.success = success
        self.message = message
        self.data = data


class Refusal(Exception):
    """Inside the world only: why an invocation fails, and of which kind that is."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind
        self.message = message


class World:
    def __init__(self, log):
        self.tick = 0
        self.ledger = Ledger()
        self.store = ArtifactStore(self.ledger)
        self._log = log
        self._executor = SafeExecutor(log)

    def advance(self):
        self.tick += 1

    def _execute_invoke(self, intent):
        entry = self._log.begin(
            "World._execute_invoke",
            intent.principal_id,
            intent.artifact_id,
            intent.method,
            self.tick,
            len(intent.args),
        )
        try:
            data = self._invoke(intent)
        except Refusal as refusal:
            self._log.fail(entry, refusal.kind, refusal.message)
            return Result(False, refusal.message)
        except BaseException as error:
            self._log.leave(entry, error)
            raise
        self._log.succeed(entry, data)
        return Result(True, "Invoked %s" % intent.artifact_id, data)

    def _invoke(self, intent):
        artifact = self.store.get(intent.artifact_id)
        if artifact is None:
            raise Refusal("not_found", "Artifact %s not found" % intent.artifact_id)
        if isinstance(artifact, GenesisArtifact):
            return self._invoke_method(artifact, intent)
        self._admit(artifact, intent)
        return self._run_code(artifact, intent)

    def _invoke_method(self, artifact, intent):
        if intent.method not in artifact.methods:
            raise Refusal("method_not_found", "Method %s not found on %s" % (intent.method, intent.artifact_id))
        cost, method = artifact.methods[intent.method]
        have = self.ledger.resources["compute"]
        if cost > have:
            raise Refusal("insufficient_compute", "Cannot afford method cost: %d compute, have %d" % (cost, have))
        try:
            answer = method(intent.principal_id, intent.args)
        except Exception as error:
            raise Refusal("exception", "Method execution error: %s" % error)
        self.ledger.check()
        if not answer["success"]:
            raise Refusal("method_failed", answer["error"])
        return answer["data"]

    def _admit(self, artifact, intent):
        who, what = intent.principal_id, intent.artifact_id
        if not artifact.executable:
            raise Refusal("not_executable", "Artifact %s is not executable" % what)
        if artifact.policy == "owner" and who != artifact.owner:
            raise Refusal("permission_denied", "Access denied: %s belongs to %s" % (what, artifact.owner))
        if artifact.policy == "closed":
            raise Refusal("permission_denied", "%s is NOT ALLOWED to invoke %s any more" % (who, what))
        if artifact.price > self.ledger.scrip(who):
            have = self.ledger.scrip(who)
            raise Refusal("insufficient_scrip", "Insufficient scrip: need %d, have %d" % (artifact.price, have))
        for resource, amount in artifact.needs.items():
            have = self.ledger.resources[resource]
            if amount > have:
                raise Refusal("insufficient_resource", "Insufficient %s: need %d, have %d" % (resource, amount, have))

    def _run_code(self, artifact, intent):
        who = intent.principal_id
        answer = self._executor.execute_with_invoke(
            artifact.code, intent.args, who, intent.artifact_id, self.ledger, self.store, world=self
        )
        if not answer["success"]:
            raise Refusal(answer["cause"], "Execution failed: %s" % answer["error"])
        self.ledger.pay(who, artifact.price)
        return answer["result"]
