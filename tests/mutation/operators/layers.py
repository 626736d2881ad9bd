"""Layers, residuals and the order of operators in a layer."""

from __future__ import annotations

from random import Random

from mutation.draft import Draft, Edge, Place, falsifies


def _in_layer(draft: Draft, rng: Random) -> str | None:
    return draft.pick(rng, lambda one: draft.get(one, "layer_index"))


def _layers(draft: Draft) -> list[str]:
    return sorted({facts["layer_index"] for facts in draft.nodes.values() if "layer_index" in facts})


def _of(draft: Draft, layer: str) -> list[str]:
    return [one for one in draft.nodes if draft.get(one, "layer_index") == layer]


@falsifies
def number_changed(draft: Draft, rng: Random) -> Place | None:
    """A node says another layer's number: its weights are used again."""
    name = _in_layer(draft, rng)
    if name is None:
        return None
    draft.nodes[name]["layer_index"] = rng.choice(
        [one for one in _layers(draft) if one != draft.get(name, "layer_index")]
    )
    return (name,)


@falsifies
def number_too_large(draft: Draft, rng: Random) -> Place | None:
    """A node says a layer that is not there."""
    name = _in_layer(draft, rng)
    if name is None:
        return None
    draft.nodes[name]["layer_index"] = rng.choice(["7", "99"])
    return (name,)


@falsifies
def number_removed(draft: Draft, rng: Random) -> Place | None:
    """A node does not say its layer."""
    name = _in_layer(draft, rng)
    if name is None:
        return None
    del draft.nodes[name]["layer_index"]
    return (name,)


def number_changed_on_a_weight(draft: Draft, rng: Random) -> Place | None:
    """One node with a weight uses another layer's."""
    name = draft.pick(rng, lambda one: draft.get(one, "layer_index") and draft.get(one, "param"))
    if name is None:
        return None
    draft.nodes[name]["layer_index"] = rng.choice(
        [one for one in _layers(draft) if one != draft.get(name, "layer_index")]
    )
    return (name,)


@falsifies
def number_changed_for_a_role(draft: Draft, rng: Random) -> Place | None:
    """All ranks' nodes of a role use another layer's weights."""
    name = _in_layer(draft, rng)
    if name is None:
        return None
    place = (name, *draft.siblings(name, "layer_index"))
    number = rng.choice([one for one in _layers(draft) if one != draft.get(name, "layer_index")])
    for one in place:
        draft.nodes[one]["layer_index"] = number
    return place


def numbers_exchanged_for_a_role(draft: Draft, rng: Random) -> Place | None:
    """Two layers exchange the weights of one operator."""
    name = draft.pick(rng, lambda one: draft.get(one, "layer_index") and draft.get(one, "param"))
    if name is None:
        return None
    mine = draft.get(name, "layer_index")
    theirs = rng.choice([one for one in _layers(draft) if one != mine])
    place = [one for one in (name, *draft.siblings(name)) if draft.get(one, "layer_index") in (mine, theirs)]
    for one in place:
        draft.nodes[one]["layer_index"] = theirs if draft.get(one, "layer_index") == mine else mine
    return tuple(place)


def layers_exchanged(draft: Draft, rng: Random) -> Place | None:
    """All nodes of two layers exchange their layer's number."""
    found = _layers(draft)
    if len(found) < 2:
        return None
    first, second = rng.sample(found, 2)
    place = []
    for one, facts in draft.nodes.items():
        if facts.get("layer_index") in (first, second):
            facts["layer_index"] = second if facts["layer_index"] == first else first
            place.append(one)
    return tuple(place)


def every_layer_the_first(draft: Draft, rng: Random) -> Place | None:
    """A script forgot to count: every layer says 0."""
    place = []
    for one, facts in draft.nodes.items():
        if facts.get("layer_index", "0") != "0":
            facts["layer_index"] = "0"
            place.append(one)
    return tuple(place) if place and rng else None


def counted_from_one(draft: Draft, rng: Random) -> Place | None:
    """Layers are counted from 1."""
    place = []
    for one, facts in draft.nodes.items():
        if "layer_index" in facts:
            facts["layer_index"] = str(int(facts["layer_index"]) + 1)
            place.append(one)
    return tuple(place) if place and rng else None


def layer_skipped(draft: Draft, rng: Random) -> Place | None:
    """A layer is deleted, its neighbours joined."""
    layer = rng.choice(_layers(draft))
    gone = set(_of(draft, layer))
    coming = [edge for edge in draft.edges if edge.head in gone and edge.tail not in gone]
    going = [edge for edge in draft.edges if edge.tail in gone and edge.head not in gone]
    place = {end for edge in (*coming, *going) for end in (edge.tail, edge.head)} | gone
    for edge in going:
        givers = {one.tail for one in coming if set(draft.gpus(one.tail)) & set(draft.gpus(edge.head))}
        for giver in sorted(givers):
            draft.edges.append(Edge(giver, edge.head, dict(edge.facts)))
    for one in gone:
        draft.remove(one)
    return tuple(sorted(place))


def layer_bypassed(draft: Draft, rng: Random) -> Place | None:
    """What follows a layer takes what went into it; the layer stays, for nobody."""
    layer = rng.choice(_layers(draft))
    inside = set(_of(draft, layer))
    coming = {edge.tail for edge in draft.edges if edge.head in inside and edge.tail not in inside}
    place: set[str] = set()
    for edge in draft.edges:
        if edge.tail in inside and edge.head not in inside:
            gpus = set(draft.gpus(edge.head))
            found = [one for one in sorted(coming) if gpus & set(draft.gpus(one))]
            if not found:
                return None
            place |= {edge.tail, edge.head}
            edge.tail = rng.choice(found)
            place.add(edge.tail)
    return tuple(sorted(place))


def _residual(draft: Draft, rng: Random) -> tuple[str, list[Edge]] | None:
    name = draft.pick(rng, lambda one: draft.get(one, "op") == "add" and len(draft.into(one)) == 2)
    return (name, draft.into(name)) if name else None


def _skip(draft: Draft, edges: list[Edge]) -> Edge:
    """The residual's edge: the one whose tail the other one depends on."""
    first, second = edges
    return first if first.tail in draft.before(second.tail) else second


def residual_forgotten(draft: Draft, rng: Random) -> Place | None:
    """The edge around a block is missing."""
    found = _residual(draft, rng)
    if found is None:
        return None
    edge = _skip(draft, found[1])
    draft.edges.remove(edge)
    return edge.tail, edge.head


def residual_forgotten_and_undeclared(draft: Draft, rng: Random) -> Place | None:
    """The edge around a block is missing, and the add declares one input only."""
    found = _residual(draft, rng)
    if found is None:
        return None
    name, edges = found
    edge = _skip(draft, edges)
    draft.edges.remove(edge)
    draft.set_ports(name, "input", draft.ports(name, "input")[:1])
    return edge.tail, edge.head


def residual_add_made_a_copy(draft: Draft, rng: Random) -> Place | None:
    """The add only hands on the block's result."""
    found = _residual(draft, rng)
    if found is None:
        return None
    name, edges = found
    edge = _skip(draft, edges)
    draft.edges.remove(edge)
    draft.set_ports(name, "input", [("", draft.ports(name, "input")[0][1])])
    draft.nodes[name] |= {"op": "copy", "shape": "parallelogram"}
    return edge.tail, edge.head


def residual_node_deleted(draft: Draft, rng: Random) -> Place | None:
    """The add is deleted: who used it takes the block's result."""
    found = _residual(draft, rng)
    if found is None:
        return None
    name, edges = found
    place = draft.around([name])
    draft.edges.remove(_skip(draft, edges))
    draft.join_over(name)
    draft.remove(name)
    return tuple(sorted(place))


def residual_after_the_norm(draft: Draft, rng: Random) -> Place | None:
    """The residual is taken after the norm."""
    found = _residual(draft, rng)
    if found is None:
        return None
    name, edges = found
    edge = _skip(draft, edges)
    gpus = set(draft.gpus(name))
    norms = [
        one.head
        for one in draft.out_of(edge.tail)
        if draft.get(one.head, "op") == "norm" and gpus & set(draft.gpus(one.head))
    ]
    if not norms:
        return None
    old, edge.tail = edge.tail, rng.choice(norms)
    return old, edge.tail, name


def residual_of_another_block(draft: Draft, rng: Random) -> Place | None:
    """The residual comes from an earlier add, or from the embedding."""
    found = _residual(draft, rng)
    if found is None:
        return None
    name, edges = found
    edge = _skip(draft, edges)
    gpus = set(draft.gpus(name))
    earlier = [
        one
        for one in draft.before(edge.tail)
        if gpus <= set(draft.gpus(one)) and draft.get(one, "output") == draft.get(edge.tail, "output")
    ]
    if not earlier:
        return None
    old, edge.tail = edge.tail, rng.choice(sorted(earlier))
    return old, edge.tail, name


def block_added_to_itself(draft: Draft, rng: Random) -> Place | None:
    """Both terms of the add are the block's result."""
    found = _residual(draft, rng)
    if found is None:
        return None
    name, edges = found
    edge = _skip(draft, edges)
    other = next(one for one in edges if one is not edge)
    edge.tail = other.tail
    return edge.tail, name


def stream_added_to_itself(draft: Draft, rng: Random) -> Place | None:
    """Both terms of the add are the residual: the block is left out."""
    found = _residual(draft, rng)
    if found is None:
        return None
    name, edges = found
    edge = _skip(draft, edges)
    other = next(one for one in edges if one is not edge)
    old, other.tail = other.tail, edge.tail
    return old, edge.tail, name


def add_after_the_norm(draft: Draft, rng: Random) -> Place | None:
    """Norm and residual add exchange their places: post-norm instead of pre-norm."""
    name = draft.pick_op(rng, "norm")
    if name is None:
        return None
    edge = draft.into(name)[0] if draft.into(name) else None
    if edge is None or draft.get(edge.tail, "op") != "add" or draft.get(edge.tail, "gpu") != draft.get(name, "gpu"):
        return None
    add = edge.tail
    place = draft.around([name, add])
    for one in draft.edges:
        if one.tail == add and one.head != name:
            one.tail = name
    return tuple(sorted(place))


def operator_skipped(draft: Draft, rng: Random) -> Place | None:
    """A norm, activation, softmax or copy is deleted, its ends joined."""
    name = draft.pick_op(rng, "norm", "activation", "softmax", "copy", "head_split", "head_merge")
    if name is None:
        return None
    place = draft.around([name])
    draft.join_over(name)
    draft.remove(name)
    return tuple(sorted(place))


def operator_skipped_on_all_ranks(draft: Draft, rng: Random) -> Place | None:
    """The same on every rank."""
    name = draft.pick_op(rng, "norm", "activation", "softmax", "copy")
    if name is None:
        return None
    gone = [name, *draft.siblings(name, "layer_index")]
    place = draft.around(gone)
    for one in gone:
        draft.join_over(one)
        draft.remove(one)
    return tuple(sorted(place))


def operator_twice(draft: Draft, rng: Random) -> Place | None:
    """A norm, activation, softmax or copy stands there twice in a row."""
    name = draft.pick_op(rng, "norm", "activation", "softmax", "copy")
    if name is None:
        return None
    second, place = f"{name}_2", draft.around([name])
    draft.insert_after(name, second, dict(draft.nodes[name]))
    for edge in draft.edges:
        if edge.tail == name:
            edge.tail = second
    draft.edges.append(Edge(name, second))
    return tuple(sorted({*place, second}))


def blocks_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Two norms exchange what they feed: the MLP sees the attention's norm."""
    first = draft.pick_op(rng, "norm")
    if first is None:
        return None
    others = [
        one
        for one in draft.nodes
        if draft.get(one, "op") == "norm" and one != first and draft.get(one, "gpu") == draft.get(first, "gpu")
    ]
    if not others:
        return None
    second = rng.choice(others)
    place = draft.around([first, second])
    for edge in draft.edges:
        if edge.tail in (first, second):
            edge.tail = second if edge.tail == first else first
    return tuple(sorted(place))
