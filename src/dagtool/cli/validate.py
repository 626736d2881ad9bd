"""Check DOT files: structure, types, GPUs, communication, look.

dagtool validate outputs/ep16_tp4.dot
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dagtool.cli._complete import complete_codes, complete_formats, complete_profiles
from dagtool.cli._option_groups import GroupedCommand
from dagtool.cli._style import color_option
from dagtool.errors import DagtoolError
from dagtool.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dagtool.cli._settings import Settings
    from dagtool.report.baseline import Baseline
    from dagtool.report.finding import FileReport

__all__ = ["command"]

_EPILOG = """\b
Examples:
  dagtool validate outputs/ep16_tp4.dot
  dagtool gen ep16_tp4 -o - | dagtool validate -
  dagtool validate --select GRF,DEV --output-format json plans/
  dagtool validate --diff plans/
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


class _WithOptionsOfRules(GroupedCommand):
    """Has besides its own options one for each switch that a rule heeds; looked up only when it is called."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Those of the rules stand before ``--help``."""
        from dagtool.validators.catalogue import all_options

        found = [
            click.Option(
                [f"--{option.key}", f"option_{option.key.replace('-', '_')}"],
                type=click.Choice(option.values),
                expose_value=False,
                callback=_keep_option,
                help=f"{option.summary[0].upper()}{option.summary[1:]}.",
            )
            for option in all_options().values()
        ]
        own = super().get_params(ctx)
        return [*own[:-1], *found, own[-1]]


def _keep_option(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.meta.setdefault(_OPTIONS, []).append((param.opts[0].removeprefix("--"), value))


_OPTIONS = "dagtool.options"

_GROUPS = {
    "Which rules": "profile select extend-select ignore per-file-ignores severity expect treat-as",
    "Exit status and baseline": "fail-on min-severity baseline write-baseline no-suppress against",
    "Fixes": "fix diff unsafe-fixes fixed-output",
    "Output": "output-format output quiet group color statistics timings schema",
    "Input": "stdin-filename jobs config no-config",
}
"""The sections of the help; the options of rules come behind them."""


@click.command("validate", cls=_WithOptionsOfRules, epilog=_EPILOG, option_groups=_GROUPS, rest="Conventions")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option(
    "--output-format",
    "output_format",
    type=FormatChoice(),
    shell_complete=complete_formats,
    help="Format of the standard output. Default: full; summary has one line for each file.",
)
@click.option(
    "--output",
    multiple=True,
    metavar="FORMAT:FILE",
    help="Also write FILE in this format (atomically), as in sarif:out.sarif; may be repeated.",
)
@click.option(
    "--profile",
    metavar="NAME",
    shell_complete=complete_profiles,
    help="Set of rules: minimal, standard (default) or strict.",
)
@click.option(
    "--select",
    multiple=True,
    metavar="CODES",
    shell_complete=complete_codes,
    help="Ask only rules whose code begins with one of these: GRF,DEV501.",
)
@click.option(
    "--extend-select",
    multiple=True,
    metavar="CODES",
    shell_complete=complete_codes,
    help="Also ask rules whose code begins with one of these, whatever the profile and --select.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="CODES",
    shell_complete=complete_codes,
    help="Ask no rules whose code begins with one of these.",
)
@click.option(
    "--per-file-ignores",
    multiple=True,
    metavar="PATTERN:CODES",
    help="Ask no such rules of files that match: 'old/*.dot:STY,GRF110'.",
)
@click.option(
    "--severity",
    multiple=True,
    metavar="CODE=LEVEL",
    shell_complete=complete_codes,
    help="Give a rule another severity: GRF102=warning.",
)
@click.option(
    "--expect",
    multiple=True,
    metavar="CLAIMS",
    help="Fail if degrees or counts of the graph differ from these: ep=16,tp=4,gpus=64.",
)
@click.option(
    "--treat-as",
    type=click.Choice(["auto", "deployment", "graph"]),
    help="Check a graph as a deployment, or only what holds for any graph. Default: as its nodes suggest.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info", "never"]),
    help="The least severity that makes the exit status 1. Default: error.",
)
@click.option(
    "--min-severity",
    type=click.Choice(["error", "warning", "info"]),
    help="The least severity that is shown and counted; the exit status heeds --fail-on alone. Default: info.",
)
@click.option("-q", "--quiet", is_flag=True, help="Only findings: no headings, checklists, totals or progress.")
@click.option(
    "--group/--no-group", default=None, help="Report like findings as one (default), or one for each node at fault."
)
@click.option("--no-suppress", is_flag=True, help="Also show findings that comments and lint_ignore in the files hide.")
@click.option("--fix", is_flag=True, help="Rewrite the files with the safe fixes applied.")
@click.option(
    "--unsafe-fixes", is_flag=True, help="With --fix or --diff: also apply fixes that change nodes, edges or types."
)
@click.option("--diff", is_flag=True, help="Show what --fix would change, and write nothing.")
@click.option("--fixed-output", metavar="FILE", help="Write the fixed text of one PATH to FILE, - for standard output.")
@click.option("--baseline", metavar="FILE", help="Hide findings recorded in FILE; see --write-baseline.")
@click.option("--write-baseline", metavar="FILE", help="Record all findings in FILE, to be hidden by --baseline.")
@click.option(
    "--against", metavar="OLD", help="Compare PATH with the file OLD: findings gone and new, nodes and edges lost."
)
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Number of processes. Default: up to the number of cores, where it pays."
)
@click.option(
    "--stdin-filename",
    metavar="NAME",
    help="Name of the standard input in findings; its configuration is looked for there.",
)
@click.option("--statistics", is_flag=True, help="Also count the findings of each rule and family.")
@click.option("--timings", is_flag=True, help="Also tell how long each rule took.")
@click.option("--config", metavar="FILE", help="Read this configuration instead of the nearest one.")
@click.option("--no-config", is_flag=True, help="Read no configuration file.")
@click.option(
    "--schema",
    metavar="NAME",
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of an output format (json, json-lines, gitlab), of config or of baseline, and exit.",
)
@color_option
def command(
    *,
    paths: tuple[str, ...],
    color: str,
    quiet: bool,
    no_suppress: bool,
    write_baseline: str | None,
    jobs: int | None,
    against: str | None,
    output: tuple[str, ...],
    stdin_filename: str | None,
    statistics: bool,
    timings: bool,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    fixed_output: str | None,
    **given: Any,
) -> int:
    """Check DOT files and report what is wrong with them.

    PATH is a file, a folder (its *.dot and *.gv files, at any depth), a pattern with * or - for the standard
    input; without one it is the current folder. A file named twice is checked once. Findings go to the standard
    output, the summary to the standard error. What the command line leaves open is read from dagtool.toml, or
    [tool.dagtool] in pyproject.toml, nearest to what is checked.
    """
    import os
    import sys

    from dagtool.cli._files import refuse_overwriting
    from dagtool.cli._fix import Fixer, wanted
    from dagtool.cli._outputs import Outputs
    from dagtool.cli._reports import file_reports
    from dagtool.cli._settings import resolve
    from dagtool.cli._statistics import Statistics
    from dagtool.cli._style import style_of
    from dagtool.cli._tally import Tally
    from dagtool.report.formats import renderer, shows_totals

    paths = paths or (os.curdir,)
    outputs = Outputs.parse(output)
    _refuse_together(against=against, write_baseline=write_baseline, output=output)
    targets = [*(file for _, file in outputs.files), *filter(None, [write_baseline])]
    refuse_overwriting(targets, [path for path in paths if path != "-"])
    if stdin_filename and "-" not in paths:
        raise DagtoolError("--stdin-filename names the standard input, but - is none of the files")
    stdin = stdin_filename or "<stdin>"
    places = [stdin_filename if path == "-" and stdin_filename else path for path in paths]
    options = tuple(click.get_current_context().meta.get(_OPTIONS, ()))
    settings = resolve(places, suppress=not no_suppress, options=options, quiet=quiet, outputs=outputs.formats, **given)
    fixing = wanted(paths, fix=fix, unsafe_fixes=unsafe_fixes, diff=diff, fixed_output=fixed_output)
    if fixing and (against is not None or write_baseline):
        raise DagtoolError("fixes go neither with --against nor with --write-baseline", "fix first, then call again")
    if against is not None:
        return _compare(against, paths, settings, given["output_format"])
    fixer = Fixer(settings, fixing, stdin) if fixing else None
    reports = file_reports(paths, settings, jobs, stdin, fixer, progress=not quiet)
    if write_baseline:
        return _write_baseline(write_baseline, reports, quiet=quiet)
    baseline = _baseline(settings)
    if baseline:
        reports = baseline.apply(reports)
    tally, counted = Tally(settings.min_severity, known=baseline is not None), Statistics()
    watched = outputs.watch(counted.watch(tally.watch(reports)))
    stream = sys.stderr if fixer and fixer.takes_stdout else sys.stdout
    style = style_of(stream, color, quiet=quiet)
    for text in () if fixer and fixer.silent else renderer(settings.output_format)(watched, style):
        stream.write(text)
    for _ in watched:  # where nothing is shown they are only counted
        pass
    sys.stdout.flush()
    outputs.write()
    sys.stderr.write(counted.counts() if statistics else "")
    sys.stderr.write(counted.timings() if timings else "")
    if not quiet:
        sys.stderr.write(fixer.summary() if fixer else "")
        sys.stderr.write(tally.summary(verdicts=not shows_totals(settings.output_format)))
        sys.stderr.write(f"{baseline.note()}\n" if baseline else "")
    return tally.status(settings.fail_on)


def _baseline(settings: Settings) -> Baseline | None:
    """The accepted findings, of the rules that are asked."""
    if not settings.baseline:
        return None
    from dagtool.report.baseline import Baseline

    return Baseline(settings.baseline, {loaded.rule.code for loaded in settings.rules()})


def _refuse_together(**options: object) -> None:
    """At most one of these may be given."""
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value]
    if len(given) > 1:
        raise DagtoolError(f"{given[0]} and {given[1]} exclude each other")


def _write_baseline(path: str, reports: Iterator[FileReport], *, quiet: bool) -> int:
    """Accept everything but files that are not DOT."""
    import sys

    from dagtool.cli._tally import Tally
    from dagtool.report.baseline import write_baseline
    from dagtool.report.verdict import plural

    tally = Tally()
    count = write_baseline(path, tally.watch(reports))
    sys.stderr.write("" if quiet else f"Accepted {plural(count, 'finding')} in {printable(path)}.\n")
    return tally.status("never")


def _compare(old: str, paths: Sequence[str], settings: Settings, output_format: str | None) -> int:
    """Two versions of one file; the format is text unless the command line says JSON."""
    import os
    import sys
    from dataclasses import replace

    from dagtool.cli._against import compare

    if len(paths) != 1 or os.path.isdir(paths[0]) or (old == "-" and paths[0] == "-"):
        raise DagtoolError("--against OLD compares with one file", "dagtool validate --against x.dot x_fixed.dot")
    if output_format not in (None, "full", "json"):
        raise DagtoolError(f"--against has no format {output_format}", "full and json it has")
    found = compare(old, paths[0], replace(settings, group=False, checklist=False))
    sys.stdout.writelines([found.json()] if output_format == "json" else found.text())
    return found.status(settings.fail_on)
