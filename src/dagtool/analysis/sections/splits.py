"""Dimensional splits: every weight, whole and as one GPU has it."""

from __future__ import annotations

from dagtool.analysis.subject import Subject, role_of
from dagtool.analysis.table import Table
from dagtool.dag.semantics import weight_of
from dagtool.escape import code
from dagtool.model.tensor import TensorType
from dagtool.ops import LayoutError
from dagtool.ops.base import axes_param

__all__ = ["split_table"]


def split_table(subject: Subject) -> Table:
    """Role, whole shape, shape on one GPU, along which axes it is cut; rows that agree in all stand once."""
    rows: dict[tuple[str, ...], None] = {}
    for kind in subject.dag.kinds:
        try:
            weight = weight_of(kind)
        except LayoutError:
            continue
        if weight is None or weight.mesh not in subject.dag.meshes:
            continue
        sizes = subject.dag.meshes[weight.mesh].sizes
        owners = axes_param(kind.parameters, "owner") or tuple(kind.outputs[0].type.varying if kind.outputs else ())
        local = [str(size.bind(subject.dag.sizes)) for size in weight.local_shape(sizes)]
        whole = [str(dim.size.bind(subject.dag.sizes)) for dim in weight.dims]
        cells = (code(role_of(kind)), f"[{', '.join(whole)}]", f"[{', '.join(local)}]", _cuts(weight, owners))
        rows.setdefault(cells)
    return Table(("weight", "whole", "on one GPU", "how"), [[*cells] for cells in rows])


def _cuts(weight: TensorType, owners: tuple[str, ...]) -> str:
    cuts = [f"{dim.size} along {', '.join(dim.axes)}" for dim in weight.dims if dim.axes]
    spread = [f"experts spread along {', '.join(owners)}"] if owners else []
    return code("; ".join([*cuts, *spread])) if cuts or spread else "whole on each"
