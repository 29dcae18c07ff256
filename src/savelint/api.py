"""savelint from Python: check or fix a text, check paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from savelint import engine
from savelint.codes import Catalogue
from savelint.engine import Mode, Options, Task, check_bytes
from savelint.rules import LEDGER
from savelint.settings import Configuration, Overrides
from savelint.source import SourceError

if TYPE_CHECKING:
    from savelint.finding import Finding
    from savelint.report import FileReport, Report

TEXT_NAME = "<text>"


def check_source(
    text: str, *, path: str = TEXT_NAME, keras_version: int | None = None
) -> tuple[Finding, ...]:
    """The findings in the text of a Python file, in the order of their place.

    `keras_version` is 2, 3 or None to read it from the text. With `path`, what the text
    imports is looked for in the project around that path. No settings are read; suppression
    comments count. Raises SourceError for text that cannot be analysed.
    """
    return _check(text, path, keras_version, Mode.CHECK).findings


def fix_source(
    text: str, *, path: str = TEXT_NAME, keras_version: int | None = None, unsafe: bool = False
) -> str:
    """The text with all safe fixes applied, and with `unsafe` all others too.

    Raises SourceError for text that cannot be analysed.
    """
    report = _check(text, path, keras_version, Mode.DIFF, unsafe=unsafe)
    return report.source.text if report.source is not None else text


def check_paths(paths: Sequence[str], *, keras_version: int | None = None) -> Report:
    """The report on files and directories, with the settings of their projects.

    Raises ConfigError for settings that cannot be used; what is wrong with a file is in
    the report.
    """
    catalogue, options = _options(Mode.CHECK)
    return engine.check_paths(Configuration(catalogue, _overrides(keras_version)), options, paths)


def _check(
    text: str, path: str, keras_version: int | None, mode: Mode, *, unsafe: bool = False
) -> FileReport:
    catalogue, options = _options(mode, unsafe=unsafe)
    options = replace(options, follow=path != TEXT_NAME)
    configuration = Configuration(catalogue, _overrides(keras_version), isolated=True)
    here = Path.cwd()
    task = Task(str(here / path), path, configuration.of(str(here)))
    report = check_bytes(text.encode(), task, options)
    if report.failures:
        failure = report.failures[0]
        raise SourceError(failure.message, failure.line, failure.column)
    return report


def _options(mode: Mode, *, unsafe: bool = False) -> tuple[Catalogue, Options]:
    catalogue = Catalogue.of(LEDGER)
    return catalogue, Options(catalogue, mode, unsafe=unsafe)


def _overrides(keras_version: int | None) -> Overrides:
    return Overrides(keras_version=None if keras_version is None else str(keras_version))
