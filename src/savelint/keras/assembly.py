"""What a functional or sequential model is made of, and is saved with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeGuard

from savelint.keras.events import Argument, Contact, Creation, Flow, Graph, LayerCall, Stack
from savelint.keras.values import Instance, Spec, Tensor, Value, elements, literal


def creation(flow: Flow, instance: Instance) -> Creation | None:
    """Where an object is made, and of what."""
    return next((c for c in flow.all(Creation) if c.node is instance.node), None)


def parts(flow: Flow, model: Instance) -> Iterator[Instance]:
    """The layers whose configs a model's own holds, those inside of them too, each once.

    A subclassed model makes its layers anew: it has none.
    """
    seen: set[int] = set()
    pending = [model]
    while pending:
        current = pending.pop(0)
        for layer in (*_layers(flow, current), *_given(flow, current)):
            if id(layer.node) not in seen and layer.node is not model.node:
                seen.add(id(layer.node))
                pending.append(layer)
                yield layer


def namesakes(flow: Flow) -> Iterator[tuple[Argument, Argument]]:
    """The names that two layers of one model are given: of the first, and of the other."""
    made = {id(c.node): c for c in flow.all(Creation) if not c.conditional}
    for event in flow.events:
        held: list[Instance] = []
        if isinstance(event, Stack):
            held = list(filter(_is_layer, event.layers))
        elif isinstance(event, Graph):
            before = flow.events[: flow.events.index(event)]
            calls = [e for e in before if isinstance(e, LayerCall) and e.layer.attribute is None]
            held = list(_leading(calls, event))[::-1]
        named: dict[object, Argument] = {}
        for layer in {id(layer.node): layer for layer in held}.values():
            creation = made.get(id(layer.node))
            given = creation.arguments.get(None, "name") if creation is not None else None
            name = literal(given.value) if given is not None else ...
            if given is not None and isinstance(name, str):
                if name in named:
                    yield named[name], given
                named.setdefault(name, given)


def _layers(flow: Flow, model: Instance) -> Iterator[Instance]:
    for event in flow.events:
        if isinstance(event, Stack) and event.node is model.node:
            yield from filter(_is_layer, event.layers)
        elif isinstance(event, Graph) and event.node is model.node:
            yield from _called(flow, event)
        elif isinstance(event, Contact) and event.instance.node is model.node:
            added = event.arguments.get(0, "layer") if event.how == "add" else None
            if added is not None and _is_layer(added.value):
                yield added.value


def _given(flow: Flow, layer: Instance) -> Iterator[Instance]:
    """The layers that a layer of Keras' own wraps."""
    made = creation(flow, layer) if layer.outline is None else None
    for argument in made.arguments.items if made else ():
        for value in elements(argument.value):
            if _is_layer(value):
                yield value


def _called(flow: Flow, graph: Graph) -> Iterator[Instance]:
    """The layers that were called on the way to the outputs of a graph."""
    events = flow.events[: flow.events.index(graph)]
    depth = len(graph.inside)
    calls = [
        event
        for event in events
        if isinstance(event, LayerCall)
        and event.layer.attribute is None
        and event.inside[:depth] == graph.inside
        and not any(isinstance(value, Tensor) for value in _held(event))
    ]
    if sum(isinstance(e, Graph) and e.inside[:depth] == graph.inside for e in flow.events) == 1:
        yield from (call.layer for call in calls)
        return
    # Several in one place: only what leads to the outputs is of this one.
    yield from _leading(calls, graph)


def _leading(calls: Sequence[LayerCall], graph: Graph) -> Iterator[Instance]:
    """The layers that certainly lead to the outputs of a graph, the last first."""
    before = {id(layer.node) for layer in _makers(graph.inputs)}
    wanted = {id(layer.node) for layer in _makers(graph.outputs)}
    for call in reversed(calls):
        if id(call.layer.node) in wanted - before:
            wanted.update(id(layer.node) for value in _held(call) for layer in _makers(value))
            yield call.layer


def _held(call: LayerCall) -> Iterator[Value]:
    for argument in call.arguments.items:
        yield from elements(argument.value)


def _makers(value: Value) -> Iterator[Instance]:
    for item in elements(value):
        if isinstance(item, Spec) and item.made_by is not None:
            yield item.made_by


def _is_layer(value: Value) -> TypeGuard[Instance]:
    return isinstance(value, Instance) and value.kind is not None and value.kind.is_layer
