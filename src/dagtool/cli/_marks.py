"""The findings laid over an HTML viewer: those of the rules now, or of an earlier report of ``validate``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag
    from dagtool.dag.idmatch import IdIndex
    from dagtool.render.html import Mark

__all__ = ["lint_marks", "read_marks"]

_HINT = "make one with 'dagtool validate FILE --output-format json'"


def lint_marks(file: str, dag: Dag) -> tuple[Mark, ...]:
    """What the rules find in a file, as ``dagtool validate`` reports it."""
    from dagtool.cli._lint import lint
    from dagtool.render.html import Mark

    locate = _Locator(dag)
    return tuple(
        Mark(
            one.code,
            one.severity.value,
            one.message,
            locate(one.node, one.line, one.notes),
            one.line or 0,
            one.count,
            one.help,
        )
        for one in lint(file, dag, group=True)
    )


def read_marks(path: str, dag: Dag) -> tuple[Mark, ...]:
    """The findings of the one file in a JSON report of ``validate``. Raises DagtoolError for anything else."""
    from dagtool.cli._json import read_json

    report = read_json(path, _HINT)
    files = report.get("files") if isinstance(report, dict) else None
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        raise DagtoolError(f"{path}: is no report of validate: it has no list 'files'", _HINT)
    if len(files) != 1:
        raise DagtoolError(f"{path}: reports on {len(files)} files, the viewer shows one", _HINT)
    findings = files[0].get("findings")
    if not isinstance(findings, list):
        raise DagtoolError(f"{path}: is no report of validate: its file has no list 'findings'", _HINT)
    locate = _Locator(dag)
    return tuple(_mark(path, place, one, locate) for place, one in enumerate(findings))


def _mark(path: str, place: int, record: object, locate: _Locator) -> Mark:
    from dagtool.render.html import Mark

    where = f"{path}: finding {place + 1}"
    if not isinstance(record, dict):
        raise DagtoolError(f"{where} is no object", _HINT)
    code, severity, message = (_text(where, record, key) for key in ("code", "severity", "message"))
    if severity not in ("error", "warning", "info"):
        raise DagtoolError(f"{where}: severity is {severity[:40]!r}, not error, warning or info", _HINT)
    node, line, count = record.get("node"), record.get("line"), record.get("count", 1)
    notes, help_ = record.get("notes"), record.get("help")
    told = [note for note in notes if isinstance(note, str)] if isinstance(notes, list) else []
    return Mark(
        code,
        severity,
        message,
        locate(node if isinstance(node, str) else None, line if isinstance(line, int) else None, told),
        line if isinstance(line, int) else 0,
        count if isinstance(count, int) else 1,
        help_ if isinstance(help_, str) else "",
    )


def _text(where: str, record: Mapping[object, object], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise DagtoolError(f"{where} has no text {key!r}", _HINT)
    return value


class _Locator:
    """From the id, the line and the notes of a finding to the nodes it is about."""

    def __init__(self, dag: Dag) -> None:
        self._index = {name: node for node, name in enumerate(dag.ids)}
        self._ids = dag.ids
        self._lines: dict[int, int] = {}
        if dag.source is not None:
            for node, offset in enumerate(dag.source.node_offsets):
                self._lines.setdefault(dag.source.position(offset).line, node)

    @cached_property
    def _templates(self) -> IdIndex:
        from dagtool.dag.idmatch import IdIndex

        return IdIndex(self._ids)

    def __call__(self, node: str | None, line: int | None, notes: Iterable[str]) -> tuple[int, ...]:
        """The node named comes first; those of which the notes list the ids follow, of edges both ends."""
        first = self._index.get(node, -1) if node is not None else -1
        if first < 0 and line is not None:
            first = self._lines.get(line, -1)
        found = {first: None} if first >= 0 else {}
        for note in notes:
            for part in note.split(", "):
                for template in part.split(" -> "):
                    found |= dict.fromkeys(self._templates.find(template))
        return tuple(found)
