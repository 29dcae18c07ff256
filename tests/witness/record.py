"""Write `witnessed.json`: what was seen when the bad form of each example ran.

    python tests/witness/record.py [--only SVL101]

The text of an example is made from the outcomes on the ways in its `fails`, in that order, of
which the first two that say something of their own are kept.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from runner import FRESH, OK, OTHERS
from suite import Case, Outcomes, cases, measure

from savelint import rules
from savelint.keras.generation import Keras
from savelint.rule import WITNESSED, Way

TARGET = Path(rules.__file__).with_name(WITNESSED)
SENTENCES = 2

Table = dict[str, dict[str, dict[str, str]]]

ACTION = {
    Way.RUN: "running it",
    Way.CALL: "calling it",
    Way.FUNCTIONAL: "using it in a functional model",
    Way.TRAIN: "`fit`",
    Way.STEPS: "`fit`, step after step on one batch",
    Way.REPEAT: "`model.export`, then served one batch again and again",
    Way.RESUME: "`.keras`",
    Way.SAVED_MODEL: "`tf.saved_model.save`",
    Way.EXPORT: "`model.export`",
    Way.KERAS: "`.keras`",
    Way.H5: "`.h5`",
    Way.WEIGHTS: "`.weights.h5`",
}
LOADED = {
    Way.RESUME: "reloaded and trained on",
    Way.SAVED_MODEL: "then served",
    Way.EXPORT: "then served",
    Way.KERAS: "reloaded",
    Way.H5: "reloaded",
    Way.WEIGHTS: "loaded into a new model",
}


def consequence(fails: Iterable[Way], outcomes: Outcomes) -> str:
    """One or two sentences on what the failing ways led to; ways with one outcome share one."""
    ways: dict[str, list[Way]] = {}
    for way in fails:
        outcome = outcomes.get(way.value, OK)  # a script that raised reaches no other way
        if outcome != OK:
            ways.setdefault(outcome, []).append(way)
    sentences = [sentence(group, outcome) for outcome, group in ways.items()]
    return " ".join(sentences[:SENTENCES])


def sentence(ways: list[Way], outcome: str) -> str:
    """What happened, in the same way, on these ways."""
    action = listed(list(dict.fromkeys(ACTION[way] for way in ways)))
    afterwards = {LOADED.get(way, "then called") for way in ways}
    loaded = f"{action}, {afterwards.pop() if len(afterwards) == 1 else 'loaded again'}"
    if outcome.endswith(FRESH):
        outcome = outcome.removesuffix(FRESH)
        loaded += " in a fresh process"
        action = loaded
    if rows := re.fullmatch(r"DIFF: rows (\S+) for a batch of (\d+)", outcome):
        text = f"{action}, then a batch of {rows[2]}: an answer of {rows[1]} rows, no exception"
    elif outcome.startswith("FROZEN: "):
        text = f"{action}, then a batch of {OTHERS}: {outcome.removeprefix('FROZEN: ')}"
    elif outcome == "DIFF: other outputs":
        text = f"{loaded}: other outputs, no exception"
    elif outcome.startswith("DIFF: "):
        text = f"{loaded}: {outcome.removeprefix('DIFF: ')}, no exception"
    elif outcome.startswith("STUCK: "):
        text = f"{action}: {outcome.removeprefix('STUCK: ')}, no exception"
    elif outcome == "NO SIGNATURE":
        text = f"{action} writes no signature, without an exception: nothing can be served"
    elif count := re.fullmatch(r"UNTRAINED: (\d+) of (\d+) weights are trained", outcome):
        text = f"{action} trains {count[1]} of {count[2]} weights"
    elif outcome.startswith("UNTRAINED: "):
        names = outcome.removeprefix("UNTRAINED: ").split(", ")
        text = f"{action} leaves {listed([f'`{name}`' for name in names])} unchanged"
    else:
        text = f"{action}: {outcome}"
    text = text[0].upper() + text[1:]
    return text if text.endswith(("...", ".", "!")) else f"{text}."


def listed(words: Sequence[str]) -> str:
    """Join words as a sentence does."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def table(every: Iterable[Case], outcomes: Mapping[Keras, Mapping[str, Outcomes]]) -> Table:
    """The content of `witnessed.json` for these cases."""
    content: Table = {}
    for case in every:
        for keras in case.example.keras:
            seen = outcomes[keras][case.job("bad").id]
            text = consequence(case.example.witness.fails.get(keras, ()), seen)
            variants = content.setdefault(case.code, {})
            variants.setdefault(case.example.variant, {})[str(int(keras))] = text
    return content


def main() -> None:
    parser = argparse.ArgumentParser(description="Write witnessed.json from what TensorFlow does.")
    parser.add_argument("--only", default="", help="rules whose code begins so; others are kept")
    only = parser.parse_args().only
    every = cases(only)
    outcomes = measure([case.job("bad") for case in every])
    kept: Table = {}
    if TARGET.exists():
        known = {rule.code for rule in rules.RULES}
        old: Table = json.loads(TARGET.read_text(encoding="utf-8"))
        kept = {c: v for c, v in old.items() if c in known and not c.startswith(only)}
    text = json.dumps(kept | table(every, outcomes), indent=2, sort_keys=True, ensure_ascii=False)
    TARGET.write_text(text + "\n", encoding="utf-8")
    print(f"{TARGET}: {len(every)} examples measured")


if __name__ == "__main__":
    main()
