"""Where a value comes from and where it goes: one pass over a function's statements.

The reader follows values through assignments, unpacking, branches, comprehensions,
`self` helpers and functions of the same file, and notes what happens to them as events.
It reads each statement once and in order; on branches it joins what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import libcst as cst

from savelint.keras import names
from savelint.keras.calls import CallReader, is_tf_function
from savelint.keras.derived import (
    item_of,
    joined,
    without_entry,
)
from savelint.keras.events import Flow
from savelint.keras.frames import Chain, Frame
from savelint.keras.guards import asked_about, runs_in_training
from savelint.keras.parameters import method_parameters
from savelint.keras.values import (
    Argument,
    ClassOutline,
    ClassRef,
    Const,
    Function,
    SelfValue,
    Surroundings,
    Table,
    Tensor,
    Traced,
    Value,
    holds_tensor,
    reading_of,
    text_of,
)
from savelint.keras.walk import code, descendants, parameter_names


def read_method(
    surroundings: Surroundings, outline: ClassOutline, method: str, node: cst.FunctionDef
) -> Flow:
    """What a method does when it is called as Keras calls it.

    The parameters of `call` are tensors, those of the constructor and of `build` are
    arguments; of any other method nothing is known of them.
    """
    reader = _Reader(surroundings, method)
    parameters = method_parameters(outline, method, node)
    reader.assume_defaults(node.params, parameters, arguments=outline.kind is None)
    return reader.enter(Function(node), parameters)


def read_function(surroundings: Surroundings, node: cst.FunctionDef) -> Flow:
    """What a module-level function does, with nothing known of its parameters."""
    reader = _Reader(surroundings, node.name.value)
    parameters: dict[str, Value] = dict.fromkeys(parameter_names(node.params))
    reader.assume_defaults(node.params, parameters)
    return reader.enter(Function(node), parameters)


def read_served(surroundings: Surroundings, function: Function) -> Flow:
    """What a function does when it is served: its parameters are tensors."""
    reader = _Reader(surroundings, function.name)
    names = parameter_names(function.node.params)
    return reader.enter(function, dict.fromkeys(names, Tensor(0)))


def read_statements(
    surroundings: Surroundings, statements: Iterable[cst.BaseStatement | cst.BaseSmallStatement]
) -> Flow:
    """What a module's own statements do, in their order."""
    reader = _Reader(surroundings, "<module>")
    return reader.run(statements)


def decorate(surroundings: Surroundings, node: cst.FunctionDef) -> Value:
    """A module-level function as its decorators leave it."""
    reader = _Reader(surroundings, node.name.value)
    return reader.module_function(node)


class _Reader(CallReader):
    """The part that reads statements; with it, the reader is complete."""

    def module_function(self, node: cst.FunctionDef) -> Value:
        """A `def` of the module's own, decorated."""
        self._push(Frame(None, {}))
        return self.decorated(Function(node), node)

    def assume_defaults(
        self, declared: cst.Parameters, values: dict[str, Value], *, arguments: bool = False
    ) -> None:
        """Take texts that are defaults for parameters of which nothing is known.

        With `arguments` also for those of a constructor.
        """
        for parameter in (*declared.params, *declared.kwonly_params):
            name, default = parameter.name.value, parameter.default
            known = values[name]
            if isinstance(default, cst.BaseString) and (
                known is None or (arguments and isinstance(known, Argument))
            ):
                text = text_of(Const(getattr(default, "evaluated_value", None)))
                # An empty one is there to be asked for, and is no name.
                given = text is not None and text.parts != ("",)
                values[name] = replace(text, assumed=True) if text and given else known

    def _block(self, statements: Iterable[cst.BaseStatement | cst.BaseSmallStatement]) -> bool:
        """Read statements; True when control cannot reach what follows them."""
        for statement in statements:
            reader = _STATEMENTS.get(type(statement))
            if reader is not None and reader(self, statement):
                return True
        return False

    def _line(self, node: cst.SimpleStatementLine) -> bool:
        return self._block(node.body)

    def _assign(self, node: cst.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self._store(target.target, value, node.value, node)
        if len(node.targets) > 1:
            self._alias_targets(node, value)

    def _alias_targets(self, node: cst.Assign, value: Value) -> None:
        """`self.blocks = blocks = []`."""
        targets = [target.target for target in node.targets]
        for held in targets:
            owner = self._quietly(held.value) if isinstance(held, cst.Attribute) else None
            if isinstance(held, cst.Attribute) and isinstance(owner, SelfValue):
                for name in targets:
                    self._alias(name, value, owner.outline, held.attr.value, 0)

    def _annotated(self, node: cst.AnnAssign) -> None:
        if node.value is not None:
            self._store(node.target, self.value(node.value), node.value, node)

    def _augmented(self, node: cst.AugAssign) -> None:
        added = self.value(node.value)
        current = self._quietly(node.target)
        if isinstance(node.target, cst.Attribute):
            owner = self._quietly(node.target.value)
            if isinstance(owner, SelfValue):
                self.value(node.target)
                self._keep(owner, node.target, added, node.value, node, node.target, "augment")
                return
        if isinstance(node.target, cst.Subscript):
            self._store(node.target, added, node.value, node)
            return
        result = self._arithmetic(current, added, node.target, type(node.operator).__name__)
        if isinstance(node.target, cst.Name):
            self._change(node.target, "augment", (added,), node.target, node)
            self._frame.names[node.target.value] = result

    def _expression(self, node: cst.Expr) -> None:
        if type(node.value) is not cst.SimpleString:  # a docstring does nothing
            self.value(node.value)

    def _return(self, node: cst.Return) -> bool:
        self._frame.results.append(self.value(node.value) if node.value else Const(None))
        if self._muted == self._frame.muted:
            self._frame.traced_results.append(self._frame.results[-1])
        self._returns(node, self._frame.results[-1])
        return True

    def _raise(self, node: cst.Raise) -> bool:
        if node.exc is not None:
            self._quietly(node.exc)
        return True

    def _leave(self, node: cst.CSTNode) -> bool:
        return True

    def _assert(self, node: cst.Assert) -> None:
        # An assertion is there to be read, and gone with -O.
        self._note_test(node, node.test, self._quietly(node.test), "assert")

    def _if(self, node: cst.If) -> bool:
        _, tested = self._test(node.test, node, "if")
        eager, traced = self._untraced(tested)
        training = runs_in_training(node.test)
        results = len(self._frame.results)
        before = dict(self._frame.names)
        self._branches += 1
        self._muted += eager
        self._training += training is True
        ends = self._block(node.body.body)
        self._training -= training is True
        self._muted -= eager
        after = self._frame.names
        self._frame.names = before
        other_ends = False
        if node.orelse is not None:
            self._muted += traced
            self._training += training is False
            if isinstance(node.orelse, cst.If):
                other_ends = self._if(node.orelse)
            else:
                other_ends = self._block(node.orelse.body.body)
            self._training -= training is False
            self._muted -= traced
        self._branches -= 1
        if reading_of(tested) and (
            len(self._frame.results) > results or _skips(node) or _differ(after, self._frame.names)
        ):
            self._training += training is True
            self._meet(node.test, tested, decides=True)
            self._training -= training is True
        if training is False and ends and not other_ends:
            self._training += 1  # what follows runs in training only
        if traced and not eager and ends and not other_ends:
            self._muted += 1  # what follows runs eagerly only
        if ends and not other_ends:
            pass  # only the other branch goes on: its names stand
        elif (other_ends and not ends) or (traced and not eager):
            self._frame.names = after
        elif eager and not traced:
            pass  # what is traced takes the other branch
        else:
            given = {} if node.orelse is not None else self._given_texts(after, before)
            self._frame.names = {**joined(after, self._frame.names), **given}
        self._keep_defaulted(node.test, before)
        return ends and other_ends and node.orelse is not None

    def _given_texts(
        self, after: Mapping[str, Value], before: Mapping[str, Value]
    ) -> dict[str, Value]:
        """The texts that a branch gives to local names which had no value before.

        Where such a name is used, the branch was taken.
        """
        function = self._frame.function
        new = {n: v for n, v in after.items() if n not in before and text_of(v) is not None}
        if function is None or not new:
            return {}
        parts = descendants(function.node.body)
        shared = any(isinstance(part, (cst.Global, cst.Nonlocal)) for part in parts)
        return {} if shared else new

    def _keep_defaulted(self, test: cst.BaseExpression, before: Mapping[str, Value]) -> None:
        """`if x is None: x = 3` leaves the argument `x` what it was, or gives it a default."""
        for name in asked_about(test):
            given = before.get(name)
            if isinstance(given, Argument) and self._frame.lookup(name) == (True, None):
                self._frame.names[name] = replace(given, how=given.how or "defaulted")

    def _for(self, node: cst.For) -> None:
        iterated = self.value(node.iter)
        self._note_items(node, node.iter, iterated, "for")
        before = dict(self._frame.names)
        self._branches += 1
        turns = iterated.items if self._is_listed(iterated, node) else (item_of(iterated),)
        for item in turns:
            self._store(node.target, item, node.iter, node)
            self._block(node.body.body)
        if node.orelse is not None:
            self._block(node.orelse.body.body)
        self._branches -= 1
        self._frame.names = joined(before, self._frame.names, missing_right=True)

    def _while(self, node: cst.While) -> None:
        self._test(node.test, node, "while")
        before = dict(self._frame.names)
        self._branches += 1
        self._block(node.body.body)
        self._branches -= 1
        self._frame.names = joined(before, self._frame.names, missing_right=True)

    def _with(self, node: cst.With) -> bool:
        for item in node.items:
            value = self.value(item.item)
            if item.asname is not None:
                self._store(item.asname.name, value, item.item, node)
        return self._block(node.body.body)

    def _try(self, node: cst.Try | cst.TryStar) -> bool:
        before = dict(self._frame.names)
        caught = bool(node.handlers)
        self._caught += caught
        ends = self._block(node.body.body)
        self._caught -= caught
        if node.orelse is not None:
            ends = self._block(node.orelse.body.body) or ends
        after = self._frame.names
        self._branches += 1
        handled_all = True
        for handler in node.handlers:
            self._frame.names = dict(before)
            if not self._block(handler.body.body):
                handled_all = False
                after = joined(after, self._frame.names) if not ends else self._frame.names
        self._branches -= 1
        self._frame.names = after
        if node.finalbody is not None:
            self._block(node.finalbody.body.body)
        return ends and handled_all

    def _match(self, node: cst.Match) -> None:
        subject = self.value(node.subject)
        self._note_test(node, node.subject, subject, "match")
        before = self._frame.names
        after: dict[str, Value] | None = None
        self._branches += 1
        for case in node.cases:
            self._frame.names = dict(before)
            for name in _captured_names(case.pattern):
                self._frame.names[name] = None
            if case.guard is not None:
                self._test(case.guard, case, "if")
            if not self._block(case.body.body):
                after = joined(after, self._frame.names) if after else self._frame.names
        self._branches -= 1
        self._frame.names = joined(before, after) if after else before

    def _function(self, node: cst.FunctionDef) -> None:
        frame = self._frame
        # The names as they will be when the function is called: the frame's own dict.
        closure = Chain(frame.names, frame.closure)
        self._frame.names[node.name.value] = self.decorated(Function(node, closure), node)

    def _class(self, node: cst.ClassDef) -> None:
        seen = Chain(self._frame.names, self._frame.closure)
        self._frame.names[node.name.value] = ClassRef(self._around.outline(node, seen))

    def _import(self, node: cst.Import | cst.ImportFrom) -> None:
        for bound in bindings(node):
            if bound.local != "*":
                self._frame.names.setdefault(bound.local, self._around.imported(bound.origin))

    def _delete(self, node: cst.Del) -> None:
        if isinstance(node.target, cst.Name):
            self._frame.names.pop(node.target.value, None)
        elif isinstance(node.target, cst.Subscript):
            self._change(node.target.value, "delete", (), node.target, node)
            base = node.target.value
            held = self._frame.names.get(base.value) if isinstance(base, cst.Name) else None
            if isinstance(base, cst.Name) and isinstance(held, Table):
                key = self._slice(node.target.slice[0].slice)
                self._frame.names[base.value] = without_entry(held, key)

    def decorated(self, function: Function, node: cst.FunctionDef) -> Value:
        """The function as its decorators leave it: `tf.function` is followed, others pass."""
        value: Value = function
        for item in reversed(node.decorators):
            decorator = self._quietly(item.decorator)
            if is_tf_function(decorator):
                known = decorator if isinstance(decorator, Traced) else Traced(None, None, item)
                value = replace(known, function=function, node=item)
                self._note_traced(value)
        return value


def _skips(node: cst.If) -> bool:
    """Whether a branch goes on with the next turn of a loop, or leaves it."""
    last = node.body.body[-1] if node.body.body else None
    return isinstance(last, cst.SimpleStatementLine) and isinstance(
        last.body[-1], (cst.Break, cst.Continue)
    )


def _differ(left: Mapping[str, Value], right: Mapping[str, Value]) -> bool:
    """Whether a name stands for another tensor after one branch than after the other."""
    return any(
        left.get(name) is not right.get(name)
        and (holds_tensor(left.get(name)) or holds_tensor(right.get(name)))
        for name in {*left, *right}
    )


def bindings(node: cst.Import | cst.ImportFrom) -> Iterator[names.Binding]:
    """What an import statement binds."""
    if isinstance(node, cst.ImportFrom):
        if isinstance(node.names, cst.ImportStar):
            return
        module = code(node.module) if node.module is not None else ""
        aliases = ((code(a.name), _alias(a)) for a in node.names)
        yield from names.import_bindings(aliases, module, len(node.relative))
    else:
        aliases = ((code(a.name), _alias(a)) for a in node.names)
        yield from names.import_bindings(aliases, None, 0)


def _alias(node: cst.ImportAlias) -> str | None:
    return code(node.asname.name) if node.asname is not None else None


def _captured_names(pattern: cst.MatchPattern) -> Iterator[str]:
    for node in descendants(pattern):
        name = getattr(node, "name", None)
        if isinstance(node, (cst.MatchAs, cst.MatchStar)) and isinstance(name, cst.Name):
            yield name.value


_STATEMENTS: dict[type[cst.CSTNode], Callable[..., bool | None]] = {
    cst.SimpleStatementLine: _Reader._line,
    cst.Assign: _Reader._assign,
    cst.AnnAssign: _Reader._annotated,
    cst.AugAssign: _Reader._augmented,
    cst.Expr: _Reader._expression,
    cst.Return: _Reader._return,
    cst.Raise: _Reader._raise,
    cst.Break: _Reader._leave,
    cst.Continue: _Reader._leave,
    cst.Assert: _Reader._assert,
    cst.Del: _Reader._delete,
    cst.If: _Reader._if,
    cst.For: _Reader._for,
    cst.While: _Reader._while,
    cst.With: _Reader._with,
    cst.Try: _Reader._try,
    cst.TryStar: _Reader._try,
    cst.Match: _Reader._match,
    cst.FunctionDef: _Reader._function,
    cst.ClassDef: _Reader._class,
    cst.Import: _Reader._import,
    cst.ImportFrom: _Reader._import,
}
