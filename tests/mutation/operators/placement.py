"""GPUs, ranks, pipeline stages, sends and receives; nodes copied, merged, renamed."""

from __future__ import annotations

from random import Random

from mutation.draft import Draft, Edge, Place, falsifies

_TRANSFERS = ("send", "recv", "send_recv", "broadcast", "reduce_broadcast")


def _every_gpu(draft: Draft) -> list[int]:
    return sorted({gpu for mesh in draft.meshes().values() for gpu in mesh.gpus})


def gpu_changed(draft: Draft, rng: Random) -> Place | None:
    """A node is on another GPU."""
    name = draft.pick(rng, lambda one: len(draft.gpus(one)) == 1)
    if name is None:
        return None
    others = [gpu for gpu in _every_gpu(draft) if (gpu,) != draft.gpus(name)]
    if not others:
        return None
    draft.set_gpus(name, [rng.choice(others)])
    return (name,)


def gpu_unknown(draft: Draft, rng: Random) -> Place | None:
    """A node is on a GPU that is not there."""
    name = draft.pick(rng, draft.gpus)
    if name is None:
        return None
    gpus = list(draft.gpus(name))
    gpus[rng.randrange(len(gpus))] = rng.choice([99, 128])
    draft.set_gpus(name, gpus)
    return (name,)


def gpu_removed(draft: Draft, rng: Random) -> Place | None:
    """A node names no GPU."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") not in ("input", "output"))
    if name is None:
        return None
    del draft.nodes[name]["gpu"]
    return (name,)


def one_gpu_of_several_left_out(draft: Draft, rng: Random) -> Place | None:
    """A replicated node is missing on one of its GPUs."""
    name = draft.pick(rng, lambda one: len(draft.gpus(one)) > 1)
    if name is None:
        return None
    gone = rng.choice(draft.gpus(name))
    draft.set_gpus(name, [gpu for gpu in draft.gpus(name) if gpu != gone])
    return (name,)


def one_gpu_for_several(draft: Draft, rng: Random) -> Place | None:
    """A replicated node is said to be on its first GPU only."""
    name = draft.pick(rng, lambda one: len(draft.gpus(one)) > 1)
    if name is None:
        return None
    draft.set_gpus(name, draft.gpus(name)[:1])
    return (name,)


def gpus_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Two ranks' nodes exchange GPUs, their edges left."""
    name = draft.pick(rng, lambda one: len(draft.gpus(one)) == 1 and draft.siblings(one, "layer_index", "expert"))
    if name is None:
        return None
    other = rng.choice(draft.siblings(name, "layer_index", "expert"))
    first, second = draft.nodes[name], draft.nodes[other]
    first["gpu"], second["gpu"] = second["gpu"], first["gpu"]
    return name, other


def statements_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Two nodes of a layer exchange all their attributes."""
    name = draft.pick(rng, lambda one: draft.get(one, "layer_index"))
    if name is None:
        return None
    others = [one for one in draft.siblings(name, "layer_index") if draft.nodes[one] != draft.nodes[name]]
    if not others:
        return None
    other = rng.choice(others)
    draft.nodes[name], draft.nodes[other] = draft.nodes[other], draft.nodes[name]
    return name, other


def statements_exchanged_between_roles(draft: Draft, rng: Random) -> Place | None:
    """Two nodes on one GPU exchange all their attributes."""
    name = draft.pick(rng, lambda one: draft.get(one, "layer_index"))
    if name is None:
        return None
    keys = ("gpu", "layer_index")
    others = [one for one in draft.nodes if one != name and all(draft.get(one, k) == draft.get(name, k) for k in keys)]
    if not others:
        return None
    other = rng.choice(others)
    draft.nodes[name], draft.nodes[other] = draft.nodes[other], draft.nodes[name]
    return name, other


def node_deleted(draft: Draft, rng: Random) -> Place | None:
    """A node is deleted with its edges."""
    name = draft.pick(rng, lambda one: True)
    if name is None:
        return None
    place = draft.around([name])
    draft.remove(name)
    return tuple(sorted(place))


def node_deleted_edges_left(draft: Draft, rng: Random) -> Place | None:
    """A node's statement is deleted; edges still name it."""
    name = draft.pick(rng, lambda one: draft.out_of(one) or draft.into(one))
    if name is None:
        return None
    del draft.nodes[name]
    return (name,)


def rank_left_out(draft: Draft, rng: Random) -> Place | None:
    """All of a layer's nodes of one rank are deleted."""
    name = draft.pick(rng, lambda one: draft.get(one, "layer_index") and len(draft.gpus(one)) == 1)
    if name is None:
        return None
    keys = ("layer_index", "gpu")
    gone = [one for one in draft.nodes if all(draft.get(one, key) == draft.get(name, key) for key in keys)]
    place = draft.around(gone)
    for one in gone:
        draft.remove(one)
    return tuple(sorted(place))


def node_twice_for_nobody(draft: Draft, rng: Random) -> Place | None:
    """A node stands there twice; the copy is fed and feeds nothing."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") != "output")
    if name is None:
        return None
    second = f"{name}_copy"
    draft.insert_after(name, second, dict(draft.nodes[name]))
    draft.edges += [Edge(edge.tail, second, dict(edge.facts)) for edge in draft.into(name)]
    return name, second


def node_twice(draft: Draft, rng: Random) -> Place | None:
    """A node stands there twice, fed alike, both feeding its users."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") not in ("output", "input"))
    if name is None:
        return None
    second, place = f"{name}_copy", draft.around([name])
    draft.insert_after(name, second, dict(draft.nodes[name]))
    draft.edges += [Edge(edge.tail, second, dict(edge.facts)) for edge in draft.into(name)]
    draft.edges += [Edge(second, edge.head, dict(edge.facts)) for edge in draft.out_of(name)]
    return tuple(sorted({*place, second}))


def node_alone(draft: Draft, rng: Random) -> Place | None:
    """A copy of a node without edges."""
    name = draft.pick(rng, lambda one: True)
    if name is None:
        return None
    draft.insert_after(name, f"{name}_old", dict(draft.nodes[name]))
    return (f"{name}_old",)


@falsifies
def two_ranks_in_one_node(draft: Draft, rng: Random) -> Place | None:
    """Two ranks' nodes are drawn as one on both GPUs, though their shards differ."""
    name = draft.pick(
        rng,
        lambda one: (
            "/" in draft.get(one, "output")
            and len(draft.gpus(one)) == 1
            and draft.siblings(one, "layer_index", "expert")
        ),
    )
    if name is None:
        return None
    other = rng.choice(draft.siblings(name, "layer_index", "expert"))
    place = draft.around([name, other])
    draft.set_gpus(name, sorted({*draft.gpus(name), *draft.gpus(other)}))
    for edge in list(draft.edges):
        tail, head = (name if end == other else end for end in (edge.tail, edge.head))
        if other in (edge.tail, edge.head) and not draft.joined(tail, head):
            draft.edges.append(Edge(tail, head, dict(edge.facts)))
    draft.remove(other)
    return tuple(sorted({*place} - {other}))


def two_nodes_one_id(draft: Draft, rng: Random) -> Place | None:
    """A script gives two layers' nodes the same id."""
    name = draft.pick(rng, lambda one: draft.siblings(one, "gpu", "expert"))
    if name is None:
        return None
    other = rng.choice(draft.siblings(name, "gpu", "expert"))
    place = draft.around([name, other])
    for edge in draft.edges:
        edge.tail = name if edge.tail == other else edge.tail
        edge.head = name if edge.head == other else edge.head
    del draft.nodes[other]
    return tuple(sorted({*place} - {other}))


def transfer_dropped(draft: Draft, rng: Random) -> Place | None:
    """A transfer is deleted, its ends joined."""
    name = draft.pick_op(rng, *_TRANSFERS)
    if name is None:
        return None
    place = draft.around([name])
    givers, takers = draft.into(name), draft.out_of(name)
    for giver in givers:
        for taker in takers:
            draft.edges.append(Edge(giver.tail, taker.head, dict(taker.facts)))
    draft.remove(name)
    return tuple(sorted(place))


def send_and_recv_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Send and receive have exchanged their operators."""
    name = draft.pick_op(rng, "send")
    if name is None:
        return None
    other = next((edge.head for edge in draft.out_of(name) if draft.get(edge.head, "op") == "recv"), None)
    if other is None:
        return None
    draft.nodes[name]["op"], draft.nodes[other]["op"] = "recv", "send"
    return name, other


def send_and_recv_in_the_other_order(draft: Draft, rng: Random) -> Place | None:
    """The receive stands before the send."""
    name = draft.pick_op(rng, "send")
    if name is None:
        return None
    other = next((edge.head for edge in draft.out_of(name) if draft.get(edge.head, "op") == "recv"), None)
    if other is None:
        return None
    place = draft.around([name, other])
    for edge in draft.edges:
        swap = {name: other, other: name}
        edge.tail, edge.head = swap.get(edge.tail, edge.tail), swap.get(edge.head, edge.head)
    return tuple(sorted(place))


def recv_of_another_send(draft: Draft, rng: Random) -> Place | None:
    """Two receives take each other's sends."""
    edge = draft.pick_edge(rng, lambda one: draft.get(one.tail, "op") == "send")
    if edge is None:
        return None
    others = [one for one in draft.edges if draft.get(one.tail, "op") == "send" and one is not edge]
    if not others:
        return None
    other = rng.choice(others)
    edge.tail, other.tail = other.tail, edge.tail
    return edge.tail, edge.head, other.tail, other.head


def transfer_half_dropped(draft: Draft, rng: Random) -> Place | None:
    """A send without its receive, or a receive without its send."""
    name = draft.pick_op(rng, "send", "recv")
    if name is None:
        return None
    place = draft.around([name])
    givers, takers = draft.into(name), draft.out_of(name)
    draft.edges += [Edge(giver.tail, taker.head) for giver in givers for taker in takers]
    draft.remove(name)
    return tuple(sorted(place))


@falsifies
def transfer_to_another_mesh(draft: Draft, rng: Random) -> Place | None:
    """A transfer says another mesh."""
    name = draft.pick(rng, lambda one: draft.get(one, "to") and len(draft.meshes()) > 1)
    if name is None:
        return None
    draft.nodes[name]["to"] = rng.choice([mesh for mesh in (*draft.meshes(), "s7") if mesh != draft.get(name, "to")])
    return (name,)


@falsifies
def transfer_direction_reversed(draft: Draft, rng: Random) -> Place | None:
    """A transfer's types say the way back."""
    name = draft.pick_op(rng, "send_recv", "recv", "broadcast")
    if name is None:
        return None
    facts = draft.nodes[name]
    facts["to"] = draft.ports(name, "input")[0][1].mesh
    facts["input"], facts["output"] = facts["output"], facts["input"]
    return (name,)


@falsifies
def transfer_kind_changed(draft: Draft, rng: Random) -> Place | None:
    """A broadcast is a send, or the other way round."""
    name = draft.pick_op(rng, "send_recv", "broadcast", "reduce_broadcast")
    if name is None:
        return None
    facts = draft.nodes[name]
    facts["op"] = rng.choice([op for op in ("send_recv", "broadcast", "reduce_broadcast") if op != facts["op"]])
    return (name,)


def transfer_misses_a_rank(draft: Draft, rng: Random) -> Place | None:
    """A transfer leaves out one of its GPUs, edges and all."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") in _TRANSFERS and len(draft.gpus(one)) > 1)
    if name is None:
        return None
    gone = rng.choice(draft.gpus(name))
    place = draft.around([name])
    draft.set_gpus(name, [gpu for gpu in draft.gpus(name) if gpu != gone])
    draft.edges = [
        edge
        for edge in draft.edges
        if not (name in (edge.tail, edge.head) and (gone,) in (draft.gpus(edge.tail), draft.gpus(edge.head)))
    ]
    return tuple(sorted(place))


def stages_exchanged(draft: Draft, rng: Random) -> Place | None:
    """A layer's nodes are on another stage's GPUs and meshes, transfers as they were."""
    meshes = draft.meshes()
    if "s0" not in meshes or "s1" not in meshes:
        return None
    layer = rng.choice(sorted({facts["layer_index"] for facts in draft.nodes.values() if "layer_index" in facts}))
    swap = dict(zip(meshes["s0"].gpus, meshes["s1"].gpus, strict=True))
    swap |= {there: here for here, there in swap.items()}
    place = []
    for name, facts in draft.nodes.items():
        if facts.get("layer_index") == layer and facts["op"] not in _TRANSFERS:
            draft.set_gpus(name, [swap.get(gpu, gpu) for gpu in draft.gpus(name)])
            for key in ("input", "output"):
                text = facts[key].replace("@s0", "@?").replace("@s1", "@s0").replace("@?", "@s1")
                facts[key] = text
            place.append(name)
    return tuple(place)


def stage_bypassed(draft: Draft, rng: Random) -> Place | None:
    """A transfer's user takes the value from before the transfer."""
    edge = draft.pick_edge(rng, lambda one: draft.get(one.tail, "op") in _TRANSFERS and draft.into(one.tail))
    if edge is None:
        return None
    old, edge.tail = edge.tail, draft.into(edge.tail)[0].tail
    return old, edge.tail, edge.head
