# SPDX-License-Identifier: MIT
"""What a field must hold, case by case: one function, one probe, some calls each.

    (name, parameters, body, lines of the probe, [(call, expected), ...])

`f` is the function and `t` an object for the case to keep things in. Expected are fields of
the attempt and outcome; OTHER is what an unreadable one shows, any(...) one of several where
more than one answer is right. GROUPS are what goes in one probe file.
"""
OTHER = "_other"


def any(*values):
    return {"any": list(values)}


WHATEVER = {"whatever": True}
SUCCESS = {"event_type": "invoke_success"}


def failure(error_type, **more):
    return dict(event_type="invoke_failure", error_type=error_type, **more)


def invoker(name, expression, *calls, parameters="x"):
    """A case with one field, and calls with one argument and what is recorded of it."""
    return (
        name,
        parameters,
        "pass",
        {"invoker_id": expression},
        [(f"f({argument})", {"invoker_id": value}) for argument, value in calls],
    )


def number(name, field, expression, *calls):
    return (
        name,
        "x",
        "pass",
        {field: expression},
        [(f"f({argument})", {field: value}) for argument, value in calls],
    )


LONG = "x" * 5000
VALUES = [
    invoker(
        "attribute",
        "x.principal_id",
        ("Intent('alice')", "alice"),
        ("Child('bob')", "bob"),
        ("Slotted('carol')", "carol"),
        ("Frozen('dave')", "dave"),
        ("Named('erin', 2)", any("erin", OTHER)),
        ("Intent('')", ""),
        ("Intent('alice')", "alice"),
    ),
    invoker("class_attribute", "x.kind", ("Intent()", "action"), ("Intent(kind='own')", "own")),
    invoker("inherited", "x.kind", ("Child()", "action"), ("Frozen('a')", "frozen")),
    invoker("class_changes", "x.kind", ("Intent()", "action"), ("t.change_class(Intent)", "changed")),
    invoker("path", "x.a.b.principal_id", ("Intent(a=Intent(b=Intent('deep')))", "deep")),
    invoker("of_module", "x.CONSTANT", ("shapes", "of the module")),
    invoker("of_class", "x.__name__", ("Intent", "Intent"), ("dict", "dict")),
    invoker("of_function", "x.note", ("annotated('noted')", "noted")),
    invoker("missing", "x.nonesuch", ("Intent()", OTHER), ("None", OTHER), ("3", OTHER)),
    invoker("unset_slot", "x.unset", ("Slotted('a')", OTHER)),
    invoker("missing_inside", "x.a.b", ("Intent(a=None)", OTHER), ("Intent()", OTHER)),
    invoker("key", 'x["a"]', ("{'a': 'value'}", "value"), ("{}", OTHER), ("None", OTHER)),
    invoker("key_attribute", 'x["a"].principal_id', ("{'a': Intent('frank')}", "frank")),
    invoker("path_key_path", 'x.d["a"].e["b"]', ("Intent(d={'a': Intent(e={'b': 'end'})})", "end")),
    invoker("key_words", "x['two words']", ("{'two words': 'yes'}", "yes")),
    invoker("key_other_script", 'x["žluť"]', ("{'žluť': 'yes'}", "yes")),
    invoker("index", "x[1]", ("['a', 'b']", "b"), ("('a', 'c')", "c"), ("['a']", OTHER), ("()", OTHER)),
    invoker("index_attribute", "x[0].principal_id", ("[Intent('grace')]", "grace")),
    invoker("ordered", 'x["a"]', ("collections.OrderedDict(a='o')", "o")),
    # and a look-up of what is not there must not put it there
    invoker("defaulting", 'x["a"]', ("t.keep(collections.defaultdict(str))", OTHER)),
    invoker("environ_like", 'x["a"]', ("collections.ChainMap({'a': 'b'})", any(OTHER, "b"))),
    invoker(
        "text",
        "x",
        ("'žlutý kůň'", "žlutý kůň"),
        ("'日本語 😀'", "日本語 😀"),
        ("'caf\\xe9'", "café"),
        ("'tab\\t nl\\n \"quoted\" back\\\\'", 'tab\t nl\n "quoted" back\\'),
        ("'a\\0b'", "a\0b"),
        ("'\\x7f\\x1b[0m'", "\x7f\x1b[0m"),
        ("'\\ud800x'", {"ends": "x"}),
        ("'x\\udcff'", {"starts": "x"}),
        ("Text('sub')", "sub"),
        ("Mode.FAST", "fast"),
        ("''", ""),
        ("' '", " "),
        ("t.built('bu', 'ilt')", "built"),
    ),
    invoker("long_text", "x", ("'x' * 5000", {"cut": LONG}), ("'é' * 2000", {"cut": "é" * 2000})),
    invoker("whole", "x", ("0", "0"), ("-1", "-1"), ("2**63 - 1", str(2**63 - 1)), ("-2**63", str(-(2**63)))),
    invoker("big", "x", ("2**64 - 1", any(str(2**64 - 1), OTHER)), ("10**40", any(str(10**40), OTHER))),
    invoker("enum", "x", ("Color.RED", "7")),
    invoker("odd", "x", ("None", any("None", OTHER, "")), ("True", any("True", "1", OTHER))),
    invoker("odder", "x", ("2.5", any("2.5", "2", OTHER)), ("b'raw'", any("raw", "b'raw'", OTHER))),
    invoker("oddest", "x", ("[1]", any("[1]", OTHER)), ("object", any("object", OTHER))),
    invoker("typed", "type(x)", ("Intent()", "Intent"), ("3", "int"), ("None", "NoneType"), ("Intent", "type")),
    invoker("typed_path", "type(x.a)", ("Intent(a=[])", "list"), ("Intent()", OTHER)),
    invoker("constant", '"fixed"', ("1", "fixed")),
    invoker("constant_number", "42", ("1", "42")),
    number("tick", "tick", "x", ("5", 5), ("-5", -5), ("2**62", 2**62), ("True", 1), ("Color.RED", 7)),
    number("tick_path", "tick", "x.tick", ("Intent(tick=9)", 9), ("Intent(tick=2.7)", 2), ("Intent()", 0)),
    number("tick_float", "tick", "x", ("2.7", 2), ("-2.7", -2), ("0.0", 0), ("1e3", 1000)),
    number("tick_odd", "tick", "x", ("float('nan')", WHATEVER), ("float('inf')", WHATEVER), ("1e300", WHATEVER)),
    number("tick_text", "tick", "x", ("'7'", any(0, 7)), ("None", 0), ("2**70", WHATEVER)),
    number("tick_constant", "tick", "12", ("1", 12)),
    number(
        "length",
        "args_count",
        "len(x)",
        ("[1, 2, 3]", 3),
        ("()", 0),
        ("{'a': 1}", 1),
        ("'日本'", 2),
        ("{1, 2}", 2),
        ("frozenset({1})", 1),
        ("b'four'", 4),
        ("range(10)", 10),
        ("collections.deque([1, 2])", 2),
        ("Named(1, 2)", 2),
        ("collections.OrderedDict(a=1)", 1),
        ("None", 0),
        ("3", 0),
    ),
    number("length_path", "args_count", "len(x.args)", ("Intent(args=[1, 2])", 2), ("Intent()", 0)),
    number("length_large", "args_count", "len(x)", ("range(10**6)", WHATEVER)),
    number("count_given", "args_count", "x", ("4", 4), ("0", 0)),
]


def arguments(name, parameters, fields, *calls, body="pass"):
    return (name, parameters, body, fields, list(calls))


ABC = {"invoker_id": "a", "artifact_id": "b", "method": "c"}


def abc(a, b, c, **more):
    return dict(invoker_id=a, artifact_id=b, method=c, **more)


ARGUMENTS = [
    arguments(
        "by_name",
        "a, b='b0', *, c='c0'",
        ABC,
        ("f('x')", abc("x", "b0", "c0")),
        ("f('x', 'y')", abc("x", "y", "c0")),
        ("f(b='y', a='x')", abc("x", "y", "c0")),
        ("f('x', c='z')", abc("x", "b0", "z")),
        ("f(c='z', b='y', a='x')", abc("x", "y", "z")),
        ("f(*('x',), **{'b': 'y'})", abc("x", "y", "c0")),
        ("f('x', **{''.join(['c']): 'z'})", abc("x", "b0", "z")),
        ("functools.partial(f, c='z')('x')", abc("x", "b0", "z")),
        ("list(map(f, ['x']))", abc("x", "b0", "c0")),
    ),
    arguments(
        "defaults_change",
        "a, b='b0', *, c='c0'",
        ABC,
        ("f('x')", abc("x", "b0", "c0")),
        ("(setattr(f, '__defaults__', ('b1',)), f('x'))", abc("x", "b1", "c0")),
        ("(setattr(f, '__kwdefaults__', {'c': 'c1'}), f('x'))", abc("x", "b1", "c1")),
        ("(f.__kwdefaults__.update(c='c2'), f('x'))", abc("x", "b1", "c2")),
        ("(setattr(f, '__defaults__', ('a2', 'b2')), f())", abc("a2", "b2", "c2")),
    ),
    arguments("positional_only", "a, b='b0', /, c='c0'", ABC, ("f('x', c='z')", abc("x", "b0", "z"))),
    arguments(
        "star",
        "a, *args, **kwargs",
        {"invoker_id": "args[0]", "artifact_id": 'kwargs["k"]', "args_count": "len(args)", "tick": "len(kwargs)"},
        ("f('x', 'y')", dict(invoker_id="y", artifact_id=OTHER, args_count=1, tick=0)),
        ("f('x', k='z', m=1)", dict(invoker_id=OTHER, artifact_id="z", args_count=0, tick=2)),
        ("f('x', *'pqr', k='z')", dict(invoker_id="p", artifact_id="z", args_count=3, tick=1)),
        ("f(a='x', k='z')", dict(invoker_id=OTHER, artifact_id="z", args_count=0, tick=1)),
    ),
    arguments(
        "star_only",
        "*args, **kwargs",
        {"invoker_id": "args[0]", "artifact_id": 'kwargs["k"]'},
        ("f('x', k='y')", dict(invoker_id="x", artifact_id="y")),
    ),
    arguments(
        "entry_rebound", "a", {"invoker_id": "a"}, ("f('before')", {"invoker_id": "before"}), body="a = 'after'"
    ),
    arguments(
        "entry_mutated",
        "a",
        {"invoker_id": "a.principal_id", "args_count": "len(a.args)"},
        ("f(Intent('before', args=[1]))", {"invoker_id": "before", "args_count": 1}),
        body="a.principal_id = 'after'; a.args.append(2)",
    ),
    arguments(
        "in_closure",
        "a, b='b0'",
        {"invoker_id": "a", "artifact_id": "b"},
        ("f('x')", {"invoker_id": "x", "artifact_id": "b0"}),
        body="return (lambda: (a, b))()",
    ),
    arguments(
        "many",
        ", ".join(f"p{i}=None" for i in range(20)),
        {"invoker_id": "p0", "artifact_id": "p19", "method": "p10"},
        ("f('x', p19='y', p10='z')", dict(invoker_id="x", artifact_id="y", method="z")),
        ("f(*map(str, range(20)))", dict(invoker_id="0", artifact_id="19", method="10")),
    ),
    arguments("generator", "a", {"invoker_id": "a"}, ("list(f('x'))", {"invoker_id": "x"}), body="yield a"),
    (
        "coroutine",
        "async a",
        "return a",
        {"invoker_id": "a", "result_type": "type(return)"},
        [("asyncio.run(f('x'))", dict(SUCCESS, invoker_id="x", result_type="str"))],
    ),
    # The call never gets as far as the body.
    arguments(
        "wrong_call",
        "a, b",
        {"method": '"wrong"'},
        ("t.swallow(f)", failure("TypeError")),
        ("t.swallow(f, 1, 2, 3)", failure("TypeError")),
        ("t.swallow(f, 1, 2, c=3)", failure("TypeError")),
        ("f(1, 2)", SUCCESS),
    ),
    (
        "method",
        "class",
        "def method(self, a): return a",
        {"tick": "self.tick", "invoker_id": "a", "artifact_id": "type(self)"},
        [
            ("f(tick=3).method('x')", dict(tick=3, invoker_id="x", artifact_id="method")),
            ("t.call(f(tick=4).method, 'y')", dict(tick=4, invoker_id="y")),
            ("f.method(f(tick=5), a='z')", dict(tick=5, invoker_id="z")),
            ("t.sub(f)(tick=6).method('w')", dict(tick=6, artifact_id="Sub")),
        ],
    ),
    (
        "class_method",
        "class",
        "@classmethod\n    def class_method(cls, a='d'): return a",
        {"invoker_id": "a", "artifact_id": "cls.__name__"},
        [
            ("f.class_method('x')", dict(invoker_id="x", artifact_id="class_method")),
            ("t.sub(f).class_method()", dict(invoker_id="d", artifact_id="Sub")),
            ("f().class_method(a='y')", dict(invoker_id="y", artifact_id="class_method")),
        ],
    ),
    (
        "static_method",
        "class",
        "@staticmethod\n    def static_method(a, *, b='d'): return a",
        {"invoker_id": "a", "artifact_id": "b"},
        [("f.static_method('x')", dict(invoker_id="x", artifact_id="d"))],
    ),
]


def outcome(name, probe, *calls, body="return x"):
    return (name, "x", body, dict({"method": '"outcome"'}, **probe), list(calls))


FAILED = {"event_type": "invoke_failure"}
OUTCOMES = [
    outcome("returns", {}, ("f(None)", SUCCESS), ("f(0)", SUCCESS), ("f(False)", SUCCESS)),
    outcome(
        "truth",
        {"success": "return"},
        ("f(1)", SUCCESS),
        ("f('x')", SUCCESS),
        ("f([0])", SUCCESS),
        ("f(0.5)", SUCCESS),
        ("f(object())", SUCCESS),
        ("f(0)", FAILED),
        ("f('')", FAILED),
        ("f(None)", FAILED),
        ("f([])", FAILED),
        ("f({})", FAILED),
        ("f(0.0)", FAILED),
        ("f(False)", FAILED),
    ),
    outcome("attribute_truth", {"success": "return.ok"}, ("f(Result(True))", SUCCESS), ("f(Result(False))", FAILED)),
    outcome("key_truth", {"success": 'return["success"]'}, ("f({'success': True})", SUCCESS), ("f({'success': 0})", FAILED)),
    outcome("equal", {"success": "return == 0"}, ("f(0)", SUCCESS), ("f(1)", FAILED), ("f(-1)", FAILED)),
    outcome("not_equal", {"success": "return != -1"}, ("f(0)", SUCCESS), ("f(-1)", FAILED)),
    outcome("greater", {"success": "return > 2"}, ("f(3)", SUCCESS), ("f(2)", FAILED), ("f(2.5)", SUCCESS)),
    outcome("status", {"success": 'return["code"] < 400'}, ("f({'code': 200})", SUCCESS), ("f({'code': 404})", FAILED)),
    outcome("some", {"success": "len(return) > 0"}, ("f([1])", SUCCESS), ("f([])", FAILED)),
    outcome("none", {"success": "return is None"}, ("f(None)", SUCCESS), ("f(0)", FAILED)),
    outcome("not_none", {"success": "return is not None"}, ("f(0)", SUCCESS), ("f(None)", FAILED)),
    outcome("unreadable_truth", {"success": "return.nonesuch"}, ("f(Result())", WHATEVER), ("f(None)", WHATEVER)),
    outcome("big_number", {"success": "return >= 0"}, ("f(10**30)", WHATEVER), ("f(10)", SUCCESS)),
    outcome(
        "message",
        {"success": "return.ok", "error_message": "return.message"},
        ("f(Result(False, 'why'))", failure("execution", error_message="why")),
        ("f(Result(False, 'protož'))", failure("execution", error_message="protož")),
        ("f(Result(False, 'm' * 2000))", failure("execution", error_message={"cut": "m" * 2000})),
        ("f(Result(False, '\\udc80'))", failure("execution", error_message=WHATEVER)),
        ("f(Result(False, None))", failure("execution", error_message=WHATEVER)),
        ("f(Result(False, 5))", failure("execution", error_message=WHATEVER)),
    ),
    outcome(
        "rules",
        {
            "success": "return.ok",
            "error_message": "return.message",
            "error.timeout": "failed & timed out",
            "error.permission": "denied, not allowed",
            "error.default": "other_failure",
        },
        ("f(Result(False, 'It FAILED: it timed out'))", failure("timeout")),
        ("f(Result(False, 'Access denied'))", failure("permission")),
        ("f(Result(False, 'You are not allowed'))", failure("permission")),
        ("f(Result(False, 'timed out'))", failure("other_failure")),
        ("f(Result(False, ''))", failure("other_failure")),
    ),
    outcome(
        "type_by_text",
        {"success": "return.ok", "error_type": "return.kind"},
        ("f(Result(False, kind='quota'))", failure("quota")),
        ("f(Result(False, kind='žádná'))", failure("žádná")),
        ("f(Result(True, kind='quota'))", SUCCESS),
    ),
    outcome(
        "type_by_key",
        {"success": 'return["ok"]', "error_type": 'return["kind"]'},
        ("f({'ok': False, 'kind': 'broke'})", failure("broke")),
    ),
    outcome(
        "type_by_code",
        {"success": "return == 0", "error_type": "return: -13=permission, -22=validation", "error.default": "unknown"},
        ("f(-13)", failure("permission")),
        ("f(-22)", failure("validation")),
        ("f(-1)", failure("unknown")),
        ("f(0)", SUCCESS),
    ),
    outcome(
        "raised",
        {"success": "return.ok", "error_message": "return.message", "error.timeout": "late"},
        ("t.swallow(f, ValueError('late'))", failure("ValueError")),
        ("t.swallow(f, KeyError('k'))", failure("KeyError")),
        ("t.swallow(f, OwnError())", failure("OwnError")),
        ("t.swallow(f, StopIteration(1))", failure("StopIteration")),
        ("t.swallow(f, SystemExit(2))", failure("SystemExit")),
        ("t.swallow(f, UnicodeDecodeError('utf-8', b'x', 0, 1, 'r'))", failure("UnicodeDecodeError")),
        ("t.swallow(f, OSError(2, 'no'))", failure("FileNotFoundError")),
        body="raise x",
    ),
    outcome(
        "result_type",
        {"result_type": "type(return)"},
        ("f(Result())", dict(SUCCESS, result_type="Result")),
        ("f(None)", dict(SUCCESS, result_type="NoneType")),
        ("f({})", dict(SUCCESS, result_type="dict")),
        ("f(True)", dict(SUCCESS, result_type="bool")),
        ("f(Frozen('a'))", dict(SUCCESS, result_type="Frozen")),
    ),
    outcome(
        "result_type_path",
        {"result_type": "type(return.data)"},
        ("f(Result(data=[]))", dict(SUCCESS, result_type="list")),
        ("f(None)", dict(SUCCESS, result_type=OTHER)),
    ),
    (
        "secrets",
        "x",
        "return x",
        {
            "invoker_id": "x.principal_id",
            "success": "x.ok",
            "error_message": "return.message",
            "redact.invoker_id": "yes",
            "redact.error_message": "yes",
        },
        [
            (
                "f(Intent('hunter2', ok=False, message='hunter2'))",
                {"invoker_id": {"lacks": "hunter2"}, "error_message": {"lacks": "hunter2"}},
            )
        ],
    ),
]
# success is of the result: arguments are read at entry
OUTCOMES[-1][3]["success"] = "return.ok"

CODE = [
    invoker("property", "x.principal_id", ("Property()", OTHER), ("PropertyOverDict()", OTHER)),
    invoker("descriptor", "x.principal_id", ("Described()", OTHER)),
    invoker("getattr", "x.nonesuch", ("Getattr()", OTHER)),
    invoker("getattr_present", "x.present", ("Getattr()", any("present", OTHER))),
    invoker("getattr_own", "x.own", ("Getattr()", any("own", OTHER))),
    invoker("getattribute", "x.principal_id", ("Getattribute()", OTHER)),
    invoker("cached", "x.principal_id", ("Cached()", OTHER), ("t.cached(Cached())", any("cached", OTHER))),
    # The same expression on plain objects in between: a verdict is of a type, not of a probe.
    invoker(
        "mixed",
        "x.principal_id",
        ("Intent('plain')", "plain"),
        ("Property()", OTHER),
        ("Intent('again')", "again"),
        ("Getattribute()", OTHER),
        ("Slotted('slot')", "slot"),
        ("Property()", OTHER),
    ),
    # ... and of the version of a type.
    invoker("turns_property", "x.kind", ("Child()", "action"), ("t.turn_property(Child)", OTHER)),
    number("sized", "args_count", "len(x)", ("Sized()", 0), ("DictItems(a=1)", any(0, 1)), ("ListItems([1])", any(0, 1))),
    invoker("item", 'x["a"]', ("Items()", OTHER), ("DictItems(a='own')", any("own", OTHER)), ("DictItems()", OTHER)),
    invoker("missing_item", 'x["a"]', ("Missing()", OTHER), ("Missing(a='own')", any("own", OTHER))),
    invoker("list_item", "x[0]", ("ListItems(['own'])", any("own", OTHER))),
    number("index", "tick", "x", ("Number()", 0)),
    invoker("talking_text", "x", ("Written('own')", any("own", OTHER))),
    invoker("lies", "type(x)", ("Lies()", "Lies")),
    invoker("metaclass", "x.label", ("WithMeta", OTHER)),
    invoker("metaclass_getattr", "x.nonesuch", ("WithMeta", OTHER)),
    invoker("metaclass_name", "type(x)", ("WithMeta()", "WithMeta")),
    invoker("lazy_module", "x.nonesuch", ("LazyModule('lazy')", OTHER), ("talking_module()", OTHER)),
    outcome("truth", {"success": "return"}, ("f(Truth())", WHATEVER), ("f(Sized())", WHATEVER)),
    outcome("truth_property", {"success": "return.ok"}, ("f(Property())", WHATEVER)),
    outcome("compares", {"success": "return == 0"}, ("f(Compared())", WHATEVER)),
    outcome("greater", {"success": "return > 0"}, ("f(Compared())", WHATEVER)),
    outcome(
        "talking_error",
        {"error_message": "return.message"},
        ("t.swallow(f, TalkingError('own'))", failure("TalkingError")),
        body="raise x",
    ),
    outcome(
        "message_property",
        {"success": "return is None", "error_message": "return.principal_id", "error_type": "return.principal_id"},
        ("f(Property())", FAILED),
    ),
]


def allowed(case):
    name, parameters, body, probe, calls = case
    return (name, parameters, body, dict(probe, properties="yes"), calls)


PROPERTIES = [
    allowed(case)
    for case in (
        invoker("property", "x.principal_id", ("Property()", "by property"), ("PropertyOverDict()", "by property")),
        invoker("descriptor", "x.principal_id", ("Described()", "by __get__")),
        invoker("getattr", "x.nonesuch", ("Getattr()", "by __getattr__")),
        invoker("getattribute", "x.principal_id", ("Getattribute()", "by __getattribute__")),
        invoker("cached", "x.principal_id", ("Cached()", "cached")),
        invoker("plain", "x.principal_id", ("Intent('alice')", "alice"), ("Property()", "by property")),
        invoker("raises", "x.raises", ("Property()", OTHER), ("Intent(raises='not')", "not")),
        invoker("endless", "x.endless", ("Property()", OTHER)),
        invoker("missing", "x.nonesuch", ("Intent()", OTHER)),
        number("sized", "args_count", "len(x)", ("Sized()", 3), ("RaisingSize()", 0), ("Sized(-1)", 0)),
        invoker("item", 'x["a"]', ("Items()", "by __getitem__"), ("DictItems(a=1)", any("by __getitem__", "1"))),
        outcome("truth_property", {"success": "return.ok"}, ("f(Property())", SUCCESS)),
        outcome(
            "message_property",
            {"success": "return is None", "error_message": "return.principal_id"},
            ("f(Property())", failure("execution", error_message="by property")),
        ),
        # The exception that leaves the call is not that of the field, nor is it chained to it.
        outcome(
            "two_exceptions",
            {"invoker_id": "x.raises"},
            ("t.context_of(f, Property())", failure("OwnError")),
            body="raise OwnError",
        ),
    )
]

GROUPS = {
    "values": VALUES,
    "arguments": ARGUMENTS,
    "outcomes": OUTCOMES,
    "code": CODE,
    "properties": PROPERTIES,
}
