"""The findings that ``dagtool render`` lays over an HTML viewer: its own, or those of an earlier ``validate``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag
    from dagtool.render.html import Mark

__all__ = ["lint_marks", "read_marks"]

_HINT = "make one with 'dagtool validate FILE --output-format json'"


def lint_marks(dag: Dag) -> tuple[Mark, ...]:
    """What the rules find, as ``dagtool validate`` reports it without configuration."""
    from dagtool.render.html import Mark

    locate = _locator(dag)
    return tuple(
        Mark(
            one.code,
            one.severity.value,
            one.message,
            locate(one.node, one.line),
            one.line or 0,
            one.count,
            one.help,
        )
        for one in dag.validate()
    )


def read_marks(path: str, dag: Dag) -> tuple[Mark, ...]:
    """The findings of the one file in a JSON report of ``validate``. Raises DagtoolError for anything else."""
    from dagtool.files import read_bytes

    try:
        report = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise DagtoolError(f"{path}: is no JSON: {error}", _HINT) from None
    files = report.get("files") if isinstance(report, dict) else None
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        raise DagtoolError(f"{path}: is no report of validate: it has no list 'files'", _HINT)
    if len(files) != 1:
        raise DagtoolError(f"{path}: reports on {len(files)} files, the viewer shows one", _HINT)
    findings = files[0].get("findings")
    if not isinstance(findings, list):
        raise DagtoolError(f"{path}: is no report of validate: its file has no list 'findings'", _HINT)
    locate = _locator(dag)
    return tuple(_mark(path, place, one, locate) for place, one in enumerate(findings))


Locate = Callable[[str | None, int | None], int]


def _mark(path: str, place: int, record: object, locate: Locate) -> Mark:
    from dagtool.render.html import Mark

    where = f"{path}: finding {place + 1}"
    if not isinstance(record, dict):
        raise DagtoolError(f"{where} is no object", _HINT)
    code, severity, message = (_text(where, record, key) for key in ("code", "severity", "message"))
    if severity not in ("error", "warning", "info"):
        raise DagtoolError(f"{where}: severity is {severity[:40]!r}, not error, warning or info", _HINT)
    node, line, count = record.get("node"), record.get("line"), record.get("count", 1)
    help_ = record.get("help")
    return Mark(
        code,
        severity,
        message,
        locate(node if isinstance(node, str) else None, line if isinstance(line, int) else None),
        line if isinstance(line, int) else 0,
        count if isinstance(count, int) else 1,
        help_ if isinstance(help_, str) else "",
    )


def _text(where: str, record: Mapping[object, object], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise DagtoolError(f"{where} has no text {key!r}", _HINT)
    return value


def _locator(dag: Dag) -> Locate:
    """From the id or the line of a finding to its node; -1 where the graph has none there."""
    index = {name: node for node, name in enumerate(dag.ids)}
    lines: dict[int, int] = {}
    if dag.source is not None:
        for node, offset in enumerate(dag.source.node_offsets):
            lines.setdefault(dag.source.position(offset).line, node)

    def locate(node: str | None, line: int | None) -> int:
        found = index.get(node, -1) if node is not None else -1
        return found if found >= 0 or line is None else lines.get(line, -1)

    return locate
