"""A batch cut into micro-batches: the same DAG with a smaller B, once or as often as there are micro-batches."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from dagtool.dag.graph import Dag
from dagtool.errors import DagtoolError
from dagtool.model.size import Size

__all__ = ["every_microbatch", "one_microbatch"]


def one_microbatch(dag: Dag, count: int) -> Dag:
    """The DAG of one of ``count`` micro-batches; nodes and edges are shared with ``dag``.

    Raises DagtoolError where there is no batch to cut, or where a rank would get a part of a sequence.
    """
    if count == 1:
        return dag
    batch = dag.sizes.get("B")
    if batch is None:
        state = "is a symbol" if "B" in dag.sizes else "is not among its sizes"
        raise DagtoolError(
            f"the batch size B {state}, so it cannot be cut into {count} micro-batches",
            "generate it with --set B=…, a number",
        )
    ranks = _most_ranks(dag)
    if batch % (count * ranks):
        each = f" on {ranks} data-parallel ranks" if ranks > 1 else ""
        fitting = max((n for n in range(1, min(batch // ranks, count) + 1) if batch % (n * ranks) == 0), default=0)
        raise DagtoolError(
            f"B={batch} sequences{each} cannot be cut into {count} equal micro-batches",
            f"the next smaller number that fits is {fitting}" if fitting else "",
        )
    return replace(dag, sizes={**dag.sizes, "B": batch // count})


def every_microbatch(part: Dag, count: int) -> Dag:
    """``count`` copies of a DAG side by side; node ``copy * nodes + v`` is node v, as instances of a schedule are."""
    nodes = range(0, count * len(part.ids), len(part.ids) or 1)
    return replace(
        part,
        ids=part.ids * count,
        kind_of=part.kind_of * count,
        devices_of=part.devices_of * count,
        layer_of=part.layer_of * count,
        expert_of=part.expert_of * count,
        tails=[first + tail for first in nodes for tail in part.tails],
        heads=[first + head for first in nodes for head in part.heads],
        edge_kind_of=part.edge_kind_of * count,
    )


def _most_ranks(dag: Dag) -> int:
    """Into how many parts some tensor cuts its batch."""
    found = 1
    for kind in dag.kinds:
        for port in (*kind.inputs, *kind.outputs):
            mesh = dag.meshes.get(port.type.mesh)
            for dim in port.type.dims:
                if mesh is not None and dim.size == _BATCH:
                    found = max(found, prod(mesh.sizes.get(axis, 1) for axis in dim.axes))
    return found


_BATCH = Size(powers=(("B", 1),))
