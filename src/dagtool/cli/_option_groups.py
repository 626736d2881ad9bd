"""Help in which options stand in groups, for commands that have many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

__all__ = ["GroupedCommand"]


class GroupedCommand(click.Command):
    """A command with ``option_groups``: title to names of options. What stands in none comes under ``rest``."""

    def __init__(self, *args: Any, option_groups: Mapping[str, str], rest: str = "Options", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.option_groups = {title: tuple(names.split()) for title, names in option_groups.items()}
        self.rest = rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A section for each group, in the order of the groups; in a group the order of the options' names there."""
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        shown = [(option.opts[-1].lstrip("-"), option.get_help_record(ctx)) for option in options]
        records = {name: record for name, record in shown if record is not None}
        sections = [
            (title, [records.pop(name) for name in names if name in records])
            for title, names in self.option_groups.items()
        ]
        for title, rows in [*sections, (self.rest, list(records.values()))]:
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
