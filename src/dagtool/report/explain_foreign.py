"""What is known of a node or an edge of a file that declares nothing, and which text says so (docs/labels.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dagtool.dot.graphviz_names import GRAPHVIZ_NAMES
from dagtool.escape import printable
from dagtool.foreign.attributes import NAMES
from dagtool.model.mesh import format_gpus
from dagtool.report.explain import Fact

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
    yield _operator(facts)
    for what, shapes in (("input", facts.inputs), ("output", facts.outputs), ("shape", facts.bare)):
        for shape in shapes:
            name = f"{what} {shape.name}".strip()
            said = getattr(facts.sources, "dimensions" if what == "shape" else what)
            said += ", under no key: taken for the output" if what == "shape" else ""
            yield Fact(name, str(shape), said if shape.size is None else f"{said}; {shape.size:,} elements")
    if not facts.states_dimensions:
        yield Fact("dimensions", "unknown", "the label states none" if facts.length else "the node has no label")
    yield _gpu(facts.placement)
    for what in ("layer", "stage", "expert", "rank"):
        value = getattr(facts.place, what)
        if value is not None:
            yield Fact(what, str(value), printable(getattr(facts.sources, what)))
    yield _drawn(ctx, node, attributes.get("shape"))
    yield from _unused(facts, attributes)


def _unused(facts: NodeFacts, attributes: Mapping[str, str]) -> Iterator[Fact]:
    """What the label and the attributes say besides."""
    for text in facts.rest:
        if text == facts.title:
            continue  # the operator's line says it
        yield Fact("not understood", printable(text), "label")
    for name, value in facts.unread:
        yield Fact("not understood", printable(value), f"attribute {printable(name)}")
    used = f"{facts.sources.input}, {facts.sources.output}".replace("attribute ", "").split(", ")
    for name, value in attributes.items():
        if name not in GRAPHVIZ_NAMES and name.lower() not in NAMES and name not in used:
            yield Fact("not read", printable(value), f"attribute {printable(name)}, which has no meaning here")


def _operator(facts: NodeFacts) -> Fact:
    if not facts.operation:
        where = f"neither the title {printable(facts.title)!r} nor the id" if facts.title else "the id does not"
        return Fact("operator", "unknown", f"{where} name{'s' if facts.title else ''} one")
    source = facts.sources.operator
    said = f"title {printable(facts.title)!r} of the label" if source == "label" else printable(source)
    sure = f"{facts.operation.confidence:.0%}"
    return Fact("operator", f"{facts.op} ({facts.operation.family})", f"{said}; how sure that is: {sure}")


def _gpu(placement: Placement | None) -> Fact:
    if placement is None:
        return Fact("GPU", "unknown", "neither label nor id nor a cluster names one")
    numbers = format_gpus(placement.gpus)
    if placement.to:
        numbers += f" to {format_gpus(placement.to)}"
    vague = "all" if placement.every else "the host" if placement.host else ""
    value = numbers or ", ".join(placement.names) or vague or f"{placement.count:,} of them"
    return Fact("GPU", value, printable(placement.source))


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
    for what, node, key, shapes in (("tail gives", tail, "output", gives), ("head takes", head, "input", takes)):
        yield Fact(what, "; ".join(map(str, shapes)) or "unknown", _edge_source(ctx, node, key, bool(shapes)))
    yield Fact(
        "GPUs",
        f"{_gpu(nodes[tail].placement).value} -> {_gpu(nodes[head].placement).value}",
        "its ends",
    )


def _edge_source(ctx: Context, node: int, key: str, known: bool) -> str:
    """Which text of an end states the shapes, or that none does."""
    assert ctx.labels is not None
    facts, name = ctx.labels.nodes[node], ctx.located(node)
    if not known:
        return f"the label of {name} states none" if facts.length else f"{name} has no label"
    return f"{getattr(facts.sources, key) or facts.sources.dimensions} of {name}"
