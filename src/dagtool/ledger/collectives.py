"""Every collective of a deployment: its group, its message, how often it runs, and which two layouts met there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from math import prod
from typing import NamedTuple

from dagtool.cost.dtypes import dtype_bytes
from dagtool.cost.exchange import sent_bytes
from dagtool.cost.held import Assumptions
from dagtool.cost.work import kind_works
from dagtool.dag.graph import Dag, Kind
from dagtool.dag.semantics import used_weight
from dagtool.ledger.ledger import Collective
from dagtool.model.roles import base_role
from dagtool.model.size import Size
from dagtool.model.tensor import TensorType
from dagtool.ops import OPERATORS, LayoutError, Work
from dagtool.ops.base import axes_param
from dagtool.ops.collective import Collective as CollectiveOperator
from dagtool.ops.transfer import Transfer

__all__ = ["count_collectives", "explain_collective"]


class _Row(NamedTuple):
    """What collectives that are counted together have in common."""

    op: str
    module: str
    group_size: int
    bytes_: int
    sent_bytes: int
    axes: tuple[str, ...]
    why: str


def count_collectives(dag: Dag, alike: Mapping[int, tuple[int, ...]], given: Assumptions) -> tuple[Collective, ...]:
    """Return the collectives of one pass; ``alike``: the GPUs looked at, each with all that do the same.

    Raises DagtoolError where a size is a symbol.
    """
    works = kind_works(dag)
    rows = {
        index: row for index, kind in enumerate(dag.kinds) if (row := _row(dag, kind, works[index], given)) is not None
    }
    consumers = _consumers(dag, set(rows))
    rows = {
        index: row._replace(why=explain_collective(dag, index, consumers.get(index, ""))) for index, row in rows.items()
    }
    calls: dict[int, dict[_Row, int]] = {gpu: defaultdict(int) for gpu in alike}
    for node, kind in enumerate(dag.kind_of):
        if (row := rows.get(kind)) is None:
            continue
        for gpu in dag.gpus(node):
            if gpu in calls:
                calls[gpu][row] += 1
    ranks: dict[tuple[_Row, int], int] = defaultdict(int)
    for gpu, found in calls.items():
        for row, count in found.items():
            ranks[row, count] += len(alike[gpu])
    collectives = [
        Collective(
            op=row.op,
            module=row.module,
            group_size=row.group_size,
            groups=max(taking // row.group_size, 1),
            count=count,
            bytes_=row.bytes_,
            sent_bytes=row.sent_bytes,
            axes=row.axes,
            why=row.why,
        )
        for (row, count), taking in ranks.items()
    ]
    return tuple(sorted(collectives, key=lambda one: (-one.total_bytes, one.op, one.module, one.count)))


def _row(dag: Dag, kind: Kind, work: Work | None, given: Assumptions) -> _Row | None:
    """The row of a kind; None where nothing is exchanged."""
    operator = OPERATORS.get(kind.op)
    if operator is None or not operator.is_communication or work is None or not kind.meshes:
        return None
    mesh = dag.meshes[kind.meshes[0]]
    axes: tuple[str, ...] = ()
    if isinstance(operator, Transfer):
        size = 2
    else:
        axes = _group_axes(kind)
        size = prod(mesh.sizes[axis] for axis in axes)
    if size < 2:
        return None
    width = given.activation_width_bytes
    sent = sent_bytes(dag, kind, work, width)
    if sent is None:
        return None
    held = Fraction(dtype_bytes(work.sent_dtype, "activation")) if work.sent_dtype else Fraction(width)
    buffers = [_number(dag, one) for one in (*work.elements_moved, work.elements_sent) if one is not None]
    message = max((one for one in buffers if one is not None), default=Fraction(0)) * held
    return _Row(kind.op, base_role(kind.role), size, round(message), round(sent), axes, "")


def _group_axes(kind: Kind) -> tuple[str, ...]:
    """The axes along which the members of one group lie."""
    operator = OPERATORS[kind.op]
    return (
        operator.group_axes(kind.parameters)
        if isinstance(operator, CollectiveOperator)
        else axes_param(kind.parameters, "over")
    )


def _number(dag: Dag, size: Size) -> Fraction | None:
    bound = size.bind(dag.sizes)
    return None if bound.symbols else Fraction(bound.numerator, bound.denominator)


def _consumers(dag: Dag, kinds: set[int]) -> dict[int, str]:
    """A part of the model that takes the result of each of these kinds."""
    found: dict[int, str] = {}
    kind_of = dag.kind_of
    for tail, head in zip(dag.tails, dag.heads, strict=True):
        if kind_of[tail] in kinds and kind_of[tail] not in found:
            found[kind_of[tail]] = base_role(dag.kinds[kind_of[head]].role)
    return found


# -- why --------------------------------------------------------------------------------------


def explain_collective(dag: Dag, index: int, consumer: str) -> str:
    """Say which two layouts met at a kind of collective, and why the first came about."""
    kind = dag.kinds[index]
    module = base_role(kind.role)
    taker = consumer if consumer and consumer != module else "what follows"
    over = " and ".join(_group_axes(kind))
    if not kind.inputs or not kind.outputs:
        return ""
    first, last = kind.inputs[0].type, kind.outputs[0].type
    says = {
        "all_reduce": f"{_partial(dag, module, first)}; {taker} needs the whole sum on every rank",
        "reduce_scatter": f"{_partial(dag, module, first)}; {taker} takes {_cut_of(last, over)}",
        "all_gather": f"{module} is cut as {_cut_of(first, over)}; {taker} needs all of it on every rank",
        "all_to_all": f"{module} is cut as {_cut_of(first, over)}; {taker} takes it cut as {_cut_of(last, over)}",
        "dispatch": f"experts lie on different ranks along {over}: each token goes to those that the gate chose",
        "combine": f"results of experts along {over} go back to the ranks of their tokens and are added up",
        "combine_reduce": f"each rank along {over} has the results of its own experts only: they are added up",
    }
    if isinstance(OPERATORS[kind.op], Transfer):
        places = f"{kind.meshes[0]} to {kind.meshes[-1]}"
        return f"{module} is made on other GPUs than {taker} needs it on: from {places}"
    return says.get(kind.op) or f"{module} over {over}: {_first_sentence(kind.op)}"


def _partial(dag: Dag, module: str, tensor: TensorType) -> str:
    """Why ranks hold a partial sum: the product that makes it sums over a dimension that is cut."""
    axes = " and ".join(tensor.partial) or "its group"
    for kind in dag.kinds:
        if kind.role != module or not kind.outputs or kind.outputs[0].type.partial != tensor.partial:
            continue
        try:
            weight = used_weight(kind)
        except LayoutError:
            continue
        for dim in weight.dims if weight else ():
            if set(dim.axes) & set(tensor.partial):
                return f"{module} sums over {dim.size}, which is cut along {axes}, so each rank has a partial sum"
    return f"each rank along {axes} has a partial sum of {module}"


def _cut_of(tensor: TensorType, over: str) -> str:
    cuts = [str(dim) for dim in tensor.dims if set(dim.axes) & set(over.split(" and "))]
    return ", ".join(cuts) or str(tensor)


def _first_sentence(op: str) -> str:
    text = (type(OPERATORS[op]).__doc__ or op).strip().partition("\n")[0]
    return text[:1].lower() + text[1:].rstrip(".")
