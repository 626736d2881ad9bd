"""From a folded graph to what its picture says: the texts of nodes, edges and legend."""

from __future__ import annotations

from collections.abc import Mapping

from dagtool.dag.folded import FoldedEdge, FoldedGraph, FoldedNode, Way
from dagtool.dag.graph import Dag, Kind
from dagtool.dag.idtemplate import group_ids
from dagtool.ops import OPERATORS
from dagtool.render.picture import Picture, PictureEdge, PictureNode, Swatch
from dagtool.render.words import (
    gpu_words,
    layer_words,
    mesh_words,
    output_words,
    place_words,
    role_words,
    sharding_words,
    times_words,
)

__all__ = ["block_of", "compose"]

_FAMILY_NAMES = {
    "compute": "computation",
    "norm": "normalisation",
    "communication": "communication",
    "routing": "routing, splitting, aggregation",
    "io": "input, output",
}


def compose(dag: Dag, folded: FoldedGraph, caption: str) -> Picture:
    """The picture of a folded graph, not yet laid out."""
    spans = _spans(dag, folded)
    nodes = tuple(_node(dag, folded, node, span) for node, span in zip(folded.nodes, spans, strict=True))
    return Picture(
        title=dag.facts.get("preset") or dag.name or "graph",
        facts=_facts(dag, folded),
        caption=caption,
        nodes=nodes,
        edges=_edges(dag, folded),
        frames=(),
        legend=_legend(nodes),
    )


def block_of(dag: Dag, node: FoldedNode) -> str:
    """The part of a layer it belongs to: ``attention`` for the role ``attention.out.all_reduce``."""
    return dag.kind(node.first).role.partition(".")[0] if node.box >= 0 and not node.whole_box else ""


def _facts(dag: Dag, folded: FoldedGraph) -> tuple[str, ...]:
    gpus = {gpu for gpus in dag.device_sets for gpu in gpus}
    where = f" on {len(gpus):,} GPU{'s' * (len(gpus) > 1)}" if gpus else ""
    shown = f", drawn as {len(folded.nodes):,} nodes" if len(folded.nodes) < len(dag.ids) else ""
    sizes = " ".join(f"{symbol}={symbol if value is None else value}" for symbol, value in dag.sizes.items())
    counts = f"{len(dag.ids):,} nodes, {len(dag.tails):,} edges{where}{shown}"
    return tuple(filter(None, (counts, mesh_words(dag), sizes)))


def _spans(dag: Dag, folded: FoldedGraph) -> list[str]:
    """Which nodes each folded node stands for: its id, or the first and the last one."""
    last = dict(zip(folded.of, range(len(folded.of)), strict=True))
    return [
        dag.ids[node.first]
        if node.count == 1
        else f"{node.count:,} nodes: {dag.ids[node.first]} … {dag.ids[last[index]]}"
        for index, node in enumerate(folded.nodes)
    ]


def _node(dag: Dag, folded: FoldedGraph, node: FoldedNode, span: str) -> PictureNode:
    if node.whole_box:
        return _layers_node(dag, folded, node, span)
    kind = dag.kind(node.first)
    if not kind.op:
        return _foreign_node(dag, folded, node, span)
    title = role_words(node.roles, block_of(dag, node)) or kind.op
    return PictureNode(
        id=dag.ids[node.first],
        members=span,
        op=kind.op,
        family=OPERATORS[kind.op].family if kind.op in OPERATORS else "compute",
        title=f"{title} {_operator_words(kind, title)}".rstrip(),
        doing=sharding_words(kind),
        output=output_words(dag, kind) if _changes(kind) else "",
        where=place_words(dag, node),
        times=times_words(dag, node),
    )


def _operator_words(kind: Kind, title: str) -> str:
    words = kind.op.replace("_", " ")
    return "" if words in title else words


def _changes(kind: Kind) -> bool:
    """Whether the output says something that the input does not."""
    return {port.type.dims for port in kind.outputs} != {port.type.dims for port in kind.inputs[:1]} or not kind.inputs


def _layers_node(dag: Dag, folded: FoldedGraph, node: FoldedNode, span: str) -> PictureNode:
    box = folded.boxes[node.box]
    same = folded.boxes[box.program].layers
    return PictureNode(
        id=dag.ids[node.first],
        members=span,
        op="",
        family="layers",
        title=layer_words(box.layers),
        doing=f"the same program as {layer_words(same).partition(' ·')[0]}" if box.program != node.box else "",
        output=f"{node.count:,} nodes",
        where=gpu_words(box.gpus),
        times="",
    )


def _foreign_node(dag: Dag, folded: FoldedGraph, node: FoldedNode, span: str) -> PictureNode:
    attributes: Mapping[str, str] = dag.source.node_attributes[node.first] if dag.source else {}
    name = dag.ids[node.first]
    if node.count > 1:
        name = group_ids([name, span.rpartition(" … ")[2]])[0].text
    return PictureNode(
        id=dag.ids[node.first],
        members=span,
        op="",
        family="",
        title=name,
        doing="",
        output="",
        where="",
        times=f"×{node.count}" if node.count > 1 else "",
        shape=attributes.get("shape", ""),
    )


def _edges(dag: Dag, folded: FoldedGraph) -> tuple[PictureEdge, ...]:
    """One edge for each pair of folded nodes."""
    pairs: dict[tuple[int, int], list[FoldedEdge]] = {}
    for edge in folded.edges:
        if edge.way is Way.FLOW:
            pairs.setdefault((edge.tail, edge.head), []).append(edge)
    return tuple(
        PictureEdge(
            tail=dag.ids[folded.nodes[tail].first],
            head=dag.ids[folded.nodes[head].first],
            slots=tuple(sorted({slot for edge in edges for slot in edge.slots or ("",)} - {""}))
            if all(edge.slots for edge in edges)
            else (),
            label=_edge_label(folded.nodes[tail], folded.nodes[head], sum(edge.count for edge in edges)),
        )
        for (tail, head), edges in pairs.items()
    )


def _edge_label(tail: FoldedNode, head: FoldedNode, count: int) -> str:
    """The number of edges in one layer, where it does not follow from the numbers of nodes."""
    if tail.box != head.box or tail.box < 0:
        known = {1, tail.count, head.count, tail.per_layer, head.per_layer}
        return "" if count in known else f"×{count:,}"
    each, rest = divmod(count, len(head.layers))
    if rest or each in {1, tail.per_layer, head.per_layer, tail.ranks, head.ranks}:
        return f"×{count:,} in all" if rest else ""
    return f"×{each:,}"


def _legend(nodes: tuple[PictureNode, ...]) -> tuple[Swatch, ...]:
    """The families present, and of communication and routing every operator, since they differ in colour."""
    entries: dict[str, Swatch] = {}
    for node in nodes:
        if node.family not in _FAMILY_NAMES:
            continue
        if node.family in ("communication", "routing"):
            entries.setdefault(node.op, Swatch(node.family, node.op, node.op.replace("_", " ")))
        else:
            entries.setdefault(node.family, Swatch(node.family, "", _FAMILY_NAMES[node.family]))
    ordered = list(_FAMILY_NAMES)
    return tuple(sorted(entries.values(), key=lambda entry: ordered.index(entry.family)))
