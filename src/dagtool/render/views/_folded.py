"""What the folded views share: fold, say in words, dress, and place in columns where there are layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dagtool.dag.detail import Detail
from dagtool.errors import DagtoolError, did_you_mean
from dagtool.render.picture import Frame, Picture

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

    from dagtool.dag.folded import FoldedGraph
    from dagtool.dag.graph import Dag
    from dagtool.render.views import Asked

__all__ = ["SMALL", "fold_open", "folded_picture", "refuse_large", "unfolded_picture"]

Closing = frozenset[tuple[int, int]]
"""Edges that close cycles."""

SMALL = 40
"""A file without operators that has no more nodes is drawn as it is."""
_MAX_NODES = 2000
"""More cannot be laid out in reasonable time, nor read."""


def folded_picture(dag: Dag, detail: Detail, asked: Asked, env: SandboxedEnvironment) -> Picture:
    """The graph with equal ranks, experts and layers folded; of a cycle the edges that close it are marked.

    Raises DagtoolError where it stays too large, and for axes to be unfolded that it does not have.
    """
    known, folded, closing = fold_open(dag, detail, asked.unfold)
    hint = "unfold fewer axes" if asked.unfold else "its nodes are too different from each other to be folded"
    refuse_large(len(folded.nodes), hint)
    return _composed(known, folded, asked, env, closing)


def fold_open(dag: Dag, detail: Detail | None = None, unfold: Sequence[str] = ()) -> tuple[Dag, FoldedGraph, Closing]:
    """The graph as its labels tell it, folded without the edges that close cycles; and these edges.

    Ranks along the axes ``unfold`` stay apart. Raises DagtoolError for axes that it does not have.
    """
    from dagtool.dag.apart import apart
    from dagtool.dag.folding import FoldingError, fold
    from dagtool.dag.opened import opened
    from dagtool.foreign.guessed_dag import guess_dag

    if unfold:
        _refuse_unknown(dag, unfold)
        dag = apart(dag, unfold)
    known = guess_dag(dag)
    try:
        return known, fold(known, detail), frozenset()
    except FoldingError:
        acyclic, closing = opened(dag)
        known = guess_dag(acyclic)
        whole = replace(known, tails=dag.tails, heads=dag.heads, edge_kind_of=dag.edge_kind_of)
        return whole, fold(known, detail), closing


def _refuse_unknown(dag: Dag, axes: Sequence[str]) -> None:
    """Raises DagtoolError for an axis that no mesh has."""
    from dagtool.dag.apart import axes_of

    known = axes_of(dag)
    if not known:
        raise DagtoolError(
            "no mesh of the file has axes, so there is nothing to unfold", "--view lanes tells GPUs apart"
        )
    for axis in axes:
        if axis not in known:
            hint = did_you_mean(axis, known) or f"its axes are {', '.join(known)}"
            raise DagtoolError(f"--unfold {axis}: no mesh has such an axis", hint)


def unfolded_picture(dag: Dag, asked: Asked, env: SandboxedEnvironment) -> Picture:
    """Every node for itself; the edges that close cycles are marked."""
    from dagtool.dag.folding import unfolded
    from dagtool.dag.opened import opened
    from dagtool.foreign.guessed_dag import guess_dag

    dag = guess_dag(dag)
    refuse_large(len(dag.ids), "--view layer folds equal nodes and layers")
    return _composed(dag, unfolded(dag), asked, env, opened(dag)[1])


def refuse_large(nodes: int, hint: str) -> None:
    """Raises DagtoolError for a picture that nobody could read."""
    if nodes > _MAX_NODES:
        raise DagtoolError(f"a picture of {nodes:,} nodes could not be read (the limit is {_MAX_NODES:,})", hint)


def _composed(dag: Dag, folded: FoldedGraph, asked: Asked, env: SandboxedEnvironment, closing: Closing) -> Picture:
    from dagtool.render.closing import with_closing
    from dagtool.render.compose import compose
    from dagtool.render.dress import dress
    from dagtool.render.frames import outlines
    from dagtool.render.mark import mark
    from dagtool.render.place import place_in_columns, place_in_rows

    marked = mark(compose(dag, folded, asked.caption), dag, folded, asked)
    picture = dress(with_closing(marked, dag, folded, closing), env)
    in_order = not closing and not asked.unfold  # columns have no room for what leads up, or lies side by side
    if in_order and (placed := place_in_columns(dag, folded, picture)):
        return placed
    frames = [
        Frame(one.id, one.kind, one.label, tuple(picture.nodes[node].id for node in one.nodes))
        for one in outlines(dag, folded, None)
    ]
    framed = replace(picture, frames=tuple(frames))
    # Graphviz would shuffle ranks from row to row, and draw an edge and the one back on one line
    return framed if in_order else place_in_rows(framed)
