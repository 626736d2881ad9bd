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
from dagtool.dag.reasons import explain_collectives, group_axes
from dagtool.ledger.ledger import Collective
from dagtool.model.roles import base_role
from dagtool.model.size import Size
from dagtool.ops import OPERATORS, Work
from dagtool.ops.transfer import Transfer

__all__ = ["count_collectives"]


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
    reasons = explain_collectives(dag)
    rows = {index: row._replace(why=reasons.get(index, "")) for index, row in rows.items()}
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
            senders=1 if isinstance(OPERATORS[row.op], Transfer) else row.group_size,
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
        axes = group_axes(kind)
        size = prod(mesh.sizes[axis] for axis in axes)
    if size < 2:
        return None
    width = given.activation_width_bytes
    sent = sent_bytes(dag, kind, work, width)
    if sent is None:
        return None
    held = Fraction(dtype_bytes(work.sent_dtype, "activation")) if work.sent_dtype else Fraction(width)
    moved = work.elements_moved or (() if work.elements_sent is None else (work.elements_sent,))
    buffers = [_number(dag, one) for one in moved]
    message = max((one for one in buffers if one is not None), default=Fraction(0)) * held
    return _Row(kind.op, base_role(kind.role), size, round(message), round(sent), axes, "")


def _number(dag: Dag, size: Size) -> Fraction | None:
    bound = size.bind(dag.sizes)
    return None if bound.symbols else Fraction(bound.numerator, bound.denominator)
