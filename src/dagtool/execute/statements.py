"""What a graph states falsely though no value of a run need show it.

A run takes small sizes that everything divides, and what reaches a node whatever its maker is. So the statements of
every node are held against each other first: its attributes can be read, its outputs follow from its inputs by the
rule of its operator, the graph's own sizes are cut into whole parts, layers and experts are those that the graph has,
an edge feeds an input that there is, a send has its receive.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagtool.dag import algorithms
from dagtool.dag.graph import Dag, Kind
from dagtool.dag.semantics import infer_outputs, partners, types_of, undeclared
from dagtool.execute.machine import FailureError
from dagtool.execute.sizes import paired_sizes
from dagtool.ops import OPERATORS, LayoutError
from dagtool.ops.base import WEIGHT_SLOT

__all__ = ["false_statement"]


def false_statement(dag: Dag) -> FailureError | None:
    """The first node of the graph that states what cannot be, and why; None where there is none."""
    faults = [(problem.node, f"attribute {problem.attribute}: {problem.message}") for problem in dag.problems]
    faults = [(node, fault) for node, fault in faults if node >= 0]
    if not faults:
        faults = [*_faults_of_kinds(dag), *_numbers(dag), *_unknown_inputs(dag), *_halves(dag)]
    return FailureError(*min(faults)) if faults else None


def _faults_of_kinds(dag: Dag) -> Iterator[tuple[int, str]]:
    """The first node of each kind that is at fault."""
    first: dict[int, int] = {}
    for node, index in enumerate(dag.kind_of):
        first.setdefault(index, node)
    for index, node in first.items():
        if fault := _fault_of(dag.kinds[index], dag):
            yield node, fault


def _fault_of(kind: Kind, dag: Dag) -> str:
    if kind.op not in OPERATORS:
        return f"{kind.op!r} is no operator" if kind.op else "states no operator"
    if name := next(undeclared(kind, dag), ""):
        return f"uses {name}, which the graph does not declare"
    try:
        inferred = infer_outputs(kind)
    except LayoutError as error:
        return str(error)
    declared = tuple(port.type for port in kind.outputs)
    if declared != inferred:
        shown, expected = ("; ".join(map(str, types)) or "none" for types in (declared, inferred))
        return f"declares output {shown}, but {kind.op} gives {expected}"
    return _uneven(kind, dag)


def _uneven(kind: Kind, dag: Dag) -> str:
    """Which of the graph's own sizes a kind does not cut into whole parts; empty where it cuts all of them so."""
    for tensor in types_of(kind):
        mesh = dag.meshes[tensor.mesh]
        if dim := tensor.uneven(mesh.sizes, dag.sizes):
            by = mesh.degrees_text(dim.axes) or "its own denominator"
            return f"cuts {dim.size} = {dim.size.bind(dag.sizes)}, the graph's own size, which {by} does not divide"
    for size in paired_sizes(kind):
        if ((own := size.bind(dag.sizes)) / 2).is_fraction:
            return f"pairs the elements of {size} = {own}, the graph's own size, which is odd"
    return ""


def _numbers(dag: Dag) -> Iterator[tuple[int, str]]:
    """Nodes of a layer or an expert that the graph does not have."""
    layers, experts = dag.sizes.get("L"), dag.sizes.get("R") or dag.sizes.get("E")
    for numbers, count, what in ((dag.layer_of, layers, "layer"), (dag.expert_of, experts, "expert")):
        for node, number in enumerate(numbers):
            if count is not None and number >= count:
                yield node, f"is of {what} {number}, and the graph has {count:,}, from 0 on"


def _unknown_inputs(dag: Dag) -> Iterator[tuple[int, str]]:
    """Nodes with an edge that names an input which their operator has not."""
    ways = zip(dag.heads, dag.edge_kind_of, strict=True)
    first: dict[tuple[int, int], int] = {}
    for node, edge in ways:
        first.setdefault((dag.kind_of[node], edge), node)
    for (index, edge), node in first.items():
        operator = OPERATORS.get(dag.kinds[index].op)
        taken = (*operator.slots, WEIGHT_SLOT) if operator else ()
        if operator and (unknown := [slot for slot in dag.edge_kinds[edge].slots if slot not in taken]):
            yield node, f"an edge feeds its input {unknown[0]!r}, which {operator.name} has not"


def _halves(dag: Dag) -> Iterator[tuple[int, str]]:
    """Sends that nobody receives, receives that nobody sends."""
    transfers = [node for node, index in enumerate(dag.kind_of) if dag.kinds[index].op in ("send", "recv")]
    if not transfers:
        return
    before = algorithms.successors(len(dag.ids), dag.heads, dag.tails)
    after = algorithms.successors(len(dag.ids), dag.tails, dag.heads)
    for node in transfers:
        kind, sends = dag.kind(node), dag.kind(node).op == "send"
        others = [dag.kind(other) for other in (after if sends else before).of(node)]
        if not others or len(partners(kind, others)) < len(others):
            what = "no recv takes what it sends" if sends else "no send feeds it"
            yield node, f"waits forever: {what} to mesh {kind.parameters.get('to')}"
