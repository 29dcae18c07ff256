"""How the lines that a fix makes too long are broken: as the file breaks its own."""

from __future__ import annotations

import pytest

from savelint import layout
from savelint.finding import Edit, Fix, Safety
from savelint.source import Source, Span

HANGING = "x = function(\n    one,\n    other,\n)\n"
FURTHER = "class A:\n  def f(self):\n    x = function(\n        one, other)\n"
GLUED = "def f():\n    x = function(\n        one, other)\n"
ALIGNED = "def f():\n    x = function(one,\n                 other)\n"


def fitted(text: str, old: str, new: str) -> str:
    """The text behind `# -`, with `old` made `new`."""
    start = text.rindex(old)
    edit = Edit(Span(start, start + len(old)), new)
    after = layout.fitted(Source("net.py", text), Fix("fix it", Safety.SAFE, (edit,))).edits
    for edit in reversed(after):
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    return text.partition("# -\n")[2]


@pytest.mark.parametrize(
    ("style", "call"),
    [
        ("", "(\n    {0},\n    {1},\n)"),
        (HANGING, "(\n    {0},\n    {1},\n)"),
        (FURTHER, "(\n    {0},\n    {1})"),
        (GLUED, "(\n    {0},\n    {1})"),
        (ALIGNED, "({0},\n         {1})"),
    ],
)
def test_a_call_is_broken_as_the_others_of_the_file(style: str, call: str) -> None:
    one, other = f"one={'1' * 40}", f"other={'2' * 40}"
    expected = f"y = make{call.format(one, other)}\n"
    if style == FURTHER:
        expected = expected.replace("\n    ", "\n" + " " * 4)
    assert fitted(f"{style}# -\ny = make(?)\n", "?", f"{one}, {other}") == expected


LONG = "n" * 60
SHORT = "s" * 30


@pytest.mark.parametrize(
    ("line", "broken"),
    [
        # All of a call's arguments on one line of their own.
        (f"f(\n    {SHORT}, ?\n)\n", f"f(\n    {SHORT},\n    {LONG},\n)\n"),
        # What is still too long is broken further.
        (
            f"f(a, {{'k': g({SHORT}, ?)}})\n",
            f"f(\n    a,\n    {{\n        'k': g(\n            {SHORT},\n            {LONG},\n"
            "        ),\n    },\n)\n",
        ),
        # A comprehension has its clauses, and no comma; a lambda's parameters stay together.
        (
            f"x = [f({SHORT}, ?) for i in {SHORT} if i]\n",
            f"x = [\n    f(\n        {SHORT},\n        {LONG},\n    )\n    for i in {SHORT}\n"
            "    if i\n]\n",
        ),
        (
            f"x = f(lambda a, b: {SHORT}, ?)\n",
            f"x = f(\n    lambda a, b: {SHORT},\n    {LONG},\n)\n",
        ),
        # Arguments below the parenthesis, and those of a last line.
        (f"x = f({SHORT}, ?,\n      b)\n", f"x = f({SHORT},\n      {LONG},\n      b)\n"),
        (f"x = f(b,\n      {SHORT}, ?)\n", f"x = f(b,\n      {SHORT},\n      {LONG})\n"),
        # Left as they are: operators, subscripts, and what does not end here.
        *(
            (line, line.replace("?", LONG))
            for line in (
                f"x = f({SHORT}) + f(?)\n",
                f"x = y[{SHORT}, ?]\n",
                f"x = ({SHORT} ?)\n",
                f"f({SHORT}, ?)  # a note\n",
                f"f({SHORT}, ?, [\n    b])\n",
            )
        ),
    ],
)
def test_a_line_is_broken_where_it_is_plain(line: str, broken: str) -> None:
    assert fitted(f"# -\n{line}", "?", LONG) == broken


@pytest.mark.parametrize(
    ("lengths", "width"),
    [([], 79), ([40], 79), ([84], 84), ([95], 95), ([110, 130], 110), ([70] * 200 + [88, 110], 79)],
)
def test_the_width_is_that_of_the_longest_lines(lengths: list[int], width: int) -> None:
    text = "".join(f"{'x' * length}\n" for length in lengths) + f"# {'c' * 200}\n"
    assert layout.width(Source("net.py", text)) == width


def test_a_line_that_was_too_long_before_is_left_to_be_so() -> None:
    text = f"# -\n{'x' * 200} = f(a, ?)\n"
    assert fitted(text, "?", "b, c") == f"{'x' * 200} = f(a, b, c)\n"
