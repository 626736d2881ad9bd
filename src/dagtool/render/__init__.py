"""Pictures of DAGs: folded, said in words, laid out, drawn."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag

__all__ = ["FORMATS", "Drawing", "caption", "compose_drawing"]

FORMATS = ("svg", "png", "pdf", "dot")
"""What a picture can be written as; only ``dot`` needs no Graphviz."""

_MAX_NODES = 2000
"""More cannot be laid out in reasonable time, nor read."""
_SMALL = 40
"""A file without operators that has no more nodes is drawn as it is."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture as DOT text, ready to be drawn."""

    source: str
    placed: bool
    """Whether every position stands in the text; else Graphviz lays it out."""
    nodes: int
    title: str
    description: str

    def draw(self, form: str, timeout: float = 60.0) -> bytes:
        """The picture as one of FORMATS. Raises DagtoolError with exit status 3 where Graphviz is missing or fails."""
        if form == "dot":
            return self.source.encode()
        from dagtool.render.program import draw
        from dagtool.render.svg import finish_svg

        data = draw(self.source, form, placed=self.placed, timeout=timeout)
        return finish_svg(data, self.title, self.description) if form == "svg" else data


def compose_drawing(dag: Dag, *, view: str = "layer", caption: str = "", templates: str | None = None) -> Drawing:
    """The picture of a DAG in one of ``dagtool.dag.folding.VIEWS``.

    Raises DagtoolError for a graph that is too large for the view, for a cycle, and for templates that fail.
    """
    from dagtool.dag.folding import FoldingError, fold
    from dagtool.render.compose import compose
    from dagtool.render.dot import picture_dot

    if not dag.ids:
        raise DagtoolError("there is nothing to draw: the graph has no nodes")
    if view == "layer" and not dag.declared and len(dag.ids) <= _SMALL:
        view = "all"
    if view == "all":
        _refuse_large(len(dag.ids), "--view layer folds equal nodes and layers")
    try:
        folded = fold(dag, view)
    except FoldingError as error:
        raise DagtoolError(str(error), "'dagtool validate' shows it; --view all draws it as it is") from None
    _refuse_large(len(folded.nodes), "its nodes are too different from each other to be folded")
    picture = compose(dag, folded, caption)
    source, placed = picture_dot(dag, folded, picture, templates)
    return Drawing(source, placed, len(folded.nodes), f"{picture.title}: deployment DAG", ". ".join(picture.facts))


def caption(file: str, view: str = "layer") -> str:
    """The call that makes the picture of a file again, and the version it is made with."""
    from importlib.metadata import version

    name = "-" if file == "-" else os.path.basename(file)
    option = "" if view == "layer" else f" --view {view}"
    return f"dagtool render {name}{option} · dagtool {version('dagtool')}"


def _refuse_large(nodes: int, hint: str) -> None:
    if nodes > _MAX_NODES:
        raise DagtoolError(f"a picture of {nodes:,} nodes could not be read (the limit is {_MAX_NODES:,})", hint)
