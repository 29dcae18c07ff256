"""The command line: options in, exit code out.

Exit codes: 0, nothing left to report; 1, findings of at least severity warning are left,
or `--diff` would change something, or `--exit-non-zero-on-fix` and something was fixed;
2, savelint could not do its job, wholly or in part; 130, interrupted. `preflight` exits with
1 if saving will fail, and with 2 if it cannot tell.

Nothing but click is imported before a command runs, so that `--version`, `--help` and
completion answer at once.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import click

from savelint import __version__, screen

if TYPE_CHECKING:
    from savelint.codes import Catalogue, Selection
    from savelint.engine import Mode, Options
    from savelint.report import Report, View
    from savelint.report.line import Line
    from savelint.report.page import Entry
    from savelint.settings import Configuration

STDIN = "-"
STDIN_NAME = "<stdin>"
FORMATS = ("full", "concise", "json")
FINDINGS, FAILED, INTERRUPTED = 1, 2, 130
# What a run makes is trees, nearly all without cycles: looking for those after every few
# hundred objects would take a quarter of it.
COLLECTION = (100_000, 100, 10)


class JobError(click.ClickException):
    """What keeps savelint from doing its job at all."""

    exit_code = FAILED


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="savelint", message="%(prog)s %(version)s")
def cli() -> None:
    """Find and fix what breaks saving, exporting, reloading or serving a Keras model."""


@cli.command()
@click.argument("paths", nargs=-1)
@click.option("--fix", is_flag=True, help="Apply the safe fixes.")
@click.option("--unsafe-fixes", is_flag=True, help="Take unsafe fixes for applicable, too.")
@click.option("--diff", is_flag=True, help="Write nothing; print what the fixes would change.")
@click.option("--select", multiple=True, metavar="CODES", help="Codes, names or prefixes to check.")
@click.option("--ignore", multiple=True, metavar="CODES", help="Codes, names or prefixes to skip.")
@click.option(
    "--keras-version",
    type=click.Choice(["auto", "2", "3"]),
    help="The Keras generation that the code runs under.  [default: auto]",
)
@click.option(
    "--output-format", type=click.Choice(FORMATS), default="full", show_default=True, help="Format."
)
@click.option("--notes", is_flag=True, help="Show findings of severity note, too.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings.")
@click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit with 1 if anything was fixed.")
@click.option("--force-exclude", is_flag=True, help="Exclude files given by name, too.")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False),
    help="Read the settings from this TOML file only.",
)
@click.option("--isolated", is_flag=True, help="Read no settings from files.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes that work at once.  [default: as many as there are cores]",
)
@click.option("--no-cache", is_flag=True, help="Use no results of earlier runs, keep none.")
@click.option("--stdin-filename", metavar="NAME", help="What standard input is the content of.")
@click.option("-v", "--verbose", is_flag=True, help="Say what decided the Keras generation.")
@click.option("-q", "--quiet", is_flag=True, help="Print findings only, without a summary.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the full format.",
)
@click.pass_context
def check(
    ctx: click.Context,
    *,
    paths: tuple[str, ...],
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    keras_version: str | None,
    output_format: str,
    notes: bool,
    exit_zero: bool,
    exit_non_zero_on_fix: bool,
    force_exclude: bool,
    config: str | None,
    isolated: bool,
    jobs: int | None,
    no_cache: bool,
    stdin_filename: str | None,
    verbose: bool,
    quiet: bool,
    color: str,
) -> None:
    """Check the Python files at PATHS, by default those of the current directory.

    `-` reads one file from standard input; with --fix, its fixed text goes to standard
    output and the findings to standard error.
    """
    if isolated and config:
        raise click.UsageError("--isolated reads no settings, so it excludes --config")
    if diff and output_format != "full":
        raise click.UsageError("--diff prints a diff, so it excludes --output-format")
    stdin = stdin_filename is not None or STDIN in paths
    if stdin and any(path != STDIN for path in paths):
        raise click.UsageError("standard input is checked alone: leave the paths out")
    from savelint import rules
    from savelint.codes import Catalogue
    from savelint.engine import Mode, Options, check_paths, cores
    from savelint.report import View
    from savelint.report.progress import Progress
    from savelint.settings import ConfigError, Configuration, Overrides

    catalogue = Catalogue.of(rules.LEDGER)
    overrides = Overrides(_selection(catalogue, select, ignore), keras_version)
    mode = Mode.DIFF if diff else Mode.FIX if fix else Mode.CHECK
    options = Options(
        catalogue,
        mode,
        unsafe=unsafe_fixes,
        notes=notes,
        cache=not (no_cache or stdin),
        jobs=jobs or cores(),
    )
    configuration = Configuration(catalogue, overrides, config, isolated, options.trail)
    view = View(unsafe=unsafe_fixes, notes=notes, quiet=quiet)

    try:
        if stdin:
            report, fixed = _check_stdin(configuration, options, stdin_filename, force_exclude)
        else:
            waited_for = screen.is_terminal(err=True) and not (quiet or os.environ.get("CI"))
            with Progress(visible=waited_for) as progress:
                report = check_paths(
                    configuration,
                    options,
                    paths or (".",),
                    force_exclude=force_exclude,
                    watch=progress.begin,
                )
            fixed = b""
    except ConfigError as error:
        raise JobError(str(error)) from error

    if verbose:
        for file in report.files:
            click.echo(f"{file.path}: {file.evidence or file.status.value}", err=True)
    code = _exit_code(report, mode, exit_zero=exit_zero, on_fix=exit_non_zero_on_fix)
    if diff:
        _print_diff(report, quiet=quiet)
    else:
        aside = stdin and fix
        if aside:
            sys.stdout.flush()
            click.echo(fixed, nl=False)
        coloured = screen.coloured(color, err=aside)
        text = _text(report, view, output_format, coloured=coloured)
        click.echo(text, nl=False, err=aside, color=coloured or None)
    if not report.files and not report.excluded:
        raise JobError(f"no Python files found in {', '.join(paths or ('.',))}; check the paths")
    if ctx.obj and options.trail.whole and not (verbose or report.failed):
        from savelint.cache import keep_outcome

        with suppress(ConfigError):
            kept = configuration.of(os.getcwd()).cache_dir
            keep_outcome(kept, ctx.obj, text, code, options.trail)
    ctx.exit(code)


@cli.command()
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--keras-version",
    type=click.Choice(["auto", "2", "3"]),
    help="The Keras generation that the code runs under.  [default: auto]",
)
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text")
def show(*, paths: tuple[str, ...], keras_version: str | None, output_format: str) -> None:
    """Show what savelint understood of the Python files at PATHS.

    That is: the classes and how each came to be a Keras class, or why not; the Keras
    generation and what decided it; the calls that save and load.
    """
    from savelint import rules
    from savelint.codes import Catalogue
    from savelint.engine import Options, overviews
    from savelint.report import overview
    from savelint.settings import ConfigError, Configuration, Overrides

    catalogue = Catalogue.of(rules.LEDGER)
    configuration = Configuration(catalogue, Overrides(keras_version=keras_version))
    try:
        shown, failed = overviews(configuration, Options(catalogue), paths)
    except ConfigError as error:
        raise JobError(str(error)) from error
    if output_format == "json":
        import json

        click.echo(json.dumps([overview.record(each) for each in shown], indent=2))
    elif shown:
        click.echo("\n\n".join(overview.text(each) for each in shown))
    if failed:
        raise JobError("; ".join(failed))
    if not shown:
        raise JobError(f"no Python files found in {', '.join(paths)}; check the paths")


@cli.command()
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--kind",
    type=click.Choice(["keras", "h5", "weights", "saved-model", "checkpoint"]),
    help="What is to be saved.  [default: the suffix tells]",
)
@click.option("--need", metavar="SIZE", help="What the model will take, such as 200MB or 1.5GiB.")
@click.option(
    "--keras-version",
    type=click.Choice(["2", "3"]),
    default="3",
    show_default=True,
    help="The Keras generation that will save.",
)
@click.option(
    "--output-format",
    type=click.Choice(["full", "json"]),
    default="full",
    show_default=True,
    help="Format.",
)
@click.pass_context
def preflight(
    ctx: click.Context,
    *,
    paths: tuple[str, ...],
    kind: str | None,
    need: str | None,
    keras_version: str,
    output_format: str,
) -> None:
    """Tell whether a model can be saved to PATHS, here and now, before it is trained.

    Exits with 0 if it can, with 1 if saving to any of them will fail, with 2 if none will
    but that of some cannot be told. Nothing is left behind.
    """
    from savelint.destination.checks import preflight
    from savelint.destination.outcome import Verdict
    from savelint.destination.size import parse_size
    from savelint.report import preflight as report

    try:
        size = None if need is None else parse_size(need)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--need'") from error
    results = [
        preflight(path, kind=kind, need=size, keras_version=int(keras_version)) for path in paths
    ]
    if output_format == "json":
        import json

        click.echo(json.dumps([report.record(result) for result in results], indent=2))
    else:
        for line in report.lines(results):
            click.echo(line)
    verdicts = {result.verdict for result in results}
    if Verdict.FAILS in verdicts:
        ctx.exit(FINDINGS)
    ctx.exit(FAILED if Verdict.UNKNOWN in verdicts else 0)


@cli.command()
@click.argument("rule", required=False)
@click.option("--all", "every", is_flag=True, help="Print the pages of all rules.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text")
def rule(*, rule: str | None, every: bool, output_format: str) -> None:
    """Print the page of RULE, a code or a name; without one, list all rules."""
    if rule and every:
        raise click.UsageError("--all prints every page, so it excludes a code")
    from savelint import rules
    from savelint.codes import OWN, Catalogue, UnknownCodeError
    from savelint.report import page

    entries: list[Entry] = [*rules.RULES, *OWN]
    if rule:
        try:
            codes = Catalogue.of(rules.LEDGER).expand(rule)
        except UnknownCodeError as error:
            raise JobError(str(error)) from error
        entries = [entry for entry in entries if entry.code in codes]
    if output_format == "json":
        import json

        records = [page.record(entry) for entry in entries]
        click.echo(json.dumps(records[0] if rule and len(records) == 1 else records, indent=2))
    elif rule or every:
        click.echo("\n\n".join(page.text(entry) for entry in entries))
    else:
        click.echo(page.listing(entries))


@cli.command()
@click.argument("directories", nargs=-1, type=click.Path(exists=True, file_okay=False))
def clean(*, directories: tuple[str, ...]) -> None:
    """Remove the results kept for the projects of DIRECTORIES, by default of this one."""
    from savelint import cache, rules
    from savelint.codes import Catalogue
    from savelint.settings import ConfigError, Configuration

    configuration = Configuration(Catalogue.of(rules.LEDGER))
    try:
        kept = {configuration.of(os.path.realpath(d)).cache_dir for d in directories or (".",)}
        removed = [directory for directory in sorted(kept) if cache.clean(directory)]
    except ConfigError as error:
        raise JobError(str(error)) from error
    except OSError as error:
        raise JobError(f"a cache could not be removed: {error}") from error
    for directory in removed:
        click.echo(f"Removed {os.path.relpath(directory)}")


def main(key: str | None = None) -> NoReturn:
    """Run the command line of this process; its outcome is kept under the key."""
    gc.set_threshold(*COLLECTION)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Source holds what a terminal's encoding lacks; that is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    try:
        code: int = cli.main(prog_name="savelint", standalone_mode=False, obj=key)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except Exception:
        import traceback

        # Python would exit with 1, which here means that there are findings.
        traceback.print_exc()
        click.echo("savelint failed; this is a defect of savelint, please report it", err=True)
        code = FAILED
    gc.freeze()  # what is left ends with the process: Python need not look for cycles in it
    sys.exit(code)


def _selection(catalogue: Catalogue, select: Sequence[str], ignore: Sequence[str]) -> Selection:
    from savelint.codes import Selection, UnknownCodeError

    chosen = _split("--select", select)
    selection = Selection(chosen or None, _split("--ignore", ignore))
    try:
        selection.check(catalogue)
    except UnknownCodeError as error:
        raise click.UsageError(str(error)) from error
    return selection


def _split(option: str, values: Iterable[str]) -> tuple[str, ...]:
    words: list[str] = []
    for value in values:
        given = [word.strip() for word in value.split(",") if word.strip()]
        if not given:
            raise click.UsageError(f"{option} needs at least one code")
        words += given
    return tuple(words)


def _check_stdin(
    configuration: Configuration, options: Options, name: str | None, force_exclude: bool
) -> tuple[Report, bytes]:
    """Return the report of standard input, and its bytes as fixed."""
    from savelint.discover import display_name
    from savelint.engine import Task, check_bytes
    from savelint.report import Report

    path = os.path.join(os.getcwd(), name or STDIN_NAME)
    settings = configuration.of(os.path.dirname(path))
    data = sys.stdin.buffer.read()
    if name and force_exclude and settings.excludes.excludes_within(path):
        return Report(excluded=1), data
    display = display_name(path, name) if name else STDIN_NAME
    file = check_bytes(data, Task(path, display, settings), options)
    fixed = data if file.before is None or file.source is None else file.source.to_bytes()
    return Report((file,)), fixed


def _text(report: Report, view: View, output_format: str, *, coloured: bool) -> str:
    """All that is printed of a report."""
    if output_format == "json":
        from savelint.report import as_json

        return f"{as_json.document(report, view)}\n"
    if output_format == "concise":
        from savelint.report import concise

        return _joined(concise.lines(report, view))
    if not any(file.findings or file.failures for file in report.files):
        from savelint.report import summary

        return _joined(summary(report, view))  # all there is to say
    from dataclasses import replace

    from savelint.report import full

    view = replace(view, width=screen.width())
    lines = full.lines(report, view)
    return _styled(lines, view.width) if coloured else _joined(line.plain for line in lines)


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _styled(lines: Iterable[Line], width: int) -> str:
    from rich.console import Console
    from rich.text import Text

    text = io.StringIO()
    console = Console(
        file=text,
        color_system="standard",
        force_terminal=True,
        no_color=False,
        highlight=False,
        width=width,
        legacy_windows=False,
    )
    for line in lines:
        console.print(Text.assemble(*line.pieces), soft_wrap=True)
    return text.getvalue()


def _print_diff(report: Report, *, quiet: bool) -> None:
    from savelint.fixer import unified_diff
    from savelint.report import concise, diff_summary

    for file in report.files:
        if file.before is None or file.source is None:
            continue
        mark = "\ufeff" if file.source.bom else ""
        patch = unified_diff(file.path, mark + file.before.text, mark + file.source.text)
        click.echo(patch.encode(file.source.encoding), nl=False)
    for file in report.files:
        for line in concise.failures(file):
            click.echo(line, err=True)
    if not quiet:
        for line in diff_summary(report):
            click.echo(line, err=True)


def _exit_code(report: Report, mode: Mode, *, exit_zero: bool, on_fix: bool) -> int:
    from savelint.engine import Mode
    from savelint.finding import Severity

    if report.failed:
        return FAILED
    fixed = any(file.applied for file in report.files)
    left = any(f.severity is not Severity.NOTE for file in report.files for f in file.findings)
    findings = fixed if mode is Mode.DIFF else left or (fixed and on_fix)
    return FINDINGS if findings and not exit_zero else 0
