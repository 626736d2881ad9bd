"""Declared types that are false: dimensions, cuts, partial sums, meshes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from mutation.draft import Draft, Place, falsifies

from dagtool.model.size import parse_size
from dagtool.model.tensor import Dim, TensorType

_SYMBOLS = ("B", "S", "H", "N", "D", "F", "V")


def _edit(draft: Draft, rng: Random, which: str, change: Callable[[TensorType], TensorType | None]) -> Place | None:
    """Change one declared type of some node for which there is a change."""

    def changed(name: str) -> list[int]:
        return [at for at, (_, tensor) in enumerate(draft.ports(name, which)) if change(tensor) not in (None, tensor)]

    name = draft.pick(rng, changed)
    if name is None:
        return None
    at = rng.choice(changed(name))
    ports = draft.ports(name, which)
    made = change(ports[at][1])
    if made is None:
        return None
    ports[at] = (ports[at][0], made)
    draft.set_ports(name, which, ports)
    return (name,)


def _which(rng: Random) -> str:
    return rng.choice(["input", "output"])


@falsifies
def dimension_changed(draft: Draft, rng: Random) -> Place | None:
    """A dimension is another size."""
    at, symbol = rng.randrange(4), parse_size(rng.choice(_SYMBOLS))

    def change(tensor: TensorType) -> TensorType | None:
        return tensor.with_dim(at, Dim(symbol, tensor.dims[at].axes)) if at < len(tensor.dims) else None

    return _edit(draft, rng, _which(rng), change)


@falsifies
def dimension_scaled(draft: Draft, rng: Random) -> Place | None:
    """A dimension is twice or half as large."""
    at, factor = rng.randrange(4), rng.choice(["2", "4"])

    def change(tensor: TensorType) -> TensorType | None:
        if at >= len(tensor.dims):
            return None
        dim = tensor.dims[at]
        return tensor.with_dim(at, Dim(dim.size * parse_size(factor), dim.axes))

    return _edit(draft, rng, _which(rng), change)


@falsifies
def dimension_dropped(draft: Draft, rng: Random) -> Place | None:
    """A dimension is missing."""
    at = rng.randrange(4)

    def change(tensor: TensorType) -> TensorType | None:
        return replace(tensor, dims=tensor.dims[:at] + tensor.dims[at + 1 :]) if at < len(tensor.dims) else None

    return _edit(draft, rng, _which(rng), change)


@falsifies
def dimensions_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Two dimensions stand in the other order."""
    at = rng.randrange(3)

    def change(tensor: TensorType) -> TensorType | None:
        if at + 1 >= len(tensor.dims):
            return None
        dims = list(tensor.dims)
        dims[at], dims[at + 1] = dims[at + 1], dims[at]
        return replace(tensor, dims=tuple(dims))

    return _edit(draft, rng, _which(rng), change)


@falsifies
def cut_removed(draft: Draft, rng: Random) -> Place | None:
    """A cut value is said to be whole."""

    def change(tensor: TensorType) -> TensorType | None:
        cut = [at for at, dim in enumerate(tensor.dims) if dim.axes]
        return tensor.with_dim(cut[0], Dim(tensor.dims[cut[0]].size)) if cut else None

    return _edit(draft, rng, _which(rng), change)


@falsifies
def cut_moved(draft: Draft, rng: Random) -> Place | None:
    """The cut is said to run along another dimension."""
    to = rng.randrange(3)

    def change(tensor: TensorType) -> TensorType | None:
        cut = [at for at, dim in enumerate(tensor.dims) if dim.axes]
        if not cut or to >= len(tensor.dims) or to == cut[0]:
            return None
        moved = tensor.with_dim(cut[0], Dim(tensor.dims[cut[0]].size))
        return moved.with_dim(to, Dim(moved.dims[to].size, (*moved.dims[to].axes, *tensor.dims[cut[0]].axes)))

    return _edit(draft, rng, _which(rng), change)


@falsifies
def cut_added(draft: Draft, rng: Random) -> Place | None:
    """A whole value is said to be cut."""
    to = rng.randrange(3)

    def change(tensor: TensorType) -> TensorType | None:
        mesh = draft.meshes()[tensor.mesh]
        free = [axis for axis in mesh.sizes if axis not in tensor.used_axes]
        if not free or to >= len(tensor.dims):
            return None
        return tensor.with_dim(to, Dim(tensor.dims[to].size, (*tensor.dims[to].axes, free[0])))

    return _edit(draft, rng, _which(rng), change)


@falsifies
def sum_forgotten(draft: Draft, rng: Random) -> Place | None:
    """A partial sum is said to be the value."""
    return _edit(draft, rng, _which(rng), lambda tensor: replace(tensor, partial=()) if tensor.partial else None)


@falsifies
def sum_claimed(draft: Draft, rng: Random) -> Place | None:
    """A whole value is said to be a partial sum."""

    def change(tensor: TensorType) -> TensorType | None:
        free = [axis for axis in draft.meshes()[tensor.mesh].sizes if axis not in tensor.used_axes]
        return replace(tensor, partial=(free[0],)) if free else None

    return _edit(draft, rng, _which(rng), change)


@falsifies
def variation_forgotten(draft: Draft, rng: Random) -> Place | None:
    """Routed tokens are said to be alike on all ranks."""
    return _edit(draft, rng, _which(rng), lambda tensor: replace(tensor, varying=()) if tensor.varying else None)


@falsifies
def mesh_changed(draft: Draft, rng: Random) -> Place | None:
    """A value is said to lie on another mesh."""

    def change(tensor: TensorType) -> TensorType | None:
        others = [name for name in draft.meshes() if name != tensor.mesh]
        return replace(tensor, mesh=others[0]) if others else None

    return _edit(draft, rng, _which(rng), change)


@falsifies
def mesh_unknown(draft: Draft, rng: Random) -> Place | None:
    """A value is said to lie on a mesh that is not there."""
    return _edit(draft, rng, _which(rng), lambda tensor: replace(tensor, mesh="world"))


@falsifies
def axes_of_a_cut_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Two axes cut a dimension in the other order."""

    def change(tensor: TensorType) -> TensorType | None:
        twice = [at for at, dim in enumerate(tensor.dims) if len(dim.axes) > 1]
        if not twice:
            return None
        dim = tensor.dims[twice[0]]
        return tensor.with_dim(twice[0], Dim(dim.size, (dim.axes[1], dim.axes[0], *dim.axes[2:])))

    return _edit(draft, rng, _which(rng), change)


@falsifies
def both_ends_changed(draft: Draft, rng: Random) -> Place | None:
    """A node's output and all that its users say they take are changed alike, nothing else."""
    name = draft.pick(rng, lambda one: len(draft.ports(one, "output")) == 1 and draft.out_of(one))
    if name is None:
        return None
    old = draft.get(name, "output")
    tensor = draft.ports(name, "output")[0][1]
    at = rng.randrange(len(tensor.dims))
    free = [axis for axis in draft.meshes()[tensor.mesh].sizes if axis not in tensor.used_axes]
    made = [tensor.with_dim(at, Dim(tensor.dims[at].size * 2, tensor.dims[at].axes))]
    if tensor.partial:
        made.append(replace(tensor, partial=()))
    if tensor.dims[at].axes:
        made.append(tensor.with_dim(at, Dim(tensor.dims[at].size)))
    if free:
        made.append(replace(tensor, partial=(*tensor.partial, free[0])))
        made.append(tensor.with_dim(at, Dim(tensor.dims[at].size, (*tensor.dims[at].axes, free[0]))))
    new = str(rng.choice(made))
    draft.nodes[name]["output"] = new
    users = [edge.head for edge in draft.out_of(name)]
    for user in users:
        draft.nodes[user]["input"] = draft.get(user, "input").replace(old, new)
    return (name, *users)


@falsifies
def misspelt(draft: Draft, rng: Random) -> Place | None:
    """A type cannot be read."""
    name = draft.pick(rng, lambda one: draft.get(one, "output"))
    if name is None:
        return None
    which = _which(rng)
    text = draft.get(name, which)
    draft.nodes[name][which] = rng.choice([text.replace("]", ""), text.replace("@", ""), text.replace(",", ";"), "[?]"])
    return (name,)


@falsifies
def removed(draft: Draft, rng: Random) -> Place | None:
    """A node does not say what it takes or gives."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") not in ("input",))
    if name is None:
        return None
    del draft.nodes[name][_which(rng)]
    return (name,)
