"""The same computation drawn in another way that is right too: nothing may be reported."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from mutation.draft import Draft, Edge, Place

from dagtool.model.tensor import Dim, TensorType, parse_type


def all_reduce_as_scatter_and_gather(draft: Draft, rng: Random) -> Place | None:
    """An all-reduce is a reduce-scatter and an all-gather."""
    name = draft.pick(
        rng,
        lambda one: (
            draft.get(one, "op") == "all_reduce" and "," not in draft.get(one, "over") and not draft.get(one, "expert")
        ),
    )
    if name is None:
        return None
    facts = draft.nodes[name]
    whole: TensorType = draft.ports(name, "output")[0][1]
    at = rng.randrange(2)
    cut = whole.with_dim(at, Dim(whole.dims[at].size, (*whole.dims[at].axes, facts["over"])))
    second, place = f"{name}_gather", draft.around([name])
    shared = {"shape": "ellipse", "over": facts["over"], "along": str(at), **draft.place_of(name)}
    base = facts["role"].removesuffix(".all_reduce")
    gather = {"op": "all_gather", "role": f"{base}.all_gather", "input": str(cut), "output": str(whole)}
    draft.insert_after(name, second, {**shared, **gather})
    draft.nodes[name] = {
        **shared, "op": "reduce_scatter", "role": f"{base}.reduce_scatter", "input": facts["input"], "output": str(cut)
    }  # fmt: skip
    for edge in draft.edges:
        if edge.tail == name:
            edge.tail = second
    draft.edges.append(Edge(name, second))
    return tuple(sorted({*place, second}))


def all_reduce_over_axes_one_by_one(draft: Draft, rng: Random) -> Place | None:
    """A reduction over two axes is one over each."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") == "all_reduce" and "," in draft.get(one, "over"))
    if name is None:
        return None
    facts = draft.nodes[name]
    first, rest = facts["over"].split(",", 1)
    middle = replace(draft.ports(name, "input")[0][1], partial=tuple(rest.split(",")))
    second, place = f"{name}_rest", draft.around([name])
    draft.insert_after(name, second, {**facts, "input": str(middle), "over": rest})
    facts |= {"output": str(middle), "over": first}
    for edge in draft.edges:
        if edge.tail == name:
            edge.tail = second
    draft.edges.append(Edge(name, second))
    return tuple(sorted({*place, second}))


def split_and_gathered(draft: Draft, rng: Random) -> Place | None:
    """A whole value is cut and put together again on its way: needless, and right."""
    edge = draft.pick_edge(
        rng,
        lambda one: (
            draft.get(one.tail, "op") in ("norm", "add", "copy")
            and draft.get(one.tail, "gpu") == draft.get(one.head, "gpu")
            and len(draft.gpus(one.tail)) > 1
            and not one.facts
        ),
    )
    if edge is None:
        return None
    whole = draft.ports(edge.tail, "output")[0][1]
    mesh = draft.meshes()[whole.mesh]
    if len(mesh.axes) != 1 or set(mesh.gpus) != set(draft.gpus(edge.tail)):
        return None
    axis, role = mesh.axes[0][0], draft.get(edge.tail, "role")
    cut = whole.with_dim(0, Dim(whole.dims[0].size, (*whole.dims[0].axes, axis)))
    kept = draft.place_of(edge.tail)
    gather = f"{edge.tail}_whole"
    facts = {"shape": "ellipse", "op": "all_gather", "role": f"{role}.all_gather", "over": axis, "along": "0"}
    draft.insert_after(edge.tail, gather, facts | kept | {"input": str(cut), "output": str(whole)})
    parts = []
    for gpu in mesh.gpus:
        part = f"{edge.tail}_part{gpu}"
        facts = {"shape": "parallelogram", "op": "split", "role": f"{role}.split", "over": axis, "along": "0"}
        draft.insert_after(edge.tail, part, facts | kept | {"gpu": str(gpu), "input": str(whole), "output": str(cut)})
        draft.edges += [Edge(edge.tail, part), Edge(part, gather)]
        parts.append(part)
    old, edge.tail = edge.tail, gather
    return old, gather, edge.head, *parts


def send_recv_in_two_halves(draft: Draft, rng: Random) -> Place | None:
    """A transfer in one node is a send and a receive."""
    name = draft.pick_op(rng, "send_recv")
    if name is None:
        return None
    facts = draft.nodes[name]
    meshes = draft.meshes()
    source, target = (meshes[draft.ports(name, which)[0][1].mesh].gpus for which in ("input", "output"))
    gpus = draft.gpus(name)
    second, place = f"{name}_recv", draft.around([name])
    base = facts["role"].removesuffix(".send_recv")
    draft.insert_after(name, second, {**facts, "op": "recv", "role": f"{base}.recv"})
    draft.set_gpus(second, [gpu for gpu in gpus if gpu in target])
    facts |= {"op": "send", "role": f"{base}.send", "output": facts["input"]}
    draft.set_gpus(name, [gpu for gpu in gpus if gpu in source])
    for edge in draft.edges:
        if edge.tail == name:
            edge.tail = second
    draft.edges.append(Edge(name, second))
    return tuple(sorted({*place, second}))


def send_and_recv_in_one(draft: Draft, rng: Random) -> Place | None:
    """A send and its receive are one node."""
    name = draft.pick_op(rng, "send")
    if name is None:
        return None
    other = draft.out_of(name)[0].head
    place = draft.around([name, other])
    facts = draft.nodes[name]
    facts |= {"op": "send_recv", "role": facts["role"].removesuffix(".send") + ".send_recv"}
    facts["output"] = draft.get(other, "output")
    draft.set_gpus(name, [*draft.gpus(name), *draft.gpus(other)])
    draft.edges = [edge for edge in draft.edges if edge.head != other]
    for edge in draft.edges:
        if edge.tail == other:
            edge.tail = name
    del draft.nodes[other]
    return tuple(sorted(place - {other}))


def fused_projection_apart(draft: Draft, rng: Random) -> Place | None:
    """A fused q, k, v projection is three, on one rank or on all."""
    name = draft.pick(rng, lambda one: draft.get(one, "role") == "attention.qkv")
    if name is None:
        return None
    names = [name] if rng.random() < 0.5 else [name, *draft.siblings(name, "layer_index")]
    place: set[str] = set()
    for one in names:
        place |= _apart(draft, one)
    return tuple(sorted(place))


def _apart(draft: Draft, name: str) -> set[str]:
    facts, around = draft.nodes[name], draft.around([name]) - {name}
    weight = parse_type(f"{facts['param']} @m")
    if len({str(tensor) for _, tensor in draft.ports(name, "output")}) > 1:
        return set()
    contracted = int(facts.get("contract", "1"))
    dims = weight.dims[:contracted] + weight.dims[contracted + 1 :]
    made = {}
    for slot, tensor in draft.ports(name, "output"):
        made[slot] = f"{name}_{slot}"
        single = {key: value for key, value in facts.items() if key not in ("fused", "label")}
        single |= {"role": f"attention.{slot}", "param": f"[{', '.join(map(str, dims))}]", "output": str(tensor)}
        draft.insert_after(name, made[slot], single)
        draft.edges += [Edge(edge.tail, made[slot], dict(edge.facts)) for edge in draft.into(name)]
    for edge in draft.out_of(name):
        slots = edge.facts.get("arg", "x").split(",")
        for slot, output in zip(slots, edge.facts.get("out", ",".join(slots)).split(","), strict=True):
            draft.edges.append(Edge(made[output], edge.head, {"arg": slot}))
    draft.remove(name)
    return {*around, *made.values()}


def recomputed_for_each_user(draft: Draft, rng: Random) -> Place | None:
    """A norm is computed twice on its GPUs, each for some of its users."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") in ("norm", "copy") and len(draft.out_of(one)) > 1)
    if name is None:
        return None
    second, place = f"{name}_again", draft.around([name])
    going = draft.out_of(name)
    moved = going[: len(going) // 2]
    # A copy serves the GPUs of the users it has.
    for users, left in ((moved, going[len(going) // 2 :]),):
        for one in (users, left):
            if not set(draft.gpus(name)) <= {gpu for edge in one for gpu in draft.gpus(edge.head)}:
                return None
    draft.insert_after(name, second, dict(draft.nodes[name]))
    draft.edges += [Edge(edge.tail, second, dict(edge.facts)) for edge in draft.into(name)]
    for edge in moved:
        edge.tail = second
    return tuple(sorted({*place, second}))


def column_weight_whole_and_split(draft: Draft, rng: Random) -> Place | None:
    """A rank computes a whole projection and keeps its part: wasteful, and right."""
    name = draft.pick(
        rng,
        lambda one: (
            draft.get(one, "op") == "linear"
            and "fused" not in draft.nodes[one]
            and len(draft.gpus(one)) == 1
            and "sum" not in draft.get(one, "output")
            and draft.get(one, "param").count("/") == 1
        ),
    )
    if name is None:
        return None
    facts = draft.nodes[name]
    cut: TensorType = draft.ports(name, "output")[0][1]
    axis = facts["param"].partition("/")[2].rstrip("]").split(",")[0].strip()
    at = cut.sharded_axes.get(axis)
    if at is None or len(cut.dims[at].axes) != 1:
        return None
    whole = cut.with_dim(at, Dim(cut.dims[at].size))
    part, place = f"{name}_part", draft.around([name])
    facts |= {"param": facts["param"].replace(f"/{axis}", ""), "output": str(whole)}
    split = {"shape": "parallelogram", "op": "split", "role": f"{facts['role']}.split", "over": axis, "along": str(at)}
    draft.insert_after(name, part, split | draft.place_of(name) | {"input": str(whole), "output": str(cut)})
    for edge in draft.edges:
        if edge.tail == name:
            edge.tail = part
    draft.edges.append(Edge(name, part))
    return tuple(sorted({*place, part}))
