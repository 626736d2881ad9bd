"""The type that a declaration must have, where everything around it agrees on one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dagtool.dag.graph import Kind, Port
from dagtool.dag.semantics import infer_outputs
from dagtool.ops import OPERATORS, LayoutError
from dagtool.validators.edges import fault_between

if TYPE_CHECKING:
    from dagtool.validators.context import Context
    from dagtool.validators.edges import Ends

__all__ = ["right_inputs", "right_outputs"]


def right_outputs(ctx: Context, index: int) -> tuple[Port, ...] | None:
    """What the operator gives, if that is also what every user of the kind's output takes; None where one does not."""
    dag, inferred = ctx.dag, ctx.inferred[index]
    kind = dag.kinds[index]
    if inferred is None or len(inferred) != len(kind.outputs):
        return None
    ports = tuple(replace(port, type=found) for port, found in zip(kind.outputs, inferred, strict=True))
    users = [(head, edge) for tail, head, edge in ctx.edge_ends.distinct if tail == index != head]
    right = replace(kind, outputs=ports)
    fits = (fault_between(right, dag.kinds[head], dag.edge_kinds[edge]) is None for head, edge in users)
    return ports if users and all(fits) else None


def right_inputs(ctx: Context, ends: Ends) -> tuple[Port, ...] | None:
    """What arrives, if the operator makes of it what its kind declares, and no other edge brings something else.

    The makers' own declarations must be what their operators give.
    """
    dag, index = ctx.dag, ends[1]
    kind = dag.kinds[index]
    fault = ctx.type_faults.get(ends)
    if fault is None or fault.mismatch is None or kind.op not in OPERATORS:
        return None
    slot, first = fault.mismatch.slot, OPERATORS[kind.op].slots[0]
    ports = tuple(
        replace(port, type=fault.mismatch.sent) if (port.name or first) == slot else port for port in kind.inputs
    )
    right = replace(kind, inputs=ports)
    makers = [(tail, edge) for tail, head, edge in ctx.edge_ends.distinct if head == index]
    if any(not _true(ctx, tail) for tail, _ in makers) or not _gives(right, kind):
        return None
    fits = (fault_between(dag.kinds[tail], right, dag.edge_kinds[edge]) is None for tail, edge in makers)
    return ports if all(fits) else None


def _true(ctx: Context, index: int) -> bool:
    """Whether a kind declares the output that its operator gives."""
    return ctx.inferred[index] == tuple(port.type for port in ctx.dag.kinds[index].outputs)


def _gives(kind: Kind, declared: Kind) -> bool:
    """Whether the operator makes the declared outputs of these inputs."""
    try:
        return infer_outputs(kind) == tuple(port.type for port in declared.outputs)
    except LayoutError:
        return False
