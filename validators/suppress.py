"""What a file asks not to be told: comments ``// dagtool: ignore[CODE] reason`` and attributes ``lint_ignore``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagtool.errors import did_you_mean
from dagtool.validators.comments import comments_in, without

if TYPE_CHECKING:
    from dagtool.dot import DotGraph

__all__ = ["ATTRIBUTE", "Suppression", "Suppressions", "suppressions_in"]

ATTRIBUTE = "lint_ignore"
_MARK = "dagtool:"
_VERBS = ("ignore", "file-ignore", "disable", "enable")
_COMMENT = re.compile(r"[/#*\s]*dagtool:\s*([\w-]*)\s*(?:\[([^\]]*+)\])?(.*)\Z", re.DOTALL)


@dataclass(slots=True)
class Suppression:
    """One request. ``lines`` are those it is about, None for the whole file (or for nodes, by attribute)."""

    codes: tuple[str, ...]
    reason: str
    line: int
    column: int
    lines: range | None = None
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
    comments = list(comments_in(text))
    code = without(text, comments).split("\n")
    reading = _Reading(len(code))
    for start, stop in comments:
        if match := _COMMENT.match(text[start:stop]):
            line = text.count("\n", 0, start) + 1
            made = _request(match, line, start - (text.rfind("\n", 0, start) + 1) + 1)
            if match[1] == "ignore":
                target = _target(code, line, text.count("\n", 0, stop) + 1)
                made.lines = range(target, target + 1)
            reading.take(match[1], made)
    return reading.found


class _Reading:
    """The requests in the order of the file, and which of them still run."""

    def __init__(self, lines: int) -> None:
        self._end = lines + 1
        self._running: dict[str, list[Suppression]] = {}
        self.found: list[Suppression] = []

    def take(self, verb: str, made: Suppression) -> None:
        """One more comment. ``disable`` counts as one request for each code: each may end elsewhere."""
        if made.problem or verb not in ("disable", "enable"):
            self.found.append(made)
        elif verb == "disable":
            for code in made.codes:
                lines = range(made.line, self._end)
                one = Suppression((code,), made.reason, made.line, made.column, lines)
                self._running.setdefault(code, []).append(one)
                self.found.append(one)
        else:
            self._end_of(made)

    def _end_of(self, made: Suppression) -> None:
        """``enable`` ends what runs up to its own line; without codes everything."""
        codes = made.codes or tuple(self._running)
        idle = [code for code in codes if not self._running.get(code)]
        for code in codes:
            for one in self._running.pop(code, ()):
                one.lines = range(one.line, made.line + 1)
        if idle or not codes:
            what = ", ".join(idle)
            made.problem = (
                f"enable{f'[{what}]' if idle else ''} ends nothing: no disable{f'[{what}]' if idle else ''} runs"
            )
            made.codes = ()
            self.found.append(made)


def _target(code: Sequence[str], first: int, last: int) -> int:
    """The line with statements a comment stands on, else the next one below it."""
    if code[first - 1].strip():
        return first
    return next((line for line in range(last, len(code) + 1) if code[line - 1].strip()), first)


def _request(match: re.Match[str], line: int, column: int) -> Suppression:
    verb, codes = match[1], _codes(match[2] or "")
    made = Suppression(codes, match[3].rstrip("*/ \t\r\n").strip(" \t\r\n-:*"), line, column)
    if verb not in _VERBS:
        near = did_you_mean(verb, list(_VERBS))
        made.problem = f"{verb!r} is none of {', '.join(_VERBS)}{f'; {near}' if near else ''}"
    elif not codes and verb != "enable":
        made.problem = f"names no rule: write {verb}[CODE] and why"
    if made.problem:
        made.codes = ()
    return made


def _codes(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.upper() for part in re.split(r"[,;\s]+", text.strip()) if part))


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
        self._ranges: list[Suppression] = []
        for comment in comments:
            if comment.lines is not None and len(comment.lines) > 1:
                self._ranges.append(comment)
            elif comment.lines:
                self._by_line.setdefault(comment.lines[0], []).append(comment)
        self._file = [comment for comment in comments if comment.lines is None]
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
        for found in self._ranges:
            if found.lines is not None and any(number in found.lines for number in lines):
                asked.append(found)
        hiding = [found for found in asked if found.covers(code)]  # all of them: each is of use
        return bool(hiding)
