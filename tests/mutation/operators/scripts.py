"""Faults of generating scripts: a loop or a replacement that goes wrong for a whole role, layer or file."""

from __future__ import annotations

import re
from random import Random

from mutation.draft import Draft, Edge, Place, falsifies


def _class(draft: Draft, rng: Random) -> list[Edge]:
    """The edges that a script writes in one loop over ranks: equal roles of both ends, equal layers."""
    edge = draft.pick_edge(rng)
    if edge is None:
        return []

    def key(one: Edge) -> tuple[str, ...]:
        ends = [draft.get(end, attribute) for end in (one.tail, one.head) for attribute in ("role", "layer_index")]
        return (*ends, one.facts.get("arg", ""))

    return [one for one in draft.edges if key(one) == key(edge)]


def _ends(edges: list[Edge]) -> Place:
    return tuple(sorted({end for edge in edges for end in (edge.tail, edge.head)}))


def every_rank_takes_the_first(draft: Draft, rng: Random) -> Place | None:
    """All ranks' edges come from the first rank's node."""
    edges = _class(draft, rng)
    if len({edge.tail for edge in edges}) < 2:
        return None
    place = _ends(edges)
    for edge in edges:
        edge.tail = edges[0].tail
    return place


def every_rank_feeds_the_first(draft: Draft, rng: Random) -> Place | None:
    """All ranks' edges lead to the first rank's node."""
    edges = _class(draft, rng)
    if len({edge.head for edge in edges}) < 2:
        return None
    place = _ends(edges)
    for edge in edges:
        edge.head = edges[0].head
    return place


def ranks_shifted_by_one(draft: Draft, rng: Random) -> Place | None:
    """Each rank's edge leads to the next rank."""
    edges = _class(draft, rng)
    heads = [edge.head for edge in edges]
    if len(set(heads)) < 2:
        return None
    for edge, head in zip(edges, heads[1:] + heads[:1], strict=True):
        edge.head = head
    return _ends(edges)


def last_rank_not_connected(draft: Draft, rng: Random) -> Place | None:
    """A loop over ranks ends one too early."""
    edges = _class(draft, rng)
    if len(edges) < 2:
        return None
    draft.edges = [edge for edge in draft.edges if edge is not edges[-1]]
    return edges[-1].tail, edges[-1].head


def every_rank_to_every_rank(draft: Draft, rng: Random) -> Place | None:
    """Two nested loops where one was meant: every rank's node feeds every rank's."""
    edges = _class(draft, rng)
    made = [
        Edge(tail, head, dict(edges[0].facts))
        for tail in sorted({edge.tail for edge in edges})
        for head in sorted({edge.head for edge in edges})
        if not draft.joined(tail, head)
    ]
    draft.edges += made
    return _ends(made) if made else None


def class_forgotten(draft: Draft, rng: Random) -> Place | None:
    """All edges of one kind are missing in one layer."""
    edges = _class(draft, rng)
    draft.edges = [edge for edge in draft.edges if edge not in edges]
    return _ends(edges)


def previous_layer_for_all_ranks(draft: Draft, rng: Random) -> Place | None:
    """All ranks' edges come from the layer before."""
    edges = [edge for edge in _class(draft, rng) if draft.get(edge.tail, "layer_index") not in ("", "0")]
    place = set(_ends(edges))
    for edge in edges:
        layer = str(int(draft.get(edge.tail, "layer_index")) - 1)
        found = [one for one in draft.siblings(edge.tail, "expert") if draft.get(one, "layer_index") == layer]
        same = [one for one in found if draft.get(one, "gpu") == draft.get(edge.tail, "gpu")]
        if not found:
            return None
        edge.tail = (same or found)[0]
        place.add(edge.tail)
    return tuple(sorted(place)) if place else None


def role_not_generated_on_the_last_rank(draft: Draft, rng: Random) -> Place | None:
    """The last rank's node of a role is missing in a layer, its edges joined."""
    name = draft.pick(rng, lambda one: draft.siblings(one, "layer_index", "expert"))
    if name is None:
        return None
    last = max([name, *draft.siblings(name, "layer_index", "expert")], key=draft.gpus)
    place = draft.around([last])
    draft.join_over(last)
    draft.remove(last)
    return tuple(sorted(place))


def gpus_off_by_one(draft: Draft, rng: Random) -> Place | None:
    """All nodes of a role are on the next GPU."""
    name = draft.pick(rng, lambda one: len(draft.gpus(one)) == 1 and draft.siblings(one, "layer_index"))
    if name is None:
        return None
    names = [name, *draft.siblings(name, "layer_index")]
    gpus = sorted({gpu for one in names for gpu in draft.gpus(one)})
    if len(gpus) < 2:
        return None
    following = dict(zip(gpus, gpus[1:] + gpus[:1], strict=True))
    for one in names:
        draft.set_gpus(one, [following[gpu] for gpu in draft.gpus(one)])
    return tuple(names)


@falsifies
def experts_off_by_one(draft: Draft, rng: Random) -> Place | None:
    """Experts are counted from 1 on all nodes of a role."""
    name = draft.pick(rng, lambda one: draft.get(one, "expert"))
    if name is None:
        return None
    names = [name, *draft.siblings(name, "layer_index")]
    for one in names:
        draft.nodes[one]["expert"] = str(int(draft.get(one, "expert")) + 1)
    return tuple(names)


@falsifies
def experts_rotated(draft: Draft, rng: Random) -> Place | None:
    """All nodes of a role have the next expert's number."""
    name = draft.pick(rng, lambda one: draft.get(one, "expert"))
    if name is None:
        return None
    names = [name, *draft.siblings(name, "layer_index")]
    count = 1 + max(int(draft.get(one, "expert")) for one in names)
    for one in names:
        draft.nodes[one]["expert"] = str((int(draft.get(one, "expert")) + 1) % count)
    return tuple(names)


_KINDS = {
    "all_reduce": ("all_gather", "reduce_scatter", "broadcast"),
    "all_gather": ("all_reduce", "all_to_all"),
    "reduce_scatter": ("all_reduce",),
    "all_to_all": ("all_gather",),
    "combine_reduce": ("all_reduce", "combine"),
    "norm": ("activation",),
    "softmax": ("activation",),
    "expert_linear": ("linear",),
    "linear": ("expert_linear",),
}


@falsifies
def operator_replaced_everywhere(draft: Draft, rng: Random) -> Place | None:
    """An operator's name is replaced in the whole file."""
    found = sorted({facts["op"] for facts in draft.nodes.values()} & _KINDS.keys())
    if not found:
        return None
    op = rng.choice(found)
    other = rng.choice(_KINDS[op])
    place = [one for one, facts in draft.nodes.items() if facts["op"] == op]
    for one in place:
        draft.nodes[one]["op"] = other
    return tuple(place)


@falsifies
def symbol_replaced_in_a_role(draft: Draft, rng: Random) -> Place | None:
    """A size is replaced by another in all types of a role."""
    name = draft.pick(rng, lambda one: draft.get(one, "layer_index"))
    if name is None:
        return None
    names = [name, *draft.siblings(name)]
    first, second = rng.sample("BSHNDF", 2)
    for one in names:
        for key in ("input", "output", "param"):
            if key in draft.nodes[one]:
                draft.nodes[one][key] = re.sub(rf"\b{first}\b", second, draft.nodes[one][key])
    return tuple(names)


@falsifies
def symbol_replaced_everywhere(draft: Draft, rng: Random) -> Place | None:
    """A size is replaced by another in all types and weights of the file."""
    first, second = rng.sample("SHNDF", 2)
    for facts in draft.nodes.values():
        for key in ("input", "output", "param"):
            if key in facts:
                facts[key] = re.sub(rf"\b{first}\b", second, facts[key])
    return tuple(draft.nodes)


@falsifies
def axis_replaced_in_a_role(draft: Draft, rng: Random) -> Place | None:
    """An axis is replaced by another in all that a role says."""
    name = draft.pick(rng, lambda one: len(draft.mesh(one).axes) > 1)
    if name is None:
        return None
    names = [name, *draft.siblings(name)]
    first, second = rng.sample([axis for axis, _ in draft.mesh(name).axes], 2)
    for one in names:
        for key in ("input", "output", "param", "over", "owner"):
            if key in draft.nodes[one]:
                draft.nodes[one][key] = re.sub(rf"\b{first}\b", second, draft.nodes[one][key])
    return tuple(names)


@falsifies
def role_misspelt_everywhere(draft: Draft, rng: Random) -> Place | None:
    """A role has another name in the whole file."""
    role = rng.choice(sorted({facts["role"] for facts in draft.nodes.values()}))
    place = [one for one, facts in draft.nodes.items() if facts["role"] == role]
    for one in place:
        draft.nodes[one]["role"] = f"{role}x"
    return tuple(place)


def every_layer_takes_the_embedding(draft: Draft, rng: Random) -> Place | None:
    """The stream is not handed from layer to layer: each begins with what the first begins with."""
    first = {edge.tail for edge in draft.edges if _enters(draft, edge, "0")}
    place: set[str] = set()
    for edge in draft.edges:
        layer = draft.get(edge.head, "layer_index")
        if layer in ("", "0") or not _enters(draft, edge, layer):
            continue
        gpus = set(draft.gpus(edge.head))
        found = [one for one in sorted(first) if gpus & set(draft.gpus(one))]
        if not found:
            return None
        place |= {edge.tail, edge.head}
        edge.tail = rng.choice(found)
    return tuple(sorted(place)) if place else None


def _enters(draft: Draft, edge: Edge, layer: str) -> bool:
    return draft.get(edge.head, "layer_index") == layer != draft.get(edge.tail, "layer_index")


def head_takes_the_first_layer(draft: Draft, rng: Random) -> Place | None:
    """The model's end takes what the first layer gives."""
    last = max((facts.get("layer_index", "") for facts in draft.nodes.values()), default="")
    edges = [
        e for e in draft.edges if draft.get(e.tail, "layer_index") == last and not draft.get(e.head, "layer_index")
    ]
    place = set(_ends(edges))
    for edge in edges:
        found = [
            one
            for one in draft.siblings(edge.tail, "expert")
            if draft.get(one, "layer_index") == "0" and set(draft.gpus(edge.head)) & set(draft.gpus(one))
        ]
        if not found:
            return None
        edge.tail = rng.choice(found)
        place.add(edge.tail)
    return tuple(sorted(place)) if place else None


def head_skips_the_norm(draft: Draft, rng: Random) -> Place | None:
    """The projection onto the vocabulary takes the stream before the last norm."""
    norms = [one for one in draft.nodes if draft.get(one, "role") == "head.norm"]
    place = draft.around(norms)
    for one in norms:
        draft.join_over(one)
        draft.remove(one)
    return tuple(sorted(place)) if norms and rng else None


def one_node_for_all_layers(draft: Draft, rng: Random) -> Place | None:
    """The layer's number is missing in an id: one collective or norm serves every layer."""
    name = draft.pick(rng, lambda one: draft.get(one, "layer_index") and draft.siblings(one, "gpu", "expert"))
    if name is None:
        return None
    others = draft.siblings(name, "gpu", "expert")
    place = draft.around([name, *others])
    for edge in draft.edges:
        edge.tail = name if edge.tail in others else edge.tail
        edge.head = name if edge.head in others else edge.head
    for other in others:
        del draft.nodes[other]
    return tuple(sorted(place - {*others}))


def collective_fed_by_one_rank(draft: Draft, rng: Random) -> Place | None:
    """Only the first rank's edge leads into a collective."""
    name = draft.pick(rng, lambda one: draft.get(one, "shape") == "ellipse" and len(draft.into(one)) > 1)
    if name is None:
        return None
    edges = draft.into(name)
    draft.edges = [edge for edge in draft.edges if edge.head != name or edge is edges[0]]
    return _ends(edges)


def collective_feeds_one_rank(draft: Draft, rng: Random) -> Place | None:
    """Only the first rank gets a collective's result."""
    name = draft.pick(rng, lambda one: draft.get(one, "shape") == "ellipse" and len(draft.out_of(one)) > 1)
    if name is None:
        return None
    edges = draft.out_of(name)
    draft.edges = [edge for edge in draft.edges if edge.tail != name or edge is edges[0]]
    return _ends(edges)


def query_serves_as_key_and_value(draft: Draft, rng: Random) -> Place | None:
    """On all ranks of a layer one projection feeds scores and weighted sum."""
    edge = draft.pick_edge(
        rng, lambda one: one.facts.get("arg") in ("k", "v") and ".q" not in draft.get(one.tail, "role")
    )
    if edge is None:
        return None
    place: set[str] = set()
    role, layer = draft.get(edge.tail, "role"), draft.get(edge.tail, "layer_index")
    for one in draft.edges:
        if draft.get(one.tail, "role") != role or draft.get(one.tail, "layer_index") != layer:
            continue
        if one.facts.get("arg") != edge.facts["arg"]:
            continue
        if len(draft.ports(one.tail, "output")) > 1:
            one.facts["out"] = "q"
        else:
            found = [
                other
                for other in draft.nodes
                if draft.get(other, "role") == re.sub(r"\.[kv]\b|\.[kv](?=_)", ".q", role)
                and draft.get(other, "gpu") == draft.get(one.tail, "gpu")
                and draft.get(other, "layer_index") == layer
            ]
            if not found:
                return None
            one.tail = found[0]
        place |= {one.tail, one.head}
    return tuple(sorted(place)) if place else None


def two_layers_side_by_side(draft: Draft, rng: Random) -> Place | None:
    """A layer takes the input of the layer before it, and its result goes on: they run in parallel."""
    layers = sorted({facts["layer_index"] for facts in draft.nodes.values() if facts.get("layer_index", "0") != "0"})
    if not layers:
        return None
    layer = rng.choice(layers)
    before = str(int(layer) - 1)
    entries = sorted({edge.tail for edge in draft.edges if _enters(draft, edge, before)})
    place: set[str] = set()
    for edge in draft.edges:
        if not _enters(draft, edge, layer):
            continue
        found = [one for one in entries if set(draft.gpus(one)) & set(draft.gpus(edge.head))]
        if not found:
            return None
        place |= {edge.tail, edge.head}
        edge.tail = rng.choice(found)
    return tuple(sorted(place)) if place else None
