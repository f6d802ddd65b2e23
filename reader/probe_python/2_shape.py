# SPDX-License-Identifier: MIT
"""What a value looks like, by its annotation or by the expression that makes it.

The second part of the text that begins with 1_source.py. A Shape is what a probe can use of
a value: whether it is a text, a number or a truth, and which attributes or keys it has.
"""

TEXT, NUMBER, TRUTH, NOTHING, CLASS, KEYS, TUPLE, SIZED, CALLABLE, ENUM = (
    "text number truth nothing class keys tuple sized callable enum".split()
)
BY_NAME = {
    "str": TEXT,
    "LiteralString": TEXT,
    "int": NUMBER,
    "float": NUMBER,
    "bool": TRUTH,
    "None": NOTHING,
    "NoneType": NOTHING,
    "dict": KEYS,
    "Dict": KEYS,
    "Mapping": KEYS,
    "MutableMapping": KEYS,
    "tuple": TUPLE,
    "Tuple": TUPLE,
    "Callable": CALLABLE,
}
for sized in "list List set Set Sequence Iterable Collection frozenset bytes deque".split():
    BY_NAME[sized] = SIZED
NONE = object()
AROUND = {"Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "Awaitable", "Type"}


class Shape(object):
    def __init__(self, kind, cls=None, keys=None, items=None):
        self.kind, self.cls, self.keys, self.items = kind, cls, keys or {}, items or []


class Field(object):
    """An attribute, under the name by which it is read without running code; or None."""

    def __init__(self, read_as, shape, why):
        self.read_as, self.shape, self.why = read_as, shape, why


def merge(shapes):
    """One shape for a value that is one of them: what is known of the most telling."""
    shapes = [shape for shape in shapes if shape and shape.kind != NOTHING]
    for kind in (CLASS, KEYS, TUPLE):
        same = [shape for shape in shapes if shape.kind == kind]
        if same and kind == KEYS:
            keys = {}
            for shape in same:
                for key in shape.keys:
                    keys[key] = keys.get(key) or shape.keys[key]
            return Shape(KEYS, keys=keys)
        if same:
            return same[0]
    return shapes[0] if shapes and all(shape.kind == shapes[0].kind for shape in shapes) else None


def own_nodes(node):
    """All nodes of a function but those of functions and classes in it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, FUNCTIONS + (ast.Lambda, ast.ClassDef)):
            for found in own_nodes(child):
                yield found


def is_generator(function):
    return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in own_nodes(function.node))


def index_of(node):
    """The index of a Subscript; 3.8 wraps it."""
    return node.slice.value if type(node.slice).__name__ == "Index" else node.slice


def constant(node):
    """The value of a constant; NONE for None, and None for what is no constant."""
    if not isinstance(node, ast.Constant):
        return None
    return NONE if node.value is None else node.value


class Shapes(object):
    def __init__(self, sources):
        self.sources = sources
        self.known_fields, self.known_returns = {}, {}

    # ---- by annotation ----

    def annotated(self, node, module, depth=0):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value.strip(), mode="eval").body
            except SyntaxError:
                return None
        if node is None or depth > DEPTH_MAX:
            return None
        if isinstance(node, ast.Constant):
            return Shape(NOTHING) if node.value is None else None
        if isinstance(node, ast.BinOp):
            return merge([self.annotated(side, module, depth + 1) for side in (node.left, node.right)])
        if isinstance(node, ast.Subscript):
            return self.of_subscript(node, module, depth)
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return None
        if leaf(node) in BY_NAME:
            return Shape(BY_NAME[leaf(node)])
        found = self.sources.at(node, module)
        if isinstance(found, Value) and found.node is not None:  # an alias: Result = Union[...]
            return self.annotated(found.node, module, depth + 1)
        return self.of_class(found) if isinstance(found, Class) else None

    def of_subscript(self, node, module, depth):
        name, index = leaf(node.value), index_of(node)
        parts = index.elts if isinstance(index, ast.Tuple) else [index]
        if name in AROUND:
            return self.annotated(parts[0], module, depth + 1)
        if name in ("Union", "Coroutine"):
            parts = parts[2:] if name == "Coroutine" else parts
            return merge([self.annotated(part, module, depth + 1) for part in parts])
        if name == "Literal":
            kinds = set(type(constant(part)) for part in parts)
            return Shape(TRUTH if kinds == {bool} else TEXT) if kinds in ({bool}, {str}) else None
        if BY_NAME.get(name) == TUPLE:
            return Shape(TUPLE, items=[self.annotated(part, module, depth + 1) for part in parts])
        return self.annotated(node.value, module, depth + 1)

    def of_class(self, cls):
        names = self.sources.base_names(cls)
        if "TypedDict" in names:
            keys = {name: field.shape for name, field in self.fields(cls).items()}
            return Shape(KEYS, keys=keys)
        if set(names) & {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"}:
            return Shape(TEXT if set(names) & {"str", "StrEnum"} else ENUM, cls)
        if "str" in names:
            return Shape(TEXT)
        return Shape(CLASS, cls)

    # ---- by expression ----

    def made_by(self, node, function, depth=0):
        """The shape of an expression in the body of a function."""
        if isinstance(node, ast.Await):
            node = node.value
        if depth > DEPTH_MAX or node is None:
            return None
        if isinstance(node, ast.Constant):
            kind = {bool: TRUTH, str: TEXT, int: NUMBER, float: NUMBER, type(None): NOTHING}.get(type(node.value))
            return Shape(kind) if kind else None
        if isinstance(node, (ast.Compare, ast.UnaryOp)):
            return Shape(TRUTH) if isinstance(getattr(node, "op", ast.Not()), ast.Not) else None
        if isinstance(node, (ast.JoinedStr, ast.BinOp)):
            return self.of_text(node)
        if isinstance(node, ast.Dict):
            return self.of_dict(node, function, depth)
        if isinstance(node, (ast.List, ast.ListComp, ast.Set)):
            return Shape(SIZED)
        if isinstance(node, ast.Tuple):
            return Shape(TUPLE, items=[self.made_by(item, function, depth + 1) for item in node.elts])
        if isinstance(node, (ast.IfExp, ast.BoolOp)):
            parts = [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values
            return merge([self.made_by(part, function, depth + 1) for part in parts])
        if isinstance(node, ast.Call):
            return self.called(node, function, depth)
        if isinstance(node, ast.Name) and function:
            return self.of_local(node.id, function, depth)
        return None

    @staticmethod
    def of_text(node):
        texts = isinstance(node, ast.JoinedStr) or isinstance(constant(node.left), str)
        return Shape(TEXT) if texts else None

    def of_dict(self, node, function, depth):
        shape = Shape(KEYS)
        for key, value in zip(node.keys, node.values):
            made = self.made_by(value, function, depth + 1)
            if key is None and made and made.kind == KEYS:  # **other
                shape.keys.update(made.keys)
            elif isinstance(constant(key), str):
                shape.keys[key.value] = made
        return shape

    def called(self, node, function, depth):
        target = self.callee(node.func, function)
        if isinstance(target, Class):
            return self.of_class(target)
        if isinstance(target, Function):
            return self.returned(target, depth + 1)[0]
        if leaf(node.func) == "dict":
            keys = {k.arg: self.made_by(k.value, function, depth + 1) for k in node.keywords if k.arg}
            return Shape(KEYS, keys=keys)
        return {"bool": Shape(TRUTH), "str": Shape(TEXT), "len": Shape(NUMBER)}.get(leaf(node.func))

    def callee(self, node, function):
        """The Function or Class that is called; self.name and cls are looked up in the owner."""
        first = function.first if function else None
        if isinstance(node, ast.Name) and function and function.takes_class and node.id == first:
            return function.owner
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and first == node.value.id:
            return self.sources.get(function.owner, node.attr)
        return self.sources.at(node, function.module) if function else None

    def of_local(self, name, function, depth):
        """A parameter or a variable: all that is assigned to it, and its keys."""
        shapes, keys = [], {}
        for parameter in function.parameters():
            if parameter.arg == name:
                shapes.append(self.annotated(parameter.annotation, function.module))
        for node in own_nodes(function.node):
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name) and target.id == name:
                        shapes.append(
                            self.annotated(getattr(node, "annotation", None), function.module)
                            or self.made_by(node.value, function, depth + 1)
                        )
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == name:
                if isinstance(constant(index_of(node)), str):
                    keys[constant(index_of(node))] = None
        return merge(shapes + ([Shape(KEYS, keys=keys)] if keys else []))

    def returned(self, function, depth=0):
        """(the shape of what a call returns or None, where that is written)."""
        key = (id(function.node), function.owner.name if function.owner else None)
        if key not in self.known_returns:
            self.known_returns[key] = None, ""  # for a function that calls itself
            self.known_returns[key] = self.find_returned(function, depth)
        return self.known_returns[key]

    def find_returned(self, function, depth):
        shape = self.annotated(function.node.returns, function.module)
        if shape and not (shape.kind in (KEYS, TUPLE) and not shape.keys and not shape.items):
            return shape, "as annotated"
        if is_generator(function) or depth > DEPTH_MAX:
            return None, ""
        returns = [n for n in own_nodes(function.node) if isinstance(n, ast.Return)]
        values = [node.value for node in returns if node.value is not None and constant(node.value) is not NONE]
        if not values and not function.node.returns:
            return Shape(NOTHING), "no return has a value"
        made = merge([self.made_by(value, function, depth) for value in values])
        if made is None:
            return shape, "as annotated"
        return made, "line %d" % values[-1].lineno

    # ---- attributes ----

    def fields(self, cls):
        """name -> Field, of a class and its bases."""
        key = (cls.module.name, cls.node.lineno, cls.name)
        if key not in self.known_fields:
            found = self.known_fields[key] = {}  # while its bases are looked at
            self.declared(cls, found)
            for node in cls.node.body:
                if isinstance(node, FUNCTIONS):
                    self.assigned(Function(cls.module, node, cls), cls, found)
            for base in self.sources.bases(cls):
                for name, field in self.fields(base).items():
                    found.setdefault(name, field)
        return self.known_fields[key]

    def declared(self, cls, found):
        for name, what in cls.names.items():
            if isinstance(what, Value):
                shape = self.annotated(what.annotation, cls.module) or self.made_by(what.node, None)
                found[name] = Field(name, shape, "%s has it (line %d)" % (cls.name, what.line))
            elif isinstance(what, FUNCTIONS) and set(decorators(what)) & {"property", "cached_property"}:
                found[name] = self.behind(Function(cls.module, what, cls))

    def behind(self, getter):
        """A property is code; where it only returns an attribute, that is read instead."""
        body = [n for n in getter.node.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
        value = body[0].value if len(body) == 1 and isinstance(body[0], ast.Return) else None
        shape = self.annotated(getter.node.returns, getter.module)
        of_name = isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name)
        plain = of_name and value.value.id == getter.first
        where = "%s.%s is a property (line %d)" % (getter.owner.name, getter.node.name, getter.node.lineno)
        if plain:
            return Field(value.attr, shape, where + ", that is, code: this is the attribute behind it")
        return Field(None, shape, where)

    def assigned(self, method, cls, found):
        """What a method assigns to attributes of its self."""
        if not method.first or method.takes_class:
            return
        for node in own_nodes(method.node):
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if (
                        isinstance(target, ast.Attribute)
                        and isinstance(target.value, ast.Name)
                        and target.value.id == method.first
                        and target.attr not in found
                    ):
                        shape = self.annotated(getattr(node, "annotation", None), method.module)
                        why = "%s.%s assigns it (line %d)" % (cls.name, method.node.name, node.lineno)
                        found[target.attr] = Field(target.attr, shape or self.made_by(node.value, method), why)
