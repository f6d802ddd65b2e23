# SPDX-License-Identifier: MIT
"""Objects that calls pass: plain ones, and those whose reading would run code in Python.

`runs` counts that code by the name of what ran.
"""
import collections
import dataclasses
import enum
import functools
import types

runs = collections.Counter()
CONSTANT = "of the module"
MISSING = object()


class Intent:
    kind = "action"

    def __init__(self, principal_id=None, **more):
        self.principal_id = principal_id
        self.__dict__.update(more)


class Child(Intent):
    pass


class Slotted:
    __slots__ = ("principal_id", "unset")

    def __init__(self, principal_id):
        self.principal_id = principal_id


@dataclasses.dataclass(frozen=True)
class Frozen:
    principal_id: str
    kind: str = "frozen"


Named = collections.namedtuple("Named", "principal_id kind")
Color = enum.IntEnum("Color", {"RED": 7})


class Mode(str, enum.Enum):
    FAST = "fast"


class Text(str):
    pass


class Result:
    def __init__(self, ok=True, message="", data=None, kind="", code=0):
        self.ok, self.message, self.data = ok, message, data
        self.kind, self.code = kind, code


class OwnError(Exception):
    pass


def annotated(text):
    def function():
        pass

    function.note = text
    return function


# ---- what would run code ----------------------------------------------------------------------


class Property:
    @property
    def principal_id(self):
        runs["property"] += 1
        return "by property"

    @property
    def ok(self):
        runs["property"] += 1
        return True

    @property
    def raises(self):
        runs["property"] += 1
        raise ValueError("by the property")

    @property
    def endless(self):
        return self.endless


class PropertyOverDict(Property):
    def __init__(self):
        self.__dict__["principal_id"] = "in the dict"


class Descriptor:
    def __get__(self, instance, owner):
        runs["__get__"] += 1
        return "by __get__"


class Described:
    principal_id = Descriptor()


class Getattr:
    present = "present"

    def __init__(self):
        self.own = "own"

    def __getattr__(self, name):
        runs["__getattr__"] += 1
        return "by __getattr__"


class Getattribute:
    def __init__(self):
        self.principal_id = "own"

    def __getattribute__(self, name):
        runs["__getattribute__"] += 1
        return "by __getattribute__"


class Cached:
    @functools.cached_property
    def principal_id(self):
        runs["cached_property"] += 1
        return "cached"


class Sized:
    def __init__(self, size=3):
        self.size = size

    def __len__(self):
        runs["__len__"] += 1
        return self.size


class RaisingSize:
    def __len__(self):
        runs["__len__"] += 1
        raise ValueError("by __len__")


class Items:
    def __getitem__(self, key):
        runs["__getitem__"] += 1
        return "by __getitem__"


class DictItems(dict):
    def __getitem__(self, key):
        runs["__getitem__"] += 1
        return "by __getitem__"

    def __missing__(self, key):
        runs["__missing__"] += 1
        return "by __missing__"

    def __len__(self):
        runs["__len__"] += 1
        return 99


class Missing(dict):
    def __missing__(self, key):
        runs["__missing__"] += 1
        return "by __missing__"


class ListItems(list):
    def __getitem__(self, key):
        runs["__getitem__"] += 1
        return "by __getitem__"

    def __len__(self):
        runs["__len__"] += 1
        return 99


class Number:
    def __index__(self):
        runs["__index__"] += 1
        return 5

    __int__ = __index__

    def __float__(self):
        runs["__float__"] += 1
        return 5.5


class Truth:
    def __bool__(self):
        runs["__bool__"] += 1
        return False


class Compared:
    def __eq__(self, other):
        runs["__eq__"] += 1
        return True

    def __gt__(self, other):
        runs["__gt__"] += 1
        return True

    __hash__ = None


class Written(str):
    def __str__(self):
        runs["__str__"] += 1
        return "by __str__"

    __repr__ = __str__
    __format__ = lambda self, spec: self.__str__()  # noqa: E731

    def encode(self, *_):
        runs["encode"] += 1
        return b"by encode"


class Lies:
    @property
    def __class__(self):
        runs["__class__"] += 1
        return int


class Meta(type):
    @property
    def label(cls):
        runs["metaclass"] += 1
        return "by the metaclass"

    def __getattr__(cls, name):
        runs["metaclass"] += 1
        return "by the metaclass"

    @property
    def __name__(cls):
        runs["metaclass"] += 1
        return "by the metaclass"


class WithMeta(metaclass=Meta):
    def __init__(self):
        self.principal_id = "with a metaclass"


class TalkingError(Exception):
    def __str__(self):
        runs["__str__"] += 1
        return "by __str__"

    __repr__ = __str__


class LazyModule(types.ModuleType):
    def __getattr__(self, name):
        runs["__getattr__"] += 1
        return "by the module"


def talking_module():
    """A module with a __getattr__ of its own (PEP 562)."""
    module = types.ModuleType("talking")
    exec("def __getattr__(name):\n    runs['__getattr__'] += 1\n    return 'by PEP 562'\n", module.__dict__)
    module.runs = runs
    return module
