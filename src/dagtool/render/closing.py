"""Edges that close a cycle, marked in a picture of the graph without them: by dashes and words, not by colour alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from dagtool.dag.folded import FoldedGraph
from dagtool.dag.graph import Dag
from dagtool.render.picture import Picture, PictureEdge

__all__ = ["closing_words", "with_closing"]

_NAMED = 3


def with_closing(picture: Picture, dag: Dag, folded: FoldedGraph, closing: Collection[tuple[int, int]]) -> Picture:
    """The composed picture with those edges added, or marked where they are drawn already."""
    if not closing:
        return picture
    ids = [node.id for node in picture.nodes]
    pairs = {(ids[folded.of[tail]], ids[folded.of[head]]): None for tail, head in sorted(closing)}
    edges = [_marked(edge) if (edge.tail, edge.head) in pairs else edge for edge in picture.edges]
    drawn = {(edge.tail, edge.head) for edge in picture.edges}
    edges += [_marked(PictureEdge(tail, head)) for tail, head in pairs if (tail, head) not in drawn]
    counts, *more = picture.facts
    return replace(picture, edges=tuple(edges), facts=(counts, closing_words(dag, closing), *more))


def _marked(edge: PictureEdge) -> PictureEdge:
    return replace(edge, mark="path", dashed=True, label="closes a cycle")


def closing_words(dag: Dag, closing: Collection[tuple[int, int]], drawn: str = "dashed") -> str:
    """``1 edge closes a cycle (dashed): b -> a``."""
    first = [f"{dag.ids[tail]} -> {dag.ids[head]}" for tail, head in sorted(closing)[:_NAMED]]
    more = [f"and {len(closing) - _NAMED:,} more"] if len(closing) > _NAMED else []
    said = "1 edge closes a cycle" if len(closing) == 1 else f"{len(closing):,} edges close cycles"
    return f"{said} ({drawn}): {', '.join([*first, *more])}"
