"""Edges that are missing, lead elsewhere, or are too many."""

from __future__ import annotations

from random import Random

from mutation.draft import Draft, Edge, Place


def drop_edge(draft: Draft, rng: Random) -> Place | None:
    """An edge is forgotten."""
    edge = draft.pick_edge(rng)
    if edge is None:
        return None
    draft.edges.remove(edge)
    return edge.tail, edge.head


def drop_two_edges(draft: Draft, rng: Random) -> Place | None:
    """Two edges of one kind are forgotten."""
    edge = draft.pick_edge(rng)
    if edge is None:
        return None
    role = draft.get(edge.head, "role")
    other = draft.pick_edge(rng, lambda one: one is not edge and draft.get(one.head, "role") == role)
    if other is None:
        return None
    draft.edges = [one for one in draft.edges if one is not edge and one is not other]
    return edge.tail, edge.head, other.tail, other.head


def drop_all_inputs(draft: Draft, rng: Random) -> Place | None:
    """A node is left without anything that feeds it."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") != "input")
    if name is None:
        return None
    draft.edges = [edge for edge in draft.edges if edge.head != name]
    return (name,)


def drop_all_outputs(draft: Draft, rng: Random) -> Place | None:
    """A node's result goes nowhere."""
    name = draft.pick(rng, lambda one: draft.get(one, "op") != "output")
    if name is None:
        return None
    draft.edges = [edge for edge in draft.edges if edge.tail != name]
    return (name,)


def redirect_head_to_other_rank(draft: Draft, rng: Random) -> Place | None:
    """An edge leads to the same node of another rank."""
    edge = draft.pick_edge(rng, lambda one: draft.siblings(one.head, "layer_index", "expert"))
    if edge is None:
        return None
    old, new = edge.head, rng.choice(draft.siblings(edge.head, "layer_index", "expert"))
    edge.head = new
    return edge.tail, old, new


def redirect_tail_to_other_rank(draft: Draft, rng: Random) -> Place | None:
    """An edge comes from the same node of another rank."""
    edge = draft.pick_edge(rng, lambda one: draft.siblings(one.tail, "layer_index", "expert"))
    if edge is None:
        return None
    old, new = edge.tail, rng.choice(draft.siblings(edge.tail, "layer_index", "expert"))
    edge.tail = new
    return old, new, edge.head


def redirect_tail_to_other_layer(draft: Draft, rng: Random) -> Place | None:
    """An edge comes from the same node of another layer."""
    edge = draft.pick_edge(rng, lambda one: draft.siblings(one.tail, "gpu", "expert"))
    if edge is None:
        return None
    old, new = edge.tail, rng.choice(draft.siblings(edge.tail, "gpu", "expert"))
    edge.tail = new
    return old, new, edge.head


def redirect_head_to_other_layer(draft: Draft, rng: Random) -> Place | None:
    """An edge leads to the same node of another layer."""
    edge = draft.pick_edge(rng, lambda one: draft.siblings(one.head, "gpu", "expert"))
    if edge is None:
        return None
    old, new = edge.head, rng.choice(draft.siblings(edge.head, "gpu", "expert"))
    edge.head = new
    return edge.tail, old, new


def redirect_head_anywhere(draft: Draft, rng: Random) -> Place | None:
    """An edge leads to some other node."""
    edge = draft.pick_edge(rng)
    if edge is None:
        return None
    old, edge.head = edge.head, rng.choice([one for one in draft.nodes if one not in (edge.head, edge.tail)])
    return edge.tail, old, edge.head


def redirect_tail_to_equal_type(draft: Draft, rng: Random) -> Place | None:
    """An edge comes from an earlier node of equal type on the same GPUs."""
    edge = draft.pick_edge(rng)
    if edge is None:
        return None
    tail = edge.tail
    later = {one for one in draft.nodes if edge.head in draft.before(one)} if len(draft.nodes) < 250 else set()
    found = [
        one
        for one in draft.nodes
        if one not in (tail, edge.head)
        and one not in later
        and draft.get(one, "output") == draft.get(tail, "output")
        and set(draft.gpus(one)) >= set(draft.gpus(tail))
    ]
    if not found:
        return None
    edge.tail = rng.choice(found)
    return tail, edge.tail, edge.head


def reverse_edge(draft: Draft, rng: Random) -> Place | None:
    """An arrow points the wrong way."""
    edge = draft.pick_edge(rng)
    if edge is None:
        return None
    edge.tail, edge.head = edge.head, edge.tail
    return edge.tail, edge.head


def duplicate_edge(draft: Draft, rng: Random) -> Place | None:
    """An edge stands there twice."""
    edge = draft.pick_edge(rng)
    if edge is None:
        return None
    draft.edges.append(Edge(edge.tail, edge.head, dict(edge.facts)))
    return edge.tail, edge.head


def add_edge_on_one_gpu(draft: Draft, rng: Random) -> Place | None:
    """An edge too many, from an earlier node on the same GPU."""
    head = draft.pick(rng, lambda one: draft.get(one, "op") != "input")
    if head is None:
        return None
    gpus = set(draft.gpus(head))
    found = [one for one in draft.before(head) if gpus & set(draft.gpus(one)) and not draft.joined(one, head)]
    if not found:
        return None
    tail = rng.choice(sorted(found))
    draft.edges.append(Edge(tail, head))
    return tail, head


def add_edge_from_other_rank(draft: Draft, rng: Random) -> Place | None:
    """A node is also fed by another rank's node."""
    edge = draft.pick_edge(rng, lambda one: draft.siblings(one.tail, "layer_index", "expert"))
    if edge is None:
        return None
    tail = rng.choice(draft.siblings(edge.tail, "layer_index", "expert"))
    if draft.joined(tail, edge.head):
        return None
    draft.edges.append(Edge(tail, edge.head, dict(edge.facts)))
    return tail, edge.head


def close_a_cycle(draft: Draft, rng: Random) -> Place | None:
    """An edge leads back to something earlier."""
    tail = draft.pick(rng, draft.before)
    if tail is None:
        return None
    head = rng.choice(sorted(draft.before(tail)))
    draft.edges.append(Edge(tail, head))
    return tail, head


def exchange_heads(draft: Draft, rng: Random) -> Place | None:
    """Two ranks' edges are crossed: each gets the other's value."""
    return _crossed(draft, rng, "layer_index", "expert")


def exchange_heads_between_layers(draft: Draft, rng: Random) -> Place | None:
    """The edges of two layers are crossed."""
    return _crossed(draft, rng, "gpu", "expert")


def _crossed(draft: Draft, rng: Random, *same: str) -> Place | None:
    def others(edge: Edge) -> list[Edge]:
        tails, heads = draft.siblings(edge.tail, *same), draft.siblings(edge.head, *same)
        return [one for one in draft.edges if one.tail in tails and one.head in heads and one.facts == edge.facts]

    edge = draft.pick_edge(rng, lambda one: draft.siblings(one.head, *same) and draft.siblings(one.tail, *same))
    if edge is None or not (found := others(edge)):
        return None
    other = rng.choice(found)
    edge.head, other.head = other.head, edge.head
    return edge.tail, edge.head, other.tail, other.head


def take_from_before_the_maker(draft: Draft, rng: Random) -> Place | None:
    """An edge comes from what feeds its tail: one operator is skipped."""

    def earlier(edge: Edge) -> list[str]:
        gpus = set(draft.gpus(edge.head))
        return [one.tail for one in draft.into(edge.tail) if gpus & set(draft.gpus(one.tail))]

    edge = draft.pick_edge(rng, earlier)
    if edge is None:
        return None
    old, edge.tail = edge.tail, rng.choice(earlier(edge))
    return old, edge.tail, edge.head


def take_from_after_the_maker(draft: Draft, rng: Random) -> Place | None:
    """An edge comes from another user of its tail: one operator too many."""

    def later(edge: Edge) -> list[str]:
        gpus = set(draft.gpus(edge.head))
        return [
            one.head
            for one in draft.out_of(edge.tail)
            if one.head != edge.head and gpus & set(draft.gpus(one.head)) and edge.head not in draft.before(one.head)
        ]

    edge = draft.pick_edge(rng, later)
    if edge is None:
        return None
    old, edge.tail = edge.tail, rng.choice(later(edge))
    return old, edge.tail, edge.head


def wrong_argument(draft: Draft, rng: Random) -> Place | None:
    """An edge fills another input than it should."""
    edge = draft.pick_edge(rng, lambda one: len(draft.ports(one.head, "input")) > 1)
    if edge is None:
        return None
    mine = edge.facts.get("arg", "")
    slots = [slot for slot, _ in draft.ports(edge.head, "input") if slot != mine]
    edge.facts["arg"] = rng.choice(slots)
    return edge.tail, edge.head


def argument_removed(draft: Draft, rng: Random) -> Place | None:
    """An edge no longer says which input it fills."""
    edge = draft.pick_edge(rng, lambda one: "arg" in one.facts)
    if edge is None:
        return None
    del edge.facts["arg"]
    return edge.tail, edge.head


def output_name_exchanged(draft: Draft, rng: Random) -> Place | None:
    """An edge takes another one of several outputs (k instead of v)."""
    edge = draft.pick_edge(rng, lambda one: len(draft.ports(one.tail, "output")) > 1)
    if edge is None:
        return None
    slots = [slot.strip() for slot in edge.facts.get("arg", "x").split(",")]
    outputs = [slot for slot, _ in draft.ports(edge.tail, "output")]
    taken = [slot.strip() for slot in edge.facts.get("out", ",".join(slots)).split(",")]
    at = rng.randrange(len(taken))
    taken[at] = rng.choice([name for name in outputs if name != taken[at]])
    edge.facts |= {"arg": ",".join(slots), "out": ",".join(taken)}
    return edge.tail, edge.head


def arguments_exchanged(draft: Draft, rng: Random) -> Place | None:
    """Two inputs of a node are exchanged: q for k, k for v."""
    name = draft.pick(rng, lambda one: len(draft.into(one)) > 1 and len(draft.ports(one, "input")) > 1)
    if name is None:
        return None
    first, second = rng.sample(draft.into(name), 2)
    first.tail, second.tail = second.tail, first.tail
    return first.tail, second.tail, name
