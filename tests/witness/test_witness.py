"""Every example of every rule, under TensorFlow: what its witness claims is what happens.

What the fixes make of `bad` is `good` to the letter, which `tests/test_rules.py` holds.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping

import pytest
from record import TARGET, table
from suite import GENERATIONS, Case, Outcomes, cases, measure

from savelint.keras.generation import Keras
from savelint.rule import Way

pytestmark = pytest.mark.tensorflow

CASES = cases()
Measured = Mapping[Keras, Mapping[str, Outcomes]]

by_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


def runs(form: str) -> pytest.MarkDecorator:
    """Each example with the generations in which its `form` can be meant to run."""
    pairs = [
        (case, keras) for case in CASES for keras in GENERATIONS if keras in case.job(form).legal
    ]
    return _by_pair(pairs)


def _by_pair(pairs: list[tuple[Case, Keras]]) -> pytest.MarkDecorator:
    ids = [f"{case.id}-keras{int(keras)}" for case, keras in pairs]
    return pytest.mark.parametrize(("case", "keras"), pairs, ids=ids)


@pytest.fixture(scope="session")
def measured() -> Measured:
    return measure([case.job(form) for case in CASES for form in ("bad", "good")])


def outcomes_of(case: Case, form: str, keras: Keras, measured: Measured) -> Outcomes:
    return measured[keras][case.job(form).id]


def test_variants_are_unique() -> None:
    """The consequence shown to a user is found by the rule's code and the variant."""
    assert not [name for name, count in Counter(case.id for case in CASES).items() if count > 1]


@by_case
def test_each_generation_of_an_example_has_a_failure(case: Case) -> None:
    assert all(case.example.witness.fails.get(keras) for keras in case.example.keras)


@runs("good")
def test_good_passes_on_every_way(case: Case, keras: Keras, measured: Measured) -> None:
    outcomes = outcomes_of(case, "good", keras, measured)
    wanted = {way.value for way in case.example.witness.ways}
    assert {way: outcomes.get(way) for way in wanted} == dict.fromkeys(wanted, "ok")


@runs("bad")
def test_bad_fails_as_claimed_and_only_there(case: Case, keras: Keras, measured: Measured) -> None:
    """Also where the rule is off: there, and on ways it does not name, `bad` is harmless."""
    outcomes = outcomes_of(case, "bad", keras, measured)
    fails = case.example.witness.fails.get(keras, {})
    ran = outcomes.get(Way.RUN.value, "ok") == "ok"  # a script that raised has saved nothing
    wrong = {}
    for way in case.job("bad").ways:
        outcome = outcomes.get(way.value, "not reached")
        if way in fails:
            as_claimed = outcome != "ok" and re.search(fails[way], outcome) is not None
        elif way in case.example.witness.ways:
            as_claimed = outcome == "ok" or not (ran or way.value in outcomes)
        else:
            continue  # a way on which only the other generation's failure is claimed
        if not as_claimed or "RUNNER FAILED" in outcome:
            wrong[way.value] = (outcome, fails.get(way, "ok"))
    assert not wrong


def test_witnessed_json_is_fresh(measured: Measured) -> None:
    """If not: `python tests/witness/record.py`."""
    recorded = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
    assert recorded == table(CASES, measured)
