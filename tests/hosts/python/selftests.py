# SPDX-License-Identifier: MIT
"""Probes on what the standard library's own tests call often, and their results compared.

    selftests.py probes > FILE.ini
    selftests.py compare BARE.xml... -- OBSERVED.xml...      JUnit files of `-m test`

A test that ended in some way in any of the bare runs and in the same way in any of the
observed ones is the same: some of these tests fail now and then by themselves. The tests that
were run have to be the same in any case. Prints what differs, and exits 1; or one line.
"""
import collections
import sys
import xml.etree.ElementTree

# module:function -> fields besides the artifact; a method's `type(self)` is always there to read
TARGETS = """
functools:update_wrapper       artifact_id = wrapped.__name__
functools:wraps                artifact_id = type(wrapped)
functools:singledispatch       artifact_id = func.__name__
functools:partialmethod.__get__ artifact_id = type(self)
inspect:signature              artifact_id = type(obj)
inspect:unwrap                 artifact_id = type(func)
inspect:isfunction             artifact_id = type(object)
inspect:getmodule              artifact_id = type(object)
inspect:getsourcefile          artifact_id = type(object)
inspect:Signature.bind         artifact_id = type(self)
inspect:Parameter.replace      artifact_id = self._name
subprocess:Popen.__init__      args_count = len(args)
subprocess:Popen.poll          tick = self.pid
subprocess:Popen.wait          tick = self.pid
subprocess:Popen.communicate   tick = self.pid
subprocess:run                 args_count = len(popenargs)
threading:Thread.__init__      artifact_id = type(self)
threading:Thread.start         artifact_id = self._name
threading:Thread.run           artifact_id = self._name
threading:Thread.join          artifact_id = self._name
threading:Condition.wait       args_count = len(self._waiters)
threading:Condition.notify     args_count = n
threading:Event.set            artifact_id = type(self)
threading:Event.wait           artifact_id = type(timeout)
threading:current_thread       artifact_id = "current_thread"
signal:signal                  artifact_id = type(handler)
signal:getsignal               artifact_id = type(signalnum)
asyncio.base_events:BaseEventLoop.call_soon    args_count = len(args)
asyncio.base_events:BaseEventLoop._run_once    args_count = len(self._ready)
asyncio.base_events:BaseEventLoop.create_task  artifact_id = type(coro)
asyncio.base_events:BaseEventLoop.run_until_complete  artifact_id = type(future)
asyncio.events:Handle._run     artifact_id = type(self)
asyncio.tasks:sleep            artifact_id = type(delay)
asyncio.tasks:wait_for         artifact_id = type(fut)
asyncio.tasks:gather           args_count = len(coros_or_futures)
asyncio.locks:Lock.acquire     artifact_id = type(self)
asyncio.queues:Queue.get       artifact_id = type(self)
asyncio.streams:StreamReader.read  args_count = n
unittest.case:TestCase.run     artifact_id = self._testMethodName
unittest.case:TestCase.assertEqual   artifact_id = type(first)
unittest.case:TestCase.assertTrue    artifact_id = type(expr)
unittest.case:TestCase.assertIs      artifact_id = type(expr1)
unittest.case:TestCase.assertRaises  artifact_id = expected_exception.__name__
unittest.case:_AssertRaisesContext.__exit__  artifact_id = exc_type.__name__
unittest.suite:TestSuite.run   artifact_id = type(self)
unittest.mock:_patch.__enter__ artifact_id = self.attribute
copy:copy                      artifact_id = type(x)
copy:deepcopy                  artifact_id = type(x)
contextlib:_GeneratorContextManager.__enter__  artifact_id = self.gen.__name__
contextlib:_GeneratorContextManager.__exit__   artifact_id = self.gen.__name__
weakref:WeakKeyDictionary.__setitem__  artifact_id = type(key)
posixpath:join                 artifact_id = a
re:compile                     artifact_id = type(pattern)
collections:namedtuple         artifact_id = typename
abc:ABCMeta.__instancecheck__  artifact_id = cls.__name__
warnings:catch_warnings.__enter__  artifact_id = type(self)
types:DynamicClassAttribute.__get__  artifact_id = type(instance)
"""


def print_probes():
    for number, row in enumerate(TARGETS.strip().split("\n")):
        target, field = row.split(None, 1)
        print(f"[probe p{number}]\ntarget = python:{target}\n{field.strip()}\nmethod = \"{target.split(':')[1]}\"\n")


def outcome_of(case):
    for kind in ("error", "failure", "skipped"):
        if case.find(kind) is not None:
            return kind
    return case.get("result", "passed")


def outcomes(paths):
    """test -> the ways in which it has ended; and the names of each run."""
    ended, names = collections.defaultdict(set), []
    for path in paths:
        run = collections.Counter()
        for case in xml.etree.ElementTree.parse(path).iter("testcase"):
            run[case.get("name")] += 1
            ended[case.get("name")].add(outcome_of(case))
        names.append(run)
    return ended, names


def compare(arguments):
    split = arguments.index("--")
    bare, bare_names = outcomes(arguments[:split])
    seen, seen_names = outcomes(arguments[split + 1 :])
    problems = [
        f"{name}: bare {sorted(bare[name]) or 'not run'}, observed {sorted(seen[name]) or 'not run'}"
        for name in sorted(set(bare) | set(seen))
        if not bare[name] & seen[name]
    ]
    if not problems and not any(names in bare_names for names in seen_names):
        problems.append("another number of runs of the same tests")
    for problem in problems[:30]:
        print(problem)
    if problems or not bare:
        return 1
    failed = sum(bool(ways & {"error", "failure"}) for ways in bare.values())
    print(f"{len(bare)} tests end as they do unobserved, {failed} of them in a failure")
    return 0


if __name__ == "__main__":
    sys.exit(print_probes() if sys.argv[1] == "probes" else compare(sys.argv[2:]))
