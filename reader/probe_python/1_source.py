# SPDX-License-Identifier: MIT
"""The section that `invreg probe` prints, guessed from the source of a Python function.

    PYTHON [OPTIONS] -c TEXT-OF-THIS-FILE KIND VALUE MODULE SYMBOL PROBE

runs in the program's own interpreter, with the options, environment and sys.path that the
program would have. KIND and VALUE say what the program is: script FILE, module NAME,
command TEXT, or stdin. On stdout: MARK, an exit status, a line, and the section or the error.

Nothing of the program is run, not even an import: its modules are found by the finders of
sys.meta_path, one package after the other, and parsed. Importing them and asking `inspect`
was rejected: an import runs a module's top level (threads, sockets, argparse, the program
itself where the target is in __main__), and tells less: annotations may be strings, or
expressions that cannot be evaluated, and the body shows what they do not: which attributes
of a parameter are read, which keys the dict has that is returned. What only exists at run
time is not found this way: functions made by exec or setattr, paths that the program adds to
sys.path, what a decorator puts in the function's place.

Standard library only, 3.8 to 3.14. Older ones, and Python 2, must parse this text, so that
they can say that they are too old: no f-string, no `yield from`, no keyword-only parameter.
"""
import os
import sys

MARK = "\001invreg\001"


def answer(status, text):
    data = ("%s%d\n%s\n" % (MARK, status, text)).encode("utf-8", "backslashreplace")
    while data:
        data = data[os.write(1, data) :]
    sys.exit(0)


IMPLEMENTATION = getattr(getattr(sys, "implementation", None), "name", "cpython")
VERSION = "%d.%d.%d" % tuple(sys.version_info[:3])
if IMPLEMENTATION != "cpython":
    answer(4, "%s is %s %s: Python probes are for CPython" % (sys.executable, IMPLEMENTATION, VERSION))
if sys.version_info < (3, 8):
    answer(4, "%s is Python %s, which is too old: Python probes need CPython 3.8" % (sys.executable, VERSION))

import ast
import difflib
import importlib.machinery
import pkgutil
import re
import types
import warnings

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEPTH_MAX = 4  # of calls, aliases and bases that are followed


class Refused(Exception):
    pass


# ---- what a module or a class has --------------------------------------------------------


def leaf(node):
    """The last name of `a.b.c`, of `a.b.c(...)` and of `a.b.c[...]`; else ""."""
    while isinstance(node, (ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def decorators(node):
    return [leaf(decorator) for decorator in node.decorator_list]


def statements(body):
    """Those of a body and of its if, try, with and loops, in the order of the file."""
    for node in body:
        yield node
        if not isinstance(node, FUNCTIONS + (ast.ClassDef,)):
            for field in ("body", "handlers", "cases", "orelse", "finalbody"):
                inner = getattr(node, field, None)
                for found in statements(inner if isinstance(inner, list) else []):
                    yield found


class Value(object):
    """What a name is bound to that is neither a function nor a class."""

    def __init__(self, node, annotation, line):
        self.node, self.annotation, self.line = node, annotation, line


class Import(object):
    def __init__(self, module, name):
        self.module, self.name = module, name


def absolute(node, package):
    parts = package.split(".") if package else []
    if node.level > 1:
        parts = parts[: 1 - node.level]
    if not node.level:
        parts = []
    return ".".join(parts + ([node.module] if node.module else []))


def bindings(body, package):
    """name -> function, class, Value or Import; "*" -> modules that all is imported from."""
    names = {"*": []}
    for node in statements(body):
        if isinstance(node, FUNCTIONS + (ast.ClassDef,)):
            partial = set(decorators(node)) & {"setter", "deleter", "overload"}
            if not (partial and node.name in names):
                names[node.name] = node
        elif isinstance(node, ast.Import):
            for alias in node.names:
                module = alias.name if alias.asname else alias.name.split(".")[0]
                names[alias.asname or module] = Import(module, None)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name == "*":
                    names["*"].append(absolute(node, package))
                else:
                    names[alias.asname or alias.name] = Import(absolute(node, package), alias.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    names[target.id] = Value(node.value, getattr(node, "annotation", None), node.lineno)
    return names


class Module(object):
    def __init__(self, name, package, source, file):
        self.name, self.file = name, file
        try:
            self.names = bindings(ast.parse(source).body, package)
        except (SyntaxError, ValueError) as error:
            raise Refused("%s:%s: %s" % (file, getattr(error, "lineno", 0), getattr(error, "msg", error)))


class Class(object):
    def __init__(self, module, node):
        self.module, self.node, self.name = module, node, node.name
        self.names = bindings(node.body, "")


class Function(object):
    """Found in `owner`, the class that its `self` is taken for, or in none."""

    def __init__(self, module, node, owner):
        self.module, self.node, self.owner = module, node, owner
        marks = decorators(node)
        self.bound = owner is not None and "staticmethod" not in marks
        self.takes_class = self.bound and ("classmethod" in marks or node.name == "__new__")
        a = node.args
        self.named = getattr(a, "posonlyargs", []) + a.args
        self.keyword = a.kwonlyargs
        self.extra = [x for x in (a.vararg, a.kwarg) if x]
        self.first = self.named[0].arg if self.bound and self.named else None

    def parameters(self):
        return [x for x in self.named + self.keyword if x.arg != self.first]


# ---- where modules are --------------------------------------------------------------------


def shown(path):
    here = os.getcwd().rstrip("/") + "/"
    return path[len(here) :] if path.startswith(here) else path


def nearest(word, names):
    """ "; did you mean ...?" or what there is, as the end of an error."""
    names = sorted(set(name for name in names if not (name.startswith("__") and name.endswith("__"))))
    folded = {name.lower(): name for name in names}
    near = [folded[n] for n in difflib.get_close_matches(word.lower(), folded, 3, 0.6)]
    if near:
        return ": did you mean %s?" % " or ".join(near)
    return "; it has %s%s" % (", ".join(names[:8]), ", ..." if names[8:] else "") if names else ""


class Sources(object):
    def __init__(self, kind, value):
        self.kind, self.value = kind, value
        self.modules, self.specs = {}, {}
        if kind == "script" and not os.path.exists(value):
            raise Refused("%s: there is no such script" % value)
        isolated = sys.flags.isolated or getattr(sys.flags, "safe_path", False)
        if kind == "script" and self.is_archive(value):
            sys.path[: 0 if isolated else 1] = [value]
        elif kind == "script" and not isolated:
            sys.path[0] = os.path.dirname(os.path.realpath(value))
        elif kind == "module" and not isolated:
            sys.path[0] = os.getcwd()

    @staticmethod
    def is_archive(path):
        return importlib.machinery.PathFinder.find_spec("__main__", [path]) is not None

    def spec(self, name):
        """(spec, folders of a package or None), or None. Packages are not imported."""
        if name not in self.specs:
            self.specs[name] = self.find(name)
        return self.specs[name]

    def find(self, name):
        parent, folders, stub = name.rpartition(".")[0], None, None
        if parent:
            above = self.spec(parent)
            if not above or above[1] is None:
                return None
            folders = above[1]
            if parent not in sys.modules:  # a namespace package asks its parent for the path
                stub = sys.modules[parent] = types.ModuleType(parent)
                stub.__path__ = folders
        try:
            for finder in sys.meta_path:
                spec = finder.find_spec(name, folders, None) if hasattr(finder, "find_spec") else None
                if spec:
                    inner = spec.submodule_search_locations
                    return spec, None if inner is None else list(inner)
        except Exception:  # somebody else's finder
            return None
        finally:
            if stub and sys.modules.get(parent) is stub:
                del sys.modules[parent]
        return None

    def children(self, name):
        """The names of the modules in a package, or of the top level ones."""
        folders = None
        if name:
            folders = self.spec(name)[1] or []
        return [module.name for module in pkgutil.iter_modules(folders)]

    def must_find(self, name):
        """Its spec; else the error names the first part that is not there."""
        parent = ""
        for part in name.split("."):
            whole = parent + "." + part if parent else part
            if not self.spec(whole):
                near = nearest(part, self.children(parent))
                if parent:
                    raise Refused("%s has no module %s%s" % (parent, part, near))
                near = near + " If" if near.startswith(":") else ". If"  # else it is the whole library
                own = "the program itself adds its folder to sys.path, give that in PYTHONPATH"
                raise Refused("no module named %s%s %s" % (whole, near, own))
            parent = whole
        return self.spec(name)

    def read(self, name, spec, package):
        source = None
        try:
            source = spec.loader.get_source(spec.name)
        except (AttributeError, ImportError, OSError):
            pass
        if source is None:
            return None
        return Module(name, package, source, shown(spec.origin or name))

    def main(self):
        if self.kind == "stdin":
            raise Refused("__main__ comes from the standard input here, and cannot be read twice")
        if self.kind == "command":
            return Module("__main__", "", self.value, "-c")
        if self.kind == "module":
            spec, folders = self.must_find(self.value)
            if folders is not None:
                spec = self.must_find(self.value + ".__main__")[0]
            return self.read("__main__", spec, spec.name.rpartition(".")[0])
        if self.is_archive(self.value):
            spec = importlib.machinery.PathFinder.find_spec("__main__", [self.value])
            return self.read("__main__", spec, "")
        loader = importlib.machinery.SourceFileLoader("__main__", self.value)
        try:
            return Module("__main__", "", loader.get_source("__main__"), shown(self.value))
        except (ImportError, OSError) as error:
            raise Refused("%s: %s" % (self.value, error))

    def module(self, name):
        """The module, parsed; None: no such module, or it has no source."""
        if name not in self.modules:
            self.modules[name] = None  # while it is looked for
            if name == "__main__":
                self.modules[name] = self.main()
            else:
                found = self.spec(name)
                package = name if found and found[1] is not None else name.rpartition(".")[0]
                self.modules[name] = self.read(name, found[0], package) if found else None
        return self.modules[name]

    # ---- names ----

    def get(self, scope, name, depth=0):
        """A Class, Function, Module or Value that a module or a class has; or None."""
        found = scope.names.get(name)
        if found is None and isinstance(scope, Class):
            for base in self.bases(scope) if depth < DEPTH_MAX else []:
                got = self.get(base, name, depth + 1)
                if got:
                    return Function(got.module, got.node, scope) if isinstance(got, Function) else got
        elif found is None and depth < DEPTH_MAX:
            for star in scope.names["*"]:
                module = self.quietly(star)
                got = self.get(module, name, depth + 1) if module else None
                if got:
                    return got
        return self.resolved(scope, found, depth)

    def resolved(self, scope, found, depth):
        module = scope.module if isinstance(scope, Class) else scope
        if isinstance(found, ast.ClassDef):
            return Class(module, found)
        if isinstance(found, FUNCTIONS):
            return Function(module, found, scope if isinstance(scope, Class) else None)
        if isinstance(found, Import) and depth < DEPTH_MAX:
            origin = self.quietly(found.module)
            if not found.name:
                return origin
            got = self.get(origin, found.name, depth + 1) if origin else None
            return got or self.quietly(found.module + "." + found.name)
        if isinstance(found, Value) and isinstance(found.node, (ast.Name, ast.Attribute)) and depth < DEPTH_MAX:
            return self.at(found.node, scope, depth + 1) or found
        return found

    def quietly(self, name):
        try:
            return self.module(name)
        except Refused:
            return None

    def at(self, node, scope, depth=0):
        """What `a.b.c` is in a scope; or None."""
        if isinstance(node, ast.Name):
            got = self.get(scope, node.id, depth)
            if got is None and isinstance(scope, Class):
                got = self.get(scope.module, node.id, depth)
            return got
        if not isinstance(node, ast.Attribute):
            return None
        holder = self.at(node.value, scope, depth)
        if isinstance(holder, (Class, Module)):
            got = self.get(holder, node.attr, depth)
            return got or (self.quietly(holder.name + "." + node.attr) if isinstance(holder, Module) else None)
        return None

    def bases(self, cls):
        nodes = [base.value if isinstance(base, ast.Subscript) else base for base in cls.node.bases]
        found = [self.at(node, cls.module) for node in nodes]
        return [base for base in found if isinstance(base, Class) and base.node is not cls.node]

    def base_names(self, cls, depth=0):
        names = [leaf(base) for base in cls.node.bases]
        for base in self.bases(cls) if depth < DEPTH_MAX else []:
            names += self.base_names(base, depth + 1)
        return names

    def all_names(self, scope, depth=0):
        names = [name for name in scope.names if name != "*"]
        for base in self.bases(scope) if isinstance(scope, Class) and depth < DEPTH_MAX else []:
            names += self.all_names(base, depth + 1)
        return names

    def target(self, module_name, symbol):
        if module_name != "__main__":
            self.must_find(module_name)
        holder, path = self.module(module_name), module_name
        if holder is None:
            raise Refused("%s has no Python source: it is built in or compiled" % module_name)
        for part in symbol.split("."):
            if not isinstance(holder, (Class, Module)):
                raise Refused("%s is no class: it has no %s" % (path, part))
            found = self.get(holder, part)
            if found is None:
                raise Refused("%s has no %s%s" % (path, part, nearest(part, self.all_names(holder))))
            holder, path = found, path + (":" if path == module_name else ".") + part
        if isinstance(holder, Class):
            methods = [n for n in self.all_names(holder) if isinstance(self.get(holder, n), Function)]
            raise Refused("%s is a class, not a function%s" % (path, nearest("", methods)))
        if not isinstance(holder, Function):
            line = " (line %d)" % holder.line if isinstance(holder, Value) else ""
            raise Refused("%s is not a function%s" % (path, line))
        return holder
