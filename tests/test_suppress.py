from __future__ import annotations

import re

import pytest

from savelint.codes import Catalogue
from savelint.finding import Finding, Severity
from savelint.source import Source, Span
from savelint.suppress import Suppressed, suppress
from stand_ins import RULES

CATALOGUE = Catalogue.of(RULES)


def run(
    text: str,
    enabled: frozenset[str] = frozenset(CATALOGUE.names),
    off: frozenset[str] = frozenset(),
) -> Suppressed:
    """Suppress in `text`, where each `lost` is a finding SVL101, each `risky` SVL102."""
    source = Source("x.py", text)
    findings = [
        Finding(
            code={"lost": "SVL101", "risky": "SVL102"}[match.group()],
            name="",
            severity=Severity.ERROR,
            message=match.group(),
            consequence="",
            keras_version=3,
            span=Span(*match.span()),
        )
        for match in re.finditer(r"\b(lost|risky)\b", text)
    ]
    return suppress(source, findings, catalogue=CATALOGUE, enabled=enabled, off=off)


def kept(text: str) -> list[str]:
    return [finding.message for finding in run(text).kept]


def fixed(text: str) -> str:
    """The text after the one fix that is offered."""
    (fix,) = [finding.fix for finding in run(text).kept if finding.fix]
    (edit,) = fix.edits
    return text[: edit.span.start] + edit.replacement + text[edit.span.end :]


@pytest.mark.parametrize(
    "text",
    [
        "lost  # savelint: ignore[SVL101]\n",
        "lost  # savelint: ignore[SVL101] the reason is here\n",
        "lost  # savelint: ignore[svl101]\n",
        "lost  # savelint: ignore[lost-word]\n",
        "lost  # savelint: ignore[SVL1]\n",
        "lost  # savelint: ignore\n",
        "lost  # savelint: ignore  because we know\n",
        "lost  #savelint:ignore[ SVL101 ]\n",
        "lost, risky  # savelint: ignore[SVL101, risky-word]\n",
        "lost  # type: ignore  # savelint: ignore[SVL101]  # noqa: E501\n",
        "lost  # noqa\n",
        "lost  # NOQA: E501, SVL101\n",
        "lost  # noqa:SVL101 E501\n",
        "lost  # noqa: SVL\n",
        "lost  # noqa: lost-word\n",
        # the statement's first line speaks for all of it, and so does its last
        "f(  # savelint: ignore[SVL101]\n    1,\n    lost,\n)\n",
        "f(\n    1,\n    lost,\n)  # savelint: ignore[SVL101]\n",
        "f(\n    1,\n    lost,  # savelint: ignore[SVL101]\n)\n",
        'x = """\n""", lost  # savelint: ignore[SVL101]\n',
        "x = 1 + \\\n    lost  # savelint: ignore[SVL101]\n",
        # a decorated definition is one statement with its decorators
        "@first  # savelint: ignore[SVL101]\n@lost\ndef f(\n    x,\n): pass\n",
        "@lost\n@second\ndef f():  # savelint: ignore[SVL101]\n    pass\n",
        "@first\n@second  # savelint: ignore[SVL101]\nclass lost:\n    pass\n",
        "@lost\nasync def f(  # savelint: ignore[SVL101]\n    x,\n):\n    pass\n",
        # alone on its line it speaks for what follows
        "# savelint: ignore[SVL101] as agreed\nlost\n",
        "class A:\n    # savelint: ignore[SVL101]\n\n    # and more\n    lost = f(\n        1)\n",
        "f(\n    # savelint: ignore[SVL101]\n    lost,\n)\n",
        # the whole file
        "lost\n# savelint: file-ignore[SVL101]\n",
        "# savelint: file-ignore\nx = 1\nlost\nrisky\n",
        "x = 1  # savelint: file-ignore[SVL101, SVL102]\nlost\nrisky\n",
        # line endings and places that a tokenizer counts differently
        "x = 1\r\nlost  # savelint: ignore[SVL101]\r\n",
        "\f\nlost  # savelint: ignore[SVL101]",
        "x = '日本語'; lost  # savelint: ignore[SVL101]\n",
    ],
)
def test_suppressed(text: str) -> None:
    assert kept(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "x = '# savelint: ignore[SVL101]'; lost\n",
        '"""\n# savelint: file-ignore\n# noqa\n"""\nlost\n',
        "lost  # noqa: E501\n",
        "lost  # noqa: S101, ALL\n",
        "lost  # see noqa\n",
        "lost  # flake8: noqa\n",
        "# noqa\nx = 1\nlost\n",
    ],
)
def test_not_suppressed(text: str) -> None:
    assert kept(text) == ["lost"]


def test_a_comment_on_the_class_does_not_reach_into_its_body() -> None:
    text = "class A:  # savelint: ignore[SVL101]\n    x = lost\n"
    assert kept(text) == ["lost", "`# savelint: ignore[SVL101]` silences nothing"]


def test_only_what_is_named_is_suppressed() -> None:
    assert kept("lost, risky  # savelint: ignore[SVL102]\n") == ["lost"]
    result = run("lost, risky  # savelint: ignore[SVL102]\n")
    assert [finding.message for finding in result.silenced] == ["risky"]


@pytest.mark.parametrize(
    ("before", "message", "after"),
    [
        (
            "x = 1  # savelint: ignore[SVL101] old reason\ny\n",
            "`# savelint: ignore[SVL101]` silences nothing",
            "x = 1\ny\n",
        ),
        (
            "x = 1\t# savelint: ignore\r\ny\r\n",
            "`# savelint: ignore` silences nothing",
            "x = 1\r\ny\r\n",
        ),
        (
            "a\n    # savelint: file-ignore[SVL101]\nb\n",
            "`# savelint: file-ignore[SVL101]` silences nothing",
            "a\nb\n",
        ),
        (
            "lost  # savelint: ignore[SVL102, SVL101, plain-word] reason\n",
            "`SVL102`, `plain-word` in `# savelint: ignore[SVL102, SVL101, plain-word]`"
            " silence nothing",
            "lost  # savelint: ignore[SVL101] reason\n",
        ),
        (
            "x  # type: int  # savelint: ignore[SVL101]\n",
            "`# savelint: ignore[SVL101]` silences nothing",
            "x  # type: int\n",
        ),
        (
            "x  # savelint: ignore[SVL101]  # noqa: E501\n",
            "`# savelint: ignore[SVL101]` silences nothing",
            "x  # noqa: E501\n",
        ),
        ("x = 1\n# savelint: ignore", "`# savelint: ignore` silences nothing", "x = 1\n"),
    ],
)
def test_an_unused_suppression_is_reported_and_removed(
    before: str, message: str, after: str
) -> None:
    (finding,) = [f for f in run(before).kept if f.code == "SVL902"]
    assert finding.message == message
    assert finding.severity is Severity.WARNING
    assert fixed(before) == after


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x  # savelint: ignore[SVL1O1]\n",
            "`SVL1O1` is not a code or name savelint knows; did you mean `SVL101`?",
        ),
        (
            "x  # savelint: ignore[plain-wrod]\n",
            "`plain-wrod` is not a code or name savelint knows; did you mean `plain-word`?",
        ),
        ("x  # savelint: ignore[E501]\n", "`E501` is not a code or name savelint knows"),
        (
            "x  # savelint: disable=SVL101\n",
            "`# savelint: disable` is not a suppression: write `# savelint: ignore[CODE]`"
            " or `# savelint: file-ignore[CODE]`",
        ),
        (
            "x  # savelint: ignore SVL101\n",
            "`# savelint: ignore` is not followed by codes in brackets: write"
            " `# savelint: ignore[CODE]` or `# savelint: file-ignore[CODE]`",
        ),
        (
            "x  # savelint: ignore[SVL101\n",
            "`# savelint: ignore` is not followed by codes in brackets: write"
            " `# savelint: ignore[CODE]` or `# savelint: file-ignore[CODE]`",
        ),
        (
            "x  # savelint: ignore[]\n",
            "`# savelint: ignore[]` names no code: write `# savelint: ignore[CODE]`"
            " or `# savelint: file-ignore[CODE]`",
        ),
    ],
)
def test_a_wrong_suppression_is_reported_and_silences_nothing(text: str, message: str) -> None:
    assert kept(text) == [message]
    (finding,) = run(text.replace("x ", "lost ")).kept[1:]
    assert (finding.code, finding.name) == ("SVL903", "invalid-suppression")


def test_the_place_of_an_unknown_code_is_the_code() -> None:
    text = "lost  # savelint: ignore[SVL101, nope]\n"
    (finding,) = run(text).kept
    assert text[slice(*finding.span)] == "nope"


def test_what_was_not_tested_is_not_called_unused() -> None:
    named, bare = "x  # savelint: ignore[SVL101]\n", "x  # savelint: ignore\n"
    everything = frozenset(CATALOGUE.names)
    without = everything - {"SVL101"}
    assert run(named, without).kept == ()
    assert run(bare, without).kept == ()
    assert run(named, everything, off=frozenset({"SVL101"})).kept == ()
    assert len(run(bare, everything, off=frozenset({"SVL101"})).kept) == 1
    assert run("x  # savelint: ignore[SVL1]\n", without).kept == ()


def test_the_findings_about_comments_can_be_turned_off() -> None:
    text = "x  # savelint: ignore[SVL101, nope]\n"
    assert {finding.code for finding in run(text).kept} == {"SVL902", "SVL903"}
    assert run(text, frozenset(CATALOGUE.names) - {"SVL902", "SVL903"}).kept == ()
    assert run("# savelint: file-ignore[SVL902, SVL903]\n" + text).kept == ()
    assert len(run("# savelint: file-ignore\nlost\n" + text).kept) == 2


def test_noqa_is_never_called_unused() -> None:
    assert run("x  # noqa\ny  # noqa: SVL101\nz  # noqa: SVL999\n").kept == ()


def test_tokens_that_this_python_refuses_end_the_reading_quietly() -> None:
    text = "lost  # savelint: ignore[SVL101]\nx = (\nlost\n"
    assert kept(text) == ["lost"]
