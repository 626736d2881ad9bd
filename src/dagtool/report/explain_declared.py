"""What is known of a node or an edge of our dialect, and from which attribute."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dagtool.dag.reasons import explain_collectives
from dagtool.escape import printable
from dagtool.model.mesh import format_gpus
from dagtool.model.roles import base_role
from dagtool.model.size import SizeError
from dagtool.ops import OPERATORS
from dagtool.report.explain import Fact

if TYPE_CHECKING:
    from dagtool.dag.graph import Kind
    from dagtool.model.tensor import TensorType
    from dagtool.validators.context import Context

__all__ = ["edge_facts", "node_facts", "type_rule"]

_RANKS = 4
"""GPUs whose position is told."""
_FED = 4
"""Edges into a node that are told."""
_READ_ELSEWHERE = ("op", "role", "gpu", "layer_index", "expert", "input", "output")


def node_facts(ctx: Context, node: int) -> Iterator[Fact]:
    """Operator, role, place, types, parameters, look, what comes in."""
    assert ctx.graph is not None
    kind, attributes = ctx.dag.kind(node), ctx.graph.node_attributes[node]
    yield Fact("operator", kind.op or "none", _source(ctx, node, "op"))
    for what, key in (("role", "role"), ("layer", "layer_index"), ("expert", "expert")):
        if key in attributes:
            yield Fact(what, printable(attributes[key]), _source(ctx, node, key))
    gpus = ctx.dag.gpus(node)
    yield Fact("GPU", format_gpus(gpus) or "none", _source(ctx, node, "gpu"))
    yield from _ranks(ctx, kind, gpus)
    for what, ports in (("input", kind.inputs), ("output", kind.outputs)):
        for port in ports:
            yield Fact(f"{what} {port.name}".strip(), str(port.type), _source(ctx, node, what))
            yield from _local(ctx, port.type)
    for key, text in kind.params:
        yield Fact(key, printable(text), _source(ctx, node, key))
    yield from _reason(ctx, node)
    yield Fact("drawn as", printable(attributes.get("shape", "ellipse")), _source(ctx, node, "shape"))
    yield from _fed(ctx, node)


def _reason(ctx: Context, node: int) -> Iterator[Fact]:
    """Why there is a collective, and how many there are of the same operator, by what they follow."""
    dag = ctx.dag
    index = dag.kind_of[node]
    if (why := explain_collectives(dag).get(index)) is None:
        return
    op = dag.kinds[index].op
    yield Fact("why", why, "the layouts of its input and of what it feeds")
    counts = Counter(base_role(dag.kind(one).role) for one in range(len(dag.ids)) if dag.kind(one).op == op)
    parts = ", ".join(f"{count:,} after {module or 'a node without a role'}" for module, count in counts.most_common())
    total = counts.total()
    yield Fact("how many", f"{total:,} {op} node{'s' if total > 1 else ''}: {parts}", "all nodes of this operator")


def _source(ctx: Context, node: int, key: str) -> str:
    """Where an attribute of a node is set."""
    assert ctx.graph is not None
    if key not in ctx.graph.node_attributes[node]:
        return f"no attribute {key}" + (", so Graphviz's own" if key == "shape" else "")
    place = ctx.graph.attribute_position(node, key)
    return f"attribute {key} at {place.line}:{place.column}" if place else f"attribute {key}, a default for nodes"


def _ranks(ctx: Context, kind: Kind, gpus: tuple[int, ...]) -> Iterator[Fact]:
    """The position of each GPU on the meshes of the node's types."""
    for name in kind.meshes:
        mesh = ctx.dag.meshes.get(name)
        if mesh is None:
            continue
        for gpu in [gpu for gpu in gpus if gpu in mesh.gpus][:_RANKS]:
            position = " ".join(f"{axis}={index}" for axis, index in mesh.position(gpu).items())
            yield Fact(f"rank of GPU {gpu}", position or "the only one", f"mesh {mesh}")


def _local(ctx: Context, tensor: TensorType) -> Iterator[Fact]:
    """The shape on one GPU, in numbers where the sizes are."""
    mesh = ctx.dag.meshes.get(tensor.mesh)
    if mesh is None:
        return
    numbers = {symbol: size for symbol, size in ctx.dag.sizes.items() if size}
    try:
        sizes = [size.bind(numbers) for size in tensor.local_shape(mesh.sizes)]
    except (KeyError, SizeError, ZeroDivisionError):
        return  # DIM205 and DIM207 say why not
    axes = ",".join(tensor.sharded_axes)
    yield Fact(
        "  on one GPU",
        f"[{', '.join(map(str, sizes))}]",
        f"sizes and meshes of the graph{f', cut along {axes}' if axes else ''}",
    )


def _fed(ctx: Context, node: int) -> Iterator[Fact]:
    """What its edges bring."""
    assert ctx.graph is not None
    edges = [edge for edge, head in enumerate(ctx.dag.heads) if head == node]
    for edge in edges[:_FED]:
        tail = ctx.dag.tails[edge]
        gives = "; ".join(str(port.type) for port in ctx.dag.kind(tail).outputs) or "no type"
        slots = ctx.dag.edge_kinds[ctx.dag.edge_kind_of[edge]].slots
        place = ctx.graph.edge_position(edge)
        what = " ".join(["fed", *slots])
        yield Fact(what, f"{ctx.name(tail)}: {gives}", f"edge at {place.line}:{place.column}")
    if len(edges) > _FED:
        yield Fact("fed", f"… and by {len(edges) - _FED:,} more", "edges")


def edge_facts(ctx: Context, edge: int) -> Iterator[Fact]:
    """What the tail gives, what the head takes, which inputs the edge fills."""
    assert ctx.graph is not None
    tail, head = ctx.dag.tails[edge], ctx.dag.heads[edge]
    kind = ctx.dag.edge_kinds[ctx.dag.edge_kind_of[edge]]
    for what, names, attribute in (("fills", kind.slots, "arg"), ("takes output", kind.outputs, "out")):
        if names:
            yield Fact(what, ",".join(names), f"attribute {attribute} of the edge")
    op = OPERATORS.get(ctx.dag.kind(head).op)
    if not kind.slots and op is not None and op.slots:
        yield Fact("fills", op.slots[0], f"no attribute arg, so the first input of {op.name}")
    for end, node, ports in (("tail gives", tail, "output"), ("head takes", head, "input")):
        held = ctx.dag.kind(node).outputs if ports == "output" else ctx.dag.kind(node).inputs
        types = "; ".join(f"{f'{port.name}: ' if port.name else ''}{port.type}" for port in held) or "no type"
        yield Fact(end, types, f"{ctx.located(node)}, {_source(ctx, node, ports)}")
    yield Fact("GPUs", f"{_gpus(ctx, tail)} -> {_gpus(ctx, head)}", "attributes gpu of its ends")


def _gpus(ctx: Context, node: int) -> str:
    return format_gpus(ctx.dag.gpus(node)) or "none"


def type_rule(ctx: Context, node: int) -> Iterator[str]:
    """What the operator is, what its rule demands, and what follows from the declared inputs."""
    index = ctx.dag.kind_of[node]
    kind = ctx.dag.kinds[index]
    operator = OPERATORS.get(kind.op)
    if operator is None:
        return
    yield f"{operator.name}: {_first(type(operator))}"
    yield f"Its rule: {_first(operator.infer)}"
    if index in ctx.refusals:
        yield f"It refuses the declared inputs: {ctx.refusals[index]}."
        return
    inferred = ctx.inferred[index]
    if inferred is not None:
        declared = tuple(port.type for port in kind.outputs)
        agree = "as declared" if inferred == declared else "not what is declared"
        yield f"From the declared inputs follows {'; '.join(map(str, inferred)) or 'no output'}, {agree}."


def _first(documented: object) -> str:
    """The first paragraph of a docstring."""
    text = (inspect.getdoc(documented) or "").partition("\n\n")[0]
    return " ".join(text.replace("``", "").split())
