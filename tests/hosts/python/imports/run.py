# SPDX-License-Identifier: MIT
"""Imports modules in every way that there is and calls what is in them; see make_probes.py.

    run.py imports | hot
"""
import os
import sys

sys.path.insert(0, os.environ["PROGRAMS"])
import importlib
import importlib.util
import threading
import types
import zipfile

from counted import counted, report

HERE = os.path.dirname(os.path.abspath(__file__))
TIMES = 10


class Main:
    def method(self):
        counted("main_class")

    def by_file(self):
        counted("main_by_file")

    @staticmethod
    def static():
        counted("main_static")


def main_function():
    counted("main_function")


def plain_and_packages():
    import pack
    import pack.inner as inner
    import plain
    import plain as other_name
    from plain import transfer as alias

    for n in range(TIMES):
        plain.transfer(n)
        other_name.transfer(n)
        alias(n)
        plain.exported(n)
        plain.original(n)
        plain.Klass().method()
        pack.top()
        inner.inner_function()
        importlib.import_module("pack.inner").inner_function()
        __import__("pack.inner").inner.inner_function()


def from_and_circular():
    import circle_a
    import from_user

    for _ in range(TIMES):
        from_user.use()
        circle_a.use()


def reloads():
    import reloaded

    old, old_class = reloaded.again, reloaded.Again
    for turn in range(3):
        for _ in range(TIMES):
            reloaded.again()
            reloaded.Again().method()
            old()
            old_class().method()
        importlib.reload(reloaded)
    del sys.modules["reloaded"]
    import reloaded as anew

    assert anew is not reloaded
    for _ in range(TIMES):
        anew.again()
        old()


def lazily():
    for _ in range(TIMES):
        import lazy

        lazy.late()


def by_threads():
    def body():
        import in_thread

        for _ in range(TIMES):
            in_thread.shared()

    threads = [threading.Thread(target=body) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def classes():
    import bases
    import in_function

    locals_ = [in_function.make(), in_function.make()]
    for _ in range(TIMES):
        for local in locals_:
            local().method()
        bases.Base().run()
        bases.Child().run()
        bases.Other().run()
        bases.Child().overridden()
        bases.Base.overridden(bases.Child())
        bases.Other().only_here()


def decorators():
    import decorated

    kinds = decorated.Kinds()
    for n in range(TIMES):
        decorated.with_wraps(n)
        decorated.with_wraps_unprobed(n)
        decorated.without_wraps(n)
        decorated.without_wraps_unprobed(n=n)
        decorated.thrice(n)
        assert kinds.prop == 3
        kinds.static(n)
        decorated.Kinds.static(n)
        kinds.klass(n)
        decorated.Kinds.klass(n)
        kinds.method(n)
        kinds.static_decorated(n)


def objects():
    import objects as module

    for n in range(TIMES):
        assert module.use_cached(n % 3) == n % 3 * 2
        assert module.use_partial(n) == n + 1
        module.dispatched(n)
        module.dispatched("text")
    info = module.cached.cache_info()
    print("cached", info.hits, info.misses, "partial of", module.partial.func.__name__)


def loaders():
    spec = importlib.util.spec_from_file_location("loaded_by_path", os.path.join(HERE, "by_path.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)  # and not in sys.modules
    archive = os.path.join(os.environ["PROGRAMS"], "imports-%d.zip" % os.getpid())
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("zipped.py", "from counted import counted\ndef inside():\n    counted('zipped')\n")
        z.writestr("zipped_pack/__init__.py", "")
        z.writestr(
            "zipped_pack/deep.py",
            "from counted import counted\nclass Deep:\n    def method(self):\n        counted('zipped_deep')\n",
        )
    sys.path.append(archive)
    import zipped
    import zipped_pack.deep

    made = types.ModuleType("hand_made")
    exec("class Made:\n    def method(self):\n        counted('hand_made')\n", made.__dict__)
    made.counted = counted
    for _ in range(TIMES):
        module.function()
        module.Thing().method()
        zipped.inside()
        zipped_pack.deep.Deep().method()
        made.Made().method()
    os.unlink(archive)


def imports():
    thing = Main()
    for _ in range(TIMES):
        thing.method()
        thing.by_file()
        Main.static()
        main_function()
    for part in (
        plain_and_packages,
        from_and_circular,
        reloads,
        lazily,
        by_threads,
        classes,
        decorators,
        objects,
        loaders,
    ):
        part()
        print(part.__name__)


def hot():
    import hot as module

    print(module.use())


if __name__ == "__main__":
    {"imports": imports, "hot": hot}[sys.argv[1]]()
    report()
