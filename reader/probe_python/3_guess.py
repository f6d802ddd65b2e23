# SPDX-License-Identifier: MIT
"""Which parameter, attribute or key is which field of a call, by its name.

The last part of the text that begins with 1_source.py. A guess is made for each field from
what the probe could read: parameters, attributes and keys of parameters (those of its class,
and those that the body reads), attributes of self. The names below are in the order in which
they are preferred. What nothing is found for becomes a comment with an example.
"""
import textwrap

IDS = "id name uid key".split()
TICKS = """tick current_tick tick_number tick_id now step current_step step_number turn current_turn
    round current_round round_number timestep time_step epoch generation""".split()
INVOKERS = """invoker_id invoker caller_id caller principal_id principal agent_id agent_name agent
    actor_id actor_name actor sender_id sender requester_id requester requestor_id requestor
    initiator_id initiator originator who by user_id user client_id client player_id player
    source_agent source_id from_agent from_id owner_id""".split()
ARTIFACTS = """artifact_id artifact artifact_name target_id target target_name callee_id callee
    contract_id contract tool_name tool_id tool service_name service_id service resource_id
    resource recipient_id recipient receiver_id receiver to_agent to_id object_id obj item_id item
    node_id endpoint subject model_name""".split()
METHODS = """method method_name action action_name action_type operation op function_name func_name
    function func fn command cmd verb entrypoint entry_point intent_type event_type request_type
    kind""".split()
COUNTS = "args_count arg_count num_args n_args nargs argc".split()
ARGS = "args arguments params parameters kwargs inputs input payload".split()
SUCCESSES = "success succeeded successful is_success ok is_ok passed".split()
FAILURES = "failed is_error has_error is_failure".split()
CODES = "returncode return_code exit_code exit_status".split()
MESSAGES = "error_message error error_msg message msg err reason detail details stderr".split()
RESULTS = "data result value output content response payload return_value".split()
ERROR_TYPES = "error_type error_code error_kind error_class failure_type failure_kind cause".split()

# whose `self` is the invoker or the artifact itself
SELF_INVOKER = {"agent", "actor", "principal", "player", "user", "client", "sender"}
SELF_ARTIFACT = {"artifact", "tool", "contract", "service", "resource", "skill"}


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).strip("_").lower()


def is_name(text):
    """Probe files know ASCII names only."""
    return isinstance(text, str) and re.match(r"[A-Za-z_][A-Za-z0-9_]*\Z", text) is not None


def is_key(text):
    return isinstance(text, str) and re.match(r"[A-Za-z0-9_][A-Za-z0-9_ .-]*\Z", text) is not None


class Candidate(object):
    def __init__(self, expression, name, shape, why, of_self=False, code=False):
        self.expression, self.name, self.shape, self.why = expression, snake(name), shape, why
        self.of_self, self.code = of_self, code
        self.deep = len(re.findall(r"\.|\[", expression)) > 1
        self.kind = shape.kind if shape else None


def path_of(node):
    """(parameter, steps) of `a.b["c"]` and of a.b.get("c"), or None."""
    if isinstance(node, ast.Name):
        return node.id, ""
    if isinstance(node, ast.Attribute) and is_name(node.attr):
        above, step = path_of(node.value), "." + node.attr
    elif isinstance(node, ast.Subscript) and is_key(constant(index_of(node))):
        above, step = path_of(node.value), '["%s"]' % constant(index_of(node))
    elif isinstance(node, ast.Call) and leaf(node.func) == "get" and node.args and is_key(constant(node.args[0])):
        above = path_of(node.func.value) if isinstance(node.func, ast.Attribute) else None
        step = '["%s"]' % constant(node.args[0])
    else:
        return None
    return above and (above[0], above[1] + step)


class Reads(object):
    """What a function reads of its parameters, in functions that it passes them to as well."""

    def __init__(self, shapes):
        self.shapes = shapes

    def of(self, function, depth=0):
        """A list of (parameter, steps, where)."""
        found, called = [], set()
        nodes = sorted(
            (n for n in ast.walk(function.node) if isinstance(n, (ast.Attribute, ast.Subscript, ast.Call))),
            key=lambda n: (n.lineno, n.col_offset),
        )
        for node in nodes:
            if isinstance(node, ast.Call):
                called.add(id(node.func))
        where = "%s reads it (line %%d)" % function.node.name
        for node in nodes:
            path = path_of(node)
            if path and path[1] and id(node) not in called and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
                found.append(path + (where % node.lineno,))
            if isinstance(node, ast.Call) and depth < 2:
                found += self.passed(node, function, depth)
        return found

    def passed(self, call, function, depth):
        target = self.shapes.callee(call.func, function)
        if not isinstance(target, Function) or target.node is function.node:
            return []
        names = [x.arg for x in target.named if x.arg != target.first]
        there = {}
        for i, value in enumerate(call.args[: len(names)]):
            if isinstance(value, ast.Name):
                there[names[i]] = value.id
        for keyword in call.keywords:
            if isinstance(keyword.value, ast.Name):
                there[keyword.arg] = keyword.value.id
        inner = self.of(target, depth + 1) if there else []
        return [(there[name], steps, where) for name, steps, where in inner if name in there]


class Guess(object):
    def __init__(self, sources, function):
        self.sources, self.function, self.shapes = sources, function, Shapes(sources)
        self.candidates, self.seen = [], set()
        self.collect()

    # ---- what could be read ----

    def add(self, *args, **more):
        candidate = Candidate(*args, **more)
        if candidate.expression not in self.seen:
            self.seen.add(candidate.expression)
            self.candidates.append(candidate)

    def collect(self):
        function = self.function
        for x in function.parameters():
            if is_name(x.arg):
                shape = self.shapes.annotated(x.annotation, function.module)
                self.add(x.arg, x.arg, shape, "a parameter")
                self.open(x.arg, shape, False)
        for x in function.extra:
            if is_name(x.arg):
                self.add(x.arg, x.arg, Shape(SIZED), "the further arguments")
        if function.first and not function.takes_class:
            self.open(function.first, Shape(CLASS, function.owner), True)
        parameters = [x.arg for x in function.parameters()] + [function.first]
        for name, steps, where in Reads(self.shapes).of(function):
            last = re.findall(r"[A-Za-z0-9_]+", steps)
            if name in parameters and is_name(name) and last:
                self.add(name + steps, last[-1], None, where, of_self=name == function.first)

    def open(self, expression, shape, of_self, deep=True):
        """The attributes of a class, or the keys of a dict, one level; of a clock's, two."""
        if shape and shape.kind == KEYS:
            for key in filter(is_key, shape.keys):
                self.add('%s["%s"]' % (expression, key), key, shape.keys[key], "a key of " + expression)
        for name, field in sorted(self.shapes.fields(shape.cls).items()) if shape and shape.kind == CLASS else []:
            if not is_name(field.read_as or name):
                continue
            whole = expression + "." + (field.read_as or name)
            self.add(whole, name, field.shape, field.why, of_self=of_self, code=field.read_as is None)
            if deep and field.shape and field.shape.kind == CLASS:
                for inner, found in self.shapes.fields(field.shape.cls).items():
                    if snake(inner) in TICKS and found.read_as and is_name(found.read_as):
                        self.add(whole + "." + found.read_as, inner, found.shape, found.why, of_self=of_self)

    # ---- what it is ----

    def ranked(self, names, refused, own_names=(), is_clock=False):
        """Candidates of these names, the likeliest first. Far ones are for the clock only."""
        found = []
        for order, c in enumerate(self.candidates):
            wanted = names + [n for n in own_names if n not in names] if c.of_self else names
            if c.name in wanted and c.kind not in refused and not (c.deep and not is_clock):
                found.append(((c.of_self and not is_clock, wanted.index(c.name), c.deep, order), c))
        return [c for _, c in sorted(found, key=lambda pair: pair[0])]

    def text_of(self, c, ids):
        """(an expression that is a text, why), or None."""
        if c.kind == ENUM:
            return c.expression + "._value_", c.why + "; an Enum: this is its value"
        if c.kind == CALLABLE:
            return c.expression + ".__name__", c.why + "; a function: this is its name"
        if c.kind == CLASS:
            fields = self.shapes.fields(c.shape.cls)
            for name in ids:
                field = fields.get(name)
                if field and field.read_as and (not field.shape or field.shape.kind in (TEXT, NUMBER)):
                    return c.expression + "." + field.read_as, "%s; %s" % (c.why, field.why)
            return None
        if c.kind is None:
            for name in ids:
                for inner in self.candidates:
                    if inner.expression == c.expression + "." + name:
                        return inner.expression, inner.why
        plain = c.kind or c.name == "method" or c.name.endswith(("_id", "_name", "_type"))
        return c.expression, c.why + ("" if plain else "; if it is an object, name its attribute")

    def name_field(self, names, own_words, ids):
        """(expression, why, active) of invoker_id, artifact_id or method; or None."""
        owner = self.function.owner
        own = ids if owner and set(snake(owner.name).split("_")) & own_words else ()
        ranked = self.ranked(names, (KEYS, TUPLE, SIZED, TRUTH), own)
        for c in ranked:
            found = None if c.code else self.text_of(c, ids + [n + "_id" for n in names if not n.endswith("_id")])
            if found:
                return found + (True,)
        return self.of_code(ranked)

    @staticmethod
    def of_code(ranked):
        for c in ranked:
            if c.code:
                return c.expression, c.why + ", that is, code: it takes `properties = yes`", False
        return None

    def tick(self):
        ranked = self.ranked(TICKS, (TEXT, TRUTH, CLASS, KEYS, TUPLE, SIZED, CALLABLE, ENUM), is_clock=True)
        for c in ranked:
            if not c.code:
                return c.expression, c.why, True
        return self.of_code(ranked)

    def args_count(self):
        for c in self.ranked(COUNTS, (TEXT, CLASS, KEYS, TUPLE, SIZED, CALLABLE, ENUM)):
            return c.expression, c.why, True
        for c in self.ranked(ARGS, (TEXT, NUMBER, TRUTH, CLASS, CALLABLE, ENUM)):
            if not c.code:
                return "len(%s)" % c.expression, c.why, True
        return None


class Outcome(object):
    """What the result says: expressions for success, message, types; by their keys."""

    def __init__(self, guess):
        self.lines, function = {}, guess.function
        self.shape, self.why = guess.shapes.returned(function)
        self.generator = is_generator(function)
        kind = self.shape.kind if self.shape else None
        if kind == TRUTH:
            self.lines["success"] = "return", "what is returned is True or False (%s)" % self.why
        elif kind == TUPLE and self.shape.items:
            self.of_tuple(self.shape.items)
        elif kind == KEYS and self.shape.keys:
            of = "a key of the dict that is returned"
            names = {k: ('return["%s"]' % k, self.shape.keys[k], of) for k in self.shape.keys if is_key(k)}
            self.of_names(names)
        elif kind == CLASS:
            fields = guess.shapes.fields(self.shape.cls).items()
            names = {n: ("return." + f.read_as, f.shape, f.why) for n, f in fields if is_name(f.read_as)}
            self.of_names(names)

    def of_tuple(self, items):
        kinds = [item.kind if item else None for item in items]
        if kinds[0] == TRUTH:
            self.lines["success"] = "return[0]", "what is returned is a tuple that begins with True or False"
            if TEXT in kinds:
                at = kinds.index(TEXT)
                self.lines["error_message"] = "return[%d]" % at, "the text in the tuple that is returned"

    def of_names(self, names):
        """names: of an attribute or key -> (expression, shape, why)"""
        folded = {snake(name): names[name] for name in sorted(names, reverse=True)}

        def first(wanted, refused):
            for name in wanted:
                if name in folded and not (folded[name][1] and folded[name][1].kind in refused):
                    return folded[name]
            return None

        for wanted, rest in ((SUCCESSES, ""), (FAILURES, " == 0"), (CODES, " == 0")):
            found = first(wanted, (TEXT, CLASS, KEYS, TUPLE, SIZED))
            if found:
                self.lines["success"] = found[0] + rest, found[2]
                break
        refused = (CLASS, KEYS, TUPLE, SIZED, TRUTH)
        found = first(MESSAGES, refused)
        if found:
            self.lines["error_message"] = found[0], found[2]
        found = first(ERROR_TYPES, refused + (NUMBER,))
        if found:
            enum = "._value_" if found[1] and found[1].kind == ENUM else ""
            self.lines["error_type"] = found[0] + enum, found[2]
        found = first(RESULTS, ())
        if found:
            self.lines["result_type"] = "type(%s)" % found[0], found[2]


# ---- the section ----------------------------------------------------------------------------


class Section(object):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines += ["; " + line for line in textwrap.wrap(text, 96, break_long_words=False, break_on_hyphens=False)]

    def gap(self):
        if self.lines and self.lines[-1] and not self.lines[-1].startswith("; "):
            self.lines.append("")

    def key(self, key, value, why, active=True):
        """A line with the comment above it; what is not active is a comment itself."""
        self.gap()
        if why:
            self.say(why)
        self.lines.append("%s%-13s = %s" % ("" if active else "; ", key, value))
        if not active:
            self.lines.append("")


def fields_of(guess, section, symbol):
    function, name = guess.function, symbol.split(".")[-1]
    objects = [c.expression for c in guess.candidates if c.kind in (None, CLASS) and is_name(c.expression)]
    example = function.first if function.first and not function.takes_class else (objects + ["world"])[0]
    none = "nothing looks like it; "
    found = guess.tick()
    section.key(*(("tick",) + (found or ("%s.tick" % example, none + "a whole number, for example", False))))
    found = guess.name_field(INVOKERS, SELF_INVOKER, IDS)
    section.key(*(("invoker_id",) + (found or ("%s.name" % example, none + "who calls, for example", False))))
    found = guess.name_field(ARTIFACTS, SELF_ARTIFACT, IDS)
    example = "type(self)" if function.first == "self" else '"%s"' % symbol.split(".")[0]
    section.key(*(("artifact_id",) + (found or (example, none + "what is called, for example", False))))
    found = guess.name_field(METHODS, set(), ["name", "value", "type", "kind"])
    why = none + "the function's own name, as any text in quotes"
    section.key(*(("method",) + (found or ('"%s"' % name, why, True))))
    found = guess.args_count()
    section.key(*(("args_count",) + (found or ("len(args)", none + "a whole number, for example", False))))


def outcome_of(guess, section):
    outcome = Outcome(guess)
    kind = outcome.shape.kind if outcome.shape else None
    if outcome.generator:
        section.gap()
        section.say("A generator: a call only makes it, and succeeds; what it yields is not seen.")
        return
    section.gap()
    if kind == CLASS:
        section.say("What is returned: %s (%s)." % (outcome.shape.cls.name, outcome.why))
    if kind == NOTHING:
        section.say("Nothing is returned (%s): every return is a success." % outcome.why)
    examples = {
        NUMBER: ("return == 0", None),
        KEYS: ('return["success"]', 'return["error"]'),
        TUPLE: ("return[0]", "return[1]"),
        TEXT: ("return is not None", None),
        NOTHING: (None, None),
        TRUTH: (None, None),
    }.get(kind, ("return.success", "return.message"))
    whys = "without it every return is a success, for example", "the text of a failure, for example"
    for key, example, why in zip(("success", "error_message", "result_type"), examples + (None,), whys + ("",)):
        found = outcome.lines.get(key)
        if found:
            section.key(key, *found)
        elif example:
            section.key(key, example, why, False)
    found = outcome.lines.get("error_type")
    if found and "success" in outcome.lines:
        section.key("error_type", found[0], found[1] + "; the kind of a failure")
    elif "error_message" in outcome.lines:
        section.key("error.timeout", "timed out", "the kind of a failure by its message, for example", False)
        section.lines[-1:] = ["; error.default = execution"]


def unseen(function):
    known = {"staticmethod", "classmethod", "property", "abstractmethod", "override", "final"}
    return [mark for mark in decorators(function.node) if mark not in known]


def make(sources, module_name, symbol, name):
    function = sources.target(module_name, symbol)
    guess, section = Guess(sources, function), Section()
    parameters = [x.arg for x in function.named + function.keyword + function.extra]
    section.say(
        "%s(%s), %s line %d. Guessed from names and annotations by `invreg probe`, CPython %s; nothing of the "
        "program was run. Correct what is wrong (`invreg help probes` has the expressions), then `invreg check`."
        % (symbol, ", ".join(parameters), function.module.file, function.node.lineno, VERSION)
    )
    if isinstance(function.node, ast.AsyncFunctionDef) and not is_generator(function):
        section.say("async: a call lasts until the awaited result is there, which is `return`.")
    if unseen(function):
        section.say(
            "It is decorated by %s: if that puts another function in its place, only the parameters "
            "of that one can be named." % ", ".join("@" + mark for mark in unseen(function))
        )
    if sys.version_info >= (3, 15) or "t" in sys.abiflags:
        section.say("Nothing will be seen in this interpreter: that takes CPython 3.8 to 3.14 with the GIL.")
    section.lines.append("[probe %s]" % name)
    section.lines.append("%-13s = python:%s:%s" % ("target", module_name, symbol))
    fields_of(guess, section, symbol)
    outcome_of(guess, section)
    return "\n".join(section.lines).rstrip("\n")


def main():
    kind, value, module, symbol, name = sys.argv[1:6]
    warnings.simplefilter("ignore")  # about the program's source
    try:
        answer(0, make(Sources(kind, value), module, symbol, name))
    except Refused as error:
        answer(4, " ".join(str(error).split()))


main()
