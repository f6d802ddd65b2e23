# SPDX-License-Identifier: MIT
"""The simulation's own account of its calls, one line of JSON each.

An entry is begun by the first statement of a call and ended by its last, by the code that
knows what happened: the type of a failure is named where it arises and never read from its
message. So the log is independent of whoever classifies messages.

Each process appends whole lines to the same file. Its first line says who it is:
    {"event": "process", "process": 0, "pid": 4711}
and the others are calls, in the order in which they ended; `order` counts them as they began:
    {"event": "call", "process": 0, "order": 17, "function": "World._execute_invoke", ...}
"""
import collections
import json
import os


class CallLog:
    def __init__(self, path, process):
        self.process = process
        self.calls = self.succeeded = self.deepest = 0
        self.failures = collections.Counter()
        self._depth = 0
        self._fd = None
        if path:
            self._fd = os.open(path, os.O_WRONLY | os.O_APPEND)
            self._write({"event": "process", "process": process, "pid": os.getpid()})

    def _write(self, line):
        if self._fd is not None:
            os.write(self._fd, (json.dumps(line) + "\n").encode())

    def begin(self, function, invoker_id, artifact_id, method, tick, args_count):
        entry = {
            "event": "call",
            "process": self.process,
            "order": self.calls,
            "function": function,
            "invoker_id": invoker_id,
            "artifact_id": artifact_id,
            "method": method,
            "tick": tick,
            "args_count": args_count,
            "depth": self._depth,
        }
        self.calls += 1
        self._depth += 1
        self.deepest = max(self.deepest, self._depth)
        return entry

    def _end(self, entry, success):
        self._depth -= 1
        entry["success"] = success
        self.succeeded += success
        if not success:
            self.failures[entry["error_type"]] += 1
        self._write(entry)

    def succeed(self, entry, result):
        entry["result_type"] = type(result).__name__
        self._end(entry, True)

    def fail(self, entry, error_type, message):
        entry["error_type"] = error_type
        entry["error_message"] = message
        self._end(entry, False)

    def leave(self, entry, error):
        """An exception leaves the call."""
        entry["error_type"] = type(error).__name__
        entry["raised"] = True
        self._end(entry, False)
