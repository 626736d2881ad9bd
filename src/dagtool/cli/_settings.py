"""How files are checked: the command line, then the configuration, then the defaults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError

if TYPE_CHECKING:
    from dagtool.report.finding import FileReport

__all__ = ["Settings", "resolve"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything resolved. Only texts, so that it can be sent to another process."""

    profile: str = "standard"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    fail_on: str = "error"
    output_format: str = "full"
    group: bool = True
    suppress: bool = True
    baseline: str | None = None
    edits: bool = False
    """Whether every edit of the fixes is worked out, and not only whether there are some."""

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
            edits=self.edits,
        )


def resolve(
    paths: Sequence[str],
    *,
    profile: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    severity: tuple[str, ...],
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
    from dagtool.report.formats import shows_edits
    from dagtool.validators.catalogue import select_rules, severities

    if config and no_config:
        raise DagtoolError("--config and --no-config exclude each other")
    read = load_config(config) if config else Config() if no_config else find_config(paths)
    severities(severity)  # refused now and not at the first file
    shown = output_format or read.output_format or "full"
    settings = Settings(
        profile=profile or read.profile or "standard",
        select=select or read.select or (),
        ignore=ignore or read.ignore or (),
        severity=(*read.severity, *severity),
        fail_on=fail_on or read.fail_on or "error",
        output_format=shown,
        group=group if group is not None else read.group if read.group is not None else True,
        suppress=suppress,
        baseline=baseline or read.baseline,
        edits=shows_edits(shown),
    )
    select_rules(settings.select, settings.ignore, settings.profile)
    return settings
