"""What is known of a function's parameters, and where `tf.function` wraps one."""

from __future__ import annotations

import pytest

from keras_model import HEAD, keras_class, model, net, summary
from savelint.keras.clues import NEEDY_CALL
from savelint.keras.events import Tracing
from savelint.keras.values import Parameter, Seq

USES = {
    "flag: bool": "flag",
    "flag: Optional[bool]": "flag",
    "flag: 'bool'": "flag",
    "count: int": "plain",
    "mode: typing.Literal['a', 'b']": "plain",
    "sizes: list[int]": "plain",
    "state: tf.Tensor": "",
    "state: dict[str, tf.Tensor]": "",
    "state: Optional[tf.Tensor]": "",
    "state": "",
}


SEVERAL = {
    "return tf.concat(xs, -1)": True,
    "a, b = xs\nreturn a + b": True,
    "if len(xs) > 1:\n    return keras.layers.concatenate(xs)\nreturn xs[0]": True,
    "return tf.concat([*xs], -1)": False,
    "return tf.stack(*xs)": False,
    "a, = xs\nreturn a": False,
    "return self.inner(*xs)": False,
    "return xs[0]": False,
}


@pytest.mark.parametrize(("body", "several"), SEVERAL.items(), ids=SEVERAL)
def test_a_star_takes_several_where_they_are_joined_or_named(body: str, several: bool) -> None:
    module = model(net(body, parameters="*xs"))
    call = module.classes[0].outline.methods["call"]
    assert (module.signature_of(call).several is not None) == several


@pytest.mark.parametrize(("parameter", "use"), USES.items(), ids=USES)
def test_an_annotation_tells_what_is_no_tensor(parameter: str, use: str) -> None:
    assert used(parameter, "return x") == use


BODIES = {
    "return x if y else -x": "flag",
    "if not y and x is not None:\n    return x": "flag",
    "while y:\n    pass": "flag",
    "return self.drop(x, training=y)": "flag",
    "return x if y == 'a' else -x": "plain",
    "return x if y in ('a', 'b') else -x": "plain",
    "return y(x)": "plain",
    "return self.heads[y](x)": "plain",
    "return [x for _ in range(y)]": "plain",
    "return x + y": "",
    "return x if y is None else x + y": "",
    "return x[y]": "",
    "return self.dense(y)": "",
}


NEEDED = {
    "return x + y": True,
    "return tf.concat([x, y], -1)": True,
    "z = self.dense(x)\nreturn z * y": True,
    "return x + y if y is not None else x": False,
    "y = self.start(y)\nreturn x + y": False,
    "if y is None:\n    y = x\nreturn x + y": False,
    "with tf.name_scope('a'):\n    y = x\nreturn x + y": False,
    "return self.dense(x, y)": False,
    "return x + (y or 0)": False,
    "return lambda z: z + y": False,
}


@pytest.mark.parametrize(("body", "needed"), NEEDED.items(), ids=NEEDED)
def test_an_optional_parameter_may_be_needed_all_the_same(body: str, needed: bool) -> None:
    assert second("y=None", body).needed is needed
    assert not second("y", body).needed and not second("y=1", body).needed


@pytest.mark.parametrize(("body", "use"), BODIES.items(), ids=BODIES)
def test_a_use_tells_what_is_no_tensor(body: str, use: str) -> None:
    assert used("y", body) == use


def used(parameter: str, body: str) -> str:
    return second(parameter, body).use


def second(parameter: str, body: str) -> Parameter:
    module = model(net(body, parameters=f"x, {parameter}"))
    return module.signature_of(module.classes[0].outline.methods["call"]).parameters[2]


def test_a_signature_tells_what_must_be_given() -> None:
    module = model(net("return x", parameters="x, /, y, z=1, *rest, u, v=None, **more"))
    signature = module.signature_of(module.classes[0].outline.methods["call"])
    assert signature.is_open
    assert [(p.name, p.required, p.keyword_only) for p in signature.parameters] == [
        ("self", True, False),
        ("x", True, False),
        ("y", True, False),
        ("z", False, False),
        ("u", True, True),
        ("v", False, True),
    ]


NEEDY = {
    "x": False,
    "x, y=1": False,
    "x, y=None": True,
    "x, *, y=None": True,
    "x, training=None": False,
    "x, y": True,
    "x, *, y": True,
    "x, y, z=1": True,
    "x, *y, **z": False,
    "*y": True,
}


@pytest.mark.parametrize(("parameters", "needy"), NEEDY.items(), ids=NEEDY)
def test_a_needy_call_is_marked(parameters: str, needy: bool) -> None:
    words = summary(net("return x", parameters=parameters)).statements[-1].words
    assert (NEEDY_CALL in words) is needy


WRAPPINGS = {
    "tf.function(self.dense)": "not known",
    "tf.function(self.dense, input_signature=[SPEC])": "1 specs",
    "tf.function(self.dense, [SPEC, SPEC])": "2 specs",
    "tf.function(input_signature=SPECS)(self.dense)": "2 specs",
    "tf.function(self.dense, input_signature=None)": "not known",
    "tf.function(self.dense, input_signature=make())": "not known",
}


@pytest.mark.parametrize(("call", "specs"), WRAPPINGS.items(), ids=WRAPPINGS)
def test_a_function_wrapped_by_tf_function_is_noted(call: str, specs: str) -> None:
    head = "SPEC = tf.TensorSpec([None, 6])\nSPECS = [SPEC, SPEC]"
    flow = keras_class(net(f"f = {call}\nreturn f(x)", head=head)).flow("call")
    (event,) = flow.all(Tracing)
    found = event.traced.specs
    assert (f"{len(found.items)} specs" if isinstance(found, Seq) else "not known") == specs


def test_a_decorated_function_inside_another_is_noted() -> None:
    text = HEAD + (
        "def save(model, path):\n"
        "    @tf.function(input_signature=[tf.TensorSpec([None, 6])])\n"
        "    def serve(x):\n"
        "        return model(x)\n"
        "    tf.saved_model.save(model, path, signatures=serve)\n"
    )
    (event,) = model(text).scopes[0].all(Tracing)
    assert isinstance(event.traced.specs, Seq)
