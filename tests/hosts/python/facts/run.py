# SPDX-License-Identifier: MIT
"""Prints what can be asked of functions, and of the process, a fact a line.

A fact is `KEY: VALUE`, without addresses. Those whose key begins with `exact` ask for the
function's exact type, and how it is pickled by its type alone. A probed function of 3.11 can
only be a subtype: the interpreter inlines the call of any exact function.
"""
import os
import sys

sys.path[:0] = [os.environ["PROGRAMS"], os.path.dirname(os.path.abspath(__file__))]
import asyncio
import atexit
import builtins
import copy
import dis
import functools
import gc
import importlib
import inspect
import io
import marshal
import pickle
import pydoc
import re
import resource
import signal
import threading
import types
import typing
import unittest.mock as mock
import warnings
import weakref

import subject
from subject import Base, Child, plain

FUNCTIONS = {
    "plain": subject.plain,
    "keyword_only": subject.keyword_only,
    "generator": subject.generator,
    "coroutine": subject.coroutine,
    "async_generator": subject.async_generator,
    "lambda_function": subject.lambda_function,
    "wrapped": subject.wrapped,
    "closure": subject.closure,
    "init": Base.__init__,
    "method": Base.method,
    "overridden": Child.overridden,
    "static": Base.static,
    "klass": Base.klass.__func__,
    "prop": Base.prop.fget,
    "eq": Base.__eq__,
}


def scrub(text):
    text = re.sub(r"0x[0-9a-f]+|started \d+", "0x", text)
    return text.encode("ascii", "backslashreplace").decode()


def fact(key, make, *args):
    """The value, or the exception that asking for it raises."""
    try:
        value = make(*args)
        value = value if isinstance(value, str) else repr(value)
    except Exception as e:
        value = f"raises {type(e).__name__}: {e}"
    print(f"{key}: {scrub(value)!r}")


def disassembled(f):
    out = io.StringIO()
    dis.dis(f, file=out)
    return out.getvalue()


def attributes(f):
    return {name: scrub(repr(getattr(f, name))) for name in dir(f) if name not in ("__globals__", "__builtins__")}


def pickled(f, protocol):
    data = pickle.dumps(f, protocol)
    return data, pickle.loads(data) is f


def pickled_in_python(f):
    data = pickle._dumps(f)
    return data, pickle._loads(data) is f


def wraps(f):
    @functools.wraps(f)
    def wrapper():
        pass

    return wrapper.__name__, wrapper.__doc__, wrapper.__wrapped__ is f, str(inspect.signature(wrapper))


def rebuilt(f):
    """A function made of a function's parts, by the type of which it is."""
    again = type(f)(f.__code__, f.__globals__, "again", f.__defaults__, f.__closure__)
    return again, again.__class__, again.__code__ is f.__code__


def attribute_life(f):
    f.note = "noted"
    seen = (f.note, dict(f.__dict__))
    del f.note
    f.__doc__, doc = "new", f.__doc__
    seen += (f.__doc__,)
    f.__doc__ = doc
    f.__name__, name = "renamed", f.__name__
    seen += (repr(f), f.__name__)
    f.__name__ = name
    return seen


def subclassing(f):
    return type("Sub", (f.__class__,), {})


ABOUT = {
    "repr": repr,
    "str": str,
    "format": lambda f: f"{f}",
    "bool": bool,
    "callable": callable,
    "class": lambda f: (f.__class__, f.__class__ is types.FunctionType),
    "isinstance": lambda f: isinstance(f, types.FunctionType),
    "issubclass": lambda f: issubclass(type(f), types.FunctionType),
    "type": lambda f: (type(f), type(f).__name__, type(f).__qualname__, type(f).__module__),
    "type doc": lambda f: type(f).__doc__,
    "type dir": lambda f: dir(type(f)),
    "type flags": lambda f: (type(f).__basicsize__, type(f).__itemsize__, type(f).__dictoffset__, type(f).__weakrefoffset__),
    "exact type": lambda f: type(f) is types.FunctionType,
    "exact mro": lambda f: type(f).__mro__,
    "exact dispatch": lambda f: {types.FunctionType: "found"}.get(type(f)),
    "inspect": lambda f: [name for name, ask in sorted(vars(inspect).items()) if name.startswith("is") and ask(f)],
    "asyncio": asyncio.iscoroutinefunction,
    "signature": lambda f: str(inspect.signature(f)),
    "signature parameters": lambda f: [(p.name, p.kind, p.default, p.annotation) for p in inspect.signature(f).parameters.values()],
    "fullargspec": inspect.getfullargspec,
    "source": inspect.getsource,
    "source lines": inspect.getsourcelines,
    "source file": lambda f: (inspect.getsourcefile(f), inspect.getfile(f)),
    "doc": lambda f: (f.__doc__, inspect.getdoc(f), inspect.getcomments(f)),
    "module": lambda f: (f.__module__, inspect.getmodule(f)),
    "closure variables": lambda f: sorted(inspect.getclosurevars(f).nonlocals),
    "unwrap": lambda f: inspect.unwrap(f) is f,
    "annotations": lambda f: (f.__annotations__, typing.get_type_hints(f)),
    "names": lambda f: (f.__name__, f.__qualname__),
    "dir": dir,
    "attributes": attributes,
    "vars": vars,
    "defaults": lambda f: (f.__defaults__, f.__kwdefaults__, f.__closure__ and len(f.__closure__)),
    "globals": lambda f: f.__globals__ is vars(subject),
    "code": lambda f: (f.__code__, f.__code__ is f.__code__, f.__code__.co_flags, f.__code__.co_varnames, f.__code__.co_firstlineno),
    "code bytes": lambda f: (f.__code__.co_code, f.__code__.co_consts, f.__code__.co_names, f.__code__.co_freevars),
    "code info": dis.code_info,
    "dis": disassembled,
    "help": lambda f: pydoc.plain(pydoc.render_doc(f)),
    **{f"pickle {n}": functools.partial(lambda n, f: pickled(f, n), n) for n in range(pickle.HIGHEST_PROTOCOL + 1)},
    "pickle in python": pickled_in_python,
    "exact reduce": lambda f: f.__reduce_ex__(2),
    "exact reduce 4": lambda f: f.__reduce_ex__(4),
    "exact reduce 0": lambda f: f.__reduce__(),
    "copy": lambda f: (copy.copy(f) is f, copy.deepcopy(f) is f, copy.deepcopy([f])[0] is f),
    "equal": lambda f: (f == f, f != f, f == subject.other, f in {f}, hash(f) == hash(f), id(f) == id(f)),
    "order": lambda f: f < f,
    "weakref": lambda f: (weakref.ref(f)() is f, weakref.getweakrefcount(f)),
    "size": lambda f: (sys.getsizeof(f), f.__sizeof__()),
    "gc": lambda f: (gc.is_tracked(f), sorted(type(o).__name__ for o in gc.get_referents(f))),
    "referrers": lambda f: len([o for o in gc.get_referrers(f) if o is not sys._getframe(1).f_locals]),
    "refcount": sys.getrefcount,
    "get": lambda f: (f.__get__(1), f.__get__(None, int) is f, type(f.__get__(1))),
    "call": lambda f: f.__call__,
    "wraps": wraps,
    "partial": lambda f: (functools.partial(f, 1), functools.partial(f).func is f),
    "rebuilt": rebuilt,
    "attribute life": attribute_life,
    "subclassing": subclassing,
    "autospec": lambda f: str(inspect.signature(mock.create_autospec(f))),
    "new attribute of class": lambda f: setattr(type(f), "note", 1),
    "delete code": lambda f: delattr(f, "__code__"),
    "delete name": lambda f: delattr(f, "__name__"),
    "wrong code": lambda f: setattr(f, "__code__", 3),
    "instance dict": lambda f: f.__dict__ is f.__dict__,
    "set class": lambda f: setattr(f, "__class__", int),
    "json": lambda f: __import__("json").dumps(f),
    "wrong call": lambda f: f(1, 2, 3, 4, 5, nonesuch=6) if f is not subject.plain else f(),
}
if hasattr(inspect, "get_annotations"):
    ABOUT["get_annotations"] = lambda f: inspect.get_annotations(f, eval_str=True)


def about_functions():
    for name, f in FUNCTIONS.items():
        for key, ask in ABOUT.items():
            prefix = "exact " if key.startswith("exact ") else ""
            fact(f"{prefix}{name} {key.replace('exact ', '')}", ask, f)


# ---- what changes at run time ------------------------------------------------------------------


def defaults_take_effect():
    f = subject.other_default
    seen = [f()]
    f.__defaults__ = ("second",)
    seen.append(f())
    f.__kwdefaults__ = {"b": "kw second"}
    seen.append(f())
    f.__kwdefaults__["b"] = "kw third"
    seen.append(f())
    f.__defaults__ = None
    try:
        f()
    except TypeError as e:
        seen.append(str(e))
    del f.__kwdefaults__
    try:
        f(1)
    except TypeError as e:
        seen.append(str(e))
    return seen


def code_takes_effect():
    f, code = subject.replaced, subject.replaced.__code__
    seen = [f() for _ in range(100)][-1:]
    f.__code__ = subject.other.__code__
    seen += [f() for _ in range(100)][-1:]
    seen.append(f.__code__ is subject.other.__code__)
    f.__code__ = subject.plain.__code__
    seen.append(f(1, "x", c=2))
    f.__code__ = code
    return seen + [f()]


def patched():
    original, seen = subject.plain, []
    with mock.patch("subject.plain", return_value="mocked") as m:
        seen += [subject.plain(1), m.call_args, subject.plain is m]
    with mock.patch.object(subject, "plain", autospec=True) as m:
        m.return_value = "specced"
        seen += [subject.plain(1, b="x"), m.call_count]
        try:
            subject.plain()
        except TypeError as e:
            seen.append(str(e))
    with mock.patch.object(subject, "plain", wraps=original) as m:
        seen += [subject.plain(1), m.call_count]
    with mock.patch.object(Base, "method", lambda self, x: "replaced"):
        seen += [Base().method(1), Child().method(1)]
    with mock.patch.object(Base, "static", new=staticmethod(lambda a: "static replaced")):
        seen.append(Base.static(1))
    with mock.patch.object(Base, "prop", new_callable=mock.PropertyMock, return_value="mocked"):
        seen.append(Base().prop)
    return seen + [subject.plain is original, Base().method(), Base.static(1), Base().prop]


def inherited():
    class Late(Base):
        def method(self, x=0):
            return ("late", super().method(x))

    class Class(Base):
        overridden = Child.overridden

    seen = [Child().method(1), Child().overridden(), Late(3).method(4), Late.klass(), Late.static(1, 2)]
    seen += [Base.method(Late(1), 5), Base.method is Base.__dict__["method"], Late(2).prop]
    bound = Base(1).method
    seen += [bound.__func__ is Base.method, bound(1), bound == bound, bound.__self__.n, bound.__name__]
    try:
        Class().overridden()
    except TypeError as e:
        seen.append(str(e))
    return seen + [Base(1) == Base(1), {Base(1): 2}[Base(1)], Base() != Child()]


def replaced_by_hand():
    original = subject.replaced
    subject.replaced = lambda: "by hand"
    seen = [subject.replaced()]
    subject.replaced = original
    method = Base.method
    Base.method = lambda self: "by hand"
    seen.append(Child().method())
    del Base.method
    seen.append(hasattr(Base, "method"))
    Base.method = method
    return seen + [subject.replaced(), Base().method(), subject.replaced is original]


def decorated_later():
    cached = functools.lru_cache(maxsize=None)(subject.plain)
    seen = [cached(1), cached(1), cached.cache_info(), cached.__wrapped__ is subject.plain]
    single = functools.singledispatch(subject.plain)
    single.register(str, subject.lambda_function)
    seen += [single(1), single.dispatch(int) is subject.plain, single.dispatch(str) is subject.lambda_function]
    method = functools.partialmethod(Base.method, 5)
    seen.append(type("P", (Base,), {"five": method})().five())
    return seen + [types.MethodType(subject.plain, 1)(), plain is subject.plain]


def frames():
    line = sys._getframe().f_lineno
    seen = subject.caller()
    return (seen[0], seen[1] - line) + seen[2:]


def warned():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        line = sys._getframe().f_lineno
        subject.warns()
    return [(str(w.message), os.path.basename(w.filename), w.lineno - line) for w in caught]


def once():
    """Shown once for each place: the place is the caller's."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            subject.warns()
    return len(caught)


def awaited():
    async def use():
        async for value in subject.async_generator(2):
            seen.append(value)
        c = subject.coroutine(3)
        seen.extend([type(c).__name__, asyncio.iscoroutine(c), inspect.iscoroutine(c), inspect.isawaitable(c)])
        seen.append(await c)
        task = asyncio.ensure_future(subject.coroutine(4))
        seen.extend([type(task).__name__, await task])

    seen = []
    asyncio.run(use())
    c = subject.coroutine(5)
    try:
        c.send(None)
    except StopIteration as e:
        seen.append(e.value)
    g = subject.generator(2)
    return seen + [type(g).__name__, list(g), inspect.isgenerator(g), g.gi_code is subject.generator.__code__]


def doctests():
    import doctest

    results = doctest.testmod(subject)
    return tuple(results), sorted(t.name for t in doctest.DocTestFinder().find(subject))


def annotations_change():
    subject.other.__annotations__["return"] = int
    seen = [subject.other(), subject.other.__annotations__, str(inspect.signature(subject.other))]
    subject.other.__annotations__ = {}
    return seen + [str(inspect.signature(subject.other))]


def reloaded():
    before = subject.plain
    importlib.reload(subject)
    return before is subject.plain, before(1), subject.plain(1), plain is before, FUNCTIONS["plain"] is before


# ---- the process --------------------------------------------------------------------------------


def environment():
    """Without what its user has set to observe it."""
    return {
        key: value for key, value in sorted(os.environ.items()) if key not in ("LD_PRELOAD", "_") and not key.startswith("INVREG_")
    }


def handlers():
    return [(n, signal.getsignal(n)) for n in range(1, signal.NSIG) if n not in (32, 33)]


def monitoring():
    if not hasattr(sys, "monitoring"):
        return None
    return [(sys.monitoring.get_tool(n), n) for n in range(6)]


PROCESS = {
    "environment": environment,
    "modules": lambda: sorted(sys.modules),
    "path": lambda: sys.path,
    "meta_path": lambda: sys.meta_path,
    "path_hooks": lambda: sys.path_hooks,
    "importers": lambda: sorted(sys.path_importer_cache),
    "argv": lambda: (sys.argv, getattr(sys, "orig_argv", None), sys.executable, sys.prefix),
    "flags": lambda: (sys.flags, sys.warnoptions, sys._xoptions),
    "threads": lambda: (threading.enumerate(), threading.active_count(), len(os.listdir("/proc/self/task"))),
    "descriptors": lambda: len(os.listdir("/proc/self/fd")),
    "signals": handlers,
    "signal mask": lambda: sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "hooks": lambda: (sys.excepthook, sys.displayhook, sys.unraisablehook, sys.breakpointhook),
    "tracing": lambda: (sys.gettrace(), sys.getprofile(), threading._trace_hook, threading._profile_hook),
    "monitoring": monitoring,
    "limits": lambda: (sys.getrecursionlimit(), sys.getswitchinterval(), gc.get_threshold(), gc.isenabled()),
    "rlimits": lambda: [resource.getrlimit(n) for n in range(10)],
    "gc callbacks": lambda: (gc.callbacks, gc.get_debug(), len(gc.garbage)),
    "atexit": lambda: getattr(atexit, "_ncallbacks", int)(),
    "warning filters": lambda: warnings.filters,
    "builtins": lambda: {name: scrub(repr(value)) for name, value in vars(builtins).items() if name != "_"},
    "build_class": lambda: (builtins.__build_class__.__doc__, type(builtins.__build_class__), builtins.__build_class__.__self__),
    "build_class call": lambda: builtins.__build_class__(lambda: None, "Made").__mro__,
    "build_class wrong": lambda: builtins.__build_class__(1),
    "bootstrap": lambda: [
        (f, f.__code__.co_firstlineno, f.__class__)
        for f in (importlib._bootstrap._load_unlocked, importlib._bootstrap._exec)
    ],
    "loader": lambda: (importlib._bootstrap_external._LoaderBasics.exec_module, type(subject.__loader__)),
    "marshal": lambda: (marshal, marshal.__spec__, sorted(vars(marshal))),
    "builtin modules": lambda: sys.builtin_module_names,
    "function type": lambda: sorted(vars(types.FunctionType)),
    "exact subclasses": lambda: types.FunctionType.__subclasses__(),
    "umask and directory": lambda: (os.umask(os.umask(0o77)), os.getcwd()),
    "library": lambda: __import__("ctypes").CDLL(None).Py_IsInitialized() if hasattr(os, "fork") else None,
    "hash": lambda: hash("text"),
}


def main():
    about_functions()
    for ask in (
        defaults_take_effect,
        code_takes_effect,
        patched,
        inherited,
        replaced_by_hand,
        decorated_later,
        frames,
        warned,
        once,
        awaited,
        doctests,
        annotations_change,
    ):
        fact(ask.__name__, ask)
    for key, ask in PROCESS.items():
        fact(("exact process " if key.startswith("exact") else "process ") + key, ask)
    fact("reloaded", reloaded)


if __name__ == "__main__":
    main()
