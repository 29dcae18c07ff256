"""What people and programs see of findings."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from savelint.codes import UNREADABLE
from savelint.finding import Edit, Finding, Fix, Label, Safety, Severity
from savelint.report import (
    Failure,
    FileReport,
    Report,
    Status,
    View,
    as_json,
    concise,
    diff_summary,
    fingerprints,
    full,
    summary,
)
from savelint.source import Source, Span

SCALE = """\
import keras


class Scale(keras.layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config()}
"""


def span(text: str, part: str, nth: int = 0) -> Span:
    start = [match.start() for match in re.finditer(re.escape(part), text)][nth]
    return Span(start, start + len(part))


def finding(text: str, part: str, **changes: object) -> Finding:
    plain = Finding(
        code="SVL301",
        name="config-omits-argument",
        severity=Severity.ERROR,
        message="`factor` is not saved by `get_config`",
        consequence="",
        keras_version=3,
        span=span(text, part),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def omitted(safety: Safety = Safety.SAFE, reason: str = "") -> Finding:
    at = span(SCALE, "get_config()").end
    return finding(
        SCALE,
        "get_config(self)",
        consequence="TypeError: Scale.__init__() missing 1 required positional argument: 'factor'",
        note="not written here",
        labels=(Label(span(SCALE, "factor,"), "required here"),),
        fix=Fix(
            'add "factor" to the config',
            safety,
            (Edit(Span(at, at), ', "factor": self.factor'),),
            reason,
        ),
    )


def checked(text: str, *findings: Finding, path: str = "scale.py") -> FileReport:
    return FileReport(path, Status.CHECKED, path, source=Source(path, text), findings=findings)


def drawn(text: str, *findings: Finding, **view: object) -> str:
    """The full report of some findings in one file, without the summary."""
    report = Report((checked(text, *findings),))
    lines = full.lines(report, View(quiet=True, **view))  # type: ignore[arg-type]
    plain = [line.plain for line in lines]
    assert all(line == line.rstrip() for line in plain)
    return "\n".join(plain) + "\n"


def test_cause_place_consequence_and_cure_in_one_frame() -> None:
    assert (
        drawn(SCALE, omitted())
        == """\
SVL301 error: [*] `factor` is not saved by `get_config`
  --> scale.py:12:9
   |
 5 |     def __init__(self, factor, **kwargs):
   |                        ------- required here
...
12 |     def get_config(self):
   |         ^^^^^^^^^^^^^^^^ not written here
   |
   = seen in Keras 3 on the rule's example: TypeError: Scale.__init__() missing 1 required
     positional argument: 'factor'
help: add "factor" to the config
11 |
12 |     def get_config(self):
13 -         return {**super().get_config()}
13 +         return {**super().get_config(), "factor": self.factor}

"""
    )


def test_an_unsafe_fix_says_why() -> None:
    shown = drawn(SCALE, omitted(Safety.UNSAFE, "the argument becomes part of the config"))
    assert shown.startswith("SVL301 error: `factor`")
    assert shown.endswith("note: unsafe: the argument becomes part of the config\n\n")
    assert "[*]" in drawn(SCALE, omitted(Safety.UNSAFE, "because"), unsafe=True)


def test_a_display_fix_may_only_tell_what_to_do() -> None:
    fix = Fix("pass the array as a list", Safety.DISPLAY)
    assert (
        drawn("x = 1\n", finding("x = 1\n", "x", fix=fix))
        == """\
SVL301 error: `factor` is not saved by `get_config`
 --> scale.py:1:1
  |
1 | x = 1
  | ^
  |
help: pass the array as a list

"""
    )


def test_several_marks_on_a_line() -> None:
    text = "model = build(units, rate, name)\n"
    marked = finding(
        text,
        "rate",
        note="not saved",
        labels=(Label(span(text, "units"), "saved"), Label(span(text, "name"), "saved, too")),
    )
    assert (
        drawn(text, marked)
        == """\
SVL301 error: `factor` is not saved by `get_config`
 --> scale.py:1:22
  |
1 | model = build(units, rate, name)
  |               -----  ^^^^  ---- saved, too
  |               |      |
  |               |      not saved
  |               saved
  |

"""
    )


def test_marks_within_marks_have_rows_of_their_own() -> None:
    text = "model.save(path)\n"
    marked = finding(text, "path", note="no suffix", labels=(Label(span(text, text[:16]), "here"),))
    assert (
        drawn(text, marked)
        == """\
SVL301 error: `factor` is not saved by `get_config`
 --> scale.py:1:12
  |
1 | model.save(path)
  | ---------------- here
  |            ^^^^ no suffix
  |

"""
    )


def test_lines_near_each_other_are_joined_and_others_left_out() -> None:
    text = "".join(f"line{number}\n" for number in range(1, 12))
    marked = finding(
        text, "line1", labels=(Label(span(text, "line4"), ""), Label(span(text, "line8"), ""))
    )
    assert (
        drawn(text, marked)
        == """\
SVL301 error: `factor` is not saved by `get_config`
 --> scale.py:1:1
  |
1 | line1
  | ^^^^^
2 | line2
3 | line3
4 | line4
  | -----
...
8 | line8
  | -----
  |

"""
    )


def test_a_mark_over_several_lines_underlines_the_first() -> None:
    text = "x = f(  \n    1,\n)\n"
    assert (
        drawn(text, finding(text, "f(  \n    1,\n)"))
        == """\
SVL301 error: `factor` is not saved by `get_config`
 --> scale.py:1:5
  |
1 | x = f(
  |     ^^
  |

"""
    )


def test_tabs_wide_characters_and_combining_marks_keep_the_marks_in_place() -> None:
    text = "def f():\n\tx = '日本', 'e\u0301', y\n"
    assert (
        drawn(text, finding(text, "y", note="here"))
        == """\
SVL301 error: `factor` is not saved by `get_config`
 --> scale.py:2:18
  |
2 |     x = '日本', 'e\u0301', y
  |                      ^ here
  |

"""
    )


def test_markup_and_control_characters_are_shown_as_they_are() -> None:
    text = "x = '[bold]\x1b[31m\u202e'; lost\f\n"
    shown = drawn(text, finding(text, "lost", message="[red]`\x1b`[/red]"))
    assert "1 | x = '[bold]␛[31m'; lost␌" in shown
    assert "SVL301 error: [red]`␛`[/red]" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("text", "part", "expected"),
    [
        ("x" * 30 + " lost " + "y" * 90, "lost", ("x" * 30 + " lost " + "y" * 19 + "…", 31)),
        ("x" * 90 + " lost " + "y" * 90, "lost", ("…" + "x" * 12 + " lost " + "y" * 36 + "…", 14)),
        ("x" * 90 + " lost", "lost", ("…" + "x" * 12 + " lost", 14)),
    ],
)
def test_long_lines_are_cropped_round_the_mark(
    text: str, part: str, expected: tuple[str, int]
) -> None:
    code, column = expected
    lines = drawn(text + "\n", finding(text, part), width=60).splitlines()
    assert lines[3] == f"1 | {code}"
    assert lines[4] == "  | " + " " * column + "^^^^"
    assert len(lines[3]) <= 60


def test_prose_is_wrapped_and_code_is_not() -> None:
    shown = drawn(SCALE, omitted(), width=60)
    assert "   = seen in Keras 3 on the rule's example: TypeError:\n     Scale.__init__()" in shown


def test_changes_far_apart_are_separate_and_line_numbers_shift() -> None:
    text = "import os\n" + "".join(f"line{number}\n" for number in range(2, 12))
    fix = Fix(
        "import keras",
        Safety.SAFE,
        (Edit(Span(0, 0), "import keras\nimport numpy\n"), Edit(span(text, "line10"), "keras.x")),
    )
    assert (
        drawn(text, finding(text, "line10", fix=fix))
        == """\
SVL301 error: [*] `factor` is not saved by `get_config`
  --> scale.py:10:1
   |
10 | line10
   | ^^^^^^
   |
help: import keras
 1 + import keras
 2 + import numpy
 3 | import os
 4 | line2
...
10 | line8
11 | line9
10 - line10
12 + keras.x
13 | line11

"""
    )


def test_a_fix_at_the_end_of_a_file_and_one_that_removes_lines() -> None:
    text = "a\nb\n"
    added = Fix("add it", Safety.SAFE, (Edit(Span(4, 4), "c\n"),))
    assert drawn(text, finding(text, "b", fix=added)).endswith("1 | a\n2 | b\n3 + c\n\n")
    removed = Fix("remove it", Safety.SAFE, (Edit(Span(0, 2), ""),))
    assert drawn(text, finding(text, "b", fix=removed)).endswith("1 - a\n1 | b\n\n")


def test_carriage_returns_do_not_show() -> None:
    text = SCALE.replace("\n", "\r\n")
    end = span(text, "get_config()").end
    fix = Fix("add it", Safety.SAFE, (Edit(Span(end, end), "\r\n        "),))
    assert "\r" not in drawn(text, finding(text, "get_config(self)", fix=fix))


@settings(max_examples=150)
@given(st.data())
def test_any_text_can_be_drawn_at_any_width(data: st.DataObject) -> None:
    alphabet = st.sampled_from("ab \t\n\r\f日\u0301\x1b[]")
    text = data.draw(st.text(alphabet, max_size=120))
    bounds = st.tuples(*[st.integers(0, len(text))] * 2).map(lambda pair: Span(*sorted(pair)))
    labels = [Label(span, "label") for span in data.draw(st.lists(bounds, max_size=3))]
    edit = Edit(data.draw(bounds), data.draw(st.text(alphabet, max_size=9)))
    drawn_finding = finding(
        "x",
        "x",
        span=data.draw(bounds),
        note="note",
        labels=tuple(labels),
        fix=Fix("fix it", Safety.SAFE, (edit,)),
    )
    width = data.draw(st.integers(1, 200))
    report = Report((checked(text, drawn_finding),))
    plain = "\n".join(line.plain for line in full.lines(report, View(width=width)))
    assert "^" in plain
    assert plain.count("note") == 1  # beside a connector there is no blank before it
    assert plain.count("label") == len(labels)
    assert "\x1b" not in plain


def test_failures_have_frames_where_they_have_places() -> None:
    source = Source("broken.py", "x = 1\ndef f(:\n")
    report = Report(
        (
            FileReport(
                "broken.py",
                Status.FAILED,
                source=source,
                failures=(Failure(UNREADABLE, "does not parse: invalid syntax", 2, 7),),
            ),
            FileReport(
                "nope.py",
                Status.FAILED,
                failures=(Failure(UNREADABLE, "no such file or directory; check the path"),),
            ),
        )
    )
    assert (
        "\n".join(line.plain for line in full.lines(report, View()))
        == """\
SVL900 error: broken.py: does not parse: invalid syntax
 --> broken.py:2:7
  |
2 | def f(:
  |       ^
  |

SVL900 error: nope.py: no such file or directory; check the path

No findings in 2 files (0 checked, 2 failed)."""
    )
    assert list(concise.lines(report, View(quiet=True))) == [
        "broken.py:2:7: SVL900 does not parse: invalid syntax",
        "nope.py: SVL900 no such file or directory; check the path",
    ]
    records = as_json.records(report, View())
    assert [(r["path"], r["line"], r["column"], r["code"], r["severity"]) for r in records] == [
        ("broken.py", 2, 7, "SVL900", "error"),
        ("nope.py", 1, 1, "SVL900", "error"),
    ]


def test_concise() -> None:
    report = Report((checked(SCALE, omitted()),))
    assert list(concise.lines(report, View())) == [
        "scale.py:12:9: SVL301 [*] `factor` is not saved by `get_config`",
        "1 finding (1 error) in 1 of 1 file (1 checked).",
        "1 fixable with --fix.",
    ]


def test_json() -> None:
    source = SCALE.replace("Scale", "日本")
    report = Report((checked(SCALE, omitted(Safety.UNSAFE, "why")),))
    (record,) = json.loads(as_json.document(report, View()))
    identifier = record.pop("fingerprint")
    assert re.fullmatch("[0-9a-f]{32}", identifier)
    assert record == {
        "path": "scale.py",
        "line": 12,
        "column": 9,
        "end_line": 12,
        "end_column": 25,
        "code": "SVL301",
        "name": "config-omits-argument",
        "severity": "error",
        "message": "`factor` is not saved by `get_config`",
        "note": "not written here",
        "consequence": "TypeError: Scale.__init__() missing 1 required positional argument:"
        " 'factor'",
        "keras_version": 3,
        "labels": [
            {
                "path": "scale.py",
                "line": 5,
                "column": 24,
                "end_line": 5,
                "end_column": 31,
                "message": "required here",
            }
        ],
        "fix": {
            "safety": "unsafe",
            "message": 'add "factor" to the config',
            "reason": "why",
            "edits": [
                {
                    "line": 13,
                    "column": 39,
                    "end_line": 13,
                    "end_column": 39,
                    "replacement": ', "factor": self.factor',
                }
            ],
        },
        "cell": None,
    }
    (record,) = as_json.records(Report((checked(source, finding(source, "日本")),)), View())
    assert (record["column"], record["end_column"], record["fix"]) == (7, 9, None)


def test_fingerprints_outlive_edits_elsewhere() -> None:
    def prints(text: str) -> list[str]:
        at = [Span(*match.span()) for match in re.finditer("lost", text)]
        return fingerprints(checked(text, *(finding(text, "lost", span=span) for span in at)))

    before = prints("x = lost\ny = lost\nx = lost\n")
    assert len(set(before)) == 3
    assert prints("# new\n\nif 1:\n\tx  =  lost\ny = lost\nx = lost\n") == before
    assert prints("y = lost\nx = lost\n") == [before[1], before[0]]


def findings(*severities: Severity) -> list[Finding]:
    return [finding("x", "x", severity=severity) for severity in severities]


def test_the_summary_counts_everything() -> None:
    error, warning, note = Severity.ERROR, Severity.WARNING, Severity.NOTE
    safe = Fix("", Safety.SAFE, (Edit(Span(0, 1), "y"),))
    unsafe = Fix("", Safety.UNSAFE, (Edit(Span(0, 1), "y"),))
    first, second, third, hidden = findings(error, warning, warning, note)
    report = Report(
        (
            checked("x", replace(first, fix=safe), replace(second, fix=unsafe)),
            checked("x", third, hidden),
            FileReport("a", Status.SKIPPED),
            FileReport("b", Status.FAILED, failures=(Failure(UNREADABLE, "gone"),)),
        ),
        excluded=1,
    )
    assert summary(report, View()) == [
        "3 findings (1 error, 2 warnings) in 2 of 5 files"
        " (2 checked, 1 without Keras, 1 failed, 1 excluded).",
        "1 fixable with --fix (1 more with --unsafe-fixes).",
        "1 note not shown; see --notes.",
    ]
    assert summary(report, View(unsafe=True, notes=True)) == [
        "4 findings (1 error, 2 warnings, 1 note) in 2 of 5 files"
        " (2 checked, 1 without Keras, 1 failed, 1 excluded).",
        "2 fixable with --fix --unsafe-fixes (1 unsafe).",
    ]
    assert summary(report, View(quiet=True)) == []


def test_the_summary_of_a_clean_and_of_a_fixed_run() -> None:
    clean = checked("x")
    assert summary(Report((clean, replace(clean, status=Status.SKIPPED))), View()) == [
        "Clean: 2 files (1 checked, 1 without Keras)."
    ]
    fixed = Report((replace(clean, applied=tuple(findings(Severity.ERROR, Severity.ERROR))),))
    assert summary(fixed, View()) == [
        "Fixed 2 findings in 1 file (2 SVL301).",
        "Clean: 1 file (1 checked).",
    ]
    assert diff_summary(fixed) == ["Would fix 2 findings in 1 file (2 SVL301)."]
    assert diff_summary(Report((clean,))) == ["No fixes to apply."]
