"""How files are checked: the command line, then the configuration, then the defaults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError

if TYPE_CHECKING:
    from dagtool.cli._config import Config
    from dagtool.report.finding import FileReport
    from dagtool.validators.rule import LoadedRule
    from dagtool.validators.wishes import Wishes

__all__ = ["Settings", "resolve", "settings_of"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything resolved; the defaults stand here. Only texts, so that it can be sent to another process."""

    profile: str = "standard"
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    """The values of rules' switches by key, the last one counts."""
    expect: tuple[str, ...] = ()
    treat_as: str = "auto"
    """Whether graphs are checked as deployments or as any graph: one of ``TREATMENTS`` of ``validators.wishes``."""
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fail_on: str = "error"
    min_severity: str = "info"
    """Findings below it are neither shown nor counted."""
    output_format: str = "full"
    group: bool = True
    baseline: str | None = None
    suppress: bool = True
    checklist: bool = False
    """Whether an output shows the checklist."""
    edits: bool = False
    """Whether every edit of the fixes is worked out, and not only whether there are some."""

    def check(self, data: bytes, path: str) -> FileReport:
        """The report of one file."""
        from dagtool.cli._patterns import fits
        from dagtool.report.checklist import checklist
        from dagtool.validators.catalogue import severities
        from dagtool.validators.engine import check_bytes

        here = [code for pattern, codes in self.per_file_ignores if fits(path, pattern) for code in codes]
        return check_bytes(
            data,
            path,
            self.rules(here),
            group=self.group,
            checklist=checklist if self.checklist else None,
            severity=severities(f"{code}={level}" for code, level in self.severity),
            suppress=self.suppress,
            edits=self.edits,
            wishes=self.wishes(),
        )

    def rules(self, ignore: Sequence[str] = ()) -> tuple[LoadedRule, ...]:
        """The rules that are asked, without those of ``ignore``. Raises DagtoolError for codes that no rule has."""
        from dagtool.validators.catalogue import select_rules

        return select_rules(self.select, (*self.ignore, *ignore), self.profile, self.extend_select)

    def wishes(self) -> Wishes:
        """The switches' values and what is expected. Raises DagtoolError for what cannot be read."""
        from dagtool.validators.catalogue import select_options
        from dagtool.validators.claims import parse_expectation
        from dagtool.validators.wishes import Wishes

        expected = tuple(claim for text in self.expect for claim in parse_expectation(text))
        options = select_options((f"{key}={value}" for key, value in self.options), self.profile)
        return Wishes(options, expected, self.treat_as)


def settings_of(read: Config) -> Settings:
    """What a configuration comes to without a command line."""
    default = Settings()
    return Settings(
        profile=read.profile or default.profile,
        select=read.select or default.select,
        extend_select=read.extend_select or default.extend_select,
        ignore=read.ignore or default.ignore,
        severity=read.severity,
        options=read.options,
        treat_as=read.treat_as or default.treat_as,
        per_file_ignores=read.per_file_ignores,
        fail_on=read.fail_on or default.fail_on,
        min_severity=read.min_severity or default.min_severity,
        output_format=read.output_format or default.output_format,
        group=default.group if read.group is None else read.group,
        baseline=read.baseline,
    )


def resolve(
    paths: Sequence[str],
    *,
    profile: str | None = None,
    select: tuple[str, ...] = (),
    extend_select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    severity: tuple[str, ...] = (),
    options: tuple[tuple[str, str], ...] = (),
    expect: tuple[str, ...] = (),
    treat_as: str | None = None,
    per_file_ignores: tuple[str, ...] = (),
    fail_on: str | None = None,
    min_severity: str | None = None,
    output_format: str | None = None,
    group: bool | None = None,
    baseline: str | None = None,
    config: str | None = None,
    no_config: bool = False,
    suppress: bool = True,
    quiet: bool = False,
    outputs: Sequence[str] = (),
) -> Settings:
    """Settle the settings of a call; ``outputs`` are the formats written to files, ``quiet`` is the standard output.

    Raises DagtoolError for what is wrong.
    """
    from dagtool.cli._config import Config, find_config, load_config
    from dagtool.cli._patterns import parse_per_file
    from dagtool.report.formats import shows_edits
    from dagtool.validators.catalogue import severities

    if config and no_config:
        raise DagtoolError("--config and --no-config exclude each other")
    read = settings_of(load_config(config) if config else Config() if no_config else find_config(paths))
    severities(severity)  # refused now and not at the first file
    levels = [part.partition("=") for text in severity for part in text.split(",") if part.strip()]
    shown = output_format or read.output_format
    settings = Settings(
        profile=profile or read.profile,
        select=select or read.select,
        extend_select=(*read.extend_select, *extend_select),
        ignore=ignore or read.ignore,
        severity=(*read.severity, *((code.strip(), level.strip()) for code, _, level in levels)),
        options=(*read.options, *options),
        expect=expect,
        treat_as=treat_as or read.treat_as,
        per_file_ignores=(*read.per_file_ignores, *map(parse_per_file, per_file_ignores)),
        fail_on=fail_on or read.fail_on,
        min_severity=min_severity or read.min_severity,
        output_format=shown,
        group=read.group if group is None else group,
        baseline=baseline or read.baseline,
        suppress=suppress,
        checklist="full" in outputs or (shown == "full" and not quiet),
        edits=any(map(shows_edits, (shown, *outputs))),
    )
    settings.rules()  # what is wrong is refused now and not at the first file
    settings.wishes()
    return settings
