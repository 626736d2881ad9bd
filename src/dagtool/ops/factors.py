"""The factor rule: how layouts travel through a product written as an einsum.

Per mesh axis, independently: a factor kept in the output keeps its cut; a contracted factor cut alike on
both sides gives a partial sum; cut on one side only it is an error; a partial sum passes through one
operand while the other is replicated. Source: DTensor `_einsum_strategy.py`, Shardy's propagation rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from dagtool.model.size import Size
from dagtool.model.tensor import Dim, TensorType
from dagtool.ops.errors import LayoutError

__all__ = [
    "Rearrangement",
    "Spec",
    "contract",
    "format_rearrangement",
    "format_spec",
    "parse_rearrangement",
    "parse_spec",
]


class Spec(NamedTuple):
    """``bsnd,btnd->bnst`` taken apart."""

    inputs: tuple[str, ...]
    output: str

    @property
    def contracted(self) -> str:
        """Letters of the inputs that the output does not have."""
        letters = dict.fromkeys("".join(self.inputs))
        return "".join(letter for letter in letters if letter not in self.output)


def parse_spec(text: str) -> Spec:
    """Read an einsum. Raises LayoutError for anything else."""
    left, arrow, output = text.replace(" ", "").partition("->")
    inputs = tuple(left.split(","))
    if not arrow or not all(part.isalpha() for part in (*inputs, output)):
        raise LayoutError(f"cannot read {text!r} as an einsum")
    if not set(output) <= set(left):
        raise LayoutError(f"einsum {text!r} has an output letter that no input has")
    if any(len(set(part)) < len(part) for part in (*inputs, output)):
        raise LayoutError(f"einsum {text!r} has a letter twice in one tensor")
    return Spec(inputs, output)


def format_spec(spec: Spec) -> str:
    """Write what ``parse_spec`` reads."""
    return f"{','.join(spec.inputs)}->{spec.output}"


class Rearrangement(NamedTuple):
    """``bs(nd)->bsnd`` taken apart: for each dimension the letters of its factors, leading one first."""

    before: tuple[str, ...]
    after: tuple[str, ...]


_GROUPS = re.compile(r"(?:[a-z]++|\([a-z]++\))++\Z")
_GROUP = re.compile(r"[a-z]|\([a-z]+\)")


def parse_rearrangement(text: str) -> Rearrangement:
    """Read a change of layout. Raises LayoutError for anything else, and where it loses or doubles a dimension."""
    left, _, right = text.replace(" ", "").partition("->")
    if not (_GROUPS.match(left) and _GROUPS.match(right)):
        raise LayoutError(f"cannot read {text!r} as a layout change, like bs(nd)->bnsd")
    before, after = (tuple(group.strip("()") for group in _GROUP.findall(side)) for side in (left, right))
    letters = "".join(before)
    if sorted(letters) != sorted("".join(after)) or len(set(letters)) < len(letters):
        raise LayoutError(f"its layout change {text} loses or doubles a dimension")
    return Rearrangement(before, after)


def format_rearrangement(change: Rearrangement) -> str:
    """Write what ``parse_rearrangement`` reads."""
    sides = (change.before, change.after)
    return "->".join("".join(group if len(group) == 1 else f"({group})" for group in side) for side in sides)


def contract(spec: Spec, inputs: Sequence[TensorType]) -> TensorType:
    """The type of the product. Raises LayoutError naming the factor and the axis at fault."""
    dims = _factor_dims(spec, inputs)
    _check_axes(spec, inputs, dims)
    partial = [axis for letter in spec.contracted for axis in dims[letter].axes]
    for tensor in inputs:
        partial += [axis for axis in tensor.partial if axis not in partial]
    varying = [axis for tensor in inputs for axis in tensor.varying]
    return TensorType(
        tuple(dims[letter] for letter in spec.output),
        inputs[0].mesh,
        tuple(partial),
        tuple(dict.fromkeys(varying)),
    )


def _factor_dims(spec: Spec, inputs: Sequence[TensorType]) -> dict[str, Dim]:
    if len(spec.inputs) != len(inputs):
        raise LayoutError(f"multiplies {len(inputs)} operands, but its einsum names {len(spec.inputs)}")
    dims: dict[str, Dim] = {}
    for letters, tensor in zip(spec.inputs, inputs, strict=True):
        if tensor.mesh != inputs[0].mesh:
            raise LayoutError(f"its operands lie on different meshes, {inputs[0].mesh} and {tensor.mesh}")
        if len(letters) != len(tensor.dims):
            raise LayoutError(f"expects {len(letters)} dimensions ({letters}) but gets {tensor}")
        for letter, dim in zip(letters, tensor.dims, strict=True):
            known = dims.setdefault(letter, dim)
            if known.size != dim.size:
                raise LayoutError(f"factor {letter!r} is {known.size} on one side and {dim.size} on the other")
            if known.axes != dim.axes:
                raise LayoutError(_axes_differ(known, dim, contracted=letter in spec.contracted))
    return dims


def _axes_differ(one: Dim, other: Dim, *, contracted: bool) -> str:
    size: Size = one.size
    if one.axes and other.axes and set(one.axes) == set(other.axes):
        return f"{size} is cut in the order {','.join(one.axes)} on one side and {','.join(other.axes)} on the other"
    verb = "is contracted but cut" if contracted else "is cut"
    ours, theirs = ",".join(one.axes) or "nothing", ",".join(other.axes) or "nothing"
    return f"{size} {verb} along {ours} on one side and along {theirs} on the other"


def _check_axes(spec: Spec, inputs: Sequence[TensorType], dims: dict[str, Dim]) -> None:
    """Each axis has one meaning: it cuts one factor, or is partial in one input, or varies."""
    meaning: dict[str, str] = {}
    for letter, dim in dims.items():
        for axis in dim.axes:
            if axis in meaning:
                raise LayoutError(f"axis {axis} cuts two different factors, {meaning[axis]} and {dim.size} ({letter})")
            meaning[axis] = f"{dim.size} ({letter})"
    for axis in dict.fromkeys(axis for tensor in inputs for axis in tensor.partial):
        holders = [tensor for tensor in inputs if axis in tensor.partial]
        if len(holders) > 1:
            raise LayoutError(
                f"two operands are partial sums over {axis}: a product of sums is not the sum of products"
            )
        if axis in meaning or any(axis in tensor.varying for tensor in inputs):
            raise LayoutError(f"one operand is a partial sum over {axis} and another is cut along it: reduce first")
    for tensor in inputs:
        # Routed tokens of data-parallel ranks are cut and vary along the same axis; that is one tensor's matter.
        others = {axis for other in inputs if other is not tensor for axis in other.sharded_axes}
        if clash := [axis for axis in tensor.varying if axis in others]:
            raise LayoutError(f"one operand varies along {clash[0]} and another is cut along it")
