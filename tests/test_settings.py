from __future__ import annotations

from pathlib import Path

import pytest

from savelint.codes import Catalogue, Selection, UnknownCodeError, enabled
from savelint.keras.generation import Keras
from savelint.settings import ConfigError, Configuration, Overrides, Settings
from stand_ins import RULES

CATALOGUE = Catalogue.of(RULES)
ALL = frozenset(CATALOGUE.names)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str, directory: str = ".") -> Path:
    path = Path.cwd() / directory / "pyproject.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def read(directory: str = ".", **arguments: object) -> Settings:
    return Configuration(CATALOGUE, **arguments).of(str(Path.cwd() / directory))  # type: ignore[arg-type]


def error(text: str) -> str:
    write(text)
    with pytest.raises(ConfigError) as raised:
        read()
    return str(raised.value)


def on(select: tuple[str, ...] | None, ignore: tuple[str, ...] = ()) -> list[str]:
    return sorted(enabled(CATALOGUE, [Selection(select, ignore)]))


def test_without_a_file_everything_is_on() -> None:
    settings = read()
    assert settings.enabled == ALL
    assert settings.keras is None
    assert ".venv" in settings.excludes.names


def test_all_settings_are_read(project: Path) -> None:
    file = write(
        """
        [tool.savelint]
        select = ["SVL1", "plain-word"]
        ignore = ["SVL102"]
        extend-exclude = ["third_party/"]
        keras-version = 2
        [tool.savelint.per-file-ignores]
        "tests/" = ["SVL101"]
        "*_test.py" = ["SVL"]
        """
    )
    settings = read("src/deep")
    assert settings.file == str(file)
    assert settings.root == str(project)
    assert settings.enabled == {"SVL101", "SVL201"}
    assert settings.keras is Keras.V2
    assert settings.excludes.excludes(str(project / "a/third_party"), directory=True)
    assert settings.excludes.excludes(str(project / "a/.venv"), directory=True)
    assert settings.enabled_in(str(project / "model.py")) == {"SVL101", "SVL201"}
    assert settings.enabled_in(str(project / "tests/deep/model.py")) == {"SVL201"}
    assert settings.enabled_in(str(project / "a/model_test.py")) == frozenset()
    assert settings.enabled_in("/elsewhere/tests/model.py") == {"SVL101", "SVL201"}


def test_exclude_takes_the_place_of_the_default_excludes(project: Path) -> None:
    write('[tool.savelint]\nexclude = ["mine"]\nextend-exclude = ["more"]\n')
    excludes = read().excludes
    assert not excludes.excludes(str(project / ".venv"), directory=True)
    assert excludes.excludes(str(project / "mine"), directory=True)
    assert excludes.excludes(str(project / "more"), directory=True)


def test_the_nearest_file_with_a_table_holds_alone() -> None:
    write('[tool.savelint]\nignore = ["SVL1"]\n')
    write('[tool.savelint]\nselect = ["SVL101"]\n', "inner")
    write("[tool.ruff]\n", "other")
    assert read("inner/deep").enabled == {"SVL101"}
    assert read("other").enabled == ALL - {"SVL101", "SVL102"}


def test_a_given_file_holds_for_all_and_isolation_reads_none(project: Path) -> None:
    write('[tool.savelint]\nselect = ["SVL101"]\n')
    (project / "strict.toml").write_text('[tool.savelint]\nselect = ["SVL2"]\n')
    assert read(config=Path("strict.toml")).enabled == {"SVL201", "SVL202"}
    assert read(isolated=True).enabled == ALL


def test_a_given_file_must_hold_the_table(project: Path) -> None:
    (project / "other.toml").write_text("[tool.ruff]\n")
    with pytest.raises(ConfigError, match=r"^other.toml: holds no \[tool.savelint\] table$"):
        read(config=Path("other.toml"))


def test_the_command_line_overrules_the_file() -> None:
    write('[tool.savelint]\nselect = ["SVL1"]\nignore = ["SVL102"]\nkeras-version = "2"\n')
    chosen = read(overrides=Overrides(Selection(("SVL102", "SVL2")), "auto"))
    assert chosen.enabled == {"SVL102", "SVL201", "SVL202"}
    assert chosen.keras is None
    assert read(overrides=Overrides(Selection(None, ("SVL101",)))).enabled == frozenset()
    assert read(overrides=Overrides()).keras is Keras.V2


@pytest.mark.parametrize(
    ("select", "ignore", "expected"),
    [
        (("SVL101",), (), ["SVL101"]),
        (("lost-word",), (), ["SVL101"]),
        (("svl1",), (), ["SVL101", "SVL102"]),
        (("SVL1",), ("SVL101",), ["SVL102"]),
        (("SVL101",), ("SVL1",), ["SVL101"]),
        (("risky-word",), ("SVL",), ["SVL102"]),
        (("ALL",), ("SVL",), []),
        (("SVL1",), ("SVL1",), []),
        (("SVL101", "SVL1"), ("SVL10",), ["SVL101"]),
    ],
)
def test_the_most_specific_selector_wins(
    select: tuple[str, ...], ignore: tuple[str, ...], expected: list[str]
) -> None:
    assert on(select, ignore) == expected


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("SVL1O1", "`SVL1O1` is not a code or name savelint knows; did you mean `SVL101`?"),
        (
            "lost-words",
            "`lost-words` is not a code or name savelint knows; did you mean `lost-word`?",
        ),
        ("E501", "`E501` is not a code or name savelint knows"),
        ("SVL900", "`SVL900` is always reported; to leave a file out, use `exclude`"),
        ("rule-failed", "`rule-failed` is always reported; to leave a file out, use `exclude`"),
    ],
)
def test_a_selector_that_names_nothing_to_choose(selector: str, message: str) -> None:
    with pytest.raises(UnknownCodeError) as raised:
        Selection((selector,)).check(CATALOGUE)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[tool.savelint]\nper_file_ignore = {}\n",
            "pyproject.toml: `per_file_ignore` in [tool.savelint] is not a setting; did you mean"
            " `per-file-ignores`? (settings are `cache-dir`, `exclude`, `extend-exclude`,"
            " `ignore`, `keras-version`, `per-file-ignores`, `select`)",
        ),
        (
            '[tool.savelint]\nselect = "SVL1"\n',
            "pyproject.toml: `select` in [tool.savelint] must be a list of strings, not a string",
        ),
        (
            "[tool.savelint]\nexclude = [1]\n",
            "pyproject.toml: `exclude` in [tool.savelint] must be a list of strings, but holds 1",
        ),
        (
            '[tool.savelint]\nignore = ["SVL1O1"]\n',
            "pyproject.toml: `ignore` in [tool.savelint] is wrong: `SVL1O1` is not a code or name"
            " savelint knows; did you mean `SVL101`?",
        ),
        (
            '[tool.savelint]\nper-file-ignores = ["x"]\n',
            "pyproject.toml: `per-file-ignores` in [tool.savelint] must be a table of patterns"
            " and codes, not a list",
        ),
        (
            '[tool.savelint.per-file-ignores]\n"x" = ["nope"]\n',
            "pyproject.toml: `per-file-ignores` in [tool.savelint] is wrong: `nope` is not a code"
            " or name savelint knows",
        ),
        (
            "[tool.savelint]\nkeras-version = 2.0\n",
            'pyproject.toml: `keras-version` in [tool.savelint] must be "auto", 2 or 3, not 2.0',
        ),
        (
            "[tool.savelint]\nkeras-version = true\n",
            'pyproject.toml: `keras-version` in [tool.savelint] must be "auto", 2 or 3, not True',
        ),
        (
            '[tool.savelint]\nextend-exclude = ["!"]\n',
            "pyproject.toml: `extend-exclude` in [tool.savelint] is wrong: `!` is not a valid"
            " pattern",
        ),
        ("[tool]\nsavelint = 1\n", "pyproject.toml: `tool.savelint` must be a table"),
        (
            "[tool.savelint\n",
            "pyproject.toml: not valid TOML: Expected ']' at the end of a table declaration"
            " (at line 1, column 15)",
        ),
    ],
)
def test_settings_are_strict(text: str, message: str) -> None:
    assert error(text) == message


def test_a_file_without_our_name_in_it_is_not_even_parsed() -> None:
    write("[this is not toml")
    assert read().enabled == ALL
