"""What a notebook shows of a DAG (https://ipython.readthedocs.io/en/stable/config/integrating.html#rich-display)."""

from __future__ import annotations

from collections.abc import Container

from dagtool.dag.graph import Dag
from dagtool.errors import DagtoolError

__all__ = ["mimebundle"]


def mimebundle(dag: Dag, include: object = None, exclude: object = None) -> dict[str, str]:
    """By media type: the folded picture where one can be drawn, and always a line of text."""
    from dagtool.render.compose import heading_facts

    name = dag.facts.get("preset") or dag.name or "graph"
    found = {"text/plain": f"<Dag {name}: {heading_facts(dag)[0]}>"}
    if _wanted("image/svg+xml", include, exclude):
        from dagtool.render import compose_drawing

        try:
            found["image/svg+xml"] = compose_drawing(dag).draw("svg").decode()
        except DagtoolError as error:  # a cycle, an empty graph: the text says so
            found["text/plain"] += f" (no picture: {error.message})"
    return {kind: text for kind, text in found.items() if _wanted(kind, include, exclude)}


def _wanted(kind: str, include: object, exclude: object) -> bool:
    wanted = not isinstance(include, Container) or not include or kind in include
    return wanted and not (isinstance(exclude, Container) and kind in exclude)
