"""Small sizes for a graph's symbols that keep every division exact."""

from __future__ import annotations

from math import lcm, prod

from dagtool.dag.graph import Dag
from dagtool.dag.semantics import weight_of
from dagtool.errors import DagtoolError
from dagtool.model.tensor import TensorType
from dagtool.ops import LayoutError

__all__ = ["small_sizes"]

# Different and mostly odd, so that a dimension taken for another is noticed.
_LEAST = {
    "B": 2, "S": 3, "H": 17, "N": 2, "G": 2, "D": 4, "F": 7, "V": 97, "W": 2, "T": 5, "P": 64,
    "Fe": 5, "Fs": 11, "Rq": 15, "Rkv": 13, "Dr": 2, "Dv": 9,
}  # fmt: skip
_EVEN = {"D", "Dr"}
"""Rotary positions turn pairs of elements."""


def small_sizes(dag: Dag) -> dict[str, int]:
    """A small number for each size: a multiple of everything that cuts it. E, K and L stay what they are.

    Raises DagtoolError where E or K is a symbol: there is a node for each expert.
    """
    cut = _cuts(dag)
    found: dict[str, int] = {}
    for symbol, value in dag.sizes.items():
        if symbol in {"E", "K", "L"}:
            if value is None:
                raise DagtoolError(f"{symbol} is a symbol: a graph is proved for a number of them")
            found[symbol] = value
            continue
        base, least = lcm(cut.get(symbol, 1), 2 if symbol in _EVEN else 1), _LEAST.get(symbol, 3)
        found[symbol] = base * -(-least // base)
    if "G" in found:  # each key and value head serves as many query heads
        found["N"] = found["G"] * cut.get("N", 1) * 2
    while {"E", "K"} <= set(found) and found["B"] * found["S"] * found["K"] < 16 * found["E"]:
        found["S"] += cut.get("S", 1)  # enough tokens that every expert gets some
    if "P" in found:  # a row for every position
        found["P"] *= -(-(found["S"] + found.get("T", 0)) // found["P"])
    return found


def _cuts(dag: Dag) -> dict[str, int]:
    """By how much each size is cut, wherever it is."""
    cut: dict[str, int] = {}
    for tensor in _types(dag):
        mesh = dag.meshes.get(tensor.mesh)
        for dim in tensor.dims:
            if mesh is None or not dim.size.symbols:
                continue
            degree = prod(mesh.sizes.get(axis, 1) for axis in dim.axes)
            # Of a product the leading factor is cut; routed tokens are what routing makes them.
            symbol = dim.size.symbols[0]
            if dim.size.denominator == 1 and "E" not in dim.size.symbols:
                cut[symbol] = lcm(cut.get(symbol, 1), degree)
    return cut


def _types(dag: Dag) -> list[TensorType]:
    found: list[TensorType] = []
    for kind in dag.kinds:
        found += [port.type for port in (*kind.inputs, *kind.outputs)]
        try:
            weight = weight_of(kind)
        except LayoutError:
            continue
        found += [weight] if weight else []
    return found
