"""A path in words: its nodes layer by layer, with their Get_Time terms."""

from __future__ import annotations

from dagtool.cost.critical import CriticalPath
from dagtool.dag.graph import Dag
from dagtool.escape import printable

__all__ = ["route"]


def route(dag: Dag, path: CriticalPath) -> list[str]:
    """The nodes, layer by layer; a layer like the one before it is only counted."""
    products = dict(path.products)
    blocks: list[tuple[int, list[int]]] = []
    for node in path.nodes:
        layer = dag.layer_of[node]
        if not blocks or blocks[-1][0] != layer:
            blocks.append((layer, []))
        blocks[-1][1].append(node)
    lines: list[str] = []
    shown: tuple[int, ...] = ()
    skipped: list[int] = []
    for layer, nodes in blocks:
        kinds = tuple(dag.kind_of[node] for node in nodes)
        if kinds == shown and layer >= 0:
            skipped.append(layer)
            continue
        lines += _skipped(skipped)
        skipped, shown = [], kinds
        lines.append(f"  layer {layer}" if layer >= 0 else "  outside the layers")
        for node in nodes:
            one = products.get(node)
            term = f"Get_Time({one.m},{one.k},{one.n})" if one else ""
            lines.append(f"    {printable(dag.ids[node]):<40} {printable(dag.kind(node).op):<16} {term}".rstrip())
    return [*lines, *_skipped(skipped)]


def _skipped(layers: list[int]) -> list[str]:
    if not layers:
        return []
    named = f"layer {layers[0]}" if len(layers) == 1 else f"layers {layers[0]}-{layers[-1]}"
    return [f"  {named}: the same way again"]
