"""Two versions of one file: what an edit mended, what it broke, what it lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagtool.escape import printable
from dagtool.report.finding import Finding, Severity
from dagtool.report.fingerprint import fingerprint
from dagtool.report.quote import name_of

if TYPE_CHECKING:
    from dagtool.cli._settings import Settings

__all__ = ["SCHEMA", "Comparison", "compare"]

SCHEMA = "dagtool.against/1"
_SHOWN = 20

_Edge = tuple[str, str]


@dataclass(slots=True)
class _Version:
    """One of the two files."""

    findings: dict[str, Finding] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    nodes: dict[str, None] = field(default_factory=dict)
    edges: Counter[_Edge] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Change:
    """A finding, by its fingerprint, and in how many places it is in either version."""

    finding: Finding
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs."""

    old_path: str
    new_path: str
    changes: list[Change]
    nodes_lost: list[str]
    nodes_gained: list[str]
    edges_lost: list[_Edge]
    edges_gained: list[_Edge]

    @property
    def _groups(self) -> dict[str, list[Change]]:
        return {
            "gone": [change for change in self.changes if not change.new],
            "fewer": [change for change in self.changes if 0 < change.new < change.old],
            "more": [change for change in self.changes if 0 < change.old < change.new],
            "appeared": [change for change in self.changes if not change.old],
        }

    def status(self, fail_on: str) -> int:
        """1 if a finding at or above ``fail_on`` is new or in more places than before."""
        if fail_on == "never":
            return 0
        worse = (change for change in self.changes if change.new > change.old)
        return int(any(change.finding.severity.rank >= Severity(fail_on).rank for change in worse))

    def text(self) -> Iterator[str]:
        """For people."""
        yield f"{printable(f'{self.old_path} -> {self.new_path}')}\n"
        titles = {"gone": "Findings gone", "fewer": "Fewer", "more": "More", "appeared": "Findings new"}
        for key, changes in self._groups.items():
            if changes or key in ("gone", "appeared"):
                yield f"{titles[key]}: {len(changes):,}\n"
            for change in changes[:_SHOWN]:
                yield f"  {printable(_line(change))}\n"
            if len(changes) > _SHOWN:
                yield f"  … and {len(changes) - _SHOWN:,} more kinds\n"
        yield f"Nodes lost: {_listed(self.nodes_lost)}\nNodes gained: {_listed(self.nodes_gained)}\n"
        for title, edges in (("lost", self.edges_lost), ("gained", self.edges_gained)):
            yield f"Edges {title}: {_listed([f'{tail} -> {head}' for tail, head in edges])}\n"

    def json(self) -> str:
        """The contract: keys are added, never changed."""
        document = {
            "schema": SCHEMA,
            "old": self.old_path,
            "new": self.new_path,
            **{key: list(map(_record, changes)) for key, changes in self._groups.items()},
            "nodes_lost": self.nodes_lost,
            "nodes_gained": self.nodes_gained,
            "edges_lost": self.edges_lost,
            "edges_gained": self.edges_gained,
        }
        return json.dumps(document, indent=2) + "\n"


def _line(change: Change) -> str:
    finding = change.finding
    places = f"{change.old:,} -> {change.new:,} places" if change.old and change.new else ""
    count = max(change.old, change.new)
    times = places or (f"{count:,} places" if count > 1 else "")
    example = f"such as {finding.message}" if count > 1 else finding.message
    return f"{finding.severity.value} {finding.code} {finding.name}: {example}{f' [{times}]' if times else ''}"


def _record(change: Change) -> dict[str, object]:
    finding = change.finding
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "fingerprint": fingerprint(finding),
        "old_count": change.old,
        "new_count": change.new,
        "line": finding.line,
    }


def _listed(names: Sequence[str]) -> str:
    from dagtool.dag.idtemplate import group_ids

    if not names:
        return "none"
    groups = group_ids(names)
    shown = [name_of(group.text) + (f" ({group.count:,})" if group.count > 1 else "") for group in groups[:_SHOWN]]
    more = f", … and {len(groups) - _SHOWN:,} more" if len(groups) > _SHOWN else ""
    return f"{len(names):,}: {', '.join(shown)}{more}"


def compare(old: str, new: str, settings: Settings) -> Comparison:
    """Compare two files. Raises DagtoolError for one that cannot be read or is not DOT."""
    before, after = _version(old, settings), _version(new, settings)
    changes = []
    for mark in dict.fromkeys([*before.findings, *after.findings]):
        finding = after.findings.get(mark) or before.findings[mark]
        if before.counts[mark] != after.counts[mark]:
            changes.append(Change(finding, before.counts[mark], after.counts[mark]))
    return Comparison(
        "<stdin>" if old == "-" else old,
        "<stdin>" if new == "-" else new,
        changes,
        _missing(before.nodes, after.nodes),
        _missing(after.nodes, before.nodes),
        list((before.edges - after.edges).elements()),
        list((after.edges - before.edges).elements()),
    )


def _missing(names: Iterable[str], there: dict[str, None]) -> list[str]:
    return [name for name in names if name not in there]


def _version(path: str, settings: Settings) -> _Version:
    from dagtool.dot import parse
    from dagtool.errors import DagtoolError
    from dagtool.files import read_bytes

    data = read_bytes(path)
    report = settings.check(data, "<stdin>" if path == "-" else path)
    if not report.parses:
        finding = report.findings[0]  # the first cause; what is behind it is about the rest of the file
        raise DagtoolError(f"{report.path}:{finding.line}:{finding.column}: {finding.message}", finding.help)
    version = _Version()
    for finding in report.findings:
        mark = fingerprint(finding)
        version.findings.setdefault(mark, finding)
        version.counts[mark] += finding.count
    for graph in parse(data):
        names = graph.node_ids
        version.nodes.update(dict.fromkeys(names))
        for tail, head in zip(graph.tails, graph.heads, strict=True):
            pair = (names[tail], names[head])
            version.edges[pair if graph.directed else (min(pair), max(pair))] += 1
    return version
