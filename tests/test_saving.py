"""How a model was first used before it was saved, and what its inputs are.

The generations' own behaviour, which `FIRST` repeats, was measured in Keras 3.15: with
which uses `tf.saved_model.save` records the batch size of the sample.
"""

from __future__ import annotations

import re
import textwrap

import pytest

from keras_model import HEAD, codes, model
from savelint.api import check_source
from savelint.keras.events import SaveCall
from savelint.keras.model import ModuleModel
from savelint.keras.saving import (
    Bundle,
    FirstContact,
    InputSpec,
    builds_itself,
    bundle,
    contacts_of,
    first_contact,
    input_spec,
    signed_functions,
)

CLASS = """\
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.d = layers.Dense(3)

    def call(self, x):
        return tf.reshape(self.d(x), [tf.shape(x)[0], 3, 1])

"""
SAMPLES = """\
x4 = tf.ones((4, 6))
y4 = np.ones((4, 3, 1))
m = Net()
"""
SAVE = "tf.saved_model.save(m, 'path')\n"

EAGER, FREE, NEVER, UNKNOWN = FirstContact
COMPILED = "m.compile('sgd', 'mse'); "

# What is done with `m` before it is saved, and what that makes of its batch.
FIRST = {
    "m(x4)": EAGER,
    "m.predict(x4, verbose=0)": EAGER,
    "m.predict(x4, batch_size=2, verbose=0)": EAGER,
    "m.call(x4)": EAGER,
    "m.predict_on_batch(x4)": EAGER,
    COMPILED + "m.fit(x4, y4, verbose=0)": FREE,
    COMPILED + "m.fit(x4, y4, batch_size=3, verbose=0)": FREE,
    COMPILED + "m.fit(tf.data.Dataset.from_tensor_slices((x4, y4)).batch(4))": FREE,
    COMPILED + "m.fit(((x4, y4) for _ in range(3)), steps_per_epoch=2)": FREE,
    COMPILED + "m.evaluate(x4, y4, verbose=0)": FREE,
    COMPILED + "m.train_on_batch(x4, y4)": EAGER,
    COMPILED + "m.test_on_batch(x4, y4)": EAGER,
    "m(keras.Input((6,)))": FREE,
    "m(layers.Input((6,)))": FREE,
    "m([keras.Input((6,)), keras.Input((6,))])": FREE,
    "m({'a': keras.Input((6,))})": FREE,
    "i = keras.Input((6,)); h = layers.Dense(6)(i); m(h)": FREE,
    "m.build((None, 6))": FREE,
    "m.build([None, 6])": FREE,
    "m.build(input_shape=(None, 6))": FREE,
    "m.build(tf.TensorShape([None, 6]))": FREE,
    "m.build(tf.TensorShape((None, 6)))": FREE,
    "m.build((4, 6))": EAGER,
    "m(x4); m.build((None, 6))": FREE,
    "m(x4); " + COMPILED + "m.fit(x4, y4)": EAGER,
    "m(x4); m(keras.Input((6,)))": EAGER,
    "m.build((None, 6)); m(x4)": FREE,
    "m.build((None, 6)); " + COMPILED + "m.fit(x4, y4)": FREE,
    "m(keras.Input((6,))); m(x4)": FREE,
    "m.predict(x4); " + COMPILED + "m.fit(x4, y4)": EAGER,
    "m(x4); m(np.ones((7, 6), 'float32'))": EAGER,
    "m(x4); m.save_weights('w.weights.h5'); m.load_weights('w.weights.h5')": EAGER,
    "m(x4); m.export('e')": EAGER,
    "pass": NEVER,
    COMPILED: NEVER,
    "m.summary(); m.get_weights()": NEVER,
    # Somebody else may call it.
    "train(m)": UNKNOWN,
    "train([m])": UNKNOWN,
    "train({'model': m})": UNKNOWN,
    "trainer = Trainer(model=m)": UNKNOWN,
    "m.custom_method(x4)": UNKNOWN,
    "m.build(shape)": UNKNOWN,
    "m(x4); train(m)": EAGER,
    # Another model's uses are its own.
    "n = Net(); n(x4)": NEVER,
    "other = m; other(x4)": EAGER,
    "if flag:\n    m(x4)": EAGER,
    "for batch in data:\n    m(batch)": EAGER,
    "with tf.device('cpu'):\n    m(x4)": EAGER,
    "y = [m(x) for x in data]": EAGER,
    "def use(model):\n    return model(x4)\nuse(m)": EAGER,
    "def use():\n    m(x4)\nuse()": EAGER,
    "def use():\n    m.compile('sgd', 'mse')\n    m.fit(x4, y4)\nuse()": FREE,
    "def use():\n    m(x4)": NEVER,
    "print(m(x4).numpy())": EAGER,
    "try:\n    m(x4)\nexcept ValueError:\n    raise": EAGER,
}


def lines(uses: str) -> str:
    """Statements on lines of their own."""
    return "\n".join(uses.split("; ")) + "\n"


def saved(text: str) -> tuple[FirstContact, str]:
    """How what the text saves was first used, and where."""
    found = model(text)
    contacts = {
        first_contact(flow, save)
        for flow in found.scopes
        for save in flow.all(SaveCall)
        if save.how == "saved_model"
    }
    ((first, contact),) = {(f, found.text(c.node) if c else "") for f, c in contacts}
    return first, contact


def module(uses: str) -> str:
    return HEAD + CLASS + SAMPLES + lines(uses) + SAVE


@pytest.mark.parametrize(("uses", "expected"), FIRST.items(), ids=FIRST)
def test_the_first_use_of_a_saved_model_is_known(uses: str, expected: FirstContact) -> None:
    assert saved(module(uses))[0] is expected


@pytest.mark.parametrize(("uses", "expected"), FIRST.items(), ids=FIRST)
def test_it_is_in_a_function_as_in_a_module(uses: str, expected: FirstContact) -> None:
    body = textwrap.indent(SAMPLES + lines(uses) + SAVE, "    ")
    assert saved(f"{HEAD}{CLASS}def main(flag, data, shape):\n{body}")[0] is expected


ON_ONE_LINE = {u: first for u, first in FIRST.items() if re.fullmatch(r".+(; .+)+", u)}


@pytest.mark.parametrize(("uses", "expected"), ON_ONE_LINE.items(), ids=ON_ONE_LINE)
def test_it_is_on_one_line_as_on_many(uses: str, expected: FirstContact) -> None:
    text = f"{HEAD}{CLASS}{SAMPLES}{uses}; {SAVE}"
    assert saved(text)[0] is expected
    assert codes(text) == codes(module(uses))


# A function uses the model that the script made.
GLOBAL = {
    "use and save": (f"def main():\n    m(x4)\n    {SAVE}main()\n", EAGER),
    "fit and save": (f"def main():\n    m.fit(x4, y4)\n    {SAVE}main()\n", FREE),
    "fit, and save": (f"m.fit(x4, y4)\ndef main():\n    {SAVE}main()\n", FREE),
    "use": (f"def use():\n    m(x4)\nuse()\n{SAVE}", EAGER),
    "fit": (f"def use():\n    m.fit(x4, y4)\nuse()\n{SAVE}", FREE),
    "fit, then use": (f"def use():\n    m.fit(x4, y4)\nuse()\nm(x4)\n{SAVE}", FREE),
}


@pytest.mark.parametrize(("script", "first"), GLOBAL.values(), ids=GLOBAL)
def test_what_a_function_does_with_a_global_model_counts(script: str, first: FirstContact) -> None:
    text = HEAD + CLASS + SAMPLES + script
    assert ("SVL101" in codes(text)) is (first is EAGER)
    assert not [f for f in check_source(text) if "before it was ever run" in f.message]


def test_a_script_s_main_function_is_read_where_it_is_called() -> None:
    main = "def main():\n    m = Net()\n    m(1)\n    return m\n"
    script = f"if __name__ == '__main__':\n    m = main()\n    {SAVE}"
    assert saved(HEAD + CLASS + main + script) == (EAGER, "m(1)")


MEASURED = {uses: first for uses, first in FIRST.items() if first in {EAGER, FREE}}


@pytest.mark.parametrize(("uses", "first"), MEASURED.items(), ids=MEASURED)
def test_a_save_is_reported_if_its_batch_is_recorded(uses: str, first: FirstContact) -> None:
    assert ("SVL101" in codes(module(uses))) is (first is EAGER)


@pytest.mark.parametrize(
    ("uses", "where"),
    [
        ("m.compile('sgd'); m.predict(x4); m(x4)", "m.predict(x4)"),
        ("m(x4); m.build((None, 6))", "m.build((None, 6))"),
        ("m(x4)\ntf.print(m(y4))", "m(x4)"),
        ("m.compile('sgd')", ""),
    ],
)
def test_the_first_use_stands_where_it_is(uses: str, where: str) -> None:
    assert saved(module(uses))[1] == where


def test_what_comes_after_the_save_does_not_count() -> None:
    assert saved(HEAD + CLASS + SAMPLES + SAVE + "m(x4)\n")[0] is NEVER


def test_a_name_bound_anew_is_another_model() -> None:
    assert saved(module("m(x4)\nm = Net()"))[0] is NEVER


@pytest.mark.parametrize("saved_object", ["unknown", "load()", "models[0]", "other.model"])
def test_nothing_is_known_of_what_comes_from_elsewhere(saved_object: str) -> None:
    text = HEAD + CLASS + SAMPLES + "m(x4)\n" + SAVE.replace("m,", f"{saved_object},")
    assert saved(text)[0] is UNKNOWN


def test_a_parameter_of_a_function_is_not_known() -> None:
    assert saved(f"{HEAD}{CLASS}def save(m):\n    m(1)\n    {SAVE}")[0] is UNKNOWN


def test_a_model_held_by_an_object_may_be_used_elsewhere() -> None:
    text = """
class Trainer:
    def __init__(self):
        self.model = Net()
        self.model(1)
    def save(self):
        tf.saved_model.save(self.model, "p")
"""
    assert saved(HEAD + CLASS + text)[0] is UNKNOWN


# -- a constructor that builds its model ---------------------------------------------------

CONSTRUCTORS = {
    "self.build((None, 6))": True,
    "self.build([None, 6])": True,
    "self.build(input_shape=(None, 6))": True,
    "self.build((4, 6))": False,
    "self.build(shape)": False,
    "self(keras.Input((6,)))": True,
    "self([keras.Input((6,)), keras.Input((2,))])": True,
    "self(tf.zeros((4, 6)))": False,
    "self.helper()": True,
    "self.d.build((None, 6))": False,
    "pass": False,
}


@pytest.mark.parametrize(("last", "expected"), CONSTRUCTORS.items(), ids=CONSTRUCTORS)
def test_a_constructor_builds_its_model(last: str, expected: bool) -> None:
    text = f"""\
class Net(keras.Model):
    def __init__(self, shape=None):
        super().__init__()
        self.d = layers.Dense(3)
        {last}

    def helper(self):
        self.build((None, 6))
"""
    (cls,) = model(HEAD + text).classes
    assert builds_itself(cls) is expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("inputs=i, outputs=o", True),
        ("inputs=i, outputs=o, name='net'", True),
        ("i, o", True),
        ("", False),
        ("name='net'", False),
        ("**kwargs", False),
    ],
)
def test_a_functional_constructor_builds_its_model(arguments: str, expected: bool) -> None:
    text = f"""\
class Net(keras.Model):
    def __init__(self, **kwargs):
        i = keras.Input((6,))
        o = layers.Dense(3)(i)
        super().__init__({arguments})
"""
    (cls,) = model(HEAD + text).classes
    assert builds_itself(cls) is expected


# -- the input's shape and dtype -----------------------------------------------------------

SPECS = {
    "m(tf.ones((4, 6)))": ((None, 6), "float32"),
    "m(tf.zeros([4, 6, 2]))": ((None, 6, 2), "float32"),
    "m(np.ones((4, 6)))": ((None, 6), "float32"),  # Keras casts float64 to its own dtype
    "m(np.zeros((4, 6), dtype='int64'))": ((None, 6), "int64"),
    "m(np.ones((4, 6), np.int32))": ((None, 6), "int32"),
    "m(tf.ones((4, 6), tf.float16))": ((None, 6), "float16"),
    "m(tf.ones((4, 6), dtype=tf.int32))": ((None, 6), "int32"),
    "m(tf.fill((4, 6), 2.0))": ((None, 6), "float32"),
    "m(np.full((4, 6), 1.5, 'float32'))": ((None, 6), "float32"),
    "m(np.random.rand(4, 6))": ((None, 6), "float32"),
    "m(np.random.randn(4, 6).astype('float32'))": ((None, 6), "float32"),
    "m(np.random.normal(size=(4, 6)))": ((None, 6), "float32"),
    "m(np.random.randint(0, 9, (4, 6)))": ((None, 6), "int64"),
    "m(tf.random.normal((4, 6)))": ((None, 6), "float32"),
    "m(tf.random.uniform([4, 6], 0, 5, tf.int32))": ((None, 6), "int32"),
    "m(tf.constant([[1.0, 2.0], [3.0, 4.0]]))": ((None, 2), "float32"),
    "m(tf.constant([[1, 2, 3]]))": ((None, 3), "int32"),
    "m(keras.Input((6,)))": ((None, 6), "float32"),
    "m(keras.Input(shape=(6, 2), dtype='int32'))": ((None, 6, 2), "int32"),
    "m(keras.Input(shape=(None, 2)))": ((None, None, 2), "float32"),
    "m(keras.Input(batch_shape=(8, 6)))": ((None, 6), "float32"),
    "m(inputs=tf.ones((4, 6)))": ((None, 6), "float32"),
    "m.predict(tf.ones((4, 6)))": ((None, 6), "float32"),
    "m.fit(tf.ones((4, 6)), y4)": ((None, 6), "float32"),
    "m.fit(x=tf.ones((4, 6)), y=y4)": ((None, 6), "float32"),
    "m.build((None, 6))": ((None, 6), "float32"),
    "m.build(input_shape=[8, 6])": ((None, 6), "float32"),
    "m.build(tf.TensorShape([None, 6]))": ((None, 6), "float32"),
    "s = (4, 6)\nm(tf.ones(s))": ((None, 6), "float32"),
    "m(unknown)\nm(tf.ones((4, 6)))": ((None, 6), "float32"),
    "m(unknown)": None,
    "m(tf.ones((4, size)))": None,
    "m(tf.ones(shape))": None,
    "m([tf.ones((4, 6)), tf.ones((4, 2))])": None,
    "m(tf.ones((4, 6), dtype=kind))": None,
    "m(np.random.choice(9, (4, 6)))": None,
    "m.build((None,))": None,
    "m(1)": None,
    "m.compile('sgd')": None,
}


def spec_of(uses: str) -> InputSpec | None:
    found = model(HEAD + CLASS + SAMPLES + lines(uses) + SAVE)
    return input_spec(contacts_of(found, found.classes[0]))


@pytest.mark.parametrize(("uses", "expected"), SPECS.items(), ids=SPECS)
def test_the_input_is_read_from_how_a_model_is_used(
    uses: str, expected: tuple[tuple[int | None, ...], str] | None
) -> None:
    assert spec_of(uses) == (InputSpec(*expected) if expected else None)


def test_contacts_are_those_of_the_class_s_own_instances() -> None:
    text = HEAD + CLASS + CLASS.replace("Net", "Other") + SAMPLES
    found = model(text + "n = Other()\nn(x4)\nm.predict(x4)\nn.fit(x4)\n" + SAVE)
    uses = {cls.name: [c.how for c in contacts_of(found, cls)] for cls in found.classes}
    assert uses == {"Net": ["predict"], "Other": ["call", "fit"]}


# -- what is given to `signatures=` ----------------------------------------------------------

FUNCTIONS = """\
class Net(keras.Model):
    def call(self, x): return x
    def plain(self, x): return x
    @tf.function
    def traced(self, x): return x
    @tf.function(input_signature=[tf.TensorSpec([None, 6])])
    def serve(self, x): return x
    @other
    def decorated(self, x): return x
    def __init__(self):
        super().__init__()
        self.stored = tf.function(self.plain, input_signature=[tf.TensorSpec([None, 6])])
class Bare(keras.Model): pass
class Plain: pass
@tf.function
def traced(x): return x
@tf.function(input_signature=[tf.TensorSpec([None, 6])])
def serve(x): return x
@other
def decorated(x): return x
def plain(x): return x
spec = tf.TensorSpec([None, 6])
m = Net()
bare = Bare()
"""
BUNDLES = {
    "m.serve": Bundle.SERVABLE,
    "m.stored": Bundle.SERVABLE,
    "serve": Bundle.SERVABLE,
    "tf.function(plain, input_signature=[spec])": Bundle.SERVABLE,
    "tf.function(lambda x: m(x), input_signature=[spec])": Bundle.SERVABLE,
    "tf.function(m.call, [spec])": Bundle.SERVABLE,
    "tf.function(input_signature=[spec])(m.call)": Bundle.SERVABLE,
    "traced.get_concrete_function(spec)": Bundle.SERVABLE,
    "m.traced.get_concrete_function(spec)": Bundle.SERVABLE,
    "tf.function(m.call).get_concrete_function(spec)": Bundle.SERVABLE,
    "m.traced": Bundle.UNSIGNED,
    "traced": Bundle.UNSIGNED,
    "tf.function(m.call)": Bundle.UNSIGNED,
    "tf.function(lambda x: m(x))": Bundle.UNSIGNED,
    "tf.function(plain, input_signature=None)": Bundle.UNSIGNED,
    "m.plain": Bundle.PLAIN,
    "m.call": Bundle.PLAIN,
    "bare.call": Bundle.PLAIN,
    "m.__call__": Bundle.PLAIN,
    "plain": Bundle.PLAIN,
    "lambda x: m(x)": Bundle.PLAIN,
    "m": Bundle.OBJECT,
    "layers.Dense(3)": Bundle.OBJECT,
    "m.decorated": Bundle.UNKNOWN,
    "decorated": Bundle.UNKNOWN,
    "m.unheard_of": Bundle.UNKNOWN,
    "Plain()": Bundle.UNKNOWN,
    "unknown": Bundle.UNKNOWN,
    "make(m)": Bundle.UNKNOWN,
    "1": Bundle.UNKNOWN,
}


def given_bundle(signatures: str, before: str = "") -> Bundle:
    text = f"{FUNCTIONS}{before}tf.saved_model.save(m, 'p', signatures={signatures})\n"
    found = model(HEAD + text)
    (save,) = the_saves(found)
    argument = save.arguments.get(2, "signatures")
    assert argument is not None
    return bundle(found, argument.value)


def the_saves(found: ModuleModel) -> list[SaveCall]:
    return [save for flow in found.scopes for save in flow.all(SaveCall)]


@pytest.mark.parametrize(("signatures", "expected"), BUNDLES.items(), ids=BUNDLES)
def test_what_is_given_as_a_signature_is_known(signatures: str, expected: Bundle) -> None:
    assert given_bundle(signatures) is expected


@pytest.mark.parametrize(("signatures", "expected"), BUNDLES.items(), ids=BUNDLES)
def test_it_is_known_under_another_name(signatures: str, expected: Bundle) -> None:
    assert given_bundle("given", f"given = {signatures}\n") is expected


def test_a_method_replaced_from_outside_is_not_known() -> None:
    assert given_bundle("m.serve", "m.serve = something\n") is Bundle.UNKNOWN


def test_another_object_s_method_replaced_changes_nothing() -> None:
    assert given_bundle("m.serve", "n = Net()\nn.serve = something\n") is Bundle.SERVABLE


def test_functions_with_a_signature_are_those_that_can_be_served() -> None:
    (net, _) = model(HEAD + FUNCTIONS).classes
    assert signed_functions(net) == {"serve", "stored"}


@pytest.mark.parametrize(
    ("call", "how"),
    [
        ("tf.saved_model.save(m, 'p')", "saved_model"),
        ("keras.models.save_model(m, 'p')", "save"),
        ("m.save('p.keras')", "save"),
        ("m.export('p')", "export"),
        ("keras.export.ExportArchive().add_endpoint('serve', m.call)", "endpoint"),
    ],
)
def test_a_save_is_told_by_how_it_saves(call: str, how: str) -> None:
    assert [save.how for save in the_saves(model(HEAD + FUNCTIONS + call + "\n"))] == [how]


@pytest.mark.parametrize("call", ["figure.save('p')", "df.export('p')", "np.save('p', x)"])
def test_something_else_that_saves_is_none(call: str) -> None:
    assert the_saves(model(HEAD + FUNCTIONS + call + "\n")) == []
