"""Whether what a graph declares holds together: then a label that says something else is what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagtool.report.finding import Severity

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag

__all__ = ["is_sound"]


def is_sound(dag: Dag) -> bool:
    """No rule finds an error, whichever rules are asked and whatever the file hides."""
    from dagtool.validators.catalogue import select_rules
    from dagtool.validators.context import Context
    from dagtool.validators.engine import check_context

    errors = [loaded for loaded in select_rules() if loaded.rule.severity is Severity.ERROR]
    findings, skipped = check_context(Context(dag), errors)
    unasked = {item.code for item in skipped}
    typed = {loaded.rule.code for loaded in errors if loaded.rule.code.startswith(("DIM", "DEV", "COM", "SHD"))}
    return not typed & unasked and all(found.severity is not Severity.ERROR for found in findings)
