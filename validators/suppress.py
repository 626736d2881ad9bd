"""What a file asks not to be told: comments ``// dagtool: ignore[CODE] reason`` and attributes ``lint_ignore``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagtool.errors import did_you_mean

if TYPE_CHECKING:
    from dagtool.dot import DotGraph

__all__ = ["ATTRIBUTE", "Suppression", "Suppressions", "suppressions_in"]

ATTRIBUTE = "lint_ignore"
_MARK = "dagtool:"
_VERBS = ("ignore", "file-ignore")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|^#[^\n]*|<', re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"[/#*\s]*dagtool:\s*([\w-]*)\s*(?:\[([^\]]*)\])?\s*(.*?)[*/\s]*\Z", re.DOTALL)


@dataclass(slots=True)
class Suppression:
    """One request. ``target`` is the line it is about, None for the whole file (or for nodes, by attribute)."""

    codes: tuple[str, ...]
    reason: str
    line: int
    column: int
    target: int | None = None
    node: int | None = None
    """The first node that has it as an attribute."""
    edge: int | None = None
    problem: str = ""
    """Why it is not understood."""
    used: set[str] = field(default_factory=set)

    def covers(self, code: str) -> bool:
        """Whether it names the rule; remembered, so that those of no use can be told."""
        for prefix in self.codes:
            if code.startswith(prefix):
                self.used.add(prefix)
                return True
        return False


def suppressions_in(text: str) -> list[Suppression]:
    """The comments of a file that are meant for us."""
    if _MARK not in text:
        return []
    comments = list(_comments(text))
    code = _without(text, comments).split("\n")
    found = []
    for start, stop in comments:
        if match := _COMMENT.match(text[start:stop]):
            line = text.count("\n", 0, start) + 1
            column = start - (text.rfind("\n", 0, start) + 1) + 1
            made = _read(match, line, column)
            if match[1] == "ignore":
                last = text.count("\n", 0, stop) + 1
                made.target = _target(code, line, last)
            found.append(made)
    return found


def _comments(text: str) -> Iterator[tuple[int, int]]:
    """Where comments begin and end; what looks like one inside a label is none."""
    place = 0
    while match := _TOKEN.search(text, place):
        place = match.end()
        if match[0] == "<":
            place = _end_of_html(text, place)
        elif match[0][0] != '"':
            yield match.span()


def _end_of_html(text: str, place: int) -> int:
    depth = 1
    for match in re.compile("[<>]").finditer(text, place):
        depth += 1 if match[0] == "<" else -1
        if not depth:
            return match.end()
    return len(text)


def _without(text: str, comments: Sequence[tuple[int, int]]) -> str:
    pieces, place = [], 0
    for start, stop in comments:
        pieces += [text[place:start], "\n" * text.count("\n", start, stop)]
        place = stop
    return "".join([*pieces, text[place:]])


def _target(code: Sequence[str], first: int, last: int) -> int:
    """The line with statements a comment stands on, else the next one below it."""
    if code[first - 1].strip():
        return first
    return next((line for line in range(last, len(code) + 1) if code[line - 1].strip()), first)


def _read(match: re.Match[str], line: int, column: int) -> Suppression:
    codes = _codes(match[2] or "")
    made = Suppression(codes, match[3].strip(" \t\r\n-:*"), line, column)
    if match[1] not in _VERBS:
        near = did_you_mean(match[1], list(_VERBS))
        made.problem = f"{match[1]!r} is neither ignore nor file-ignore{f'; {near}' if near else ''}"
    elif not codes:
        made.problem = f"names no rule: write {match[1]}[CODE] and why"
    if made.problem:
        made.codes = ()
    return made


def _codes(text: str) -> tuple[str, ...]:
    return tuple(part.upper() for part in re.split(r"[,;\s]+", text.strip()) if part)


class Suppressions:
    """Those of one graph: the comments of its file, and its attributes."""

    def __init__(self, graph: DotGraph, comments: Sequence[Suppression]) -> None:
        self._graph = graph
        self.comments = comments
        self.attributes: list[Suppression] = []
        self._of_value: dict[str, Suppression] = {}
        self._nodes: list[Suppression | None] = []
        self._edges: list[Suppression | None] = []
        self._whole: Suppression | None = None
        self._by_line: dict[int, list[Suppression]] = {}
        for comment in comments:
            if comment.target is not None:
                self._by_line.setdefault(comment.target, []).append(comment)
        self._file = [comment for comment in comments if comment.target is None]
        if ATTRIBUTE in graph.text:
            self._nodes = [self._attribute(own, node=node) for node, own in enumerate(graph.node_attributes)]
            self._edges = [self._attribute(own, edge=edge) for edge, own in enumerate(graph.edge_attributes)]
            self._whole = self._attribute(graph.attributes)

    def _attribute(
        self, attributes: dict[str, str], node: int | None = None, edge: int | None = None
    ) -> Suppression | None:
        value = attributes.get(ATTRIBUTE, "")
        if not value.strip():
            return None
        if value not in self._of_value:
            codes, _, reason = value.partition(":")
            place = self._place(node, edge)
            made = Suppression(_codes(codes), reason.strip(), *place, node=node, edge=edge)
            self._of_value[value] = made
            self.attributes.append(made)
        return self._of_value[value]

    def _place(self, node: int | None, edge: int | None) -> tuple[int, int]:
        if node is not None:
            return self._graph.attribute_position(node, ATTRIBUTE) or self._graph.node_position(node)
        if edge is not None:
            return self._graph.edge_attribute_position(edge, ATTRIBUTE) or self._graph.edge_position(edge)
        return self._graph.position(self._graph.offset)

    def __bool__(self) -> bool:
        return bool(self.comments or self.attributes)

    def hide(self, code: str, line: int | None, node: int | None = None, edge: int | None = None) -> bool:
        """Whether the file asks not to be told of this rule there."""
        lines = {line} if line is not None else set()
        asked = list(self._file)
        if self._whole:
            asked.append(self._whole)
        if edge is not None:
            lines.add(self._graph.edge_position(edge).line)
            asked += [found for found in self._edges[edge : edge + 1] if found]
        elif node is not None:
            lines.add(self._graph.node_position(node).line)
            asked += [found for found in self._nodes[node : node + 1] if found]
        if self._by_line:
            asked += [found for number in lines for found in self._by_line.get(number, ())]
        hiding = [found for found in asked if found.covers(code)]  # all of them: each is of use
        return bool(hiding)
