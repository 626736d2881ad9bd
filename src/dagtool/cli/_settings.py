"""How files are checked: the command line, then the configuration, then the defaults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError

if TYPE_CHECKING:
    from dagtool.report.finding import FileReport
    from dagtool.validators.wishes import Wishes

__all__ = ["Settings", "resolve"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything resolved. Only texts, so that it can be sent to another process."""

    profile: str = "standard"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    """``KEY=VALUE`` for switches of rules."""
    expect: tuple[str, ...] = ()
    fail_on: str = "error"
    output_format: str = "full"
    group: bool = True
    suppress: bool = True
    baseline: str | None = None

    def check(self, data: bytes, path: str) -> FileReport:
        """The report of one file."""
        from dagtool.report.checklist import checklist
        from dagtool.validators.catalogue import select_rules, severities
        from dagtool.validators.engine import check_bytes

        return check_bytes(
            data,
            path,
            select_rules(self.select, self.ignore, self.profile),
            group=self.group,
            checklist=checklist if self.output_format == "full" else None,
            severity=severities(self.severity),
            suppress=self.suppress,
            wishes=self.wishes(),
        )

    def wishes(self) -> Wishes:
        """The switches' values and what is expected. Raises DagtoolError for what cannot be read."""
        from dagtool.validators.catalogue import select_options
        from dagtool.validators.claims import parse_expectation
        from dagtool.validators.wishes import Wishes

        expected = tuple(claim for text in self.expect for claim in parse_expectation(text))
        return Wishes(select_options(self.options, self.profile), expected)


def resolve(
    paths: Sequence[str],
    *,
    profile: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    severity: tuple[str, ...],
    options: tuple[str, ...],
    expect: tuple[str, ...],
    fail_on: str | None,
    output_format: str | None,
    group: bool | None,
    baseline: str | None,
    config: str | None,
    no_config: bool,
    suppress: bool,
) -> Settings:
    """What holds for a call. Raises DagtoolError for what is wrong with it."""
    from dagtool.cli._config import Config, find_config, load_config
    from dagtool.validators.catalogue import select_rules, severities

    if config and no_config:
        raise DagtoolError("--config and --no-config exclude each other")
    read = load_config(config) if config else Config() if no_config else find_config(paths)
    severities(severity)  # refused now and not at the first file
    settings = Settings(
        profile=profile or read.profile or "standard",
        select=select or read.select or (),
        ignore=ignore or read.ignore or (),
        severity=(*read.severity, *severity),
        options=(*read.options, *options),
        expect=expect,
        fail_on=fail_on or read.fail_on or "error",
        output_format=output_format or read.output_format or "full",
        group=group if group is not None else read.group if read.group is not None else True,
        suppress=suppress,
        baseline=baseline or read.baseline,
    )
    select_rules(settings.select, settings.ignore, settings.profile)
    settings.wishes()  # refused now and not at the first file
    return settings
