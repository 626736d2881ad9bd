"""Which conversion leads from one tensor type to another, in words."""

from __future__ import annotations

from dagtool.model.tensor import TensorType

__all__ = ["conversion"]


def conversion(given: TensorType, taken: TensorType) -> str:
    """The collective missing between what an edge gives and what its head takes; empty where none would help."""
    if [dim.size for dim in given.dims] != [dim.size for dim in taken.dims]:
        return "the shapes differ: one of the two declarations is wrong"
    if given.mesh != taken.mesh:
        return f"a transfer from mesh {given.mesh} to {taken.mesh} is missing (send and recv, or broadcast)"
    wanted = taken.sharded_axes
    steps = [
        f"reduce_scatter over {axis}" if axis in wanted else f"all_reduce over {axis}"
        for axis in given.partial
        if axis not in taken.partial
    ]
    for axis, dim in given.sharded_axes.items():
        if axis in wanted and wanted[axis] != dim:
            steps.append(f"all_to_all over {axis}")
        elif axis not in wanted:
            steps.append(f"all_gather over {axis}")
    held = {*given.sharded_axes, *given.partial}
    steps += [f"split over {axis}" for axis in wanted if axis not in held]
    if not steps:
        return ""
    return f"between them {', then '.join(steps)} is missing"
