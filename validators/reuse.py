"""Guess which id closes a cycle because it stands for several things."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagtool.validators.roles import words

if TYPE_CHECKING:
    from dagtool.validators.context import Context

__all__ = ["reused_id"]

_LAYER = re.compile(r"(?:^|[^a-z])(?:layer|l)_?(\d{1,9})(?!\d)", re.IGNORECASE)
_SHARED = {
    *("comm", "communication", "a2a", "alltoall", "all", "allreduce", "allgather"),
    *("sync", "broadcast", "send", "recv", "transfer", "cache"),
}


def reused_id(ctx: Context, component: Sequence[int], cycle: Sequence[int]) -> str:
    """Advice naming the node that several layers, or both directions, share; empty if none stands out."""
    members = set(component)
    widest, layers = -1, set[int]()
    for node in component:
        if _layer(ctx, node) is not None:
            continue
        around = {_layer(ctx, other) for other in (*ctx.before.of(node), *ctx.after.of(node)) if other in members}
        found = {layer for layer in around if layer is not None}
        if len(found) > max(1, len(layers)):
            widest, layers = node, found
    if widest >= 0:
        ordered = sorted(layers)
        which = f"{ordered[0]} and {ordered[1]}" if len(ordered) == 2 else f"{ordered[0]} to {ordered[-1]}"
        return f"{ctx.name(widest)} is used in layers {which}: give each layer a node of its own"
    shared = [node for node in cycle if words(ctx.dag.ids[node]) & _SHARED]
    if len(cycle) == 2 and shared:
        return f"{ctx.name(shared[0])} is used in both directions: make it two nodes, there and back"
    return ""


def _layer(ctx: Context, node: int) -> int | None:
    """The layer a node belongs to, from what is declared or from its id."""
    if ctx.dag.layer_of[node] >= 0:
        return ctx.dag.layer_of[node]
    found = _LAYER.search(ctx.dag.ids[node])
    return int(found[1]) if found else None
