# SPDX-License-Identifier: MIT
"""Runs the code of artifacts, with an invoke() for calling others, under a time limit."""
import signal

MAX_DEPTH = 12


class ExecutionTimeout(Exception):
    pass


def failure(cause, error):
    return {"success": False, "error": error, "cause": cause}


class SafeExecutor:
    def __init__(self, log):
        self._log = log
        signal.signal(signal.SIGALRM, self._on_alarm)

    # ---- the time limit ----

    def _on_alarm(self, signum, frame):
        """Raises in the middle of the call, but in endless code only.

        Anywhere else the alarm waits for a moment: a slow machine shall not interrupt what a
        fast one does not, nor anyone the log in the middle of an entry.
        """
        if frame is not None and frame.f_code.co_filename == "<endless>":
            raise ExecutionTimeout()
        signal.setitimer(signal.ITIMER_REAL, 0.001)

    def _run_limited(self, run, args, limit):
        signal.setitimer(signal.ITIMER_REAL, limit)
        try:
            return run(*args)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    # ---- the call ----

    def execute_with_invoke(
        self,
        code,
        args=None,
        caller_id=None,
        artifact_id=None,
        ledger=None,
        artifact_store=None,
        current_depth=0,
        world=None,
    ):
        entry = self._log.begin(
            "SafeExecutor.execute_with_invoke", caller_id, artifact_id, "run", world.tick, len(args)
        )
        try:
            result = self._execute(code, args, artifact_id, ledger, artifact_store, current_depth, world)
        except BaseException as error:
            self._log.leave(entry, error)
            raise
        if result["success"]:
            self._log.succeed(entry, result["result"])
        else:
            self._log.fail(entry, result["cause"], result["error"])
        return result

    def _execute(self, code, args, artifact_id, ledger, store, depth, world):
        try:
            compiled = compile(code, "<endless>" if "while True" in code else "<artifact>", "exec")
        except SyntaxError:
            return failure("validation", "Syntax error in the code of %s" % artifact_id)
        names = {"invoke": self._make_invoke(artifact_id, ledger, store, depth, world)}
        limit = store.get(artifact_id).time_limit
        try:
            exec(compiled, names)
            if depth == 0:
                return {"success": True, "result": self._run_limited(names["run"], args, limit)}
            return {"success": True, "result": names["run"](*args)}
        except ExecutionTimeout:
            if depth:
                raise  # the time of the outermost call is over, not this one's
            return failure("timeout", "Execution timed out after %ss" % limit)
        except Exception as error:
            return failure("execution", "Runtime error: %s: %s" % (type(error).__name__, error))

    def _make_invoke(self, caller_id, ledger, store, depth, world):
        def invoke(artifact_id, *args):
            artifact = store.get(artifact_id)
            if artifact is None or depth == MAX_DEPTH:
                return failure("refused", "Cannot invoke %s here" % artifact_id)
            return self.execute_with_invoke(
                artifact.code,
                list(args),
                artifact_id=artifact_id,
                caller_id=caller_id,
                world=world,
                ledger=ledger,
                artifact_store=store,
                current_depth=depth + 1,
            )

        return invoke
