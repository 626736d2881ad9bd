"""Pictures of DAGs: folded, said in words, laid out, drawn."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagtool.errors import DagtoolError, MissingProgramError
from dagtool.render.picture import Picture

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

    from dagtool.dag.graph import Dag
    from dagtool.render.views import Asked

__all__ = ["FORMATS", "Drawing", "caption", "compose_drawing"]

FORMATS = ("svg", "png", "pdf", "dot", "mmd")
"""What a picture can be written as; PNG and PDF need Graphviz, ``mmd`` is Mermaid."""


_SOLVABLE = 300
"""Graphviz lays out that many nodes well and within seconds; more go to our own layout."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture, dressed, and placed if it is made of layers; ready to be drawn."""

    picture: Picture
    templates: SandboxedEnvironment = field(compare=False, repr=False)

    @property
    def nodes(self) -> int:
        """How many nodes are drawn."""
        return len(self.picture.nodes)

    @property
    def description(self) -> str:
        """What it shows, in a sentence."""
        return ". ".join(self.picture.facts)

    @property
    def source(self) -> str:
        """It as DOT text; without places where it has none yet."""
        from dagtool.render.dot import picture_dot

        return picture_dot(self.picture, self.templates)

    def draw(self, form: str, timeout: float = 60.0) -> bytes:
        """The picture as one of FORMATS.

        Raises DagtoolError with exit status 3 where Graphviz is needed (PNG, PDF) and missing, or fails.
        """
        from dagtool.templates import template_errors

        with template_errors():
            return self._drawn(form, timeout)

    def _drawn(self, form: str, timeout: float) -> bytes:
        if form == "dot":
            return self.source.encode()
        if form == "mmd":
            from dagtool.render.mermaid import mermaid

            return mermaid(self.picture).encode()
        placed = self._placed(timeout)
        if form == "svg":
            from dagtool.render.svg import picture_svg

            title = f"{placed.title}: deployment DAG"
            return picture_svg(placed, self.templates, title, self.description).encode()
        from dagtool.render.dot import picture_dot
        from dagtool.render.program import draw

        return draw(picture_dot(placed, self.templates), form, placed=True, timeout=timeout)

    def _placed(self, timeout: float) -> Picture:
        """Laid out: as it is, by Graphviz where it is installed and can, or by our own layout."""
        from functools import partial

        from dagtool.render.dot import picture_dot
        from dagtool.render.graphviz_place import place_by_graphviz
        from dagtool.render.place import place_in_rows
        from dagtool.render.program import DrawingFailedError

        if self.picture.placed:
            return self.picture
        if len(self.picture.nodes) <= _SOLVABLE:
            try:
                return place_by_graphviz(self.picture, partial(picture_dot, env=self.templates, heading=False), timeout)
            except (MissingProgramError, DrawingFailedError):
                pass
        return place_in_rows(self.picture)


def compose_drawing(
    dag: Dag, *, view: str = "layer", asked: Asked | None = None, templates: str | None = None
) -> Drawing:
    """The picture of a DAG in one of ``dagtool.render.views.view_names()``.

    Raises DagtoolError for a graph that is too large for the view, for a cycle, and for templates that fail.
    """
    from dagtool.render.views import Asked, load_view
    from dagtool.templates import template_errors

    if not dag.ids:
        raise DagtoolError("there is nothing to draw: the graph has no nodes")
    with template_errors():
        env = _environment(templates)
        return Drawing(load_view(view).picture(dag, asked or Asked(), env), env)


def _environment(templates: str | None) -> SandboxedEnvironment:
    from dagtool.render.dot import add_filters
    from dagtool.templates import environment

    env = environment(templates)
    add_filters(env)
    return env


def caption(file: str, *options: str) -> str:
    """The call that makes the picture of a file again, and the version it is made with."""
    from importlib.metadata import version

    name = "-" if file == "-" else os.path.basename(file)
    return f"dagtool render {' '.join([name, *options])} · dagtool {version('dagtool')}"
