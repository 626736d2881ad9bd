"""A path, or single nodes, marked in a folded picture: by outline and by a text, never by colour alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from dagtool.dag.folded import FoldedGraph
from dagtool.dag.graph import Dag
from dagtool.render.picture import Picture, PictureEdge, PictureNode, Swatch

if TYPE_CHECKING:
    from dagtool.render.views import Asked

__all__ = ["mark", "mark_path"]


def mark(picture: Picture, dag: Dag, folded: FoldedGraph, asked: Asked) -> Picture:
    """The picture with what is asked for marked, and the rest of it pale. A folded node is marked if a member is."""
    if not asked.path and not asked.badges:
        return replace(picture, facts=(*picture.facts, *asked.remarks))
    number = {name: node for node, name in enumerate(dag.ids)}
    steps = [folded.of[number[name]] for name in asked.path if name in number]
    badges = _places(steps)
    for name, text in asked.badges:
        if name in number:
            badges.setdefault(folded.of[number[name]], text)
    ids = [node.id for node in picture.nodes]
    along = {(ids[tail], ids[head]) for tail, head in pairwise(steps) if tail != head}
    entry = (Swatch("edge", "", "path", "critical path, in its order"),) if steps else ()
    return replace(
        picture,
        facts=(*picture.facts, *asked.remarks),
        nodes=tuple(_node(node, badges, place) for place, node in enumerate(picture.nodes)),
        edges=tuple(_edge(edge, along) for edge in picture.edges),
        legend=(*picture.legend, *entry),
    )


def _places(steps: list[int]) -> dict[int, str]:
    """Where each folded node comes on the path, the first time."""
    order = dict.fromkeys(steps)
    return {node: str(place) for place, node in enumerate(order, 1)}


def _node(node: PictureNode, badges: Mapping[int, str], place: int) -> PictureNode:
    if place in badges:
        return replace(node, mark="path", badge=badges[place])
    return replace(node, mark="off")


def _edge(edge: PictureEdge, along: set[tuple[str, str]]) -> PictureEdge:
    return replace(edge, mark="path" if (edge.tail, edge.head) in along else "off")


def mark_path(dag: Dag, asked: Asked) -> Asked:
    """With the critical path to be marked, its sum under the title. Raises DagtoolError for a graph with a cycle."""
    from dagtool.render.views.path import path_of, sum_lines

    found = path_of(dag)
    return replace(asked, path=tuple(dag.ids[node] for node in found.nodes), remarks=sum_lines(found.expression))
