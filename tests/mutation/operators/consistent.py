"""Damage after which its author went on and repaired the types, so that all edges agree again."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

from mutation.draft import Draft, Edge, Place, falsifies

from dagtool.dag.graph import Kind, Port
from dagtool.dag.semantics import infer_outputs
from dagtool.dot.dialect import PARAMETERS
from dagtool.model.tensor import Dim, TensorType
from dagtool.ops import OPERATORS, LayoutError

_KEEPS_SHAPE = ("norm", "activation", "softmax", "copy", "add", "gated_activation", "send")


def _repair(draft: Draft, start: list[str]) -> None:
    """Below ``start``, declare what arrives and what follows from it, until a type is what it was."""
    users: dict[str, list[Edge]] = {}
    givers: dict[str, list[Edge]] = {}
    for edge in draft.edges:
        users.setdefault(edge.tail, []).append(edge)
        givers.setdefault(edge.head, []).append(edge)
    waiting = list(start)
    for _ in range(20 * len(draft.nodes)):
        if not waiting:
            return
        name = waiting.pop(0)
        before = draft.get(name, "output")
        _take(draft, name, givers.get(name, []))
        _give(draft, name)
        if draft.get(name, "output") != before:
            waiting += [edge.head for edge in users.get(name, []) if edge.head not in waiting]


def _take(draft: Draft, name: str, coming: list[Edge]) -> None:
    op = draft.get(name, "op")
    if op not in OPERATORS or op == "input":
        return
    ports = draft.ports(name, "input")
    for filled, edge in enumerate(coming):
        outputs = draft.ports(edge.tail, "output")
        slots = edge.facts.get("arg", OPERATORS[op].slots[0]).split(",")
        taken = edge.facts.get("out", ",".join(slots)).split(",")
        for slot, output in zip(slots, taken, strict=False):
            found = [tensor for held, tensor in outputs if held == output] or [tensor for _, tensor in outputs[:1]]
            for at, (held, _) in enumerate(ports):
                if found and (at == filled if op == "add" else held in ("", slot)):
                    ports[at] = (held, found[0])
                    break
    draft.set_ports(name, "input", ports)


def _give(draft: Draft, name: str) -> None:
    facts = draft.nodes[name]
    inputs = tuple(Port(*port) for port in draft.ports(name, "input"))
    params = tuple((key, facts[key]) for key in PARAMETERS if key in facts)
    outputs = draft.ports(name, "output")
    if facts["op"] == "input":
        return
    try:
        made = infer_outputs(Kind(facts["op"], facts["role"], inputs, (), params))
    except (LayoutError, KeyError):
        made = (inputs[0].type,) * len(outputs) if facts["op"] in _KEEPS_SHAPE and inputs else ()
    if len(made) == len(outputs):
        draft.set_ports(name, "output", [(slot, new) for (slot, _), new in zip(outputs, made, strict=True)])


def collective_deleted(draft: Draft, rng: Random) -> Place | None:
    """A collective is deleted on all groups, and every following type says so."""
    name = draft.pick_op(rng, "all_reduce", "reduce_scatter", "all_gather", "all_to_all", "split")
    if name is None:
        return None
    gone = [name, *draft.siblings(name, "layer_index")]
    place = draft.around(gone)
    users = sorted({edge.head for one in gone for edge in draft.out_of(one)} - set(gone))
    for one in gone:
        draft.join_over(one)
        draft.remove(one)
    _repair(draft, users)
    return tuple(sorted(place))


def collective_deleted_on_one_group(draft: Draft, rng: Random) -> Place | None:
    """A collective is deleted on one group, and the following types say so."""
    name = draft.pick_op(rng, "all_reduce", "reduce_scatter", "all_gather", "all_to_all", "split")
    if name is None:
        return None
    place = draft.around([name])
    users = sorted({edge.head for edge in draft.out_of(name)})
    draft.join_over(name)
    draft.remove(name)
    _repair(draft, users)
    return tuple(sorted(place))


def collective_deleted_and_sum_forgotten(draft: Draft, rng: Random) -> Place | None:
    """An all-reduce is deleted, and the partial sums before it are said to be the value."""
    name = draft.pick_op(rng, "all_reduce")
    if name is None:
        return None
    gone = [name, *draft.siblings(name, "layer_index")]
    place = draft.around(gone)
    for edge in [edge for one in gone for edge in draft.into(one)]:
        ports = draft.ports(edge.tail, "output")
        draft.set_ports(edge.tail, "output", [(slot, replace(tensor, partial=())) for slot, tensor in ports])
    for one in gone:
        draft.join_over(one)
        draft.remove(one)
    return tuple(sorted(place))


def kind_changed(draft: Draft, rng: Random) -> Place | None:
    """Another kind of collective on all groups, and the following types repaired."""
    name = draft.pick_op(rng, "all_reduce", "reduce_scatter", "all_gather", "all_to_all")
    if name is None:
        return None
    gone = [name, *draft.siblings(name, "layer_index")]
    old = draft.get(name, "op")
    op = rng.choice([one for one in ("all_reduce", "reduce_scatter", "all_gather") if one != old])
    along = str(rng.randrange(len(draft.ports(name, "input")[0][1].dims)))
    for one in gone:
        draft.nodes[one]["op"] = op
        if op != "all_reduce":
            draft.nodes[one].setdefault("along", along)
    _repair(draft, gone)
    return tuple(gone)


def along_changed(draft: Draft, rng: Random) -> Place | None:
    """A collective or split takes another dimension on all groups, and the following types say so."""
    name = draft.pick(rng, lambda one: draft.get(one, "along"))
    if name is None:
        return None
    place = [name, *draft.siblings(name, "layer_index")]
    dims = range(len(draft.ports(name, "input")[0][1].dims))
    along = rng.choice([str(at) for at in dims if str(at) != draft.get(name, "along")] or ["0"])
    for one in place:
        draft.nodes[one]["along"] = along
    _repair(draft, place)
    return tuple(place)


def over_changed(draft: Draft, rng: Random) -> Place | None:
    """A collective runs over another axis, on groups of that axis, its types say so."""
    name = draft.pick(rng, lambda one: draft.get(one, "over") and len(draft.mesh(one).axes) > 1)
    if name is None:
        return None
    place = [name, *draft.siblings(name, "layer_index")]
    held = draft.get(name, "over")
    axis = rng.choice([one for one, _ in draft.mesh(name).axes if one != held])
    if axis in draft.ports(name, "input")[0][1].used_axes:
        return None
    for one in place:
        draft.nodes[one]["over"] = axis
        if draft.get(one, "op") in ("all_reduce", "reduce_scatter"):
            ports = draft.ports(one, "input")
            draft.set_ports(one, "input", [(slot, replace(tensor, partial=(axis,))) for slot, tensor in ports])
    _regroup(draft, place, axis)
    _repair(draft, sorted({edge.head for one in place for edge in draft.out_of(one)}))
    return tuple(sorted(draft.around(place)))


def _regroup(draft: Draft, names: list[str], axis: str) -> None:
    """Put the nodes on the groups along an axis, their edges with them, where the numbers of both agree."""
    mesh = draft.mesh(names[0])
    fixed = [one for one in mesh.sizes if one != axis]
    groups = [mesh.members(position) for position in mesh.coordinates(fixed)]
    if len(groups) != len(names):
        return
    owner = {gpu: one for one, gpus in zip(names, groups, strict=True) for gpu in gpus}
    for edge in draft.edges:
        if edge.tail in names and len(draft.gpus(edge.head)) == 1:
            edge.tail = owner.get(draft.gpus(edge.head)[0], edge.tail)
        elif edge.head in names and len(draft.gpus(edge.tail)) == 1:
            edge.head = owner.get(draft.gpus(edge.tail)[0], edge.head)
    for one, gpus in zip(names, groups, strict=True):
        draft.set_gpus(one, gpus)


def weight_whole_on_one_rank(draft: Draft, rng: Random) -> Place | None:
    """One rank's weight is whole, and the types below say so."""
    name = draft.pick(rng, lambda one: "/" in draft.get(one, "param"))
    if name is None:
        return None
    draft.nodes[name]["param"] = re.sub(r"/[\w/]+", "", draft.get(name, "param"))
    _repair(draft, [name])
    return (name,)


def weight_whole_on_all_ranks(draft: Draft, rng: Random) -> Place | None:
    """A weight is whole on all ranks, and the types below say so."""
    name = draft.pick(rng, lambda one: "/" in draft.get(one, "param"))
    if name is None:
        return None
    place = [name, *draft.siblings(name, "layer_index")]
    for one in place:
        draft.nodes[one]["param"] = re.sub(r"/[\w/]+", "", draft.get(one, "param"))
    _repair(draft, place)
    return tuple(place)


def weight_cut_on_all_ranks(draft: Draft, rng: Random) -> Place | None:
    """A whole weight is cut on all ranks, and the types below say so."""

    def uncut(name: str) -> bool:
        return bool(draft.get(name, "param")) and "/" not in draft.get(name, "param") and bool(draft.mesh(name).axes)

    name = draft.pick(rng, uncut)
    if name is None:
        return None
    place = [name, *draft.siblings(name, "layer_index")]
    dims = draft.get(name, "param").strip("[]").split(",")
    at, axis = rng.randrange(len(dims)), rng.choice(draft.mesh(name).axes)[0]
    dims[at] = f"{dims[at]}/{axis}"
    for one in place:
        draft.nodes[one]["param"] = f"[{', '.join(dim.strip() for dim in dims)}]"
    _repair(draft, place)
    return tuple(place)


def rows_for_columns(draft: Draft, rng: Random) -> Place | None:
    """A weight is cut by rows instead of columns on all ranks, or the other way round; types below say so."""
    name = draft.pick(rng, lambda one: "/" in draft.get(one, "param") and "," in draft.get(one, "param"))
    if name is None:
        return None
    place = [name, *draft.siblings(name, "layer_index")]
    for one in place:
        dims = [dim.strip() for dim in draft.get(one, "param").strip("[]").split(",")]
        at = next(at for at, dim in enumerate(dims) if "/" in dim)
        to = 0 if at else len(dims) - 1
        size, _, axes = dims[at].partition("/")
        dims[at], dims[to] = size, f"{dims[to]}/{axes}"
        draft.nodes[one]["param"] = f"[{', '.join(dims)}]"
    _repair(draft, place)
    return tuple(place)


def reduced_twice(draft: Draft, rng: Random) -> Place | None:
    """After a reduction its result is called a partial sum, and reduced once more."""
    name = draft.pick_op(rng, "all_reduce")
    if name is None:
        return None
    place = draft.around([name])
    facts = draft.nodes[name]
    middle, second = f"{name}_view", f"{name}_again"
    view = {"shape": "parallelogram", "op": "copy", "role": f"{facts['role']}.copy"}
    view |= draft.place_of(name) | {"input": facts["output"], "output": facts["input"]}
    draft.insert_after(name, second, dict(facts))
    draft.insert_after(name, middle, view)
    for edge in draft.edges:
        if edge.tail == name:
            edge.tail = second
    draft.edges += [Edge(name, middle), Edge(middle, second)]
    return tuple(sorted({*place, middle, second}))


def result_called_a_sum(draft: Draft, rng: Random) -> Place | None:
    """The reduction's result is said to be a partial sum already at the maker of a whole value, then reduced."""
    edge = draft.pick_edge(
        rng,
        lambda one: (
            draft.get(one.tail, "op") in ("norm", "add", "linear", "copy")
            and draft.get(one.tail, "gpu") == draft.get(one.head, "gpu")
            and len(draft.gpus(one.tail)) > 1
            and draft.mesh(one.tail).axes
        ),
    )
    if edge is None:
        return None
    maker = edge.tail
    place = draft.around([maker])
    tensor = draft.ports(maker, "output")[0][1]
    axis = draft.mesh(maker).axes[0][0]
    if axis in tensor.used_axes:
        return None
    name, summed = f"{maker}_sum", replace(tensor, partial=(axis,))
    draft.set_ports(maker, "output", [("", summed)])
    facts = {"shape": "ellipse", "op": "all_reduce", "role": f"{draft.get(maker, 'role')}.all_reduce", "over": axis}
    facts |= draft.place_of(maker) | {"input": str(summed), "output": str(tensor)}
    draft.insert_after(maker, name, facts)
    for one in draft.edges:
        if one.tail == maker:
            one.tail = name
    draft.edges.append(Edge(maker, name))
    return tuple(sorted({*place, name}))


def reduction_after_the_add(draft: Draft, rng: Random) -> Place | None:
    """A reduction is moved behind the residual add on all ranks, and both terms are called partial sums."""
    name = draft.pick(
        rng,
        lambda one: (
            draft.get(one, "op") == "all_reduce"
            and any(draft.get(edge.head, "op") == "add" for edge in draft.out_of(one))
        ),
    )
    if name is None:
        return None
    adds = [edge.head for edge in draft.out_of(name) if draft.get(edge.head, "op") == "add"]
    place = draft.around([name, *adds])
    facts = draft.nodes[name]
    draft.join_over(name)
    draft.edges = [edge for edge in draft.edges if name not in (edge.tail, edge.head)]
    for add in adds:
        ports = draft.ports(add, "input")
        draft.set_ports(add, "input", [(slot, draft.ports(name, "input")[0][1]) for slot, _ in ports])
        draft.nodes[add]["output"] = facts["input"]
        for edge in draft.edges:
            if edge.tail == add:
                edge.tail = name
        draft.edges.append(Edge(add, name))
    for edge in draft.edges:
        if edge.head in adds and "sum" not in draft.get(edge.tail, "output"):
            place.add(edge.tail)
    return tuple(sorted(place))


def residual_of_another_block(draft: Draft, rng: Random) -> Place | None:
    """On all ranks the residual comes from one block earlier."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") == "add" and len(draft.into(one)) == 2)
    if name is None:
        return None
    place: set[str] = set()
    for one in [name, *draft.siblings(name, "layer_index")]:
        first, second = draft.into(one)
        edge = first if first.tail in draft.before(second.tail) else second
        gpus = set(draft.gpus(one))
        earlier = [
            other.tail
            for other in draft.into(edge.tail)
            if draft.get(other.tail, "output") == draft.get(edge.tail, "output") and gpus <= set(draft.gpus(other.tail))
        ]
        if not earlier:
            return None
        place |= {one, edge.tail, earlier[0]}
        edge.tail = earlier[0]
    return tuple(sorted(place))


@falsifies
def dimension_changed_everywhere(draft: Draft, rng: Random) -> Place | None:
    """One size is written for another in a role's types and weights on all ranks and at all neighbours."""
    name = draft.pick(rng, lambda one: draft.get(one, "layer_index"))
    if name is None:
        return None
    names = [name, *draft.siblings(name, "layer_index")]
    first, second = rng.sample("SHNDF", 2)
    for one in names:
        for key in ("output", "param"):
            if key in draft.nodes[one]:
                draft.nodes[one][key] = re.sub(rf"\b{first}\b", second, draft.nodes[one][key])
    _repair(draft, sorted({edge.head for one in names for edge in draft.out_of(one)}))
    return tuple(names)


def partial_cut_pretended(draft: Draft, rng: Random) -> Place | None:
    """A value every rank holds whole is said to be cut, and an all-gather puts its copies together."""
    edge = draft.pick_edge(
        rng,
        lambda one: (
            draft.get(one.tail, "op") in ("norm", "add", "copy", "all_reduce")
            and draft.get(one.tail, "gpu") == draft.get(one.head, "gpu")
            and len(draft.gpus(one.tail)) > 1
            and draft.mesh(one.tail).axes
        ),
    )
    if edge is None:
        return None
    maker = edge.tail
    tensor: TensorType = draft.ports(maker, "output")[0][1]
    axis = draft.mesh(maker).axes[0][0]
    at = rng.randrange(len(tensor.dims))
    if axis in tensor.used_axes:
        return None
    cut = tensor.with_dim(at, Dim(tensor.dims[at].size, (*tensor.dims[at].axes, axis)))
    name = f"{maker}_gathered"
    facts = {"shape": "ellipse", "op": "all_gather", "role": f"{draft.get(maker, 'role')}.all_gather", "over": axis}
    facts |= draft.place_of(maker) | {"input": str(cut), "output": str(tensor), "along": str(at)}
    draft.insert_after(maker, name, facts)
    draft.edges.append(Edge(maker, name))
    edge.tail = name
    return maker, name, edge.head


def expert_number_and_gpu_moved(draft: Draft, rng: Random) -> Place | None:
    """Two experts exchange numbers on one product on all ranks: each uses the other's up projection."""
    name = draft.pick(rng, lambda one: draft.get(one, "expert") and draft.get(one, "param"))
    if name is None:
        return None
    group = [name, *draft.siblings(name, "layer_index")]
    mine = draft.get(name, "expert")
    others = sorted({draft.get(one, "expert") for one in group} - {mine})
    theirs = rng.choice(others)
    place = [one for one in group if draft.get(one, "expert") in (mine, theirs)]
    for one in place:
        draft.nodes[one]["expert"] = theirs if draft.get(one, "expert") == mine else mine
    return tuple(place)


def gather_left_out_before_a_norm(draft: Draft, rng: Random) -> Place | None:
    """An all-gather is deleted and the maker before it is said to give the whole value."""
    name = draft.pick_op(rng, "all_gather", "reduce_scatter", "all_to_all")
    if name is None:
        return None
    gone = [name, *draft.siblings(name, "layer_index")]
    place = draft.around(gone)
    for one in gone:
        for edge in draft.into(one):
            if len(draft.ports(edge.tail, "output")) == 1:
                draft.nodes[edge.tail]["output"] = draft.get(one, "output")
        draft.join_over(one)
        draft.remove(one)
    return tuple(sorted(place))
