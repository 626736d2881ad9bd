"""Tensor types: what shape a value has, and how it lies on the axes of a mesh.

Text form, one line: ``[B/ep, S, H/tp] sum(tp) vary(ep) @main``. A dimension is a size and the axes that
cut it, major first; ``sum(a)`` means the ranks along ``a`` hold terms of a sum; ``vary(a)`` that they
hold different values with no reassembly declared (routed tokens); an axis not named is replicated. A word before
the mesh is the data type, where it is not the default one: ``[B, S, H] fp8 @main``.
Rule book: the placements of PyTorch's DTensor (Shard, Replicate, Partial) and "varying" of spmd_types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from dagtool.errors import did_you_mean
from dagtool.model.size import Size, SizeError, parse_size

__all__ = ["DTYPES", "Dim", "TensorType", "TypeTextError", "parse_ports", "parse_type"]

DTYPES = ("fp32", "bf16", "fp16", "fp8", "fp4", "mxfp4", "int8")
"""The data types that a tensor type may state."""


class TypeTextError(ValueError):
    """The text is not a tensor type."""


@dataclass(frozen=True, slots=True)
class Dim:
    """One dimension: its whole size and the mesh axes that cut it, major first."""

    size: Size
    axes: tuple[str, ...] = ()

    def local(self, axis_sizes: Mapping[str, int]) -> Size:
        """The size on one GPU."""
        size = self.size
        for axis in self.axes:
            size = size / axis_sizes[axis]
        return size

    def __str__(self) -> str:
        return "/".join([str(self.size), *self.axes])


@dataclass(frozen=True, slots=True)
class TensorType:
    """Dimensions, and the axes along which the value is a partial sum or varies; ``mesh`` names the mesh."""

    dims: tuple[Dim, ...]
    mesh: str
    partial: tuple[str, ...] = ()
    varying: tuple[str, ...] = ()
    dtype: str = ""
    """One of ``DTYPES``; empty: the default of whoever counts bytes."""

    def __post_init__(self) -> None:
        # Sets, kept as sorted tuples: the order in which a file names the axes means nothing.
        object.__setattr__(self, "partial", tuple(sorted(set(self.partial))))
        object.__setattr__(self, "varying", tuple(sorted(set(self.varying))))

    @property
    def sharded_axes(self) -> dict[str, int]:
        """Axis name to the index of the dimension it cuts."""
        return {axis: index for index, dim in enumerate(self.dims) for axis in dim.axes}

    @property
    def used_axes(self) -> set[str]:
        """Axes along which the ranks do not hold the same whole value."""
        return {*self.sharded_axes, *self.partial, *self.varying}

    def local_shape(self, axis_sizes: Mapping[str, int]) -> tuple[Size, ...]:
        """The shape on one GPU."""
        return tuple(dim.local(axis_sizes) for dim in self.dims)

    def uneven(self, axis_sizes: Mapping[str, int], sizes: Mapping[str, int | None]) -> Dim | None:
        """The first dimension that is not cut into whole, equal parts; None where all are, or a size is a symbol.

        The tokens of an expert are let be: they are a mean over the experts.
        """
        for dim in self.dims:
            if not dim.size.is_mean and dim.local(axis_sizes).bind(sizes).is_fraction:
                return dim
        return None

    @property
    def clash(self) -> str:
        """An axis with two meanings (cuts two dimensions, cuts and is summed over), or an empty text."""
        cuts = [axis for dim in self.dims for axis in dim.axes]
        held = [*cuts, *self.partial]
        return next(
            (axis for axis in held if held.count(axis) > 1 or (axis in self.partial and axis in self.varying)), ""
        )

    def with_dim(self, index: int, dim: Dim) -> TensorType:
        """This type with one dimension replaced."""
        return replace(self, dims=(*self.dims[:index], dim, *self.dims[index + 1 :]))

    def __str__(self) -> str:
        parts = [f"[{', '.join(map(str, self.dims))}]"]
        if self.partial:
            parts.append(f"sum({','.join(self.partial)})")
        if self.varying:
            parts.append(f"vary({','.join(self.varying)})")
        if self.dtype:
            parts.append(self.dtype)
        return " ".join([*parts, f"@{self.mesh}"])


_TYPE = re.compile(
    r"\s*\[(?P<dims>[^\[\]]*)\]"
    r"(?:\s*sum\((?P<sum>[a-z0-9_,\s]*)\))?(?:\s*vary\((?P<vary>[a-z0-9_,\s]*)\))?"
    r"(?:\s*(?P<dtype>[a-z]\w*))?\s*@(?P<mesh>\w+)\s*\Z"
)
_AXIS = re.compile(r"[a-z][a-z0-9_]*\Z")


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _parse_dim(text: str) -> Dim:
    parts = [part.strip() for part in text.split("/")]
    axes: list[str] = []
    while len(parts) > 1 and _AXIS.match(parts[-1]):
        axes.insert(0, parts.pop())
    return Dim(parse_size("/".join(parts)), tuple(axes))


@lru_cache(maxsize=4096)
def parse_type(text: str) -> TensorType:
    """Read the text form. Raises TypeTextError with what is wrong."""
    match = _TYPE.match(text)
    if match is None:
        raise TypeTextError(f"cannot read {text!r} as a tensor type; expected like '[B/ep, S, H] sum(tp) @main'")
    try:
        dims = tuple(_parse_dim(part) for part in match["dims"].split(",") if match["dims"].strip())
    except SizeError as error:
        raise TypeTextError(str(error)) from None
    dtype = match["dtype"] or ""
    if dtype and dtype not in DTYPES:
        near = did_you_mean(dtype, list(DTYPES)) or f"known: {', '.join(DTYPES)}"
        raise TypeTextError(f"there is no data type {dtype!r} ({near})")
    found = TensorType(dims, match["mesh"], _names(match["sum"]), _names(match["vary"]), dtype)
    if found.clash:
        raise TypeTextError(f"axis {found.clash!r} occurs twice in {text!r}")
    return found


_PORT = re.compile(r"\s*([A-Za-z_]\w*)\s*:(.*)\Z", re.DOTALL)


def parse_ports(text: str) -> tuple[tuple[str, TensorType], ...]:
    """Read ``q: [..] @m; k: [..] @m``; a type alone has the empty name."""
    ports: list[tuple[str, TensorType]] = []
    for part in text.split(";"):
        match = _PORT.match(part)
        name, body = (match[1], match[2]) if match else ("", part)
        ports.append((name, parse_type(body.strip())))
    return tuple(ports)
