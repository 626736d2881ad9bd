"""What nodes say that are declared more than once: whether the statements contradict one another, and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.dot.dialect import NODE_FACTS, PARAMETERS
from dagtool.dot.fast import plain_pairs
from dagtool.dot.graphviz_names import GRAPHVIZ_NAMES
from dagtool.dot.scan import unescape
from dagtool.dot.written import read_statement
from dagtool.foreign.text import label_lines

if TYPE_CHECKING:
    from dagtool.dot.graph import DotGraph

__all__ = ["Contradiction", "contradictions"]

_LOOK = GRAPHVIZ_NAMES - {"label", "layer", "rank", *NODE_FACTS, *PARAMETERS}
"""Attributes that change the picture only: a later statement may restyle a node."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One attribute of one node with two values: each as it is read, and where its value stands in the text."""

    node: int
    attribute: str
    first: str
    first_offset: int
    last: str
    last_offset: int


@dataclass(frozen=True, slots=True)
class _Value:
    text: str
    offset: int


def contradictions(graph: DotGraph) -> Iterator[Contradiction]:
    """Compare the own attributes of all statements of each node that has several, in the order of the file."""
    again: dict[int, list[int]] = {}
    for node, offset in graph.redeclared:
        again.setdefault(node, []).append(offset)
    for node, offsets in again.items():
        said: dict[str, list[_Value]] = {}
        for offset in (graph.node_offsets[node], *offsets):
            for key, value in _own(graph.text, offset).items():
                said.setdefault(key, []).append(value)
        for key, values in said.items():
            last = values[-1]
            if (first := next((one for one in values if _contradict(key, one.text, last.text)), None)) is not None:
                yield Contradiction(node, key, first.text, first.offset, last.text, last.offset)


def _own(text: str, offset: int) -> dict[str, _Value]:
    """What one statement says of its node, other than how it looks. Of an attribute given twice the last counts."""
    pairs = plain_pairs(text, offset)
    if pairs is None:
        pairs = [(pair.key, pair.value_start, pair.value_stop) for pair in read_statement(text, offset).pairs]
    found = {}
    for key, start, stop in pairs:
        if key not in _LOOK:
            raw = text[start:stop]
            found[key] = _Value(unescape(raw[1:-1]) if raw.startswith('"') else raw, start)
    return found


def _contradict(key: str, one: str, other: str) -> bool:
    """Whether two values cannot both be meant: neither is empty, and no label only adds lines to the other."""
    if one == other:
        return False
    if key != "label":
        return bool(one.strip() and other.strip()) and one.split() != other.split()
    lines, others = set(label_lines(one)), set(label_lines(other))
    return bool(lines and others) and not (lines <= others or others <= lines)
