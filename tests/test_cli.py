"""savelint as its users meet it: files and options in; text, exit codes and files out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from savelint import __version__, cli, engine, fixer
from savelint.finding import Edit
from savelint.source import Source
from stand_ins import word_rules

__all__ = ["word_rules"]
pytestmark = pytest.mark.usefixtures("word_rules")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for variable in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def write(**files: str | bytes) -> None:
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        Path(f"{name}.py").write_bytes(data)


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    result = CliRunner().invoke(cli.cli, arguments, input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def check(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return run("check", *arguments, stdin=stdin)


def concise(*arguments: str) -> list[str]:
    return check("--output-format", "concise", "-q", *arguments).stdout.splitlines()


LOST = "import keras\nx = lost\n"
RISKY = "import keras\nx = risky\n"
FULL = """\
SVL101 error: [*] `lost` is not saved by `get_config`
 --> model.py:2:5
  |
2 | x = lost
  |     ^^^^ not written here
  |
  = seen in Keras 3 on the rule's example: TypeError: missing 1 required positional argument:
    'factor'
help: write `kept`
1 | import keras
2 - x = lost
2 + x = kept

1 finding (1 error) in 1 of 2 files (1 checked, 1 without Keras).
1 fixable with --fix.
"""


def test_a_finding() -> None:
    write(model=LOST, util="x = 1\n")
    result = check()
    assert (result.stdout, result.stderr, result.exit_code) == (FULL, "", 1)


def test_nothing_to_find() -> None:
    write(model="import keras\n", util="x = 1\n")
    result = check(".")
    assert (result.stdout, result.exit_code) == (
        "Clean: 2 files (1 checked, 1 without Keras).\n",
        0,
    )


def test_findings_are_in_the_order_of_path_line_column_and_code() -> None:
    write(b="import keras\nlost = risky\nrisky = lost\n", a=LOST)
    assert [line.split(" ")[:2] for line in concise("b.py", "a.py")] == [
        ["a.py:2:5:", "SVL101"],
        ["b.py:2:1:", "SVL101"],
        ["b.py:2:8:", "SVL102"],
        ["b.py:3:1:", "SVL102"],
        ["b.py:3:9:", "SVL101"],
    ]


# Fixing


def test_fix_writes_the_safe_fixes_and_reports_what_is_left() -> None:
    write(model="import keras\r\nx = lost, risky  # remark\r\n", clean="import keras\n")
    result = check("--fix", "--output-format", "concise")
    assert Path("model.py").read_bytes() == b"import keras\r\nx = kept, risky  # remark\r\n"
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "model.py:2:11: SVL102 `risky` is traced once",
        "Fixed 1 finding in 1 file (1 SVL101).",
        "1 finding (1 warning) in 1 of 2 files (2 checked).",
        "1 fixable with --fix --unsafe-fixes.",
        "1 note not shown; see --notes.",
    ]


def test_unsafe_fixes_are_applied_when_asked_for() -> None:
    write(model="import keras\nx = lost, risky\n")
    assert check("--fix", "--unsafe-fixes").exit_code == 0
    assert Path("model.py").read_text() == "import keras\nx = kept, fine\n"


def test_unsafe_fixes_alone_are_only_shown_as_applicable() -> None:
    write(model=RISKY)
    assert concise() == ["model.py:2:5: SVL102 `risky` is traced once"]
    assert concise("--unsafe-fixes") == ["model.py:2:5: SVL102 [*] `risky` is traced once"]
    assert "note: unsafe: it becomes trainable" in check().stdout
    assert Path("model.py").read_text() == RISKY


def test_notes_are_counted_and_shown_and_fixed_when_asked_for() -> None:
    write(model="import keras\nx = remark\n")
    result = check("--fix")
    assert result.exit_code == 0
    assert result.stdout == "Clean: 1 file (1 checked).\n1 note not shown; see --notes.\n"
    assert Path("model.py").read_text() == "import keras\nx = remark\n"
    assert concise("--notes") == ["model.py:2:5: SVL202 [*] `remark` could be said better"]
    assert check("--notes").exit_code == 0
    assert check("--notes", "--fix").exit_code == 0
    assert Path("model.py").read_text() == "import keras\nx = better\n"


def test_what_is_suppressed_is_neither_reported_nor_fixed() -> None:
    text = "import keras\nx = lost  # savelint: ignore[SVL101] on purpose\n"
    write(model=text)
    assert check("--fix").exit_code == 0
    assert Path("model.py").read_text() == text


def test_an_unused_suppression_is_found_also_where_no_keras_is_left() -> None:
    write(model="x = 1  # savelint: ignore[SVL101]\n")
    assert concise() == ["model.py:1:8: SVL902 [*] `# savelint: ignore[SVL101]` silences nothing"]


def test_an_unused_suppression_is_removed() -> None:
    write(model="import keras  # savelint: ignore[SVL101] reason\nx = 1  # kept\n")
    assert check("--fix").exit_code == 0
    assert Path("model.py").read_text() == "import keras\nx = 1  # kept\n"


def test_a_suppression_of_a_rule_that_is_off_in_this_generation_is_no_waste() -> None:
    write(model="import tf_keras\nx = plain  # savelint: ignore[SVL201]\n")
    assert concise() == []
    assert concise("--keras-version", "3") == []
    write(model="import tf_keras\nx = plain\n")
    assert concise() == []
    assert concise("--keras-version", "3") == ["model.py:2:5: SVL201 `plain` is no weight"]


def test_diff_prints_a_patch_and_writes_nothing(project: Path) -> None:
    (project / "sub").mkdir()
    Path("sub/model.py").write_bytes(b"\xef\xbb\xbfimport keras\r\nx = lost\r\n")
    write(last="import keras\nx = lost", risky=RISKY)
    result = check("--diff")
    assert Path("last.py").read_text() == "import keras\nx = lost"
    assert result.exit_code == 1
    assert result.stderr == "Would fix 2 findings in 2 files (2 SVL101).\n"
    subprocess.run(["patch", "-p0", "--binary"], input=result.stdout_bytes, check=True)
    assert Path("sub/model.py").read_bytes() == b"\xef\xbb\xbfimport keras\r\nx = kept\r\n"
    assert Path("last.py").read_text() == "import keras\nx = kept"
    again = check("--diff")
    assert (again.stdout, again.stderr, again.exit_code) == ("", "No fixes to apply.\n", 0)
    assert check("--diff", "--unsafe-fixes").exit_code == 1


def test_diff_wins_over_fix_and_exit_zero_over_both() -> None:
    write(model=LOST)
    assert check("--diff", "--fix", "--exit-zero").exit_code == 0
    assert Path("model.py").read_text() == LOST


def test_diff_tells_failures_on_standard_error() -> None:
    write(model=LOST, broken="import keras\ndef f(:\n")
    result = check("--diff")
    assert result.exit_code == 2
    assert result.stdout.startswith("--- model.py\n+++ model.py\n")
    assert result.stderr.splitlines() == [
        "broken.py:2:7: SVL900 does not parse: invalid syntax",
        "Would fix 1 finding in 1 file (1 SVL101).",
        "1 file of 2 could not be checked.",
    ]


def test_a_file_that_changed_meanwhile_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    write(model=LOST, other=LOST)
    real = fixer.fix

    def meddle(source: Source, *arguments: object, **options: object) -> fixer.Fixed:
        if source.path == "model.py":
            write(model=LOST + "# new\n")
        return real(source, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(fixer, "fix", meddle)
    result = check("--fix", "--output-format", "concise")
    assert result.exit_code == 2
    assert Path("model.py").read_text() == LOST + "# new\n"
    assert Path("other.py").read_text() == "import keras\nx = kept\n"
    first, second, *_ = result.stdout.splitlines()
    assert first.startswith("model.py: SVL900 changed since it was read")
    assert second == "model.py:2:5: SVL101 [*] `lost` is not saved by `get_config`"


def test_a_fix_that_breaks_the_file_is_withheld_and_said_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stand_ins.Lost.word", "lost = 1")
    write(model="import keras\nif x:\n    lost = 1\n")
    monkeypatch.setattr("stand_ins.Edit", lambda span, text: Edit(span, "= ="))
    result = check("--fix", "--notes")
    assert result.exit_code == 1
    assert Path("model.py").read_text() == "import keras\nif x:\n    lost = 1\n"
    assert "SVL101 error: `lost`" in result.stdout
    assert "note: not applied: " in result.stdout
    assert "SVL904 note: fix of `SVL101` was withheld: " in result.stdout
    assert "fixable" not in result.stdout


# Exit codes


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        (LOST, [], 1),
        (RISKY, [], 1),
        (LOST, ["--exit-zero"], 0),
        (LOST, ["--fix"], 0),
        (LOST, ["--fix", "--exit-non-zero-on-fix"], 1),
        (LOST, ["--fix", "--exit-non-zero-on-fix", "--exit-zero"], 0),
        ("import keras\n", ["--fix", "--exit-non-zero-on-fix"], 0),
        ("import keras\ndef f(:\n", ["--exit-zero"], 2),
        (LOST, ["--select", "SVL2"], 0),
        (LOST, ["--ignore", "lost-word"], 0),
        (LOST, ["--select", "SVL1", "--ignore", "SVL102,SVL2"], 1),
    ],
)
def test_exit_codes(text: str, arguments: list[str], code: int) -> None:
    write(model=text)
    assert check(*arguments).exit_code == code


# What cannot be done: each says so, exits with 2, and leaves the rest to be checked


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            b"import keras\nx = '\xff'\n",
            "bad.py:2:1: SVL900 line 2 is not valid utf-8: save the file as UTF-8,"
            " or declare its encoding in the first line",
        ),
        (
            b"keras\0\1\2",
            "bad.py: SVL900 not a text file (it holds NUL bytes); exclude it",
        ),
        (b"import keras\ndef f(:\n", "bad.py:2:7: SVL900 does not parse: invalid syntax"),
        (
            b"import keras  # too_deep\n",
            "bad.py: SVL900 too deeply nested or too large to analyse; split it or exclude it",
        ),
        (
            b"import keras\nexplode\n",
            "bad.py: SVL901 SVL301 failed: KeyError: 'no such node'; a defect of savelint,"
            " please report it",
        ),
    ],
)
def test_a_bad_file(content: bytes, line: str) -> None:
    write(bad=content, good=LOST)
    result = check("--fix", "--output-format", "concise")
    assert result.exit_code == 2
    assert re.sub(r"^bad.py(:\d+)*:", "bad.py:", result.stdout.splitlines()[0]) == re.sub(
        r"^bad.py(:\d+)*:", "bad.py:", line
    )
    assert Path("bad.py").read_bytes() == content
    assert Path("good.py").read_text() == "import keras\nx = kept\n"
    full = check(".", "--select", "ALL").stdout
    assert "1 failed" in full


def test_a_failing_rule_does_not_hide_the_findings_of_the_others() -> None:
    write(model="import keras\nexplode = lost  # savelint: ignore[SVL301]\n")
    assert concise() == [
        "model.py: SVL901 SVL301 failed: KeyError: 'no such node'; a defect of savelint,"
        " please report it",
        "model.py:2:11: SVL101 [*] `lost` is not saved by `get_config`",
    ]


def test_a_missing_path() -> None:
    write(model=LOST)
    result = check("nope.py", "model.py", "--output-format", "concise")
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [
        "model.py:2:5: SVL101 [*] `lost` is not saved by `get_config`",
        "nope.py: SVL900 no such file or directory; check the path",
        "1 finding (1 error) in 1 of 2 files (1 checked, 1 failed).",
        "1 fixable with --fix.",
    ]


def test_an_unreadable_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write(locked=LOST, model=LOST)

    def refuse(path: str) -> bytes:
        if path.endswith("locked.py"):  # root, which tests run as, can read everything
            raise PermissionError(13, "Permission denied", path)
        return Path(path).read_bytes()

    monkeypatch.setattr(engine, "read_bytes", refuse)
    result = check("--output-format", "concise")
    assert result.exit_code == 2
    assert result.stdout.splitlines()[:2] == [
        "locked.py: SVL900 permission denied; make it readable or exclude it",
        "model.py:2:5: SVL101 [*] `lost` is not saved by `get_config`",
    ]


def test_a_pipe_does_not_hang() -> None:
    os.mkfifo("pipe.py")
    write(model="import keras\n")
    result = check("pipe.py", "model.py", "-q")
    assert result.exit_code == 2
    assert "SVL900 error: pipe.py: not a regular file" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Error: no Python files found in .; check the paths\n"),
        (["sub", "also"], "Error: no Python files found in sub, also; check the paths\n"),
    ],
)
def test_no_python_files(project: Path, arguments: list[str], message: str) -> None:
    (project / "sub").mkdir()
    (project / "also").mkdir()
    (project / "README.md").write_text("keras\n")
    result = check("-q", *arguments)
    assert (result.stdout, result.stderr, result.exit_code) == ("", message, 2)
    assert check("--output-format", "json", *arguments).stdout == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--select", "SVL1O1"], "not a code or name savelint knows; did you mean `SVL101`?"),
        (["--ignore", "SVL1,lost-wrod"], "savelint knows; did you mean `lost-word`?"),
        (["--select", " , "], "--select needs at least one code"),
        (["--ignore", "SVL900"], "`SVL900` is always reported"),
        (["--keras-version", "4"], "'4' is not one of 'auto', '2', '3'"),
        (["--output-format", "xml"], "'xml' is not one of 'full', 'concise', 'json'"),
        (["--config", "nope.toml"], "'nope.toml' does not exist"),
        (["--isolated", "--config", "model.py"], "it excludes --config"),
        (["--diff", "--output-format", "json"], "it excludes --output-format"),
        (["-", "model.py"], "standard input is checked alone"),
        (["--stdin-filename", "x.py", "model.py"], "standard input is checked alone"),
        (["--fxi"], "No such option"),
    ],
)
def test_a_wrong_command_line_changes_nothing(arguments: list[str], message: str) -> None:
    write(model=LOST)
    result = check("--fix", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert Path("model.py").read_text() == LOST


def test_wrong_settings_anywhere_change_nothing(project: Path) -> None:
    write(model=LOST)
    (project / "sub").mkdir()
    (project / "sub/x.py").touch()
    (project / "sub/pyproject.toml").write_text("[tool.savelint]\nselct = []\n")
    result = check("--fix")
    assert result.exit_code == 2
    assert result.stderr.startswith(
        "Error: sub/pyproject.toml: `selct` in [tool.savelint] is not a setting; did you mean"
        " `select`?"
    )
    assert Path("model.py").read_text() == LOST


# Settings and excludes


def test_each_file_has_the_settings_nearest_to_it(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        '[tool.savelint]\nextend-exclude = ["old"]\nper-file-ignores = {"test_*" = ["SVL101"]}\n'
    )
    for directory in ("old", "inner"):
        (project / directory).mkdir()
        Path(directory, "m.py").write_text(LOST)
    (project / "inner/pyproject.toml").write_text('[tool.savelint]\nignore = ["SVL1"]\n')
    write(model=LOST, test_model=LOST)
    assert [line.split(":")[0] for line in concise()] == ["model.py"]
    assert [line.split(":")[0] for line in concise("--isolated")] == [
        "inner/m.py",
        "model.py",
        "old/m.py",
        "test_model.py",
    ]
    assert [line.split(":")[0] for line in concise("old/m.py")] == ["old/m.py"]


def test_force_exclude_leaves_given_files_out(project: Path) -> None:
    (project / "build").mkdir()
    Path("build/m.py").write_text(LOST)
    result = check("--force-exclude", "build/m.py")
    assert (result.stdout, result.exit_code) == ("Clean: 1 file (0 checked, 1 excluded).\n", 0)
    assert check("build/m.py").exit_code == 1


def test_fingerprints_do_not_depend_on_the_working_directory(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.savelint]\n")
    (project / "sub").mkdir()
    Path("sub/m.py").write_text(LOST)
    (above,) = json.loads(check("--output-format", "json").stdout)
    os.chdir("sub")
    (inside,) = json.loads(check("--output-format", "json").stdout)
    assert (above["path"], inside["path"]) == ("sub/m.py", "m.py")
    assert above["fingerprint"] == inside["fingerprint"]


# Standard input


def test_standard_input() -> None:
    result = check("-", stdin=LOST)
    assert result.exit_code == 1
    assert " --> <stdin>:2:5" in result.stdout


def test_standard_input_has_the_settings_of_its_name(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        '[tool.savelint]\nextend-exclude = ["old"]\nper-file-ignores = {"test_*" = ["SVL101"]}\n'
    )
    assert check("-", "--stdin-filename", "sub/test_x.py", stdin=LOST).exit_code == 0
    assert " --> sub/x.py:2:5" in check("--stdin-filename", "sub/x.py", stdin=LOST).stdout
    excluded = check(
        "--stdin-filename", "old/x.py", "--force-exclude", "--fix", "-", "-q", stdin=LOST
    )
    assert (excluded.stdout, excluded.exit_code) == (LOST, 0)


def test_fixed_standard_input_goes_to_standard_output_byte_for_byte() -> None:
    data = b"# coding: latin-1\r\nimport keras\r\nx = lost, risky, '\xe9'"
    result = check("--fix", "-", "--output-format", "concise", "-q", stdin=data)
    assert result.stdout_bytes == data.replace(b"lost", b"kept")
    assert result.stderr == "<stdin>:3:11: SVL102 `risky` is traced once\n"
    assert result.exit_code == 1


@pytest.mark.parametrize("data", [b"import keras\ndef f(:\n", b"\xff keras", b"x = 1\n", b""])
def test_standard_input_that_is_not_fixed_comes_out_as_it_was(data: bytes) -> None:
    assert check("--fix", "-", stdin=data).stdout_bytes == data


def test_the_diff_of_standard_input() -> None:
    result = check("--diff", "--stdin-filename", "a.py", "-", stdin=LOST)
    assert (
        result.stdout
        == "--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n import keras\n-x = lost\n+x = kept\n"
    )


# Formats


def test_json_holds_findings_and_failures_and_nothing_else_is_printed() -> None:
    write(model=LOST, bad="import keras\ndef f(:\n", fine="x = 1\n")
    result = check("--output-format", "json")
    records = json.loads(result.stdout)
    assert [(r["path"], r["line"], r["column"], r["code"]) for r in records] == [
        ("bad.py", 2, 7, "SVL900"),
        ("model.py", 2, 5, "SVL101"),
    ]
    assert records[1]["name"] == "lost-word"
    assert records[1]["keras_version"] == 3
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "environment", "coloured"),
    [
        ([], {}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        (["--output-format", "concise"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour(
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environment: dict[str, str],
    coloured: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    write(model=LOST, util="x = 1\n")
    # CliRunner takes colours away unless told not to.
    result = CliRunner().invoke(cli.cli, ["check", *arguments], color=True)
    assert ("\x1b[" in result.stdout) is coloured
    if coloured:
        assert re.sub(r"\x1b\[[\d;]*m", "", result.stdout) == FULL


def test_verbose_says_what_decided_the_generation() -> None:
    write(new="import keras\n", old="import tf_keras\n", plain="x = 1\n")
    assert check("-v", "-q").stderr.splitlines() == [
        "new.py: Keras 3 (no evidence: the default)",
        "old.py: Keras 2 (`tf_keras` is imported)",
        "plain.py: without Keras",
    ]


# The rule command


def test_the_page_of_a_rule() -> None:
    expected = """\
SVL101 lost-word
error in Keras 2 and Keras 3; since 0.1

`lost` is not saved.

Consequence: the weights are gone.

Fix: write `kept`; safe.

Example `plain`:

    x = lost

As seen under TensorFlow:
  in Keras 2: TypeError in Keras 2
  in Keras 3: TypeError in Keras 3

With the fix:

    x = kept
"""
    assert run("rule", "SVL101").stdout == expected
    assert run("rule", "lost-word").stdout == expected


def test_the_page_of_a_rule_that_is_off_in_one_generation() -> None:
    assert "off in Keras 2, warning in Keras 3; since 0.1" in run("rule", "SVL201").stdout


def test_the_page_of_a_code_of_savelints_own() -> None:
    assert run("rule", "SVL902").stdout.startswith(
        "SVL902 unused-suppression\nwarning in Keras 2 and Keras 3\n\nA `# savelint: ignore`"
    )


def test_a_rule_that_does_not_exist() -> None:
    result = run("rule", "SVL1O1")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: `SVL1O1` is not a code or name savelint knows; did you mean `SVL101`?\n"
    )


def test_all_rules() -> None:
    listing = run("rule").stdout.splitlines()
    assert listing[0] == "SVL101  lost-word            `lost` is not saved."
    assert [line[:6] for line in listing[-5:]] == [f"SVL90{n}" for n in range(5)]
    pages = run("rule", "--all").stdout
    assert len(re.findall(r"^SVL\d{3} [a-z-]+$", pages, re.MULTILINE)) == len(listing)
    assert run("rule", "--all", "SVL101").exit_code == 2
    assert run("rule", "SVL1").stdout.count("; since 0.1") == 2


def test_rules_for_programs() -> None:
    record = json.loads(run("rule", "SVL101", "--output-format", "json").stdout)
    assert record == {
        "code": "SVL101",
        "name": "lost-word",
        "since": "0.1",
        "severity": {"2": "error", "3": "error"},
        "summary": "`lost` is not saved.",
        "description": "`lost` is not saved.\n\nConsequence: the weights are gone.\n\n"
        "Fix: write `kept`; safe.",
        "examples": [
            {
                "variant": "plain",
                "bad": "x = lost\n",
                "good": "x = kept\n",
                "fixed": True,
                "consequence": {"2": "TypeError in Keras 2", "3": "TypeError in Keras 3"},
            }
        ],
    }
    records = json.loads(run("rule", "--all", "--output-format", "json").stdout)
    assert [r["code"] for r in records][-1] == "SVL904"


# The process


def process(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "savelint", *arguments]
    return subprocess.run(command, capture_output=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def test_version_and_help() -> None:
    assert process("--version").stdout.decode() == f"savelint {__version__}\n"
    assert run("-h").stdout == run("--help").stdout
    assert "--unsafe-fixes" in run("check", "-h").stdout


def test_the_process_exits_with_the_code_of_the_command() -> None:
    write(plain="x = 1\n")
    assert process("check").returncode == 0
    assert process("check", "nope.py").returncode == 2
    bad = process("check", "--select", "nope")
    assert (bad.returncode, bad.stdout) == (2, b"")
    assert b"Traceback" not in bad.stderr


def test_a_reader_that_goes_away_causes_no_noise() -> None:
    for number in range(2000):
        Path(f"m{number}.py").write_bytes(b"keras \0")
    command = f"{sys.executable} -m savelint check | head -1"
    run = subprocess.run(command, shell=True, capture_output=True, check=False)
    assert run.stdout.startswith(b"SVL900 error: m0.py: not a text file")
    assert run.stderr == b""


def test_an_output_that_lacks_characters_is_no_failure() -> None:
    Path("\u65e5.py").write_bytes(b"keras = '\0'\n")
    run = process("check", env=os.environ | {"PYTHONIOENCODING": "latin-1"})
    assert run.returncode == 2
    assert b"\\u65e5.py: not a text file" in run.stdout


def test_a_defect_of_savelint_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("savelint.engine.discover", fail)
    monkeypatch.setattr(sys, "argv", ["savelint", "check"])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert exit_.value.code == 2
    assert "this is a defect of savelint, please report it" in capsys.readouterr().err


def test_an_interrupt_exits_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("savelint.engine.discover", interrupt)
    monkeypatch.setattr(sys, "argv", ["savelint", "check"])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert exit_.value.code == 130
