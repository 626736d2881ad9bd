"""What ``dagtool validate`` finds in a file that is being drawn: with the same configuration and suppressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag
    from dagtool.report.finding import Finding

__all__ = ["lint"]


def lint(file: str, dag: Dag, *, group: bool) -> list[Finding]:
    """The findings of the file ``dag`` was read from (``-`` for standard input); ``group`` puts like ones together.

    Raises DagtoolError for a configuration that cannot be read.
    """
    from dataclasses import replace

    from dagtool.cli._settings import resolve

    if dag.source is None:
        return dag.validate()
    settings = replace(resolve([file]), group=group)
    return settings.check(dag.source.text.encode(), file).findings
