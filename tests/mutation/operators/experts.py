"""Experts, gates and routing gone wrong."""

from __future__ import annotations

from random import Random

from mutation.draft import Draft, Edge, Place, falsifies


def _expert(draft: Draft, rng: Random, *ops: str) -> str | None:
    return draft.pick(rng, lambda one: draft.get(one, "expert") and (not ops or draft.get(one, "op") in ops))


def _others(draft: Draft, name: str) -> list[str]:
    """The same node of other experts."""
    return [one for one in draft.siblings(name, "layer_index") if draft.get(one, "expert") != draft.get(name, "expert")]


def _of_expert(draft: Draft, name: str) -> list[str]:
    """All nodes of its expert in its layer."""
    keys = ("layer_index", "expert")
    mine = [draft.get(name, key) for key in keys]
    return [one for one in draft.nodes if [draft.get(one, key) for key in keys] == mine]


@falsifies
def number_changed(draft: Draft, rng: Random) -> Place | None:
    """A node says another expert's number."""
    name = _expert(draft, rng)
    if name is None:
        return None
    draft.nodes[name]["expert"] = draft.get(rng.choice(_others(draft, name)), "expert")
    return (name,)


@falsifies
def number_too_large(draft: Draft, rng: Random) -> Place | None:
    """A node says an expert that is not there."""
    name = _expert(draft, rng)
    if name is None:
        return None
    draft.nodes[name]["expert"] = str(int(draft.get(name, "expert")) + 64)
    return (name,)


@falsifies
def number_removed(draft: Draft, rng: Random) -> Place | None:
    """A node does not say its expert."""
    name = _expert(draft, rng)
    if name is None:
        return None
    del draft.nodes[name]["expert"]
    return (name,)


@falsifies
def numbers_exchanged_on_one_operator(draft: Draft, rng: Random) -> Place | None:
    """Two experts' numbers are exchanged on one operator only."""
    name = _expert(draft, rng)
    if name is None:
        return None
    other = rng.choice(_others(draft, name))
    first, second = draft.nodes[name], draft.nodes[other]
    first["expert"], second["expert"] = second["expert"], first["expert"]
    return name, other


def numbers_exchanged_throughout(draft: Draft, rng: Random) -> Place | None:
    """Two experts' numbers are exchanged on all their operators, their edges left."""
    name = _expert(draft, rng)
    if name is None:
        return None
    other = rng.choice(_others(draft, name))
    mine, theirs = _of_expert(draft, name), _of_expert(draft, other)
    numbers = draft.get(name, "expert"), draft.get(other, "expert")
    for one in mine:
        draft.nodes[one]["expert"] = numbers[1]
    for one in theirs:
        draft.nodes[one]["expert"] = numbers[0]
    return (*mine, *theirs)


def on_the_wrong_gpu(draft: Draft, rng: Random) -> Place | None:
    """One operator of an expert is on another expert's GPU."""
    name = _expert(draft, rng)
    if name is None:
        return None
    others = [one for one in _others(draft, name) if draft.get(one, "gpu") != draft.get(name, "gpu")]
    if not others:
        return None
    draft.nodes[name]["gpu"] = draft.get(rng.choice(others), "gpu")
    return (name,)


def gpus_exchanged_on_one_operator(draft: Draft, rng: Random) -> Place | None:
    """Two experts exchange GPUs on one operator only."""
    name = _expert(draft, rng)
    if name is None:
        return None
    others = [one for one in _others(draft, name) if draft.get(one, "gpu") != draft.get(name, "gpu")]
    if not others:
        return None
    first, second = draft.nodes[name], draft.nodes[other := rng.choice(others)]
    first["gpu"], second["gpu"] = second["gpu"], first["gpu"]
    return name, other


def moved_to_another_gpu_throughout(draft: Draft, rng: Random) -> Place | None:
    """All operators of two experts exchange GPUs, consistently: an expert lives where the router does not send."""
    name = _expert(draft, rng, "expert_linear")
    if name is None:
        return None
    other = rng.choice(_others(draft, name))
    if len(draft.gpus(name)) > 1 or draft.get(name, "gpu") == draft.get(other, "gpu"):
        return None
    mine, theirs = _of_expert(draft, name), _of_expert(draft, other)
    here, there = draft.get(name, "gpu"), draft.get(other, "gpu")
    for one in (*mine, *theirs):
        gpu = draft.get(one, "gpu")
        draft.nodes[one]["gpu"] = there if gpu == here else here if gpu == there else gpu
    return (*mine, *theirs)


def fed_by_another_expert(draft: Draft, rng: Random) -> Place | None:
    """An expert's operator takes what another expert computed."""
    edge = draft.pick_edge(rng, lambda one: draft.get(one.tail, "expert") and draft.get(one.head, "expert"))
    if edge is None:
        return None
    old, edge.tail = edge.tail, rng.choice(_others(draft, edge.tail))
    return old, edge.tail, edge.head


def two_experts_results_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Two experts on one GPU have their edges crossed."""
    edge = draft.pick_edge(rng, lambda one: draft.get(one.tail, "expert") and draft.get(one.head, "expert"))
    if edge is None:
        return None
    tails = [one for one in _others(draft, edge.tail) if draft.get(one, "gpu") == draft.get(edge.tail, "gpu")]
    others = [
        one for one in draft.edges if one.tail in tails and draft.get(one.head, "role") == draft.get(edge.head, "role")
    ]
    if not others:
        return None
    other = rng.choice(others)
    edge.tail, other.tail = other.tail, edge.tail
    return edge.tail, edge.head, other.tail, other.head


def expert_left_out(draft: Draft, rng: Random) -> Place | None:
    """An expert is not there at all."""
    name = _expert(draft, rng, "expert_linear")
    if name is None:
        return None
    gone = _of_expert(draft, name)
    place = draft.around(gone)
    for one in gone:
        draft.remove(one)
    return tuple(sorted(place))


def expert_on_one_rank_left_out(draft: Draft, rng: Random) -> Place | None:
    """One rank's part of an expert is not there."""
    name = _expert(draft, rng, "expert_linear")
    if name is None or len({draft.get(one, "gpu") for one in _of_expert(draft, name)}) < 2:
        return None
    gone = [one for one in _of_expert(draft, name) if draft.get(one, "gpu") == draft.get(name, "gpu")]
    place = draft.around(gone)
    for one in gone:
        draft.remove(one)
    return tuple(sorted(place))


def expert_twice(draft: Draft, rng: Random) -> Place | None:
    """An expert's operators stand there twice, both feeding on."""
    name = _expert(draft, rng, "expert_linear")
    if name is None:
        return None
    held = _of_expert(draft, name)
    place = draft.around(held)
    for one in held:
        draft.insert_after(one, f"{one}_copy", dict(draft.nodes[one]))
    for edge in list(draft.edges):
        if edge.tail in held or edge.head in held:
            ends = [f"{end}_copy" if end in held else end for end in (edge.tail, edge.head)]
            draft.edges.append(Edge(*ends, dict(edge.facts)))
    return tuple(sorted(place))


def result_not_combined(draft: Draft, rng: Random) -> Place | None:
    """An expert's result is forgotten where results are put together."""
    edge = draft.pick_edge(rng, lambda one: draft.get(one.tail, "expert") and not draft.get(one.head, "expert"))
    if edge is None:
        return None
    draft.edges.remove(edge)
    return edge.tail, edge.head


def activation_skipped(draft: Draft, rng: Random) -> Place | None:
    """No activation between an expert's two products."""
    name = _expert(draft, rng, "activation")
    if name is None:
        return None
    place = draft.around([name])
    draft.join_over(name)
    draft.remove(name)
    return tuple(sorted(place))


def gate_edge_removed(draft: Draft, rng: Random) -> Place | None:
    """Who uses the gate's selection does not get it."""
    edge = draft.pick_edge(rng, lambda one: draft.get(one.tail, "op") == "gate")
    if edge is None:
        return None
    draft.edges.remove(edge)
    return edge.tail, edge.head


def gate_edges_all_removed(draft: Draft, rng: Random) -> Place | None:
    """A gate feeds nothing: experts take their tokens from nowhere."""
    name = draft.pick_op(rng, "gate")
    if name is None:
        return None
    place = draft.around([name])
    draft.edges = [edge for edge in draft.edges if edge.tail != name]
    return tuple(sorted(place))


def gate_edge_and_input_removed(draft: Draft, rng: Random) -> Place | None:
    """The gate's edge is removed, and the input it filled is no longer declared."""
    edge = draft.pick_edge(rng, lambda one: draft.get(one.tail, "op") == "gate")
    if edge is None:
        return None
    draft.edges.remove(edge)
    rest = [(slot, tensor) for slot, tensor in draft.ports(edge.head, "input") if slot != edge.facts.get("arg")]
    draft.set_ports(edge.head, "input", [("", rest[0][1])] if len(rest) == 1 else rest)
    return edge.tail, edge.head


def gate_of_another_layer(draft: Draft, rng: Random) -> Place | None:
    """Tokens are sent, or results weighted, by another layer's gate."""
    edge = draft.pick_edge(rng, lambda one: draft.get(one.tail, "op") == "gate" and draft.siblings(one.tail, "gpu"))
    if edge is None:
        return None
    old, edge.tail = edge.tail, rng.choice(draft.siblings(edge.tail, "gpu"))
    return old, edge.tail, edge.head


def gates_of_another_layer_everywhere(draft: Draft, rng: Random) -> Place | None:
    """All of a layer's nodes of one kind take the first layer's gate."""
    edge = draft.pick_edge(
        rng, lambda one: draft.get(one.tail, "op") == "gate" and draft.get(one.tail, "layer_index") != "0"
    )
    if edge is None:
        return None
    place: set[str] = set()
    role, layer = draft.get(edge.head, "role"), draft.get(edge.head, "layer_index")
    for one in draft.edges:
        if draft.get(one.tail, "op") != "gate" or draft.get(one.head, "role") != role:
            continue
        if draft.get(one.head, "layer_index") == layer:
            first = [name for name in draft.siblings(one.tail, "gpu") if draft.get(name, "layer_index") == "0"]
            place |= {one.tail, one.head}
            one.tail = first[0] if first else one.tail
    return tuple(sorted(place))


def gate_sees_another_value(draft: Draft, rng: Random) -> Place | None:
    """The gate scores the activation before the norm."""
    name = draft.pick_op(rng, "gate")
    if name is None:
        return None
    edge = draft.into(name)[0]
    gpus = set(draft.gpus(name))
    found = [one.tail for one in draft.into(edge.tail) if gpus & set(draft.gpus(one.tail))]
    if not found:
        return None
    old, edge.tail = edge.tail, rng.choice(found)
    return old, edge.tail, name


def experts_see_another_value(draft: Draft, rng: Random) -> Place | None:
    """Tokens are taken from before the norm, the gate from after it."""
    edge = draft.pick_edge(
        rng,
        lambda one: (
            draft.get(one.head, "op") in ("dispatch", "route", "expert_linear") and draft.get(one.tail, "op") == "norm"
        ),
    )
    if edge is None:
        return None
    gpus = set(draft.gpus(edge.tail))
    found = [one.tail for one in draft.into(edge.tail) if gpus & set(draft.gpus(one.tail))]
    if not found:
        return None
    old, edge.tail = edge.tail, rng.choice(found)
    return old, edge.tail, edge.head


def dispatch_made_combine(draft: Draft, rng: Random) -> Place | None:
    """A dispatch says combine, or the other way round."""
    name = draft.pick_op(rng, "dispatch", "combine")
    if name is None:
        return None
    draft.nodes[name]["op"] = "combine" if draft.get(name, "op") == "dispatch" else "dispatch"
    return (name,)


def dispatch_bypassed(draft: Draft, rng: Random) -> Place | None:
    """An expert takes its own GPU's tokens, nothing is exchanged."""
    edge = draft.pick_edge(rng, lambda one: draft.get(one.tail, "op") == "dispatch")
    if edge is None:
        return None
    gpus = set(draft.gpus(edge.head))
    found = [
        one.tail
        for one in draft.into(edge.tail)
        if gpus & set(draft.gpus(one.tail)) and draft.get(one.tail, "op") != "gate"
    ]
    if not found:
        return None
    old, edge.tail = edge.tail, rng.choice(found)
    return old, edge.tail, edge.head


@falsifies
def owner_changed(draft: Draft, rng: Random) -> Place | None:
    """The experts are said to lie along another axis."""
    name = draft.pick(rng, lambda one: draft.get(one, "owner"))
    if name is None:
        return None
    others = [axis for axis, _ in draft.mesh(name).axes if axis != draft.get(name, "owner")]
    draft.nodes[name]["owner"] = rng.choice([*others, "xp"])
    return (name,)


@falsifies
def owner_removed(draft: Draft, rng: Random) -> Place | None:
    """Nothing is said of where the experts lie."""
    name = draft.pick(rng, lambda one: draft.get(one, "owner"))
    if name is None:
        return None
    del draft.nodes[name]["owner"]
    return (name,)


@falsifies
def experts_changed(draft: Draft, rng: Random) -> Place | None:
    """Another number of experts."""
    name = draft.pick(rng, lambda one: draft.get(one, "experts"))
    if name is None:
        return None
    draft.nodes[name]["experts"] = rng.choice(["K", "N", "2", "16", "L"])
    return (name,)


@falsifies
def top_k_changed(draft: Draft, rng: Random) -> Place | None:
    """The gate chooses another number of experts."""
    name = draft.pick_op(rng, "gate")
    if name is None:
        return None
    draft.nodes[name]["top_k"] = rng.choice(["1", "2", "E", "3"])
    return (name,)


def top_k_changed_with_types(draft: Draft, rng: Random) -> Place | None:
    """The gate chooses one expert, and says so in its type."""
    name = draft.pick_op(rng, "gate")
    if name is None:
        return None
    draft.nodes[name]["top_k"] = "1"
    draft.nodes[name]["output"] = draft.get(name, "output").replace("K]", "1]")
    return (name,)


@falsifies
def gate_weight_cut(draft: Draft, rng: Random) -> Place | None:
    """The gate's weight is cut over the experts."""
    name = draft.pick_op(rng, "gate")
    if name is None or not draft.mesh(name).axes:
        return None
    draft.nodes[name]["param"] = f"[H, E/{rng.choice(draft.mesh(name).axes)[0]}]"
    return (name,)
