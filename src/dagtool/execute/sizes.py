"""Small sizes for a graph's symbols that keep every division exact."""

from __future__ import annotations

from math import lcm, prod

from dagtool.dag.graph import Dag, Kind
from dagtool.dag.semantics import types_of
from dagtool.errors import DagtoolError
from dagtool.model.size import Size
from dagtool.ops import OPERATORS, LayoutError
from dagtool.ops.rotary import PAST
from dagtool.ops.routing import GROUPS, TOP_GROUPS

__all__ = ["paired_sizes", "small_sizes"]

# Different and mostly odd, so that a dimension taken for another is noticed; of what is rotated several pairs, since
# one pair alone turns alike for every theta and every way to pair.
_LEAST = {
    "B": 2, "S": 3, "H": 17, "N": 2, "G": 2, "D": 4, "F": 7, "V": 97, "W": 2, "T": 5, "P": 5,
    "Fe": 5, "Fs": 11, "Rq": 15, "Rkv": 13, "Dr": 6, "Dv": 9,
}  # fmt: skip
_KEPT = frozenset({"E", "K", "L", "R"})
"""Sizes that stay what they are: there are nodes for each expert and layer."""


def small_sizes(dag: Dag) -> dict[str, int]:
    """A small number for each size: a multiple of everything that cuts it. E, K and L stay what they are.

    Raises DagtoolError where E or K is a symbol: there is a node for each expert.
    """
    cut = _cuts(dag)
    for symbol in _even(dag):
        cut[symbol] = lcm(cut.get(symbol, 1), 2)
    found: dict[str, int] = {}
    for symbol, value in dag.sizes.items():
        if symbol in _KEPT:
            if value is None and symbol != "K":
                raise DagtoolError(f"{symbol} is a symbol: a graph is proved for a number of them")
            found[symbol] = _some_experts(dag) if value is None else value
        else:
            found[symbol] = _multiple(cut.get(symbol, 1), _LEAST.get(symbol, 3))
    _relate(dag, found, cut)
    return found


def _some_experts(dag: Dag) -> int:
    """How many experts a token takes where that is left open: two, or as many as its groups have."""
    experts = dag.sizes.get("E") or 1
    gates = [kind.parameters for kind in dag.kinds if kind.op == "gate"]
    groups = [(OPERATORS["gate"].read(one, TOP_GROUPS), OPERATORS["gate"].read(one, GROUPS)) for one in gates]
    return min([2, *(experts * top // count for top, count in groups)])


def _relate(dag: Dag, found: dict[str, int], cut: dict[str, int]) -> None:
    """Make sizes fit each other: heads of groups, tokens for every expert, room for every position."""
    if "G" in found:  # each key and value head serves as many query heads
        found["N"] = found["G"] * cut.get("N", 1) * 2
    for symbol in {"S", "Q"} & set(found):
        if dag.sizes.get(symbol) == 1:
            found[symbol] = 1  # a decode step stays one
    tokens = "B" if found.get("S") == 1 else "S"
    if {"B", "S", "E", "K"} <= set(found):  # enough tokens that every expert gets some
        each = found["B"] * found["S"] // found[tokens] * found["K"]
        found[tokens] = _multiple(cut.get(tokens, 1), max(found[tokens], -(-16 * found["E"] // each)))
    if "T" in found:  # some tokens come before the new ones
        found["T"] = _multiple(cut.get("T", 1), max(found.get("S", 0) + _LEAST["T"], _longest(dag, found)))
    if "P" in found:  # a row for every position
        found["P"] = _multiple(cut.get("P", 1), max(found["P"], found.get("S", 0), found.get("T", 0)))


def _longest(dag: Dag, sizes: dict[str, int]) -> int:
    """How many tokens the caches of a graph of several phases must have room for."""
    found = 0
    for kind in dag.kinds:
        new = kind.input_types.get("new") if kind.op == "append" and kind.phase else None
        if new is not None and len(new.dims) > 1:
            past = OPERATORS["append"].read(kind.parameters, PAST).value(sizes) or 0
            found = max(found, past + (new.dims[1].size.bind(sizes).value or 0))
    return found


def _multiple(base: int, least: int) -> int:
    """The smallest multiple of ``base`` that is not less than ``least``."""
    return base * -(-least // base)


def _even(dag: Dag) -> set[str]:
    """Sizes that must be even because an operator pairs elements."""
    return {symbol for kind in dag.kinds for size in paired_sizes(kind) for symbol in size.symbols[:1]}


def paired_sizes(kind: Kind) -> tuple[Size, ...]:
    """The sizes whose elements the operator of a kind pairs; none where it states too little."""
    if kind.op not in OPERATORS or not kind.inputs:
        return ()
    try:
        return OPERATORS[kind.op].even_sizes(kind.input_types, kind.parameters)
    except (LayoutError, LookupError):
        return ()


def _cuts(dag: Dag) -> dict[str, int]:
    """By how much each size is cut, wherever it is."""
    cut: dict[str, int] = {}
    for tensor in (tensor for kind in dag.kinds for tensor in types_of(kind)):
        mesh = dag.meshes.get(tensor.mesh)
        for dim in tensor.dims:
            if mesh is None or not dim.size.symbols:
                continue
            degree = prod(mesh.sizes.get(axis, 1) for axis in dim.axes)
            # Of a product the leading factor is cut; routed tokens are what routing makes them.
            symbol = dim.size.symbols[0]
            if dim.size.denominator == 1 and not {"E", "R"} & set(dim.size.symbols):
                cut[symbol] = lcm(cut.get(symbol, 1), degree)
    return cut
