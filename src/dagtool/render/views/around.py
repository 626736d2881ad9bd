"""A node and what lies around it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dagtool.dag.detail import Detail
from dagtool.dag.subgraph import around, subgraph
from dagtool.errors import DagtoolError, did_you_mean
from dagtool.render.views._folded import SMALL, folded_picture, unfolded_picture

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

    from dagtool.dag.graph import Dag
    from dagtool.render.picture import Picture
    from dagtool.render.views import Asked

__all__ = ["SUMMARY", "TAKES", "picture"]

SUMMARY = "the node that --node names, and what lies within --steps edges of it"
TAKES = ("node", "steps")


def picture(dag: Dag, asked: Asked, env: SandboxedEnvironment) -> Picture:
    """Its neighbourhood, marked where the node is. Raises DagtoolError for a node that is not there."""
    if not asked.node:
        raise DagtoolError("--view around needs --node ID")
    if asked.node not in dag.ids:
        hint = did_you_mean(asked.node, dag.ids) or f"the first node is {dag.ids[0]!r}"
        raise DagtoolError(f"--node {asked.node}: the graph has no such node", hint)
    held = around(dag, dag.ids.index(asked.node), asked.steps)
    part = subgraph(dag, held)
    drawn = unfolded_picture(part, asked, env) if len(held) <= SMALL else folded_picture(part, Detail(), asked, env)
    nodes = tuple(replace(node, mark="path" if node.id == asked.node else node.mark) for node in drawn.nodes)
    counts = f"{len(held):,} of {len(dag.ids):,} nodes: up to {asked.steps} edges from it"
    return replace(drawn, title=asked.node, facts=(counts, *drawn.facts[1:]), nodes=nodes)
