"""Explain what is known of the node or edge at a place, and from where.

dagtool explain outputs/ep16_tp4.dot:120
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from dagtool.errors import DagtoolError
from dagtool.escape import as_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagtool.report.explain import Explanation

__all__ = ["command"]

_PLACE = re.compile(r"(?P<path>.+?):(?P<line>[0-9]{1,9})(?::(?P<column>[0-9]{1,9}))?:?\Z", re.DOTALL)


@click.command(
    "explain",
    epilog="\b\nExamples:\n  dagtool explain outputs/ep16_tp4.dot:120\n  dagtool explain plan.dot:1:36\n"
    "  dagtool gen pp2 -o - | dagtool explain -- -:8\n\n"
    "Exit status: 0, or 2 where the file cannot be read or the line holds no node and no edge.",
)
@click.argument("place", metavar="FILE:LINE[:COLUMN]")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(place: str, output_format: str) -> None:
    """Explain the node or edge at a place, as findings name it: operator, shape, rank, and which text says so.

    Its type rule is told, and what the rules of the configuration find there. The standard input is
    -:LINE, after --.
    """
    import gc

    gc.disable()  # many small objects and no cycles among them
    from dagtool.cli._settings import resolve
    from dagtool.files import read_bytes
    from dagtool.report.explain import explain

    match = _PLACE.match(place)
    if match is None or not int(match["line"]):
        raise DagtoolError(f"{place!r} is not FILE:LINE or FILE:LINE:COLUMN", "as in outputs/ep16_tp4.dot:120")
    path, line = match["path"], int(match["line"])
    settings = resolve([path])
    rules = settings.rules()
    name = "<stdin>" if path == "-" else path
    try:
        found, more = explain(read_bytes(path), name, line, int(match["column"] or 0) or None, rules)
    except DagtoolError as error:
        known = error.message.startswith((path, name, "cannot read"))
        raise DagtoolError(error.message if known else f"{name}: {error.message}", error.hint) from None
    if output_format == "json":
        import json

        document = {"schema": "dagtool.explain/1", "subjects": list(map(_record, found)), "more": more}
        click.echo(json.dumps(document, indent=2))
        return
    click.echo("\n\n".join(as_lines(_text(one)) for one in found))
    if more:
        click.echo(f"\n… and {more:,} more on this line: FILE:LINE:COLUMN names one")


def _record(found: Explanation) -> dict[str, object]:
    """The contract: keys are added, never changed."""
    from dagtool.report.as_json import finding_record

    return {
        "path": found.path,
        "line": found.line,
        "column": found.column,
        "kind": found.kind,
        "name": found.name,
        "facts": [{"what": one.what.strip(), "value": one.value, "source": one.source} for one in found.facts],
        "type_rule": found.rule,
        "findings": list(map(finding_record, found.findings)),
    }


def _text(found: Explanation) -> Iterator[str]:
    yield f"{found.path}:{found.line}:{found.column}: {found.kind} {found.name}"
    width = max(len(fact.what) for fact in found.facts)
    values = max(len(fact.value) for fact in found.facts if len(fact.value) <= 48)
    for fact in found.facts:
        yield f"  {fact.what:<{width}}  {fact.value:<{values}}  ({fact.source})"
    yield from (f"  {sentence}" for sentence in found.rule)
    if not found.findings:
        yield "  No rule finds anything here."
    for one in found.findings:
        place = f"{one.line}:{one.column}: " if one.line is not None else ""
        yield f"  {place}{one.severity.value} {one.code} {one.name}: {one.message}"
