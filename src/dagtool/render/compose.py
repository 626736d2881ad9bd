"""From a folded graph to what its picture says: the texts of nodes, edges and legend."""

from __future__ import annotations

from collections.abc import Iterable

from dagtool.dag.apart import AT
from dagtool.dag.folded import FoldedEdge, FoldedGraph, FoldedNode, Way
from dagtool.dag.graph import Dag, Kind
from dagtool.foreign.guessed_dag import role_of_id
from dagtool.ops import OPERATORS
from dagtool.render.picture import Picture, PictureEdge, PictureNode, Swatch
from dagtool.render.words import (
    attributes_of,
    gpu_words,
    label_words,
    layer_words,
    mesh_words,
    output_words,
    place_words,
    role_words,
    sharding_words,
    times_words,
)

__all__ = ["BLOCK_NAMES", "block_of", "compose", "heading_facts", "legend_of"]

BLOCK_NAMES = {"moe": "MoE", "mlp": "MLP"}
"""How blocks are written where their role is not a word."""
_FAMILY_NAMES = {
    "compute": "computation",
    "norm": "normalisation",
    "communication": "communication",
    "routing": "routing, splitting, aggregation",
    "io": "input, output",
}


def compose(dag: Dag, folded: FoldedGraph, caption: str) -> Picture:
    """The picture of a folded graph, not yet laid out."""
    nodes = _nodes(dag, folded)
    edges = _edges(dag, folded)
    return Picture(
        title=dag.facts.get("preset") or dag.name or "graph",
        facts=heading_facts(dag, folded),
        caption=caption,
        nodes=nodes,
        edges=edges,
        frames=(),
        legend=legend_of(nodes, edges),
    )


def block_of(dag: Dag, node: FoldedNode) -> str:
    """The part of a layer it belongs to: ``attention`` for the role ``attention.out.all_reduce``."""
    return dag.kind(node.first).role.partition(".")[0] if node.box >= 0 and not node.whole_box else ""


def heading_facts(dag: Dag, folded: FoldedGraph | None = None, drawn: int = 0) -> tuple[str, ...]:
    """Counts, meshes, sizes: what stands under the title. ``drawn`` nodes, where not as many as in ``folded``."""
    gpus = {gpu for gpus in dag.device_sets for gpu in gpus}
    where = f" on {len(gpus):,} GPU{'s' * (len(gpus) > 1)}" if gpus else ""
    drawn = drawn or (len(folded.nodes) if folded else 0)
    shown = f", drawn as {_nodes_words(drawn)}" if 0 < drawn < len(dag.ids) else ""
    sizes = " ".join(f"{symbol}={symbol if value is None else value}" for symbol, value in dag.sizes.items())
    counts = f"{_nodes_words(len(dag.ids))}, {len(dag.tails):,} edge{'s' * (len(dag.tails) != 1)}{where}{shown}"
    return tuple(filter(None, (counts + _apart(dag), mesh_words(dag), sizes)))


def _nodes_words(count: int) -> str:
    return f"{count:,} node{'s' * (count != 1)}"


def _apart(dag: Dag) -> str:
    """How many nodes no edge touches: a picture of few folded nodes would hide that they are many."""
    alone = len(dag.ids) - len({*dag.tails, *dag.heads})
    return f"; {alone:,} node{'s have' if alone > 1 else ' has'} no edge" if alone and len(dag.ids) > 1 else ""


def _spans(dag: Dag, folded: FoldedGraph) -> list[str]:
    """Which nodes each folded node stands for: its id, or the first and the last one."""
    last = dict(zip(folded.of, range(len(folded.of)), strict=True))
    return [
        dag.ids[node.first]
        if node.count == 1
        else f"{node.count:,} nodes: {dag.ids[node.first]} … {dag.ids[last[index]]}"
        for index, node in enumerate(folded.nodes)
    ]


def _nodes(dag: Dag, folded: FoldedGraph) -> tuple[PictureNode, ...]:
    members = [] if dag.declared else folded.members()
    found: list[PictureNode] = []
    for index, (node, span) in enumerate(zip(folded.nodes, _spans(dag, folded), strict=True)):
        if node.whole_box:
            found.append(_layers_node(dag, folded, node, span))
        elif node.block:
            found.append(_block_node(dag, node, span))
        else:
            found.append(_node(dag, node, span) if dag.declared else _foreign_node(dag, node, members[index], span))
    return tuple(found)


def _node(dag: Dag, node: FoldedNode, span: str) -> PictureNode:
    kind = dag.kind(node.first)
    title = role_words(node.roles, block_of(dag, node)) or kind.op or dag.ids[node.first]
    return PictureNode(
        id=dag.ids[node.first],
        members=span,
        op=kind.op,
        family=OPERATORS[kind.op].family if kind.op in OPERATORS else "compute",
        title=_with_operator(title, kind),
        doing=sharding_words(kind),
        output=output_words(dag, kind) if _changes(kind) else "",
        where=" · ".join(filter(None, (kind.parameters.get(AT, ""), place_words(dag, node)))),
        times=times_words(dag, node),
    )


def _with_operator(title: str, kind: Kind) -> str:
    """``q, k, v (linear)``; the operator is left out where the role names it: ``softmax``, ``out all reduce``."""
    words = kind.parameters.get("function") or kind.op.replace("_", " ")
    if words in title:
        return title
    return words if words.startswith(f"{title} ") else f"{title} ({words})"


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
        output="",
        where=gpu_words(box.gpus),
        times=_nodes_words(node.count),
    )


def _block_node(dag: Dag, node: FoldedNode, span: str) -> PictureNode:
    return PictureNode(
        id=dag.ids[node.first],
        members=span,
        op="",
        family="layers",
        title=BLOCK_NAMES.get(node.block, node.block),
        doing="",
        output="",
        where=gpu_words(node.gpus),
        times=_nodes_words(node.count),
    )


def _foreign_node(dag: Dag, node: FoldedNode, members: list[int], span: str) -> PictureNode:
    """A node of a file that declares nothing: its operator where that is known, else what its label says."""
    name, kind = dag.ids[node.first], dag.kind(node.first)
    known = kind.parameters.get("family", "")
    output, where = kind.parameters.get("output", ""), gpu_words(node.gpus)
    by_role = known and (len(node.roles) > 1 or role_of_id(name))
    words, doing = (role_words(node.roles, block_of(dag, node)), "") if by_role else label_words(dag, members)
    return PictureNode(
        id=name,
        members=span,
        op=kind.op,
        family=known,
        title=words or "(no name)",
        doing="" if output or where else doing,
        output=output,
        where=where,
        times=times_words(dag, node) if known else f"×{node.per_layer}" if node.per_layer > 1 else "",
        shape="" if known else attributes_of(dag, node.first).get("shape", ""),
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
            label=_edge_label(folded, edges),
        )
        for (tail, head), edges in pairs.items()
    )


def _edge_label(folded: FoldedGraph, edges: list[FoldedEdge]) -> str:
    """The number of edges, in one layer, where it does not follow from the numbers of nodes."""
    tail, head = folded.nodes[edges[0].tail], folded.nodes[edges[0].head]
    if tail.whole_box or head.whole_box or tail.block or head.block:
        return ""
    known = {1} | {number for node in (tail, head) for number in (node.count, node.per_layer, node.ranks)}
    layers = len(head.layers) if tail.box == head.box and tail.box >= 0 else 1
    if all(edge.count % layers == 0 and edge.count // layers in known for edge in edges):
        return ""
    each, rest = divmod(sum(edge.count for edge in edges), layers)
    return f"×{each * layers + rest:,} in all" if rest else f"×{each:,}"


def legend_of(nodes: Iterable[PictureNode], edges: Iterable[PictureEdge]) -> tuple[Swatch, ...]:
    """The families present, of communication and routing every operator; special edges; what ×N means."""
    entries: dict[str, Swatch] = {}
    for node in nodes:
        if node.op and node.family in ("communication", "routing"):
            entries.setdefault(node.op, Swatch("node", node.family, node.op, node.op.replace("_", " ")))
        elif node.family in _FAMILY_NAMES:
            entries.setdefault(node.family, Swatch("node", node.family, "", _FAMILY_NAMES[node.family]))
    ordered = list(_FAMILY_NAMES)
    found = sorted(entries.values(), key=lambda entry: ordered.index(entry.family))
    if any(edge.slots == ("route",) for edge in edges):
        found.append(Swatch("edge", "", "route", "selection of the gate"))
    if any("×" in node.times for node in nodes):
        found.append(Swatch("text", "", "", "×N: N such nodes in a layer"))
    return tuple(found)
