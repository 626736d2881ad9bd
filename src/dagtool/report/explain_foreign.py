"""What is known of a node or an edge of a file that declares nothing, and which text says so (docs/labels.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.escape import printable
from dagtool.foreign.gpus import cluster_gpus
from dagtool.foreign.operators import operation_of
from dagtool.foreign.place import place_of_text
from dagtool.foreign.text import label_lines
from dagtool.model.mesh import format_gpus
from dagtool.report.explain import Fact
from dagtool.report.quote import name_of

if TYPE_CHECKING:
    from dagtool.foreign import NodeFacts
    from dagtool.foreign.gpus import Placement
    from dagtool.validators.context import Context

__all__ = ["edge_facts", "node_facts"]


def node_facts(ctx: Context, node: int) -> Iterator[Fact]:
    """Operator, dimensions, GPU, place in the model, look, what was not understood."""
    assert ctx.graph is not None
    assert ctx.labels is not None
    facts, attributes = ctx.labels.nodes[node], ctx.graph.node_attributes[node]
    yield _operator(ctx, node, facts)
    for what, shapes in (("input", facts.inputs), ("output", facts.outputs), ("shape", facts.bare)):
        for shape in shapes:
            name = f"{what} {shape.name}".strip()
            said = "label, under no key: taken for the output" if what == "shape" else "label"
            yield Fact(name, str(shape), said if shape.size is None else f"{said}; {shape.size:,} elements")
    if not facts.states_dimensions:
        yield Fact("dimensions", "unknown", "the label states none")
    yield _gpu(ctx, node, facts.placement)
    for what in ("layer", "stage", "expert", "rank"):
        value = getattr(facts.place, what)
        if value is not None:
            by_id = getattr(place_of_text(ctx.dag.ids[node]), what) is not None
            yield Fact(what, str(value), "id" if by_id else "title of the label")
    yield _drawn(ctx, node, attributes.get("shape"))
    for text in facts.rest:
        if text == facts.title:
            continue  # the operator's line says it
        yield Fact("not understood", printable(text), "label")


def _operator(ctx: Context, node: int, facts: NodeFacts) -> Fact:
    if not facts.operation:
        where = f"neither the title {printable(facts.title)!r} nor the id" if facts.title else "the id does not"
        return Fact("operator", "unknown", f"{where} name{'s' if facts.title else ''} one")
    by_title = bool(facts.title) and bool(operation_of(facts.title, "", ""))
    said = f"title {printable(facts.title)!r} of the label" if by_title else "id"
    sure = f"{facts.operation.confidence:.0%}"
    return Fact("operator", f"{facts.op} ({facts.operation.family})", f"{said}; how sure that is: {sure}")


def _gpu(ctx: Context, node: int, placement: Placement | None) -> Fact:
    if placement is None:
        return Fact("GPU", "unknown", "neither label nor id nor a cluster names one")
    numbers = format_gpus(placement.gpus)
    if placement.to:
        numbers += f" to {format_gpus(placement.to)}"
    vague = "all" if placement.every else "the host" if placement.host else ""
    value = numbers or ", ".join(placement.names) or vague or f"{placement.count:,} of them"
    source = placement.source
    if source == "cluster":
        source = f"cluster {_cluster(ctx, node)}"
    return Fact("GPU", value, source)


def _cluster(ctx: Context, node: int) -> str:
    """The innermost cluster that names GPUs: the last one in the file that holds the node."""
    assert ctx.graph is not None
    found = ""
    for subgraph in ctx.graph.subgraphs:
        lines = label_lines(subgraph.attributes.get("label", ""))
        if cluster_gpus(subgraph.name or "", lines) and node in subgraph.nodes:
            found = name_of(subgraph.name or "") + (f" ({printable(lines[0])})" if lines else "")
    return found


def _drawn(ctx: Context, node: int, shape: str | None) -> Fact:
    assert ctx.graph is not None
    if shape is None:
        return Fact("drawn as", "ellipse", "no attribute shape, so Graphviz's own")
    place = ctx.graph.attribute_position(node, "shape")
    said = f"attribute shape at {place.line}:{place.column}" if place else "attribute shape, a default for nodes"
    return Fact("drawn as", printable(shape), said)


def edge_facts(ctx: Context, edge: int) -> Iterator[Fact]:
    """What the labels of its ends state."""
    assert ctx.labels is not None
    tail, head = ctx.dag.tails[edge], ctx.dag.heads[edge]
    nodes = ctx.labels.nodes
    gives, takes = nodes[tail].gives, nodes[head].inputs or nodes[head].bare
    for what, node, shapes in (("tail gives", tail, gives), ("head takes", head, takes)):
        yield Fact(what, "; ".join(map(str, shapes)) or "unknown", f"label of {ctx.located(node)}")
    yield Fact(
        "GPUs",
        f"{_gpu(ctx, tail, nodes[tail].placement).value} -> {_gpu(ctx, head, nodes[head].placement).value}",
        "its ends",
    )
