"""What each rule promises in its own file: its examples, its silent cases, its page.

Their consequences are proved under TensorFlow in `tests/witness`.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from suite import legal

import gates
from keras_model import analysis
from savelint.analysis import Analysis
from savelint.codes import Catalogue
from savelint.finding import Finding, Safety
from savelint.fixer import fix
from savelint.keras.generation import Keras
from savelint.rule import Example, Rule, consequence
from savelint.rules import LEDGER, RULES
from savelint.source import Source
from savelint.suppress import suppress

RULE_FILES = Path(__file__).parents[1] / "src" / "savelint" / "rules"
GENERATIONS = tuple(Keras)

EXAMPLES = [(rule, example) for rule in RULES for example in rule.examples]
SILENT = [(rule, text) for rule in RULES for text in rule.silent]

by_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
by_keras = pytest.mark.parametrize("keras", GENERATIONS, ids=lambda keras: f"keras{int(keras)}")


def source(text: str, *, bom: bool = False) -> Source:
    mark = b"\xef\xbb\xbf" if bom else b""
    return Source.from_bytes("model.py", mark + text.encode())


def findings(text: Source, keras: Keras) -> tuple[Finding, ...]:
    return analysis(text, keras).findings


def places(text: Source, keras: Keras) -> list[tuple[str, str]]:
    found = findings(text, keras)
    return [(finding.code, text.text[slice(*finding.span)]) for finding in found]


def fixed(text: Source, keras: Keras, *, unsafe: bool = True) -> str:
    def again(text: Source) -> Sequence[Finding]:
        return findings(text, keras)

    return fix(text, again, unsafe=unsafe).source.text


# -- the ledger -----------------------------------------------------------------------


def test_the_ledger_holds_every_rule_file_in_order() -> None:
    modules = sorted(path.stem for path in RULE_FILES.glob("svl*.py"))
    assert [f"{e.code.lower()}_{e.name.replace('-', '_')}" for e in LEDGER] == modules
    assert [(rule.code, rule.name) for rule in RULES] == [(e.code, e.name) for e in LEDGER]


def test_the_ledger_costs_no_libcst() -> None:
    """A file without candidates must not pay for the parser that it does not need."""
    program = "import sys; from savelint.rules import RULES; print('libcst' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


def test_the_gates_are_those_of_the_rules() -> None:
    """`python tests/gates.py` writes them."""
    assert gates.TARGET.read_text(encoding="utf-8") == gates.document()


def test_a_file_costs_no_rule_that_it_does_not_need() -> None:
    program = """\
import sys
from savelint import api
api.check_source("import keras\\nclass Net(keras.Model):\\n    def call(self, x): return x\\n")
print(sum(name.startswith("savelint.rules.svl") for name in sys.modules))
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert int(result.stdout) < len(RULES) / 3


@by_rule
def test_a_rule_is_complete(rule: Rule) -> None:
    page = rule.__doc__ or ""
    assert [part in page for part in ("Consequence:", "Silent:", "Fix:")] == [True] * 3
    assert rule.examples and rule.silent and rule.mentions and rule.severity


@by_rule
def test_a_silent_case_says_why(rule: Rule) -> None:
    assert [text for text in rule.silent if not text.startswith("# ")] == []


# -- examples -------------------------------------------------------------------------
#
# Each test is of all examples of a rule: thousands of tests would cost more than what they do.
# What is not as it should be is named, with what was found instead.


def variants(rule: Rule) -> Iterator[tuple[str, Example, Keras]]:
    """Each example in each generation in which it is reported, with a name."""
    for example in rule.examples:
        for keras in example.keras:
            yield f"{example.variant}-{int(keras)}", example, keras


@by_keras
@by_rule
def test_bad_is_reported_where_it_is_marked(rule: Rule, keras: Keras) -> None:
    wrong = {}
    for example in rule.examples:
        found = places(source(example.bad), keras)
        if keras in example.keras:
            right = found == [(rule.code, example.at)]
        else:
            right = not found or (keras not in legal(example.bad) and rule.code not in dict(found))
        if not right:
            wrong[example.variant] = found
    assert wrong == {}


@by_rule
def test_a_finding_cites_its_own_witness(rule: Rule) -> None:
    for _, example, keras in variants(rule):
        (finding,) = findings(source(example.bad), keras)
        assert finding.consequence == consequence(rule.code, example.variant, keras)


@by_keras
@by_rule
def test_good_is_clean(rule: Rule, keras: Keras) -> None:
    wrong = {}
    for example in rule.examples:
        found = places(source(example.good), keras)
        # Of what cannot be meant for a generation, other rules may say just that.
        if found and (keras in legal(example.good) or rule.code in dict(found)):
            wrong[example.variant] = found
    assert wrong == {}


@by_keras
@by_rule
def test_a_look_alike_is_not_reported(rule: Rule, keras: Keras) -> None:
    found = {text: places(source(text), keras) for text in rule.silent}
    assert {text: each for text, each in found.items() if each} == {}


@by_rule
def test_fixing_bad_gives_good(rule: Rule) -> None:
    for name, example, keras in variants(rule):
        after = fixed(source(example.bad), keras)
        if example.fixed:
            assert after == example.good, name
        else:
            assert rule.code in {code for code, _ in places(source(after), keras)}, name


@by_rule
def test_fixing_twice_changes_nothing_more(rule: Rule) -> None:
    for name, example, keras in variants(rule):
        once = fixed(source(example.bad), keras)
        assert fixed(source(once), keras) == once, name


@by_rule
def test_an_unsafe_fix_says_why_and_waits_for_leave(rule: Rule) -> None:
    for name, example, keras in variants(rule):
        (finding,) = findings(source(example.bad), keras)
        if finding.fix is not None and finding.fix.safety is Safety.UNSAFE:
            assert finding.fix.reason, name
            assert fixed(source(example.bad), keras, unsafe=False) == example.bad, name


@pytest.mark.parametrize("length", [79, 88, 100])
def test_a_formatter_leaves_what_is_fixed_as_it_is(length: int, tmp_path: Path) -> None:
    """Where the file was formatted before, with lines of any usual length."""
    ruff = ("ruff", "format", "--isolated", "--line-length", str(length))
    sources = {
        tmp_path / f"{rule.code} {example.variant}.py": example
        for rule, example in EXAMPLES
        if example.fixed
    }
    for path, example in sources.items():
        path.write_text(example.bad, encoding="utf-8")
    subprocess.run([*ruff, "--quiet", str(tmp_path)], check=True)
    for path, example in sources.items():
        text = path.read_text(encoding="utf-8")
        path.write_text(fixed(source(text), example.keras[-1]), encoding="utf-8")
    shown = subprocess.run([*ruff, "--diff", str(tmp_path)], capture_output=True, text=True)
    assert shown.stdout == ""


# -- the same example in another dress ---------------------------------------------------


def dresses(text: str) -> Iterator[tuple[str, str]]:
    yield "crlf and tabs", text.replace("    ", "\t").replace("\n", "\r\n")
    noted = "# é 漢字\n" + text.replace("\n\n", "\n\n# a note\n", 1)
    yield "comments and two spaces", noted.replace("    ", "  ")


# The layout is the same to both generations: each is tried in the newest that reports it.


@by_rule
def test_layout_does_not_matter(rule: Rule) -> None:
    for example in rule.examples:
        keras = max(example.keras)
        for (name, bad), (_, good) in zip(dresses(example.bad), dresses(example.good), strict=True):
            dress = f"{example.variant}: {name}"
            assert [code for code, _ in places(source(bad), keras)] == [rule.code], dress
            if example.fixed:
                assert fixed(source(bad), keras) == good, dress
        marked = places(source(example.bad, bom=True), keras)
        assert marked == [(rule.code, example.at)], example.variant


@by_rule
def test_an_example_deep_in_a_file_is_found(rule: Rule) -> None:
    """Not at the first line, and with other code around it."""
    around = "import os\n\n\ndef other(path):\n    return os.fspath(path)\n\n\n"
    for example in rule.examples:
        found = places(source(around + example.bad), max(example.keras))
        assert found == [(rule.code, example.at)], example.variant


@by_rule
def test_a_comment_silences_it(rule: Rule) -> None:
    catalogue = Catalogue.of(RULES)
    for example in rule.examples:
        keras = max(example.keras)
        text = source(example.bad)
        (finding,) = findings(text, keras)
        line = text.position(finding.span.start).line
        lines = example.bad.splitlines()
        lines[line - 1] += f"  # savelint: ignore[{rule.code}] known"
        quiet = source("\n".join(lines) + "\n")
        result = suppress(
            quiet,
            findings(quiet, keras),
            catalogue=catalogue,
            enabled=frozenset(catalogue.names),
            keras_version=int(keras),
        )
        assert [finding.code for finding in result.kept] == [], example.variant


# -- gates ----------------------------------------------------------------------------


def essence(found: Analysis) -> list[tuple[object, ...]]:
    return [(f.code, f.span, f.message, f.fix) for f in found.findings]


@by_rule
def test_gates_change_no_result(rule: Rule) -> None:
    """In the newest generation of the rule; `test_gates.py` has both."""
    keras = max(keras for keras in rule.severity)
    texts = [text for example in rule.examples for text in (example.bad, example.good)]
    for text in (*texts, *rule.silent):
        with_gates = analysis(source(text), keras)
        assert essence(with_gates) == essence(analysis(source(text), keras, gates=False)), text


def test_every_text_parses() -> None:
    for text in [t for _, e in EXAMPLES for t in (e.bad, e.good)] + [t for _, t in SILENT]:
        ast.parse(text)
