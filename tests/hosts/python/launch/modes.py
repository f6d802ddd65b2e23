# SPDX-License-Identifier: MIT
"""Programs that start others, or that are watched: `modes.py MODE`, printing what they saw.

What is printed depends on nothing that differs from run to run.
"""
import os
import sys

sys.path[:0] = [os.environ["PROGRAMS"], os.path.join(os.environ["PROGRAMS"], "launch")]
import asyncio
import collections
import contextvars
import importlib
import multiprocessing
import signal
import subprocess
import threading

from counted import counted, report
import launched

SCRIPT = os.path.join(os.environ["PROGRAMS"], "launch", "script.py")


class Main:
    def step(self, n):
        counted("main")
        return n


def run_child(n):
    """The body of a child: what it calls is reported by itself."""
    result = launched.use(n) + Main().step(n)
    report()
    return result


def mode_settrace():
    """A tracer sees each call, line and return of a probed function, as it sees others."""
    events = collections.Counter()

    def tracer(frame, event, arg):
        if frame.f_code.co_filename.endswith("launched.py"):
            events[frame.f_code.co_name, event, frame.f_lineno] += 1
        return tracer

    sys.settrace(tracer)
    launched.use(5)
    sys.settrace(None)
    print(sorted(events.items()))


def mode_setprofile():
    events = collections.Counter()

    def profiler(frame, event, arg):
        if frame.f_code.co_filename.endswith("launched.py"):
            name = getattr(arg, "__name__", "") if event.startswith("c_") else ""
            events[frame.f_code.co_name, event, name] += 1

    sys.setprofile(profiler)
    launched.use(5)
    sys.setprofile(None)
    print(sorted(events.items()))


def mode_cprofile():
    """The numbers of calls and callers that cProfile has of probed functions."""
    import cProfile
    import pstats

    profile = cProfile.Profile()
    profile.runcall(launched.use, 5)
    rows = []
    for (path, line, name), (calls, primitive, _, _, callers) in pstats.Stats(profile).stats.items():
        if path.endswith("launched.py"):
            rows.append((name, line, calls, primitive, sorted(key[2] for key in callers)))
    print(sorted(rows))


def mode_coverage():
    """Lines executed, as the standard library's own trace counts them."""
    import trace

    tracer = trace.Trace(count=True, trace=False, countfuncs=False)
    tracer.runfunc(launched.use, 5)
    counts = tracer.results().counts
    print(sorted((line, n) for (path, line), n in counts.items() if path.endswith("launched.py")))


def mode_monitoring():
    """sys.monitoring of 3.12: the same events of a probed function as of others."""
    if not hasattr(sys, "monitoring"):
        return print(launched.use(5))
    monitoring, events = sys.monitoring, collections.Counter()
    monitoring.use_tool_id(monitoring.PROFILER_ID, "test")

    def seen(kind):
        def record(code, *rest):
            if code.co_filename.endswith("launched.py"):
                events[code.co_name, kind] += 1

        return record

    for kind in ("PY_START", "PY_RETURN", "PY_UNWIND"):
        monitoring.register_callback(
            monitoring.PROFILER_ID, getattr(monitoring.events, kind), seen(kind)
        )
    monitoring.set_events(
        monitoring.PROFILER_ID,
        monitoring.events.PY_START | monitoring.events.PY_RETURN | monitoring.events.PY_UNWIND,
    )
    launched.use(5)
    monitoring.set_events(monitoring.PROFILER_ID, 0)
    monitoring.free_tool_id(monitoring.PROFILER_ID)
    print(sorted(events.items()))


def mode_subprocess():
    for command in ([sys.executable, "-B", SCRIPT], [sys.executable, "-I", "-B", SCRIPT]):
        print(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    shell = f"'{sys.executable}' -B '{SCRIPT}' && exec '{sys.executable}' -B '{SCRIPT}'"
    print(subprocess.run(shell, shell=True, stdout=subprocess.PIPE, check=True).stdout)
    print(os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-B", SCRIPT]))


def mode_exec():
    print(launched.use(3), Main().step(1), flush=True)
    report()
    os.execv(sys.executable, [sys.executable, "-B", SCRIPT])


def multiprocess(method):
    context = multiprocessing.get_context(method)
    children = [context.Process(target=run_child, args=(n,)) for n in (3, 4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print([child.exitcode for child in children])
    with context.Pool(2) as pool:
        print(pool.map(run_child, [2] * 6, chunksize=1))
        pool.close()
        pool.join()
    print(run_child(5))


def mode_fork():
    multiprocess("fork")


def mode_spawn():
    multiprocess("spawn")


def mode_forkserver():
    multiprocess("forkserver")


def mode_executor():
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        print(list(pool.map(launched.use, [50] * 16)))


def mode_threads():
    results = collections.deque()
    threads = [threading.Thread(target=lambda: results.append(launched.use(300))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(list(results))


def mode_threads_reload():
    """Others call a module's functions, by the module, while it is executed anew."""
    failures = collections.deque()

    def body():
        try:
            for _ in range(300):
                launched.use(20)
        except Exception as e:
            failures.append(e)

    threads = [threading.Thread(target=body) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        importlib.reload(launched)
        launched.use(20)
    print(list(failures))


def mode_fork_inside():
    """A fork within a probed call: it returns twice, once in each process."""
    for _ in range(5):
        pid = launched.Work().forks()
        if pid == 0:
            launched.use(2)
            report()
            os._exit(0)
        print(os.waitpid(pid, 0)[1])


def mode_asyncio():
    async def some(n):
        return await asyncio.gather(*[launched.task(i) for i in range(n)])

    print(sum(asyncio.run(some(500))))
    print(asyncio.run(launched.task(7)))
    loop = asyncio.new_event_loop()
    print(loop.run_until_complete(loop.create_task(launched.task(8))))
    loop.close()


def mode_contextvars():
    context = contextvars.copy_context()
    print(context.run(launched.use, 10), context.run(launched.Work().step, 4))


def mode_signal():
    """Handlers run between the steps of probed calls, and call probed functions."""
    fired = collections.deque()

    def handler(number, frame):
        fired.append(launched.function(number))

    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    while len(fired) < 100:
        launched.use(5)
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(set(fired))


def subinterpreter_module():
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            return __import__(name)
        except ImportError:
            pass
    return None


def mode_subinterpreters():
    """Three, one after the other and each in a thread; their calls are counted apart."""
    interpreters = subinterpreter_module()
    if interpreters is None:
        return
    code = (
        "import os, sys\n"
        "sys.path[:0] = [os.environ['PROGRAMS'], os.path.join(os.environ['PROGRAMS'], 'launch')]\n"
        "import launched\n"
        "launched.use(10)\n"
        "from counted import report\n"
        "os.environ['TRUTH'] += '.sub'\n"
        "report()\n"
        "os.environ['TRUTH'] = os.environ['TRUTH'][:-4]\n"
    )
    run = getattr(interpreters, "exec", None) or interpreters.run_string

    def body():
        one = interpreters.create()
        print(run(one, code))
        interpreters.destroy(one)

    for _ in range(3):
        body()
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    print(launched.use(10))


def mode_exit_code():
    launched.use(3)
    report()
    sys.exit(7)


def mode_daemon():
    """A daemon thread is in a probed call when the interpreter is torn down."""
    entered = threading.Event()

    def body():
        entered.set()
        while True:
            launched.function(1)

    threading.Thread(target=body, daemon=True).start()
    entered.wait()
    launched.use(50)


if __name__ == "__main__":
    globals()["mode_" + sys.argv[1]]()
    report()
