"""Check DOT files: structure, types, GPUs, communication, look.

dagtool validate outputs/ep16_tp4.dot
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dagtool.cli._style import color_option
from dagtool.errors import DagtoolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dagtool.cli._settings import Settings
    from dagtool.report.finding import FileReport

__all__ = ["command"]

_EPILOG = """\b
Examples:
  dagtool validate outputs/ep16_tp4.dot
  dagtool gen ep16_tp4 -o - | dagtool validate -
  dagtool validate --select GRF,DEV --output-format json plans/
\b
Exit status: 0 fine, 1 findings at or above --fail-on, 2 usage or a file that
cannot be read or is not DOT, 3 internal error, 130 interrupted.
"""


class FormatChoice(click.ParamType[str]):
    """An output format: looked up only when one is given or help is asked for."""

    name = "format"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what is no format."""
        from dagtool.errors import did_you_mean
        from dagtool.report.formats import format_names

        if value not in (names := format_names()):
            near = did_you_mean(value, names)
            self.fail(f"{value!r} is none of {', '.join(names)}{f'; {near}' if near else ''}", param, ctx)
        return value

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """All of them, for help."""
        from dagtool.report.formats import format_names

        return f"[{'|'.join(format_names())}]"


def _print_schema(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value and not ctx.resilient_parsing:
        from dagtool.report.formats import schema

        click.echo(schema(value), nl=False)
        ctx.exit()


@click.command("validate", epilog=_EPILOG)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--output-format", "output_format", type=FormatChoice(), help="Default: full.")
@click.option("--profile", metavar="NAME", help="Which rules: minimal, standard (default) or strict.")
@click.option("--select", multiple=True, metavar="CODES", help="Only rules whose code begins so: GRF,DEV501.")
@click.option("--ignore", multiple=True, metavar="CODES", help="No rules whose code begins so.")
@click.option("--severity", multiple=True, metavar="CODE=LEVEL", help="Another severity for a rule: GRF102=warning.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info", "never"]),
    help="The least severity that makes the exit status 1. Default: error.",
)
@click.option("--group/--no-group", default=None, help="One finding for all nodes at fault (default), or one for each.")
@click.option("--no-suppress", is_flag=True, help="Show also what comments and lint_ignore in the files hide.")
@click.option("--baseline", metavar="FILE", help="Do not tell what FILE accepts; see --write-baseline.")
@click.option("--write-baseline", metavar="FILE", help="Accept all that is found now: write it to FILE.")
@click.option("--config", metavar="FILE", help="This configuration instead of the nearest one.")
@click.option("--no-config", is_flag=True, help="No configuration file.")
@click.option(
    "--schema",
    metavar="NAME",
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of an output format (json, json-lines, gitlab), of config or of baseline, and exit.",
)
@color_option
def command(*, paths: tuple[str, ...], color: str, no_suppress: bool, write_baseline: str | None, **given: Any) -> int:
    """Check DOT files and report what is wrong with them.

    PATH is a file, a folder (its *.dot and *.gv files, at any depth), a pattern with * or - for the standard
    input. Findings go to the standard output, the summary to the standard error. What the command line leaves
    open is read from dagtool.toml, or [tool.dagtool] in pyproject.toml, nearest to what is checked.
    """
    import sys

    from dagtool.cli._settings import resolve
    from dagtool.cli._style import style_of
    from dagtool.cli._tally import Tally
    from dagtool.report.formats import renderer

    settings = resolve(paths, suppress=not no_suppress, **given)
    reports = _reports(paths, settings)
    if write_baseline:
        return _write_baseline(write_baseline, reports)
    tally = Tally()
    baseline = None
    if settings.baseline:
        from dagtool.report.baseline import Baseline

        baseline = Baseline(settings.baseline)
        reports = baseline.apply(reports)
    for text in renderer(settings.output_format)(tally.watch(reports), style_of(sys.stdout, color)):
        sys.stdout.write(text)
    sys.stdout.flush()
    sys.stderr.write(tally.summary() + (f"{baseline.note()}\n" if baseline else ""))
    return tally.status(settings.fail_on)


def _write_baseline(path: str, reports: Iterator[FileReport]) -> int:
    """Accept everything but files that are not DOT."""
    import sys

    from dagtool.cli._tally import Tally
    from dagtool.report.baseline import write_baseline
    from dagtool.report.quote import printable

    tally = Tally()
    count = write_baseline(path, tally.watch(reports))
    sys.stderr.write(f"Accepted {count:,} finding{'' if count == 1 else 's'} in {printable(path)}.\n")
    return tally.status("never")


def _reports(paths: Sequence[str], settings: Settings) -> Iterator[FileReport]:
    """One report for each file; what cannot be read is said on the standard error."""
    import sys

    from dagtool.report.finding import FileReport
    from dagtool.report.quote import printable

    for path, data in _contents(paths):
        if isinstance(data, DagtoolError):
            sys.stdout.flush()
            sys.stderr.write(f"error: {printable(data.message)}\n")
            yield FileReport(path, error=data.message)
        else:
            yield settings.check(data, path)


def _contents(paths: Sequence[str]) -> Iterator[tuple[str, bytes | DagtoolError]]:
    """Name and bytes of each file, or why there are none."""
    from dagtool.cli._files import expand
    from dagtool.files import read_bytes

    for path in paths:
        try:
            files = expand(path)
        except DagtoolError as error:
            yield path, error
            continue
        for file in files:
            name = "<stdin>" if file == "-" else file
            try:
                yield name, read_bytes(file)
            except DagtoolError as error:
                yield name, error
