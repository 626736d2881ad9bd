"""Which conversion leads from one tensor type to another, in words; suggested only where it does."""

from __future__ import annotations

from dagtool.model.tensor import TensorType
from dagtool.ops import OPERATORS, LayoutError

__all__ = ["Step", "conversion", "missing_steps"]

Step = tuple[str, dict[str, str]]


def conversion(given: TensorType, taken: TensorType, steps: list[Step]) -> str:
    """What is missing between what an edge gives and what its head takes; empty where nothing would help."""
    if [dim.size for dim in given.dims] != [dim.size for dim in taken.dims]:
        return "the shapes differ: one of the two declarations is wrong"
    if given.mesh != taken.mesh:
        return f"a transfer from mesh {given.mesh} to {taken.mesh} is missing (send and recv, or broadcast)"
    named = [f"{op} over {params['over']}" for op, params in steps]
    return f"between them {', then '.join(named)} is missing" if steps else ""


def missing_steps(given: TensorType, taken: TensorType) -> list[Step]:
    """The collectives that make the one type of the other: they have been applied, and their result is ``taken``."""
    if given.mesh != taken.mesh or [dim.size for dim in given.dims] != [dim.size for dim in taken.dims]:
        return []
    steps = _steps(given, taken)
    return steps if _applied(given, steps) == taken else []


def _steps(given: TensorType, taken: TensorType) -> list[Step]:
    """Sums end first, then cuts move or are undone, innermost first, then cuts are made."""
    wanted, held = taken.sharded_axes, given.sharded_axes
    steps: list[Step] = []
    for axis in (axis for axis in given.partial if axis not in taken.partial):
        if axis in wanted:
            steps.append(("reduce_scatter", {"over": axis, "along": str(wanted[axis])}))
        else:
            steps.append(("all_reduce", {"over": axis}))
    for axis, dim in reversed(held.items()):
        if axis in wanted and wanted[axis] != dim:
            steps.append(("all_to_all", {"over": axis, "along": str(dim), "to_along": str(wanted[axis])}))
        elif axis not in wanted:
            steps.append(("all_gather", {"over": axis, "along": str(dim)}))
    new = [axis for axis in wanted if axis not in held and axis not in given.partial]
    return steps + [("split", {"over": axis, "along": str(wanted[axis])}) for axis in new]


def _applied(given: TensorType, steps: list[Step]) -> TensorType | None:
    """The type after the steps; None where one of them does not apply."""
    held = given
    for op, params in steps:
        try:
            (held,) = OPERATORS[op].infer({"x": held}, params)
        except LayoutError:
            return None
    return held
