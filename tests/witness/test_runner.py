"""The runner itself: models of known outcome, from the measurements behind the rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from textwrap import dedent

import pytest
import runner
from suite import GENERATIONS, Job, Outcomes, measure

from savelint.keras.generation import Keras
from savelint.rule import Way

pytestmark = pytest.mark.tensorflow

V2, V3 = GENERATIONS
EVERY_WAY = tuple(way for way in Way if way not in (Way.RUN, Way.H5))
HEAD = """
import numpy as np
import tensorflow as tf
from tensorflow import keras
"""


def model(init: str, call: str, decorator: str = "", base: str = "keras.Model") -> str:
    """A module with one class; `init` and `call` are statements, a `;` between them."""
    lines = [f"        {line.strip()}" for line in init.split(";")]
    body = [f"        {line.strip()}" for line in call.split(";")]
    return "\n".join(
        [
            HEAD,
            f"class Net({base}):",
            "    def __init__(self, **kwargs):",
            "        super().__init__(**kwargs)",
            *lines,
            *([f"    {decorator}"] if decorator else []),
            "    def call(self, x):",
            *body,
        ]
    )


DENSE = "self.d = keras.layers.Dense(3)"
SCRIPT = model(DENSE, "return self.d(x)") + dedent(
    """
    net = Net()
    net(tf.ones((4, 6)))
    """
)

JOBS = [
    Job("sound", model(DENSE, "return self.d(x)"), "Net()", ways=EVERY_WAY, trains=2),
    Job(
        "sound-layer",
        model(
            "self.w = self.add_weight(name='w', shape=(6, 3), initializer='random_normal')",
            "return tf.matmul(x, self.w)",
            base="keras.layers.Layer",
        ),
        "Net()",
        ways=EVERY_WAY,
        trains=1,
    ),
    Job(
        "reshape",
        model(DENSE, "return tf.reshape(self.d(x), [tf.shape(x)[0], 3, 1])"),
        "Net()",
    ),
    Job(
        "rows",
        model(DENSE, "return tf.broadcast_to(tf.reduce_sum(self.d(x)), [tf.shape(x)[0], 2])"),
        "Net()",
        ways=(Way.SAVED_MODEL, Way.EXPORT),
    ),
    Job(
        "variable",
        model("self.w = tf.Variable(tf.random.normal((6, 3)))", "return tf.matmul(x, self.w)"),
        "Net()",
        trains=1,
    ),
    Job(
        "zero-variable",
        model("self.w = tf.Variable(tf.zeros((6, 3)))", "return tf.matmul(x, self.w)"),
        "Net()",
        ways=(Way.KERAS, Way.WEIGHTS),
    ),
    Job("traced", model(DENSE, "return self.d(x)", "@tf.function"), "Net()", trains=2),
    Job(
        "numpy",
        model("self.w = np.random.rand(6, 3).astype('float32')", "return tf.matmul(x, self.w)"),
        "Net()",
        ways=(Way.KERAS, Way.WEIGHTS, Way.SAVED_MODEL, Way.EXPORT),
    ),
    Job(
        "static-batch",
        model(DENSE, "return self.d(x) + tf.zeros([x.shape[0], 3])"),
        "Net()",
        ways=(Way.CALL, Way.TRAIN, Way.FUNCTIONAL, Way.EXPORT),
    ),
    Job(
        "global-variable",
        model("pass", "return x * VARIABLE") + "\nVARIABLE = tf.Variable(2.0)\n",
        "Net()",
        ways=(Way.KERAS,),
    ),
    Job(
        "unbuildable",
        model("raise ValueError('no such net')", "return x"),
        "Net()",
        ways=(Way.CALL, Way.KERAS),
    ),
    Job("dies", HEAD + "import os\nos.abort()\n", "None", ways=(Way.CALL,)),
    Job(
        "script",
        SCRIPT + "net.export('out')\n",
        "net",
        ways=(Way.RUN, Way.SAVED_MODEL),
        saved="out",
    ),
    Job(
        "script-without-signature",
        HEAD + "net = tf.Module()\nnet.w = tf.Variable(1.0)\ntf.saved_model.save(net, 'out')\n",
        "lambda x: x",
        ways=(Way.RUN, Way.SAVED_MODEL),
        saved="out",
    ),
    Job(
        "script-that-raises",
        SCRIPT + "tf.saved_model.save(net, 'out', signatures=net.call)\n",
        "net",
        ways=(Way.RUN, Way.SAVED_MODEL),
        saved="out",
    ),
]

OK = "^ok$"
KEPT_OUT = "^DIFF: other outputs$"
Known = dict[Way | str, str]  # by way, "*" for the others
ALL_OK: Known = {"*": OK}
KNOWN: dict[str, dict[Keras, Known]] = {
    "sound": {V2: ALL_OK, V3: ALL_OK},
    "sound-layer": {V2: ALL_OK, V3: ALL_OK},
    "reshape": {
        V2: ALL_OK,
        V3: {"*": OK, Way.SAVED_MODEL: "^FROZEN: InvalidArgumentError: .*(reshape|Matrix size)"},
    },
    "rows": {V2: ALL_OK, V3: {"*": OK, Way.SAVED_MODEL: "^DIFF: rows 4 for a batch of 7$"}},
    "variable": {
        V2: ALL_OK,
        V3: {
            "*": OK,
            Way.TRAIN: "^UNTRAINED: 0 of 1 weights are trained$",
            Way.KERAS: KEPT_OUT,
            Way.WEIGHTS: KEPT_OUT,
        },
    },
    "zero-variable": {V2: ALL_OK, V3: {"*": KEPT_OUT}},
    "traced": {
        V2: ALL_OK,
        V3: {
            "*": KEPT_OUT,
            Way.CALL: OK,
            Way.TRAIN: "^(UNTRAINED: dense/kernel, dense/bias$|ValueError: No gradients)",
        },
    },
    "numpy": {k: {Way.KERAS: KEPT_OUT, Way.WEIGHTS: KEPT_OUT, "*": OK} for k in GENERATIONS},
    "static-batch": {
        k: {"*": "TypeError|ValueError", Way.CALL: OK, Way.TRAIN: OK} for k in GENERATIONS
    },
    "global-variable": {
        k: {"*": r"^DIFF: other outputs \(in a fresh process\)$"} for k in GENERATIONS
    },
    "unbuildable": {k: {"*": "^ValueError: no such net$"} for k in GENERATIONS},
    "dies": {k: {"*": "^CRASH"} for k in GENERATIONS},
    "script": {V2: ALL_OK, V3: ALL_OK},
    "script-without-signature": {
        k: {Way.RUN: OK, Way.SAVED_MODEL: "^NO SIGNATURE$"} for k in GENERATIONS
    },
    "script-that-raises": {
        k: {Way.RUN: "^ValueError: Expected a TensorFlow function"} for k in GENERATIONS
    },
}


@pytest.fixture(scope="session")
def outcomes() -> Mapping[Keras, Mapping[str, Outcomes]]:
    return measure(JOBS)


@pytest.mark.parametrize("keras", GENERATIONS, ids=lambda k: f"keras{int(k)}")
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.id)
def test_outcome_is_the_known_one(
    job: Job, keras: Keras, outcomes: Mapping[Keras, Mapping[str, Outcomes]]
) -> None:
    known = KNOWN[job.id][keras]
    measured = outcomes[keras][job.id]
    expected = {
        way.value: known.get(way, known.get("*", ""))
        for way in job.ways
        if way in known or "*" in known
    }
    assert measured.keys() == expected.keys()
    wrong = {way: text for way, text in measured.items() if not re.search(expected[way], text)}
    assert not wrong


def test_a_job_that_hangs_is_an_outcome_and_the_next_is_run() -> None:
    ways = (Way.CALL, Way.EXPORT)
    slow = model("pass", "import time; time.sleep(60); return x")
    deaf = HEAD + "import signal, time\nsignal.alarm(0)\ntime.sleep(60)\n"
    jobs = [
        Job("slow", slow, "Net()", ways=ways).record | {"seconds": 1},
        Job("deaf", deaf, "None", ways=ways).record | {"seconds": 1},
        Job("next", model(DENSE, "return self.d(x)"), "Net()", ways=ways).record,
    ]
    outcomes = runner.run(3, jobs)
    assert set(outcomes["slow"].values()) == {"TIMEOUT"}
    assert all(outcome.startswith("CRASH") for outcome in outcomes["deaf"].values())
    assert set(outcomes["next"].values()) == {"ok"}
