"""What the folded views share: fold, say in words, dress, and place in columns where there are layers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dagtool.dag.detail import Detail
from dagtool.errors import DagtoolError
from dagtool.render.picture import Frame, Picture

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

    from dagtool.dag.folded import FoldedGraph
    from dagtool.dag.graph import Dag
    from dagtool.render.views import Asked

__all__ = ["SMALL", "folded_picture", "refuse_large", "unfolded_picture"]

SMALL = 40
"""A file without operators that has no more nodes is drawn as it is."""
_MAX_NODES = 2000
"""More cannot be laid out in reasonable time, nor read."""


def folded_picture(dag: Dag, detail: Detail, asked: Asked, env: SandboxedEnvironment) -> Picture:
    """The graph with equal ranks, experts and layers folded. Raises DagtoolError where there is a cycle."""
    from dagtool.dag.folding import FoldingError, fold
    from dagtool.render.told import told

    dag = told(dag)
    try:
        folded = fold(dag, detail)
    except FoldingError as error:
        raise DagtoolError(str(error), "'dagtool validate' shows it; --view all draws it as it is") from None
    refuse_large(len(folded.nodes), "its nodes are too different from each other to be folded")
    return _composed(dag, folded, asked, env)


def unfolded_picture(dag: Dag, asked: Asked, env: SandboxedEnvironment) -> Picture:
    """Every node for itself."""
    from dagtool.dag.folding import unfolded
    from dagtool.render.told import told

    dag = told(dag)
    refuse_large(len(dag.ids), "--view layer folds equal nodes and layers")
    return _composed(dag, unfolded(dag), asked, env)


def refuse_large(nodes: int, hint: str) -> None:
    """Raises DagtoolError for a picture that nobody could read."""
    if nodes > _MAX_NODES:
        raise DagtoolError(f"a picture of {nodes:,} nodes could not be read (the limit is {_MAX_NODES:,})", hint)


def _composed(dag: Dag, folded: FoldedGraph, asked: Asked, env: SandboxedEnvironment) -> Picture:
    from dagtool.render.compose import compose
    from dagtool.render.dress import dress
    from dagtool.render.frames import outlines
    from dagtool.render.mark import mark
    from dagtool.render.place import place_in_columns

    picture = dress(mark(compose(dag, folded, asked.caption), dag, folded, asked), env)
    if placed := place_in_columns(dag, folded, picture):
        return placed
    frames = [
        Frame(one.id, one.kind, one.label, tuple(picture.nodes[node].id for node in one.nodes))
        for one in outlines(dag, folded, None)
    ]
    return replace(picture, frames=tuple(frames))
