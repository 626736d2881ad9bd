"""What could be read of a file before a fix and after it: nothing may be lost but what the fix says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dagtool.dot import DotGraph, DotSyntaxError, parse
from dagtool.dot.recover import recover
from dagtool.report.fix import Fix
from dagtool.report.quote import name_of

__all__ = ["Reading", "harm", "read"]

_Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reading:
    """The graphs of a file, or what recovery makes of one that Graphviz refuses."""

    parses: bool
    graphs: list[DotGraph]


def read(data: bytes) -> Reading:
    """Read a file as far as it goes."""
    try:
        return Reading(True, parse(data))
    except DotSyntaxError:
        return Reading(False, recover(data).graphs)


def harm(before: Reading, after: Reading, fixes: Sequence[Fix]) -> str:
    """What the fixes spoil, in words; empty where they do what they say and no more."""
    if before.parses and not after.parses:
        return "the file could no longer be read"
    removed = frozenset[str]().union(*(fix.removed_nodes for fix in fixes))
    for lost in _nodes(before).keys() - _nodes(after).keys() - removed:
        return f"the node {name_of(lost)} would be lost"
    gone = Counter(pair for fix in fixes for pair in fix.removed_edges)
    for tail, head in _edges(before) - _edges(after) - gone:
        return f"the edge {name_of(tail)} -> {name_of(head)} would be lost"
    if not before.parses:
        return ""
    changes = frozenset[str]().union(*(fix.changes for fix in fixes))
    plain = all(fix.safe for fix in fixes)
    for old, new in zip(before.graphs, after.graphs, strict=False):
        spoilt = _header(old, new, changes) or _node_facts(old, new, changes)
        if spoilt := spoilt or (_edge_facts(old, new, changes) if plain else ""):
            return spoilt
    return ""


def _nodes(reading: Reading) -> dict[str, None]:
    return {name: None for graph in reading.graphs for name in graph.node_ids}


def _edges(reading: Reading) -> Counter[_Pair]:
    found = Counter[_Pair]()
    for graph in reading.graphs:
        names = graph.node_ids
        found.update((names[tail], names[head]) for tail, head in zip(graph.tails, graph.heads, strict=True))
    return found


def _header(old: DotGraph, new: DotGraph, changes: frozenset[str]) -> str:
    same = (old.name, old.directed, old.strict) == (new.name, new.directed, new.strict)
    same = same and not _changed(old.attributes, new.attributes, changes)
    return "" if same else "the graph itself would become another"


def _node_facts(old: DotGraph, new: DotGraph, changes: frozenset[str]) -> str:
    """The first node an attribute of which would change though no fix is about it."""
    for name, own in zip(old.node_ids, old.node_attributes, strict=True):
        node = new.index.get(name)
        if node is not None and (key := _changed(own, new.node_attributes[node], changes)):
            return f"{key} of the node {name_of(name)} would change"
    return ""


def _edge_facts(old: DotGraph, new: DotGraph, changes: frozenset[str]) -> str:
    """The same for edges, which safe fixes leave as they are; and no edge may come to be."""
    if (old.node_ids, old.tails, old.heads) != (new.node_ids, new.tails, new.heads):
        return "other nodes and edges would be read"
    for edge, own in enumerate(old.edge_attributes):
        if key := _changed(own, new.edge_attributes[edge], changes):
            return f"{key} of the edge {name_of(old.node_ids[old.tails[edge]])} -> … would change"
    return ""


def _changed(old: dict[str, str], new: dict[str, str], allowed: frozenset[str]) -> str:
    if old is new or old == new:
        return ""
    keys = {**old, **new}
    return next((key for key in keys if key not in allowed and old.get(key) != new.get(key)), "")
