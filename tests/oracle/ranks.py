"""Simulated ranks for the oracle: place whole tensors by type, run an operator, compare with what a type promises.

Written without the simulated machine of ``dagtool prove``, so that a mistake there is not repeated here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import permutations, product
from typing import Any

import numpy as np

from dagtool.model.amount import Amount, Factor
from dagtool.model.mesh import Mesh
from dagtool.model.size import Size, parse_size
from dagtool.model.tensor import Dim, TensorType, parse_type
from dagtool.ops.base import Operator
from dagtool.ops.collective import Collective
from dagtool.ops.tokens import Routing

SIZES = {"B": 12, "S": 18, "N": 24, "D": 30, "H": 36, "F": 42, "V": 48, "T": 54, "E": 12, "K": 6, "W": 12}
"""All divide by 2, 3 and 6, and no two dimensions of one tensor are equal; W is no dimension."""

ROLE = "module.node"
"""The role of every node, which its first weight is called by unless it says otherwise."""


def mesh_of(**axes: int) -> Mesh:
    """Mesh ``m``; axes major first."""
    return Mesh("m", tuple(axes.items()), tuple(range(int(np.prod(list(axes.values()), dtype=int)))))


@dataclass(frozen=True)
class Rank:
    """What a node knows on one rank (dagtool.ops.base.Local)."""

    mesh: Mesh
    gpu: int
    types: Mapping[str, TensorType]
    params: Mapping[str, str]
    wholes: Mapping[str, Any] = field(default_factory=dict)
    """Parameters by name, whole."""
    named: tuple[tuple[str, TensorType], ...] = ()
    """The node's weights: the name of each, and how it is cut."""
    expert: int = -1
    role: str = ROLE

    def part(self, tensor: TensorType) -> tuple[slice, ...]:
        """The slices of the whole that this rank holds."""
        position = self.mesh.position(self.gpu)
        found = []
        for dim in tensor.dims:
            low, length = 0, self.count(str(dim.size))
            for axis in dim.axes:
                length, left = divmod(length, self.mesh.sizes[axis])
                assert not left, f"{dim} does not divide"
                low += position[axis] * length
            found.append(slice(low, low + length))
        return tuple(found)

    def count(self, symbol: str) -> int:
        """The value of a size."""
        value = parse_size(symbol).bind(SIZES).value
        assert value is not None, symbol
        return value

    def amount(self, amount: Amount) -> int:
        """The value of a sum of sizes."""
        value = amount.value(SIZES)
        assert value is not None, amount
        return value

    def factor(self, factor: Factor) -> float:
        """The value of a factor."""
        value = factor.value(SIZES)
        assert value is not None, factor
        return value

    def replica(self, expert: int) -> tuple[int, int, int]:
        """Every expert is there once."""
        return expert, 0, 1

    def weight(self) -> Any:
        """This rank's part of the first weight."""
        return self.wholes[self.named[0][0]][self.part(parse_type(f"{self.params['param']} @m"))]

    def parameter(self, role: str, tensor: TensorType) -> Any:
        """This rank's part of a parameter."""
        assert (role, tensor) in self.named, f"{role} is not among the node's weights"
        return self.wholes[role][self.part(tensor)]


# -- placements ---------------------------------------------------------------------------


def placements(tensor: TensorType, axes: tuple[str, ...], extra: str = "P") -> Iterator[tuple[str, TensorType]]:
    """Every placement of a tensor over the axes with its short name: R, S(d), and of ``extra`` P and V.

    Where several axes cut one dimension, every order of them.
    """
    states = ["R", *(f"S({index})" for index in range(len(tensor.dims))), *extra]
    for chosen in product(states, repeat=len(axes)):
        held = dict(zip(axes, chosen, strict=True))
        cuts = [[axis for axis in axes if held[axis] == f"S({index})"] for index in range(len(tensor.dims))]
        partial = tuple(axis for axis in axes if held[axis] == "P")
        varying = tuple(axis for axis in axes if held[axis] == "V")
        for order in product(*(permutations(cut) for cut in cuts)):
            dims = tuple(Dim(dim.size, tuple(cut)) for dim, cut in zip(tensor.dims, order, strict=True))
            placed = TensorType(dims, tensor.mesh, partial, varying)
            name = chosen[0] if len(axes) == 1 else str(placed).removesuffix(" @m")
            yield name, placed


def uncut(tensor: TensorType) -> TensorType:
    """The same tensor, whole everywhere."""
    return TensorType(tuple(Dim(dim.size) for dim in tensor.dims), tensor.mesh)


def terms_of(whole: Any, count: int, rng: np.random.Generator) -> list[Any]:
    """A random split of a value into terms of a sum."""
    if count == 1:
        return [whole]
    if whole.dtype.kind == "i":
        free = [rng.integers(0, 7, whole.shape) for _ in range(count - 1)]
    else:
        free = [rng.standard_normal(whole.shape) for _ in range(count - 1)]
    return [*free, whole - sum(free)]


def cut(value: Any, part: tuple[slice, ...]) -> Any:
    """A part of an array or of a routing decision."""
    if isinstance(value, Routing):
        return Routing(value.experts[part], value.weights[part])
    return value[part]


def place(whole: Any, tensor: TensorType, mesh: Mesh, rng: np.random.Generator) -> dict[int, Any]:
    """What each rank holds of a whole value laid out as the type says."""
    variants: dict[tuple[int, ...], Any] = {}
    for at in mesh.coordinates(tensor.varying):
        other = whole if not variants else terms_of(whole, 2, rng)[0]
        spread = list(mesh.coordinates(tensor.partial))
        terms = terms_of(other, len(spread), rng)
        for where, term in zip(spread, terms, strict=True):
            variants[_key({**at, **where})] = term
    mine = {*tensor.varying, *tensor.partial}
    found = {}
    for gpu in mesh.gpus:
        key = _key({axis: at for axis, at in mesh.position(gpu).items() if axis in mine})
        found[gpu] = cut(variants[key], Rank(mesh, gpu, {}, {}).part(tensor))
    return found


def _key(position: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(position.items()))


def fault(tensor: TensorType, mesh: Mesh, results: Mapping[int, Any], whole: Any) -> str:
    """Why the ranks' results are not what the type promises of the whole value; empty where they are."""
    for gpu in mesh.gpus:
        here = mesh.position(gpu)
        group = mesh.members({axis: at for axis, at in here.items() if axis not in tensor.partial})
        expected = cut(whole, Rank(mesh, gpu, {}, {}).part(tensor))
        if isinstance(whole, Routing):
            held = results[gpu]
            pairs = [(held.experts, expected.experts), (held.weights, expected.weights)]
        else:
            if len({np.shape(results[member]) for member in group}) > 1:
                return "terms of different shape"
            pairs = [(sum(results[member] for member in group), expected)]
        for value, wanted in pairs:
            if np.shape(value) != np.shape(wanted):
                return f"rank {gpu} has shape {np.shape(value)}, {tensor} promises {np.shape(wanted)}"
            if not np.allclose(value, wanted, rtol=1e-9, atol=1e-9):
                return f"rank {gpu} has other values than {tensor} promises"
    return ""


# -- running ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """An operator on a mesh with the declared types of its inputs."""

    operator: Operator
    mesh: Mesh
    types: Mapping[str, TensorType]
    params: Mapping[str, str]
    wholes: Mapping[str, Any] = field(default_factory=dict)
    expert: int = -1

    def run(self, held: Mapping[int, Mapping[str, list[Any]]]) -> dict[int, tuple[Any, ...]]:
        """Each rank of ``held`` alone, or group by group where the operator communicates."""
        named = self.operator.named_weights(ROLE, self.params, "m")
        ranks = {gpu: Rank(self.mesh, gpu, self.types, self.params, self.wholes, named, self.expert) for gpu in held}
        if not isinstance(self.operator, Collective):
            return {gpu: self.operator.run(rank, held[gpu]) for gpu, rank in ranks.items()}
        over = self.operator.group_axes(self.params)
        done: dict[int, tuple[Any, ...]] = {}
        for gpu in self.mesh.gpus:
            if gpu not in done:
                fixed = {axis: at for axis, at in self.mesh.position(gpu).items() if axis not in over}
                group = self.mesh.group(over, fixed)
                results = self.operator.exchange([ranks[one] for one in group], [held[one] for one in group])
                done.update({one: (result,) for one, result in zip(group, results, strict=True)})
        return done


def numeric(shape: tuple[int, ...]) -> TensorType:
    """A whole tensor of this shape."""
    return TensorType(tuple(Dim(Size(length)) for length in shape), "m")


def one_rank(mesh: Mesh) -> Mesh:
    """The same axes, each of a single rank."""
    return replace(mesh, axes=tuple((axis, 1) for axis, _ in mesh.axes), gpus=(0,))


def shape_of(whole: Any) -> tuple[int, ...]:
    """The shape of an array or of a routing decision."""
    return np.shape(whole.weights if isinstance(whole, Routing) else whole)
