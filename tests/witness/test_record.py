"""The consequences shown to users, as composed from outcomes; without TensorFlow."""

from __future__ import annotations

import tempfile

import pytest
from record import consequence
from runner import essence

from savelint.rule import Way


@pytest.mark.parametrize(
    ("fails", "outcomes", "text"),
    [
        pytest.param(
            (Way.KERAS, Way.WEIGHTS),
            {".keras": "DIFF: other outputs", ".weights.h5": "DIFF: other outputs"},
            "`.keras` and `.weights.h5`, loaded again: other outputs, no exception.",
            id="one outcome, one sentence",
        ),
        pytest.param(
            (Way.KERAS,),
            {".keras": "DIFF: other outputs (in a fresh process)"},
            "`.keras`, reloaded in a fresh process: other outputs, no exception.",
            id="only in a fresh process",
        ),
        pytest.param(
            (Way.KERAS,),
            {".keras": "TypeError: unknown name. (in a fresh process)"},
            "`.keras`, reloaded in a fresh process: TypeError: unknown name.",
            id="an error in a fresh process",
        ),
        pytest.param(
            (Way.REPEAT, Way.STEPS),
            {
                "export, served again and again": "STUCK: the same answer every time",
                "several steps of fit": "STUCK: the same loss in every step",
            },
            "`model.export`, then served one batch again and again: the same answer every time,"
            " no exception. `fit`, step after step on one batch: the same loss in every step,"
            " no exception.",
            id="what does not vary",
        ),
        pytest.param(
            (Way.SAVED_MODEL, Way.TRAIN, Way.EXPORT),
            {
                "tf.saved_model.save": "FROZEN: InvalidArgumentError: 21 values",
                "fit": "UNTRAINED: dense/kernel, dense/bias",
                "export": "DIFF: other outputs",
            },
            "`tf.saved_model.save`, then a batch of 7: InvalidArgumentError: 21 values."
            " `fit` leaves `dense/kernel` and `dense/bias` unchanged.",
            id="the first two, in the order of the witness",
        ),
        pytest.param(
            (Way.SAVED_MODEL,),
            {"tf.saved_model.save": "DIFF: rows 4 for a batch of 7"},
            "`tf.saved_model.save`, then a batch of 7: an answer of 4 rows, no exception.",
            id="rows",
        ),
        pytest.param(
            (Way.SAVED_MODEL,),
            {"tf.saved_model.save": "NO SIGNATURE"},
            "`tf.saved_model.save` writes no signature, without an exception:"
            " nothing can be served.",
            id="no signature",
        ),
        pytest.param(
            (Way.TRAIN,),
            {"fit": "UNTRAINED: 0 of 1 weights are trained"},
            "`fit` trains 0 of 1 weights.",
            id="untracked",
        ),
        pytest.param(
            (Way.RUN, Way.SAVED_MODEL),
            {"run": "ValueError: Expected a TensorFlow function, but..."},
            "Running it: ValueError: Expected a TensorFlow function, but...",
            id="a script that raised, a message that was cut",
        ),
        pytest.param(
            (Way.CALL, Way.EXPORT),
            {"call": "ok", "export": "TypeError: None"},
            "`model.export`: TypeError: None.",
            id="a claim that did not come true says nothing",
        ),
    ],
)
def test_consequence(fails: tuple[Way, ...], outcomes: dict[str, str], text: str) -> None:
    assert consequence(fails, outcomes) == text


@pytest.mark.parametrize("environment", ["/usr/lib", f"{tempfile.gettempdir()}/tmp.x/venv"])
def test_a_message_is_the_same_wherever_the_environment_stands(environment: str) -> None:
    where = f"{environment}/python3/site-packages/keras/utils/__init__.py"
    assert (
        essence(f"cannot import name 'np_utils' from 'keras.utils' ({where})")
        == "cannot import name 'np_utils' from 'keras.utils'"
    )
